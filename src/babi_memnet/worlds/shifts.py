"""Worlds that differ from those of training in one way, to test what a network has learned beyond its training stories.

A shift gives other values to a few fields of a task definition, so that whatever it does not name stays as it was. It
exists for the tasks that have these fields and can still be answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from babi_memnet.worlds import UNSHIFTED, wording
from babi_memnet.worlds.story import Task
from babi_memnet.worlds.tasks import TASKS


def _changed(tasks: Iterable[int], **fields: Any) -> dict[int, Task]:
    """The definitions of these tasks with other values in some fields."""
    return {number: replace(cast(Any, TASKS[number]), **fields) for number in tasks}


def _renamed(tasks: Iterable[int], field: str, words: tuple[str, ...]) -> dict[int, Task]:
    """The definitions of these tasks with as many of ``words`` in a field as there are in training."""
    definitions = {number: cast(Any, TASKS[number]) for number in tasks}
    return {
        number: replace(task, **{field: words[: len(getattr(task, field))]}) for number, task in definitions.items()
    }


# Not task 14: with four people and four times of day everything has been told after 16 statements.
_ENDLESS = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)
_WITH_NAMES = (1, 2, 3, *range(5, 17), 20)
# Not task 20: that whoever is bored goes to the garden can only be known from training.
_WITH_PLACES = (*range(1, 15), 19)
_WITH_THINGS = (2, 3, 5, 6, 7, 8)

SHIFTS: dict[str, dict[int, Task]] = {
    # 30 statements before the first question; in task 1 training has 2 to 10. What is asked about is as recent as ever.
    "longer": {**_changed(_ENDLESS, silent_rounds=15), **_changed([18], statements=15)},
    # Stories as long, but any of the last 30 events can be asked about, so that other statements stand in between.
    "distractors": _changed(_ENDLESS, silent_rounds=15, window=30),
    # A single person does everything, and all of their dealings support an answer.
    "supports": _changed((7, 8), people=wording.MARY_AND_FRIENDS[:1]),
    "names": _renamed(_WITH_NAMES, "people", wording.STRANGERS),
    "places": _renamed(_WITH_PLACES, "places", wording.ELSEWHERE),
    "things": _renamed(_WITH_THINGS, "things", wording.OTHER_THINGS),
}
"""Name to task number to the definition that test stories of that task are then drawn from."""


def definition_of(task: int, shift: str = UNSHIFTED) -> Task:
    """The definition that stories of a task are drawn from.

    Raises:
        ValueError: there is no such task or shift, or the shift does not exist for the task.
    """
    definitions = TASKS if shift == UNSHIFTED else SHIFTS.get(shift, {})
    if task not in definitions:
        raise ValueError(f"there are no stories of task {task} with the shift {shift}")
    return definitions[task]
