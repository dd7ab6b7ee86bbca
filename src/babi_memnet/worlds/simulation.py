"""Stories and questions of any task, in any amount, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import bad_value
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.shifts import SHIFTS, UNSHIFTED, check_shift
from babi_memnet.worlds.story import Story, Task
from babi_memnet.worlds.tasks import TASKS

# Stands for every byte that the simulator writes: a change of any task or shift must change it, so that no cache and no
# fingerprint takes the new stories for the old ones. A test pins the bytes that belong to it.
SIMULATOR_VERSION = 1


def simulate(
    task: int, questions: int | None, seed: int, split: str, shift: str = UNSHIFTED
) -> Iterator[StoryQuestion]:
    """``questions`` questions of one task (None: without end), story after story, made as they are consumed.

    The last story ends with the last question, wherever that falls, as in the official files. The same arguments give
    the same questions on every machine; a longer run starts with those of a shorter one. ``split`` ("train", "test")
    only names a stream of random numbers: splits are independent of each other. ``shift`` does not: a shift that only
    exchanges words tells the same stories in these words. Raises ``RequestError`` for a task or a shift that does not
    exist, and for a shift that does not exist for the task.
    """
    if task not in TASKS:
        raise bad_value("task", task, "1 to 20")
    check_shift(shift, [task])
    dice = Dice(split, seed, task)
    world = TASKS[task] if shift == UNSHIFTED else SHIFTS[shift][task]
    return islice(_records(task, world, dice), questions)


def _records(number: int, task: Task, dice: Dice) -> Iterator[StoryQuestion]:
    for story_id in count():
        story = Story()
        told: tuple[str, ...] = ()
        for asked in task.play(dice, story):
            if len(told) != len(story.statements):
                told = tuple(story.statements)
            yield StoryQuestion(number, told, asked.question, asked.answer, asked.supporting, story_id)
