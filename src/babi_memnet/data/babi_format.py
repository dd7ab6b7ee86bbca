"""Reading and writing the bAbI text format, and the names of its files.

A line is ``<id> <text>``. Ids start at 1 in each story and grow by 1 over statements and questions alike, so id 1
begins a new story. A question is ``<question>?``, a tab, the answer, a tab, and the ids of the supporting statements
separated by blanks. Reading is strict: a network would learn from a slightly wrong file without complaint. What cannot
be mistaken is read all the same: a byte-order mark, blank lines between stories, no supporting statements. How a line
is taken apart is a `LineForm`: `OFFICIAL`, or the more lenient one of `own_format` for files that people have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TextIO

from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import RequestError, bad_value, quoted
from babi_memnet.reading import read_regular
from babi_memnet.tasks import TASKS, TITLES, Task

SPLITS = ("train", "test")

LARGEST_FILE = 512
"""MiB that a file may have; the largest official one has 8."""

LONGEST_LINE = 10_000
"""Characters that a line may have; the longest official one has 72."""

MOST_TOLD = 20_000_000
"""Statements that the questions of a file may be told, each its whole story; an official one has a twentieth."""

# In these tasks the official files have a blank between the question mark and the tab, in the others none.
_BLANK_AFTER_QUESTION = frozenset({1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14})

QUESTION_FORM = "a question is '<question>?<tab><answer><tab><ids of supporting statements>'"

# Question marks of other scripts, which are no ``?``.
OTHER_MARKS = frozenset("\uff1f\u061f\u2e2e\u037e\u055e\u1367\ufe16\ufe56")


class LineProblem(Exception):
    """What is wrong in a line, and what would be accepted."""


class Asked(NamedTuple):
    """A question as it stands in a line; ``supporting`` are ids of statements with blanks between."""

    question: str
    answer: str
    supporting: str


class LineForm(NamedTuple):
    """How the lines of a file are taken apart: all that tells one reading from another.

    Attributes:
        lines: the lines of a text.
        numbered: the number of a line, and the text after it.
        asked: the question in that text, None where it is a statement; the number is how many lines the story has
            before it. Raises `LineProblem`.
    """

    lines: Callable[[str], list[str]]
    numbered: Callable[[str], tuple[str, str]]
    asked: Callable[[str, int], Asked | None]


def check_tasks(tasks: Iterable[Task]) -> None:
    """Raises ``RequestError`` for a task that is not one of the published ones."""
    for task in tasks:
        if task not in TASKS:
            raise bad_value("task", task, f"a number from 1 to {TASKS[-1]}")


def file_name(task: int, split: str) -> str:
    """The official name of a file, such as ``qa1_single-supporting-fact_train.txt``; ``split`` is train or test."""
    return f"qa{task}_{TITLES[task]}_{split}.txt"


def read_content(path: Path) -> bytes:
    """What is in a file; raises ``RequestError`` where it is no regular file of at most ``LARGEST_FILE`` MiB."""
    try:
        return read_regular(path, LARGEST_FILE)
    except FileNotFoundError:
        raise RequestError(f"{path}: no such file") from None


def read_babi(path: Path, task: Task) -> list[StoryQuestion]:
    """The questions of one file, in order; raises ``RequestError`` as `read_content` and `questions_in` do."""
    return questions_in(read_content(path), task, str(path))


def questions_in(content: bytes, task: Task, name: str, form: LineForm | None = None) -> list[StoryQuestion]:
    """The questions in the content of a file, in order; ``form`` is `OFFICIAL` by default.

    Raises ``RequestError`` with ``name:line``, what is wrong there and what would be accepted.
    """
    form = form or OFFICIAL
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RequestError(f"{name}:{line}: not valid UTF-8; bAbI files are plain UTF-8 text") from None
    return parse_babi(form.lines(text) if text else [], task, name, form)


def parse_babi(lines: Iterable[str], task: Task, name: str, form: LineForm | None = None) -> list[StoryQuestion]:
    """The questions in ``lines`` (line ends may be present or not), in order; ``name`` stands for the file in errors.

    Statements after the last question of a story belong to no record and are not kept. Raises ``RequestError``.
    """
    form = form or OFFICIAL
    records: list[StoryQuestion] = []
    known: dict[str, str] = {}
    statements: list[str] = []
    # For each line id of the present story (id 1 first) the index of its statement; None where it is a question.
    statement_at: list[int | None] = []
    story: tuple[str, ...] = ()
    story_id = -1
    line_number = blank = told = 0
    for line_number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r\n")
        if len(line) > LONGEST_LINE:
            raise _malformed(name, line_number, f"{len(line)} characters; expected a line of at most {LONGEST_LINE}")
        if not line.strip():
            blank = blank or line_number
            continue
        identifier, text = form.numbered(line)
        if blank and identifier != "1" and statement_at:
            raise _malformed(name, blank, "a blank line within a story; expected none but between stories")
        blank = 0
        if identifier == "1":
            statements, statement_at, story = [], [], ()
            story_id += 1
        elif not statement_at or identifier != str(len(statement_at) + 1):
            raise _malformed(name, line_number, _number_problem(line, identifier, len(statement_at) + 1))
        try:
            asked = form.asked(text, len(statement_at))
        except LineProblem as problem:
            raise _malformed(name, line_number, str(problem)) from None
        if asked is None:
            statement_at.append(len(statements))
            # The same few sentences come again and again: keep one object of each.
            statements.append(known.setdefault(text, text))
            continue
        answer = one_answer(asked.answer)
        if not answer:
            raise _malformed(name, line_number, f"an empty answer; {QUESTION_FORM}")
        if not statements:
            raise _malformed(name, line_number, "a question before any statement; a story starts with a statement")
        supporting: list[int] = []
        for pointer in asked.supporting.split():
            index = _statement_index(pointer, statement_at)
            if index is None:
                raise _malformed(name, line_number, _support_problem(pointer, statement_at))
            supporting.append(index)
        told += len(statements)
        if told > MOST_TOLD:
            excess = f"the questions up to here are told more than {MOST_TOLD} statements, each its whole story"
            raise _malformed(name, line_number, f"{excess}; expected shorter stories or fewer questions")
        if len(story) != len(statements):
            story = tuple(statements)
        question, answer = known.setdefault(asked.question, asked.question), known.setdefault(answer, answer)
        records.append(StoryQuestion(task, story, question, answer, tuple(supporting), story_id))
        statement_at.append(None)
    if line_number == 0:
        raise RequestError(f"{name}:1: the file is empty; expected lines '<id> <text>' with at least one question")
    if not records:
        raise RequestError(f"{name}:{line_number}: the file ends without a question; {QUESTION_FORM}")
    return records


def one_answer(text: str) -> str:
    """An answer as it is kept: those of several words are one however they are spaced."""
    return ",".join(part.strip() for part in text.split(","))


def _official_lines(text: str) -> list[str]:
    # Not splitlines(): that would also split at characters which may stand inside a statement.
    return text.removesuffix("\n").split("\n")


def _official_number(line: str) -> tuple[str, str]:
    identifier, _, text = line.partition(" ")
    return identifier, text


def _official_question(text: str, _before: int) -> Asked | None:
    if "\t" not in text:
        if not text or text.isspace():
            raise LineProblem("a number without a statement or question after it")
        if text.rstrip().endswith("?"):
            raise LineProblem(f"a question without tabs; {QUESTION_FORM}")
        if "?" in text:
            raise LineProblem(f"a question with blanks instead of tabs; {QUESTION_FORM}")
        return None
    parts = text.split("\t")
    question = parts[0].rstrip(" ")
    if len(parts) not in (2, 3) or not question.endswith("?"):
        raise LineProblem(_tab_problem(parts))
    return Asked(question, parts[1], parts[2] if len(parts) == 3 else "")


OFFICIAL = LineForm(_official_lines, _official_number, _official_question)
"""As the published files are written, and nothing else."""


def write_babi(records: Iterable[StoryQuestion], file: TextIO) -> int:
    """Write records as the official files are written, byte for byte, one at a time; returns how many there were.

    Open ``file`` with ``newline="\\n"``. The records of a story must come one after the other, each story continuing
    the one before; anything else raises ``ValueError``.
    """
    count = 0
    story_id: int | None = None
    story: tuple[str, ...] = ()
    line_ids: list[int] = []
    next_id = 1
    for record in records:
        if record.story_id != story_id:
            story_id, story, line_ids, next_id = record.story_id, (), [], 1
        if record.story is not story:
            if record.story[: len(story)] != story:
                raise ValueError(f"task {record.task}, story {story_id}: a later question does not continue the story")
            for statement in record.story[len(story) :]:
                file.write(f"{next_id} {statement}\n")
                line_ids.append(next_id)
                next_id += 1
            story = record.story
        blank = " " if record.task in _BLANK_AFTER_QUESTION else ""
        supporting = " ".join(str(line_ids[index]) for index in record.supporting)
        file.write(f"{next_id} {record.question}{blank}\t{record.answer}\t{supporting}\n")
        next_id += 1
        count += 1
    return count


def _statement_index(identifier: str, statement_at: list[int | None]) -> int | None:
    """The statement that a supporting id points to, or None where it points to none."""
    if not _is_number(identifier) or not 1 <= int(identifier) <= len(statement_at):
        return None
    return statement_at[int(identifier) - 1]


def _is_number(identifier: str) -> bool:
    """Whether this may be the number of a line; one of more digits is none of any file that is read."""
    return identifier.isascii() and identifier.isdigit() and len(identifier) <= 9


def _malformed(name: str, line_number: int, problem: str) -> RequestError:
    return RequestError(f"{name}:{line_number}: {problem}")


def _number_problem(line: str, identifier: str, expected: int) -> str:
    accepted = "1 (the first line of a story)" if expected == 1 else f"{expected}, or 1 for a new story"
    return f"line number {quoted(identifier)}; expected {accepted}"


def _tab_problem(parts: list[str]) -> str:
    if found := OTHER_MARKS.intersection(parts[0]):
        return f"a question that ends with {min(found)!r} (U+{ord(min(found)):04X}); expected ?, since {QUESTION_FORM}"
    if "?" in parts[0]:
        return f"a question with {len(parts) - 1} tab{'s' if len(parts) > 2 else ''} instead of 2; {QUESTION_FORM}"
    if len(parts) == 2:
        return (
            "a tab in a line without a question mark; this looks like the dialog bAbI tasks, another data set "
            f"(here {QUESTION_FORM})"
        )
    return f"a tab in a statement; statements have none, and {QUESTION_FORM}"


def _support_problem(identifier: str, statement_at: list[int | None]) -> str:
    accepted = "expected the line number of an earlier statement of this story"
    if not _is_number(identifier):
        return f"supporting id {quoted(identifier)} is not a number; {accepted}"
    if 1 <= int(identifier) <= len(statement_at):
        return f"supporting id {identifier} is the line of a question; {accepted}"
    return f"supporting id {identifier} points to no line before this one; {accepted}"
