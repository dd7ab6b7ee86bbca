from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babi_memnet.data.babi_format import file_name, parse_babi, read_babi, write_babi
from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import RequestError
from babi_memnet.tasks import TITLES


def written(records: list[StoryQuestion]) -> str:
    file = io.StringIO(newline="\n")
    assert write_babi(records, file) == len(records)
    return file.getvalue()


def test_a_file_becomes_records(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text(
        "1 Nora took the lamp.\n"
        "2 Nora took the rope.\n"
        "3 What does Nora have? \tlamp,rope\t2 1\n"
        "4 Nora lost the lamp.\n"
        "5 What does Nora have? \trope\t2\n"
        "6 Who is Nora?\tnora\t\n"
        "1 Otto slept.\n"
        "2 Who slept?\totto\t1\n"
    )
    first = ("Nora took the lamp.", "Nora took the rope.")
    second = (*first, "Nora lost the lamp.")
    records = read_babi(path, 8)
    assert records == [
        StoryQuestion(8, first, "What does Nora have?", "lamp,rope", (1, 0), 0),
        StoryQuestion(8, second, "What does Nora have?", "rope", (1,), 0),
        StoryQuestion(8, second, "Who is Nora?", "nora", (), 0),
        StoryQuestion(8, ("Otto slept.",), "Who slept?", "otto", (0,), 1),
    ]
    assert records[1].story is records[2].story


@pytest.mark.parametrize("end", ["\r\n", ""])
def test_line_ends_of_other_systems_and_a_missing_last_one_make_no_difference(tmp_path: Path, end: str) -> None:
    lines = ["1 Otto slept.", "2 Who slept?\totto\t1"]
    path = tmp_path / "some.txt"
    path.write_bytes((end or "\n").join(lines).encode() + end.encode())
    assert read_babi(path, 4) == parse_babi(lines, 4, "lines")


def test_unicode_separators_do_not_split_a_statement(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("1 Otto\u2028slept\x0blong.\n2 Who slept?\totto\t1\n", encoding="utf-8")
    assert read_babi(path, 4)[0].story == ("Otto\u2028slept\x0blong.",)


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        (["1 Otto slept.", "2 Who slept?"], 2, "a question without tabs"),
        (["1 Otto slept.", "2 Who slept? "], 2, "a question without tabs"),
        (["1 Otto slept.", "2 Who slept?    otto  1"], 2, "a question with blanks instead of tabs"),
        (["1 Otto slept.", "2 Who slept？\totto\t1"], 2, "a question that ends with '？' (U+FF1F); expected ?"),
        (["1 Otto slept.", "2 Who slept?\totto\t1\t1"], 2, "a question with 3 tabs instead of 2"),
        (["1 Otto slept.", "2 Who slept?\t \t1"], 2, "an empty answer"),
        (["1 Otto slept.", "2 Who slept?\totto\tone"], 2, "supporting id 'one' is not a number"),
        (["1 Otto slept.", "2 Who slept?\totto\t1,1"], 2, "supporting id '1,1' is not a number"),
        (["1 Otto slept.", "2 Who slept?\totto\t3"], 2, "supporting id 3 points to no line before this one"),
        (["1 Otto slept.", "2 Who slept?\totto\t2"], 2, "supporting id 2 points to no line before this one"),
        (["1 Otto slept.", "2 Who slept?\totto\t0"], 2, "supporting id 0 points to no line before this one"),
        (["1 O.", "2 W?\to\t1", "3 W?\to\t2"], 3, "supporting id 2 is the line of a question"),
        (["1 O.", "2 N.", "1 P.", "2 W?\tp\t2"], 4, "supporting id 2 points to no line before this one"),
        (["one Otto slept."], 1, "line number 'one'; expected 1 (the first line of a story)"),
        (["2 Otto slept."], 1, "line number '2'; expected 1 (the first line of a story)"),
        (["1 Otto slept.", "3 Nora slept."], 2, "line number '3'; expected 2, or 1 for a new story"),
        (["1 Otto slept.", "02 Nora slept."], 2, "line number '02'; expected 2, or 1 for a new story"),
        (["1 Otto slept.", "", "2 Nora slept."], 2, "a blank line within a story"),
        (["1 Otto slept.", "  ", "", "2 Who slept?\totto\t1"], 2, "a blank line within a story"),
        (["1 Otto slept.", "2"], 2, "a number without a statement"),
        (["1 Otto\tslept\twell."], 1, "a tab in a statement"),
        (
            ["1 good morning\thello, what can I do for you"],
            1,
            "a tab in a line without a question mark; this looks like the dialog",
        ),
        (["1 Who slept?\totto\t"], 1, "a question before any statement"),
        (["1 Otto slept.", "2 Nora slept."], 2, "the file ends without a question"),
        ([], 1, "the file is empty"),
    ],
)
def test_a_malformed_line_is_named(lines: list[str], line: int, problem: str) -> None:
    with pytest.raises(RequestError, match=rf"^some\.txt:{line}: {re.escape(problem)}[^\n]*$"):
        parse_babi(lines, 1, "some.txt")


def test_a_file_that_is_not_text_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"1 Otto slept.\n2 Otto \xff.\n")
    with pytest.raises(RequestError, match=rf"^{re.escape(str(path))}:2: not valid UTF-8[^\n]*$"):
        read_babi(path, 1)
    path.write_bytes(b"")
    with pytest.raises(RequestError, match=r"some\.txt:1: the file is empty"):
        read_babi(path, 1)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff1 Otto slept.\n2 Who slept?\totto\t1\n1 Nora slept.\n2 Who slept?\tnora\t1\n",
        "1 Otto slept.\n2 Who slept?\totto\t1\n\n1 Nora slept.\n2 Who slept?\tnora\t1\n\n \n",
        "\n1 Otto slept.\r\n2 Who slept? \t otto\t1\r\n\r\n1 Nora slept.\r\n2 Who slept?\tnora \t1\r\n",
    ],
)
def test_what_cannot_be_mistaken_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(text.encode())
    plain = ["1 Otto slept.", "2 Who slept?\totto\t1", "1 Nora slept.", "2 Who slept?\tnora\t1"]
    assert read_babi(path, 4) == parse_babi(plain, 4, "lines")


def test_a_question_may_have_no_supporting_statements() -> None:
    (record,) = parse_babi(["1 Otto slept.", "2 Who slept?\totto"], 1, "lines")
    assert (record.answer, record.supporting) == ("otto", ())


def test_an_answer_of_several_words_is_one_however_it_is_spaced() -> None:
    lines = ["1 Otto slept.", "2 Who?\tattic, porch\t1", "3 Who?\tattic ,porch\t1", "4 Who?\tattic,porch\t1"]
    assert {record.answer for record in parse_babi(lines, 8, "lines")} == {"attic,porch"}


@pytest.mark.parametrize("task", TITLES)
def test_the_blank_after_a_question_depends_on_the_task(task: int) -> None:
    record = StoryQuestion(task, ("Otto slept.",), "Who slept?", "otto", (0,), 0)
    blank = "" if task in (4, 15, 16, 17, 18, 19, 20) else " "
    assert written([record]) == f"1 Otto slept.\n2 Who slept?{blank}\totto\t1\n"


def test_supporting_indices_become_line_numbers_that_count_questions_too() -> None:
    story = ("A.", "B.", "C.")
    records = [
        StoryQuestion(4, story[:2], "X?", "x", (1,), 7),
        StoryQuestion(4, story, "Y?", "y", (2, 0), 7),
        StoryQuestion(4, ("D.",), "Z?", "z", (0,), 8),
    ]
    assert written(records) == "1 A.\n2 B.\n3 X?\tx\t2\n4 C.\n5 Y?\ty\t4 1\n1 D.\n2 Z?\tz\t1\n"


def test_writing_starts_before_the_last_record_is_there() -> None:
    file = io.StringIO(newline="\n")

    def records() -> Iterator[StoryQuestion]:
        for number in range(3):
            yield StoryQuestion(4, ("A.",), "X?", "x", (), number)
            assert file.getvalue().count("?") == number + 1

    assert write_babi(records(), file) == 3


def test_a_story_that_is_not_continued_cannot_be_written() -> None:
    records = [
        StoryQuestion(4, ("A.", "B."), "X?", "x", (), 0),
        StoryQuestion(4, ("A.", "C.", "D."), "Y?", "y", (), 0),
    ]
    with pytest.raises(ValueError, match="task 4, story 0"):
        written(records)


words = st.text("abcä ", min_size=1, max_size=8).map(lambda text: text.strip() or "a")


@st.composite
def stories(draw: st.DrawFn, story_id: int, task: int) -> list[StoryQuestion]:
    story: tuple[str, ...] = ()
    records = []
    for _ in range(draw(st.integers(1, 3))):
        story += tuple(f"{draw(words)}." for _ in range(draw(st.integers(0 if story else 1, 3))))
        supporting = tuple(draw(st.lists(st.integers(0, len(story) - 1), max_size=4)))
        records.append(StoryQuestion(task, story, f"{draw(words)}?", draw(words), supporting, story_id))
    return records


@given(st.data(), st.integers(1, 20))
def test_what_is_written_is_read_again(data: st.DataObject, task: int) -> None:
    records = [record for story_id in range(3) for record in data.draw(stories(story_id, task))]
    assert parse_babi(written(records).splitlines(keepends=True), task, "written") == records


@pytest.mark.parametrize("folder", ["en", "en-10k"])
def test_official_files_are_written_again_byte_for_byte(official_root: Path, folder: str) -> None:
    known_names = {file_name(task, split): task for task in TITLES for split in ("train", "test")}
    paths = sorted((official_root / folder).glob("qa*.txt"))
    assert len(paths) >= 39
    for path in paths:
        records = read_babi(path, known_names[path.name])
        assert len(records) == (10_000 if folder == "en-10k" and path.stem.endswith("train") else 1_000)
        assert written(records).encode() == path.read_bytes(), path


def test_reading_is_fast(official_root: Path) -> None:
    path = official_root / "en" / file_name(3, "train")
    lines = path.read_bytes().count(b"\n")
    started = time.process_time()
    read_babi(path, 3)
    # About 500,000 lines a second on an ordinary core; the bound leaves room for a slow or busy one.
    assert lines / (time.process_time() - started) > 50_000


def test_a_line_or_a_story_that_nobody_means_is_refused() -> None:
    question = "2 Who slept?\totto\t1"
    with pytest.raises(RequestError, match=r"^long\.txt:1: \d+ characters; expected a line of at most 10000$"):
        parse_babi(["1 Otto slept" + " and slept" * 1000 + ".", question], 1, "long.txt")
    lines = [f"{number} Otto slept." for number in range(1, 10_001)]
    asked = [f"{number} Who slept?\totto\t1" for number in range(10_001, 12_002)]
    with pytest.raises(RequestError, match=r"^long\.txt:12001: the questions up to here are told more than 20000000"):
        parse_babi([*lines, *asked], 1, "long.txt")
    assert len(parse_babi([*lines, *asked[:-1]], 1, "long.txt")) == 2000
