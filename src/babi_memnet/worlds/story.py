"""A story while it is told, what every task offers, and the rhythm that tasks 1-3 and 5-14 share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from babi_memnet.worlds.randomness import Dice

Clause = TypeVar("Clause")


class AskedQuestion(NamedTuple):
    """A question, its answer, and the indices of its supporting statements in the order that tells their roles."""

    question: str
    answer: str
    supporting: tuple[int, ...]


class SimulatedQuestion(NamedTuple):
    """A question with everything that was told before it, as a simulation gives it.

    ``story`` holds the statements, oldest first; ``supporting`` are indices into it. ``story_id`` counts the stories of
    the simulation from 0; the questions of one story share it, and their ``story`` tuples grow.
    """

    story: tuple[str, ...]
    question: str
    answer: str
    supporting: tuple[int, ...]
    story_id: int


class Story:
    """The statements told so far."""

    __slots__ = ("statements",)

    def __init__(self) -> None:
        self.statements: list[str] = []

    def tell(self, sentence: str) -> int:
        """Adds ``sentence`` with its full stop and returns the index of the statement."""
        self.statements.append(sentence + ".")
        return len(self.statements) - 1


class Task(ABC):
    """One of the twenty tasks: what there is in its world, what may happen, and what is asked.

    A subclass is a family of tasks. Its fields are all that distinguishes one task of the family from another, so that
    another world is another value: ``dataclasses.replace(TASKS[1], people=("Ann", "Ben"))``.
    """

    @abstractmethod
    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        """Tells one story from beginning to end and yields each question at the moment when it is asked."""


class World(ABC, Generic[Clause]):
    """People and things that go on for as long as they are let.

    A clause is what a question can start from: a statement, or the part of a statement that is about one person.
    """

    def __init__(self, dice: Dice, story: Story) -> None:
        self.dice = dice
        self.story = story
        self.clauses: list[Clause] = []

    @abstractmethod
    def go_on(self) -> None:
        """Lets the next things happen, tells them, and adds their clauses."""

    @abstractmethod
    def ask(self, recent: Sequence[Clause]) -> AskedQuestion | None:
        """A question that starts from one of the recent clauses, or None if none of them can carry one."""


@dataclass(frozen=True, kw_only=True)
class TaskInRounds(Task, Generic[Clause]):
    """Two statements, then a question if one is possible, and so on until ``questions`` have been asked.

    A question starts from one of the ``window`` last clauses. The window is over clauses, not over people: somebody who
    did three of the last five things is asked about with a probability of 3/5. ``silent_rounds`` of two statements each
    go by before the first question can be asked.
    """

    questions: int = 5
    window: int = 5
    silent_rounds: int = 0

    @abstractmethod
    def begin(self, dice: Dice, story: Story) -> World[Clause]:
        """A new world in which nothing has been told yet."""

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        world = self.begin(dice, story)
        for _ in range(self.silent_rounds):
            world.go_on()
        asked = 0
        while asked < self.questions:
            world.go_on()
            question = world.ask(world.clauses[-self.window :])
            if question is not None:
                asked += 1
                yield question
