"""Stories and questions of any task, in any amount, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

from babi_memnet.worlds import UNSHIFTED
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.shifts import definition_of
from babi_memnet.worlds.story import SimulatedQuestion, Story, Task

# Stands for every byte that the simulator writes: a change of any task or shift must change it, so that no cache and no
# fingerprint takes the new stories for the old ones. A test pins the bytes that belong to it.
SIMULATOR_VERSION = 1


def simulate(
    task: int, questions: int | None, seed: int, split: str, shift: str = UNSHIFTED
) -> Iterator[SimulatedQuestion]:
    """``questions`` questions of one task (None: without end), story after story, made as they are consumed.

    The last story ends with the last question, wherever that falls, as in the official files. The same arguments give
    the same questions on every machine; a longer run starts with those of a shorter one. ``split`` ("train", "test")
    only names a stream of random numbers: splits are independent of each other. ``shift`` does not: a shift that only
    exchanges words tells the same stories in these words. Raises ``ValueError`` for a task or a shift that does not
    exist, and for a shift that does not exist for the task.
    """
    return islice(_questions(definition_of(task, shift), Dice(split, seed, task)), questions)


def _questions(task: Task, dice: Dice) -> Iterator[SimulatedQuestion]:
    for story_id in count():
        story = Story()
        told: tuple[str, ...] = ()
        for asked in task.play(dice, story):
            if len(told) != len(story.statements):
                told = tuple(story.statements)
            yield SimulatedQuestion(told, *asked, story_id)
