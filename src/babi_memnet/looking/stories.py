"""Stories to be traced: a question of a test set, or a file that somebody has written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from babi_memnet.data.babi_format import parse_babi
from babi_memnet.data.settings import settings_on_record
from babi_memnet.data.sources import chosen_tasks, fingerprint, load, origin
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.models.networks import network_on_record
from babi_memnet.reading import read_regular
from babi_memnet.runs.collection import Row
from babi_memnet.tasks import Task

_NUMBERED = re.compile(r"\d+ +")


@dataclass(frozen=True, slots=True)
class Asked:
    """A story and a question about it.

    Attributes:
        story: statements, oldest first.
        question: the question.
        expected: the right answer, where it is known.
        supporting: indices into the story of the facts that it rests on.
        name: where it is from.
    """

    story: tuple[str, ...]
    question: str
    expected: str | None
    supporting: tuple[int, ...]
    name: str


def best_run(rows: Iterable[Row]) -> Row:
    """The finished run, and the task of it, whose selected restart has the lowest validation error.

    Raises:
        RequestError: none is finished.
    """
    done = [row for row in rows if row.is_done]
    if not done:
        raise RequestError("runs: expected at least one that is done, found none")
    return min(done, key=lambda row: (row.validation[row.selected], row.train[row.selected], row.keys["run"]))


def questions_to_trace(data: Mapping[str, Any], task: Task, learned: tuple[Task, str] | None = None) -> Any:
    """The test questions of a task as a dataset, kept as long as they are the same.

    Args:
        data: the settings of a run.
        task: one of those of the run.
        learned: what the run was asked to learn, and the fingerprint of its stories; None where nobody knows.

    Raises:
        RequestError: the stories are not to be had, or they are no longer those of the run.
    """
    settings = settings_on_record(data)
    if learned is not None and fingerprint(settings, chosen_tasks(settings, learned[0])[1]) != learned[1]:
        place = origin(settings, [task])
        raise RequestError(f"{place}, or the test questions with it, have changed since the run was trained")
    return _loaded(json.dumps(data), task, fingerprint(settings, [task]))


@lru_cache(maxsize=32)
def _loaded(data: str, task: Task, content: str) -> Any:
    return load(settings_on_record(json.loads(data)), [task], content)["test"]


def numbered_question(
    data: Mapping[str, Any], task: Task, number: int, learned: tuple[Task, str] | None = None
) -> Asked:
    """The ``number``-th test question of a task, counted from 1; the rest as of `questions_to_trace`.

    Raises:
        RequestError: there is no such question, or the stories are not to be had.
    """
    questions = questions_to_trace(data, task, learned)
    if not 1 <= number <= len(questions):
        raise bad_value("story", number, f"1 to {len(questions)}, a test question of task {task}, or a file")
    return asked_in(questions, task, number)


def asked_in(questions: Any, task: Task, number: int) -> Asked:
    """The ``number``-th of the test questions of a task, which has so many."""
    row: Any = questions[number - 1]
    name = f"Task {task}, test question {number}"
    return Asked(tuple(row["story"]), row["question"], row["answer"], tuple(row["supporting"]), name)


def statements_of(text: str) -> list[str]:
    """The statements of a text typed by a person, one a line; numbers before them, as bAbI has them, are left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and all(_NUMBERED.match(line) for line in lines):
        lines = [_NUMBERED.sub("", line) for line in lines]
    return lines


LARGEST_STORY = 1
"""MiB that a file with one story may have."""


def read_story(path: Path) -> Asked:
    """The last question of a file: in the bAbI format, or one statement a line with the question in the last one.

    Raises:
        RequestError: the file is missing, or holds no question; names the line.
    """
    try:
        text = read_regular(path, LARGEST_STORY).decode("utf-8-sig")
        lines = [line.strip() for line in text.rstrip().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"story={path}: expected a text file ({error})") from None
    written = [line for line in lines if line]
    if written and all(_NUMBERED.match(line) for line in written):
        is_open = written[-1].endswith("?") and "\t" not in written[-1]  # nobody has answered it yet
        last = parse_babi([*lines[:-1], f"{lines[-1]}\t?"] if is_open else lines, 1, str(path))[-1]
        return Asked(last.story, last.question, None if is_open else last.answer, last.supporting, path.name)
    if not written or not written[-1].endswith("?"):
        raise RequestError(f"{path}:{max(1, len(lines))}: expected a question that ends with ?, after the statements")
    return Asked(tuple(written[:-1]), written[-1], None, (), path.name)


def described(settings: dict[str, Any], restart: int, experiment: str | None, run: Path) -> Sequence[str]:
    """Lines that say which network answered."""
    data = settings["data"]
    network = network_on_record(settings["model"]).described()
    stories = f"data={data['source']}" if data["size"] is None else f"{data['size']} {data['source']} questions"
    return (
        f"{experiment or 'train'}, task {settings['task']}, restart {restart}: {network}, {stories}",
        f"run: {run.name}",
    )
