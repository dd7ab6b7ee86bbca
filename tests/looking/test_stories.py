"""Stories that somebody has written, and which run is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.looking.stories import best_run, read_story
from babi_memnet.runs.collection import Row


def test_plain_lines(tmp_path: Path) -> None:
    file = tmp_path / "plain.txt"
    file.write_text("John went to the hall.\n\n  Mary went home. \nWhere is John?\n")
    asked = read_story(file)
    assert asked.story == ("John went to the hall.", "Mary went home.")
    assert (asked.question, asked.expected, asked.supporting) == ("Where is John?", None, ())
    assert asked.name == "plain.txt"


def test_the_last_question_of_a_file_in_the_babi_format(tmp_path: Path) -> None:
    file = tmp_path / "babi.txt"
    file.write_text(
        "1 John went to the hall.\n2 Where is John?\thall\t1\n3 Mary took the milk.\n4 Mary went to the hall.\n"
        "5 Where is the milk?\thall\t3 4\n\n"
    )
    asked = read_story(file)
    assert asked.story == ("John went to the hall.", "Mary took the milk.", "Mary went to the hall.")
    assert (asked.question, asked.expected, asked.supporting) == ("Where is the milk?", "hall", (1, 2))


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_numbered_story_may_end_with_a_question_that_nobody_has_answered(tmp_path: Path, start: str) -> None:
    file = tmp_path / "open.txt"
    file.write_text(
        f"{start}1 John went to the hall.\n2 Where is John?\thall\t1\n3 John went home.\n4 Where is John?\n"
    )
    asked = read_story(file)
    assert asked.story == ("John went to the hall.", "John went home.")
    assert (asked.question, asked.expected, asked.supporting) == ("Where is John?", None, ())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ":1: expected a question"),
        ("John went home.\nMary went home.\n", ":2: expected a question that ends with ?"),
        ("1 John went home.\n2 Mary went home.\n", ":2: the file ends without a question"),
        ("1 John went home.\n\n2 Where is John?\thome\t1\n\n", ":2: a blank line"),
        ("1 John went home.\n3 Where is John?\thome\t1\n", ":2"),
    ],
)
def test_what_is_no_story(tmp_path: Path, content: str, expected: str) -> None:
    file = tmp_path / "story.txt"
    file.write_text(content)
    with pytest.raises(RequestError) as error:
        read_story(file)
    assert f"{file}{expected}" in str(error.value)


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="expected a text file"):
        read_story(tmp_path / "nowhere")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(RequestError, match="expected a text file"):
        read_story(tmp_path / "binary")


def row(run: str, selected: int, train: tuple[float, ...], validation: tuple[float, ...], done: bool = True) -> Row:
    return Row({"run": run}, None, ((0, 0), (0, 1)), selected, train, validation, (9.0, 9.0) if done else ())


def test_the_best_run_is_that_of_the_selected_restart() -> None:
    better = row("b", 1, (5.0, 3.0), (0.0, 4.0))  # its other restart does not count
    rows = [row("a", 0, (2.0, 8.0), (4.5, 0.0)), better, row("c", 0, (0.0, 0.0), (0.0, 0.0), done=False)]
    assert best_run(rows) is better
    tie = row("d", 0, (2.0, 9.0), (4.0, 9.0))
    assert best_run([better, tie]) is tie  # the lower training error
    with pytest.raises(RequestError, match="expected at least one that is done"):
        best_run(rows[2:])
