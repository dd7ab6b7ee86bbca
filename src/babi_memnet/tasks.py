"""What a task is: a number, of which the first twenty are published, or a name that somebody has given.

Whatever reads, sorts, writes or draws tasks does it by these functions. In text and in JSON a task is ``str(task)``,
and `as_task` reads it back: no name begins with a digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from babi_memnet.errors import bad_value

Task = int | str

JOINT = "joint"
"""Stands in the place of a task where one network learns all of them."""

TITLES: dict[int, str] = {
    1: "single-supporting-fact",
    2: "two-supporting-facts",
    3: "three-supporting-facts",
    4: "two-arg-relations",
    5: "three-arg-relations",
    6: "yes-no-questions",
    7: "counting",
    8: "lists-sets",
    9: "simple-negation",
    10: "indefinite-knowledge",
    11: "basic-coreference",
    12: "conjunction",
    13: "compound-coreference",
    14: "time-reasoning",
    15: "basic-deduction",
    16: "basic-induction",
    17: "positional-reasoning",
    18: "size-reasoning",
    19: "path-finding",
    20: "agents-motivations",
}

TASKS = range(1, 21)
"""The published ones."""

LARGEST_NUMBER = 9999
LONGEST_NAME = 50
"""Characters; what trackers take as a label leaves room for no more."""

NAME = f"a name of letters, digits, _, - and . that begins with a letter, of at most {LONGEST_NAME} characters"
"""What a name may be, for errors."""

_NAME = re.compile(r"[\w.-]+")
_TAKEN = frozenset({JOINT, "all", "pooled"})
"""Words that stand beside tasks, in files and tables, for all of them."""


def as_task(value: object, accepted: str = f"a number from 1, or {NAME}") -> Task:
    """The task that a value, or its text, is.

    Raises:
        RequestError: it is none; says what would be ``accepted``.
    """
    text = str(value)
    if text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_NUMBER)) and int(text) > 0:
        return int(text)
    if not is_name(text):
        raise bad_value("task", text, accepted)
    return text


def is_name(text: str) -> bool:
    """Whether a text may be the name of a task."""
    return bool(_NAME.fullmatch(text)) and text[0].isalpha() and len(text) <= LONGEST_NAME and text not in _TAKEN


def name_like(text: str) -> str:
    """The name that is most like a text, such as that of a file: ``my_stories_2`` for ``my stories (2)``."""
    name = re.sub(r"[^\w.-]+", "_", text).strip("_.-")[:LONGEST_NAME]
    return name if is_name(name) else f"task_{name}"[:LONGEST_NAME].rstrip("_")


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """Tasks in their order: numbers, then names."""
    return sorted(tasks, key=_place)


def texts_in_order(tasks: Iterable[str]) -> list[str]:
    """Tasks as text in the order of `in_order`."""
    return [str(task) for task in in_order(map(as_task, tasks))]


def _place(task: Task) -> tuple[bool, int, str]:
    return (True, 0, task) if isinstance(task, str) else (False, task, "")


def file_label(task: Task) -> str:
    """A task in the names of files and folders: ``task_01``, ``joint``, or its name."""
    return task if isinstance(task, str) else f"task_{task:02d}"


def column_label(task: Task) -> str:
    """A task in the names of metrics, where it is never taken for another part of them: ``task_01``, ``task_NAME``."""
    return f"task_{task}" if isinstance(task, str) else file_label(task)


def title(task: Task) -> str:
    """A task for people, such as ``1 single supporting fact``."""
    known = TITLES.get(task) if isinstance(task, int) else None
    return f"{task} {known.replace('-', ' ')}" if known else str(task)
