"""Tasks 9 and 10: people move unseen, and what is told of it may be less than where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, TaskInRounds, World


@dataclass(slots=True)
class ToldMove:
    """What was told of ``person``: ``verdict`` is the answer to whether they are in one of the ``named`` rooms."""

    line: int
    person: str
    named: tuple[str, ...]
    verdict: str
    place: str


Telling = Callable[["Whereabouts", str, str, str], ToldMove]


@dataclass(frozen=True, kw_only=True)
class WhereaboutsTask(TaskInRounds[ToldMove]):
    """``tellings`` are the ways to tell of a move, each as likely as its share of the list."""

    people: tuple[str, ...] = wording.MARY_AND_FRIENDS
    places: tuple[str, ...] = wording.HOME
    tellings: tuple[Telling, ...]

    def begin(self, dice: Dice, story: Story) -> Whereabouts:
        return Whereabouts(self, dice, story)


class Whereabouts(World[ToldMove]):
    """Where everybody is, and what was last told of each."""

    def __init__(self, task: WhereaboutsTask, dice: Dice, story: Story) -> None:
        super().__init__(dice, story)
        self.task = task
        self.place_of = {person: dice.choose(task.places) for person in task.people}
        self.last_told: dict[str, ToldMove] = {}

    def go_on(self) -> None:
        for _ in range(2):
            person = self.dice.choose(self.task.people)
            old = self.place_of[person]
            new = self.place_of[person] = self.dice.choose_other(self.task.places, old)
            told = self.dice.choose(self.task.tellings)(self, person, old, new)
            self.last_told[person] = told
            self.clauses.append(told)

    def ask(self, recent: Sequence[ToldMove]) -> AskedQuestion:
        told = self.last_told[self.dice.choose(recent).person]
        if told.verdict == "no":
            asked = told.named[0]
        elif self.dice.chance(0.5):
            asked = told.place
        else:
            asked = self.dice.choose_other(self.task.places, told.place)
        answer = told.verdict if asked in told.named else "no"
        return AskedQuestion(wording.IS_PERSON_IN.format(who=told.person, place=asked), answer, (told.line,))

    def tell(self, forms: Sequence[str], **words: str) -> int:
        """Tells one of the forms with these words; returns the index of the statement."""
        return self.story.tell(self.dice.choose(forms).format(**words))


def seen_to_go(world: Whereabouts, person: str, _old: str, new: str) -> ToldMove:
    """The move itself is told."""
    return ToldMove(world.tell(wording.MOVE, who=person, place=new), person, (new,), "yes", new)


def said_to_be_there(world: Whereabouts, person: str, _old: str, new: str) -> ToldMove:
    """The new room is told."""
    return ToldMove(world.tell(wording.IS_IN, who=person, place=new), person, (new,), "yes", new)


def said_to_have_left(world: Whereabouts, person: str, old: str, new: str) -> ToldMove:
    """Only the room that the person is no longer in is told."""
    return ToldMove(world.tell(wording.IS_NOT_IN, who=person, place=old), person, (old,), "no", new)


def said_to_be_in_either(world: Whereabouts, person: str, _old: str, new: str) -> ToldMove:
    """The new room and a room drawn from all of them are told in random order.

    They can be the same, as in a sixth of the official sentences ("either in the school or the school").
    """
    place, other = world.dice.shuffled((new, world.dice.choose(world.task.places)))
    line = world.tell(wording.IS_EITHER_IN, who=person, place=place, other=other)
    return ToldMove(line, person, (place, other), "maybe", new)
