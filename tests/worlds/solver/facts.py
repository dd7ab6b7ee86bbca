"""From the text of a statement to what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Generic, NamedTuple, TypeVar

TIMES = ("yesterday", "this morning", "this afternoon", "this evening")


class Went(NamedTuple):
    """``people`` went to ``place``; no people stand for those of the statement before (a pronoun).

    ``time`` is the number of the time of day where one is told.
    """

    people: tuple[str, ...]
    place: str
    time: int = 0


class Took(NamedTuple):
    person: str
    thing: str


class Dropped(NamedTuple):
    person: str
    thing: str


class Gave(NamedTuple):
    person: str
    thing: str
    receiver: str


class Located(NamedTuple):
    """``verdict`` answers whether ``person`` is in one of the places."""

    person: str
    places: tuple[str, ...]
    verdict: str


class Beside(NamedTuple):
    """``what`` lies on that side of ``where``."""

    what: str
    side: str
    where: str


class Larger(NamedTuple):
    large: str
    small: str


class Kind(NamedTuple):
    """``person`` is an animal of that kind."""

    person: str
    kind: str


class Fears(NamedTuple):
    kind: str
    feared: str


class Condition(NamedTuple):
    """``person`` is hungry, or green."""

    person: str
    state: str


Fact = Went | Took | Dropped | Gave | Located | Beside | Larger | Kind | Fears | Condition

SINGULAR = {"mice": "mouse", "wolves": "wolf", "cats": "cat", "sheep": "sheep"}
GO = r"(?:went back|went|journeyed|travelled|moved) to the"
WHEN = "|".join(TIMES)

PATTERNS: list[tuple[str, Callable[..., Fact]]] = [
    (rf"(\w+) {GO} (\w+)", lambda who, place: Went((who,), place)),
    (rf"(\w+) and (\w+) {GO} (\w+)", lambda who, whom, place: Went((who, whom), place)),
    (rf"(?:Afterwards|After that|Following that|Then) (?:he|she|they) {GO} (\w+)", lambda place: Went((), place)),
    (rf"(\w+) {GO} (\w+) ({WHEN})", lambda who, place, time: Went((who,), place, TIMES.index(time))),
    (rf"((?i:{WHEN})) (\w+) {GO} (\w+)", lambda time, who, place: Went((who,), place, TIMES.index(time.lower()))),
    (r"(\w+) (?:took|got|grabbed|picked up) the (\w+)(?: there)?", Took),
    (r"(\w+) (?:dropped|left|discarded|put down) the (\w+)(?: there)?", Dropped),
    (r"(\w+) (?:gave|handed|passed) the (\w+) to (\w+)", Gave),
    (r"(\w+) is in the (\w+)", lambda who, place: Located(who, (place,), "yes")),
    (r"(\w+) is (?:not|no longer) in the (\w+)", lambda who, place: Located(who, (place,), "no")),
    (r"(\w+) is either in the (\w+) or the (\w+)", lambda who, *places: Located(who, places, "maybe")),
    (r"The (\w+) is (north|south|east|west) of the (\w+)", Beside),
    (r"The ([\w ]+) is (above|below|to the left of|to the right of) the ([\w ]+)", Beside),
    (r"The ([\w ]+) is bigger than the ([\w ]+)", Larger),
    (r"The ([\w ]+) fits inside the ([\w ]+)", lambda small, large: Larger(large, small)),
    (r"(\w+) are afraid of (\w+)", lambda kinds, feared: Fears(SINGULAR[kinds.lower()], SINGULAR[feared])),
    (r"(\w+) is an? (\w+)", Kind),
    (r"(\w+) is (\w+)", Condition),
]
COMPILED = [(re.compile(pattern + r"\."), build) for pattern, build in PATTERNS]


@cache
def fact(statement: str) -> Fact:
    """What one statement says."""
    for pattern, build in COMPILED:
        found = pattern.fullmatch(statement)
        if found:
            return build(*found.groups())
    raise ValueError(f"not understood: {statement}")


AnyFact = TypeVar("AnyFact", bound=Fact)


class Told(NamedTuple, Generic[AnyFact]):
    """A fact and the index of the statement that told it."""

    line: int
    fact: AnyFact


def of_kind(told: list[Told[Fact]], kind: type[AnyFact]) -> list[Told[AnyFact]]:
    """The facts of one kind."""
    return [Told(line, said) for line, said in told if isinstance(said, kind)]


def facts_of(story: tuple[str, ...]) -> list[Told[Fact]]:
    """What the statements say, one each; pronouns are replaced by those who they stand for."""
    told: list[Told[Fact]] = []
    for line, statement in enumerate(story):
        said = fact(statement)
        if isinstance(said, Went) and not said.people:
            antecedent = told[-1].fact
            assert isinstance(antecedent, Went)
            said = Went(antecedent.people, said.place)
        told.append(Told(line, said))
    return told
