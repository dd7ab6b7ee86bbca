"""A story as HTML: what is in it is what the trace says, and markup that somebody types stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from babi_memnet.looking.answering import Write
from babi_memnet.tables.step_weights import NEAR_TO, NO_STATEMENT
from babi_memnet.tables.story_page import story_fragment, story_page, story_style
from tests.looking.stories import ASKED, GATES, MARKUP, MIXED, STOPPED, TRACE, WITHOUT_ATTENTION


class Reader(HTMLParser):
    """Tags with their attributes, and the text of each row of the tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append("")
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and "tr" in self.open:
            self.rows[-1] += f"{data} "


def test_markup_stays_text() -> None:
    read = Reader(story_page(TRACE, ASKED.name, ["run <&>"], ASKED.supporting, "<s>garden</s>"))
    assert read.open == []
    assert not {"script", "i", "u", "em", "s", "test"} & {tag for tag, _ in read.tags}
    # the only bold thing is the question
    assert [tag for tag, _ in read.tags].count("b") == 1
    for text in (MARKUP, "<b>hall</b>", "<i>John</i>", "<u>john</u>", "<em>hall</em>", "<s>garden</s>", "run <&>"):
        assert text in read.text


def test_the_page_needs_nothing_else() -> None:
    page = story_page(TRACE, "title", [])
    assert page.startswith("<!doctype html>")
    assert not re.search(r"(src|href|url)\s*[=(]|@import", page)


def test_weights_are_in_their_rows() -> None:
    read = Reader(story_fragment(TRACE, ASKED.supporting, ASKED.expected))
    rows = [row for row in read.rows if "%" in row]
    assert rows[0].endswith("25 % 10 % ")
    assert rows[1].endswith("50 % 85 % ")
    assert rows[2] == "(no statement) 25 % 5 % "
    shades = [attributes["style"] for tag, attributes in read.tags if tag == "td" and "style" in attributes]
    assert shades == ["--w:0.250", "--w:0.100", "--w:0.500", "--w:0.850", "--w:0.250", "--w:0.050"]
    kinds = [set((attributes.get("class") or "").split()) for tag, attributes in read.tags if tag == "tr"]
    assert kinds[1] == set()
    assert kinds[2] >= {"fact", "looked"}


def test_right_and_wrong_are_said() -> None:
    assert "wrong; it is garden" in Reader(story_fragment(TRACE, (), "garden")).text
    right = Reader(story_fragment(TRACE, (), "<EM>hall</EM>")).text  # answers are lower case to the network
    assert "right" in right
    assert "wrong" not in right
    assert "wrong" not in Reader(story_fragment(TRACE)).text
    assert "first 3 statements" in Reader(story_fragment(replace(TRACE, forgotten=3))).text


def test_numbers_are_shaded_by_their_size() -> None:
    read = Reader(story_fragment(WITHOUT_ATTENTION))
    cells = [attributes for tag, attributes in read.tags if tag == "td" and "style" in attributes]
    assert [cell["style"] for cell in cells] == ["--w:0.002", "--w:1.000"]
    assert [cell["class"] for cell in cells] == ["weight negative", "weight"]
    assert [row.split()[-1] for row in read.rows[1:3]] == ["+0.00", "+2.50"]  # a zero has no minus
    assert "Numbers in nats; the statement with the largest in size at some step is underlined." in read.text
    assert "orange below zero" in read.text
    assert "orange" not in Reader(story_fragment(TRACE)).text


def test_a_row_has_something_to_show() -> None:
    rows = Reader(story_fragment(WITHOUT_ATTENTION)).rows
    assert len(rows) == 1 + 2 + 3  # names, statements, answers
    assert not any(label in row for row in rows for label in (NO_STATEMENT, NEAR_TO))
    mixed = Reader(story_fragment(MIXED))
    assert f"{NO_STATEMENT} 25 % " in mixed.rows
    assert f"{NEAR_TO} <u>john</u>, hall " in mixed.rows
    assert "Hop 1: percent of the weight of each step; log probability lost without it: numbers in nats;" in mixed.text


def test_steps_have_the_names_that_the_network_gives_them() -> None:
    labels = [attributes.get("aria-label") for _, attributes in Reader(story_fragment(TRACE)).tags]
    assert "hops shown" in labels
    read = Reader(story_fragment(GATES))
    assert "hop" not in read.text
    assert not any(tag == "input" for tag, _ in read.tags)  # forty are too many to choose from
    assert read.rows[0].split() == [word for number in range(1, 41) for word in ("write", f"<{number}>")]
    assert "shaded by their size against the largest of the step" in read.text


def test_every_step_that_can_be_chosen_has_its_rules() -> None:
    style = story_style()
    for count in (2, 9):
        fragment = story_fragment(replace(TRACE, steps=TRACE.steps[:1] * count))
        assert f'class="step{count}"' in fragment
        assert f":has(.step{count}:checked) .weights :is(th, td):nth-child(n+2):not(:nth-child({count + 1}))" in style
    assert ".step10" not in style
    assert all(rule.strip().startswith((".trace", "@media", "}", "/*")) for rule in style.splitlines() if rule)


def test_a_question_without_a_story() -> None:
    steps = (replace(TRACE.steps[0], weights=(), empty=1.0),)
    read = Reader(story_fragment(replace(TRACE, story=(), steps=steps)))
    assert read.rows[1] == "(no statement) 100 % "


def test_what_statements_read_of_each_other_is_told_by_their_numbers() -> None:
    written = replace(TRACE, writes=(Write("write 1", ((0.0, 0.0), (0.4, 0.0))), Write("write 2", ((0.0,) * 2,) * 2)))
    read = Reader(story_fragment(written))
    assert read.open == []
    (row,) = [row for row in read.rows if row.startswith("2. ")]
    assert row.split() == ["2.", "John", "went", "to", "the", "<b>hall</b>.", "1.", "(40", "%)"]
    assert "How the memory was written" in read.text
    assert "How the memory was written" not in Reader(story_fragment(TRACE)).text


def test_a_step_that_was_not_taken_is_empty_and_what_steps_have_to_say_are_rows() -> None:
    read = Reader(story_fragment(STOPPED))
    rows = [" ".join(row.split()) for row in read.rows]
    assert f"Mary said {MARKUP} 25 %" in rows
    assert "share of the answer given then 100 %" in rows
    assert "gate <open> 0.25" in rows
    assert f"{NO_STATEMENT} 25 %" in rows
    assert f"{NEAR_TO} <u>john</u>, hall" in rows
    assert "1 of 2 hops were taken; it had answered before the others." in " ".join(read.text.split())
    (fact,) = [attrs["class"] for tag, attrs in read.tags if "looked" in (attrs.get("class") or "")]
    assert fact == "looked look1", "the second hop looks at nothing"
