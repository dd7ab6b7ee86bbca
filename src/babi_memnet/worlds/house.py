"""The house of tasks 1-3 and 5-8: people move, get, drop, and give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, TaskInRounds, World


@dataclass(slots=True)
class Move:
    """``person`` went to ``place``."""

    line: int
    person: str
    place: str


@dataclass(slots=True)
class Get:
    """``person`` took ``thing``."""

    line: int
    person: str
    thing: str


@dataclass(slots=True)
class Drop:
    """``person`` let go of ``thing`` in ``place``."""

    line: int
    person: str
    thing: str
    place: str


@dataclass(slots=True)
class Give:
    """``person`` gave ``thing`` to ``receiver``."""

    line: int
    person: str
    thing: str
    receiver: str


Event = Move | Get | Drop | Give


@dataclass(frozen=True, kw_only=True)
class HouseTask(TaskInRounds[Event]):
    """What can happen (each kind equally likely to be drawn) and what is asked about the recent events.

    ``say_where_got`` is the probability that a get is told with " there" at its end.
    """

    people: tuple[str, ...] = wording.MARY_AND_FRIENDS
    places: tuple[str, ...] = wording.HOME
    things: tuple[str, ...] = wording.THINGS
    kinds: tuple[Callable[[House, str], Event | None], ...]
    question: Callable[[House, Sequence[Event]], AskedQuestion | None]
    say_where_got: float = 1.0
    say_where_dropped: float = 0.2

    def begin(self, dice: Dice, story: Story) -> House:
        return House(self, dice, story)


class House(World[Event]):
    """Who and what is where. At first everybody and everything is somewhere at random, which nobody is told.

    ``last_handling`` is the last get or drop of a thing, ``carried`` the moves of whoever got it last, up to the drop.
    """

    def __init__(self, task: HouseTask, dice: Dice, story: Story) -> None:
        super().__init__(dice, story)
        self.task = task
        self.deeds = tuple(product(task.kinds, task.people))
        self.place_of = {who_or_what: dice.choose(task.places) for who_or_what in (*task.people, *task.things)}
        self.holder_of: dict[str, str | None] = dict.fromkeys(task.things)
        self.last_handling: dict[str, Get | Drop] = {}
        self.carried: dict[str, list[Move]] = {}

    def go_on(self) -> None:
        for _ in range(2):
            self.clauses.append(self._happen())

    def ask(self, recent: Sequence[Event]) -> AskedQuestion | None:
        return self.task.question(self, recent)

    def _happen(self) -> Event:
        # Actor, kind and arguments are drawn together and thrown away together if they do not fit the state: whoever
        # has more to do therefore acts more often.
        while True:
            kind, actor = self.dice.choose(self.deeds)
            event = kind(self, actor)
            if event is not None:
                return event

    def held_by(self, person: str) -> list[str]:
        """The things that ``person`` holds."""
        return [thing for thing, holder in self.holder_of.items() if holder == person]

    def last_move(self, person: str, before: Event | None = None) -> Move | None:
        """The last move of ``person`` (before that event), or None if none was told."""
        for event in reversed(self.clauses):
            if isinstance(event, Move) and event.person == person and (before is None or event.line < before.line):
                return event
        return None

    def dealings(self, person: str) -> list[Get | Drop | Give]:
        """All gets, drops and gifts in which ``person`` had a part."""
        return [
            event
            for event in self.clauses
            if not isinstance(event, Move)
            and (event.person == person or (isinstance(event, Give) and event.receiver == person))
        ]


def move(house: House, person: str) -> Event | None:
    """To any room but the present one."""
    place = house.dice.choose(house.task.places)
    if place == house.place_of[person]:
        return None
    house.place_of[person] = place
    event = Move(house.story.tell(house.dice.choose(wording.MOVE).format(who=person, place=place)), person, place)
    for thing in house.held_by(person):
        house.carried[thing].append(event)
    return event


def get(house: House, person: str) -> Event | None:
    """Something that lies in the same room."""
    here = house.place_of[person]
    lying = [thing for thing, holder in house.holder_of.items() if holder is None and house.place_of[thing] == here]
    if not lying:
        return None
    thing = house.dice.choose(lying)
    house.holder_of[thing] = person
    house.carried[thing] = []
    sentence = house.dice.choose(wording.GET).format(who=person, thing=thing)
    event = Get(house.story.tell(_there(house, sentence, house.task.say_where_got)), person, thing)
    house.last_handling[thing] = event
    return event


def drop(house: House, person: str) -> Event | None:
    """Something held; it stays in the room."""
    held = house.held_by(person)
    if not held:
        return None
    thing = house.dice.choose(held)
    here = house.place_of[person]
    house.holder_of[thing] = None
    house.place_of[thing] = here
    sentence = house.dice.choose(wording.DROP).format(who=person, thing=thing)
    event = Drop(house.story.tell(_there(house, sentence, house.task.say_where_dropped)), person, thing, here)
    house.last_handling[thing] = event
    return event


def give(house: House, _person: str) -> Event | None:
    """The first thing whose holder has company, to the first person there.

    Whoever was drawn to act does not matter, so gifts are four times as likely as the other kinds and are often handed
    straight on or back.
    """
    for thing, giver in house.holder_of.items():
        if giver is None:
            continue
        for receiver in house.task.people:
            if receiver != giver and house.place_of[receiver] == house.place_of[giver]:
                house.holder_of[thing] = receiver
                sentence = house.dice.choose(wording.GIVE).format(who=giver, thing=thing, whom=receiver)
                return Give(house.story.tell(sentence), giver, thing, receiver)
    return None


def _there(house: House, sentence: str, probability: float) -> str:
    return sentence + wording.THERE if house.dice.chance(probability) else sentence
