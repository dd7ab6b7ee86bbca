"""Who has and who gave what: tasks 5, 7 and 8."""

from __future__ import annotations

from tests.worlds.solver.facts import Dropped, Gave, Told, Took, facts_of, of_kind
from tests.worlds.solver.reading import Reading

NUMBERS = ("none", "one", "two", "three")


def what_gave(story: tuple[str, ...], giver: str, receiver: str) -> list[Reading]:
    """The thing of the latest such gift; each other thing whose own last gift was of this kind is another reading."""
    latest = {entry.fact.thing: entry for entry in _gifts(story)}
    fitting = [entry for entry in latest.values() if (entry.fact.person, entry.fact.receiver) == (giver, receiver)]
    fitting.sort(key=lambda entry: -entry.line)
    return [Reading(entry.fact.thing, (entry.line,)) for entry in fitting]


def who_gave(story: tuple[str, ...], thing: str, receiver: str | None) -> list[Reading]:
    gifts = [entry for entry in _gifts(story) if entry.fact.thing == thing and receiver in (None, entry.fact.receiver)]
    return [Reading(gifts[-1].fact.person, (gifts[-1].line,))]


def who_received(story: tuple[str, ...], thing: str) -> list[Reading]:
    gifts = [entry for entry in _gifts(story) if entry.fact.thing == thing]
    return [Reading(gifts[-1].fact.receiver, (gifts[-1].line,))]


def to_whom(story: tuple[str, ...], giver: str, thing: str) -> list[Reading]:
    gifts = [entry for entry in _gifts(story) if (entry.fact.person, entry.fact.thing) == (giver, thing)]
    return [Reading(gifts[-1].fact.receiver, (gifts[-1].line,))]


def how_many(story: tuple[str, ...], person: str) -> list[Reading]:
    """Everything that the person took, dropped, gave or was given counts, in the order in which it was told."""
    dealings = _dealings(story, person)
    return [Reading(NUMBERS[len(_holdings(dealings, person))], tuple(entry.line for entry in dealings))]


def what_carries(story: tuple[str, ...], person: str) -> list[Reading]:
    """As ``how_many``, but thing by thing, in the order in which each was first taken."""
    dealings = _dealings(story, person)
    things = list(dict.fromkeys(entry.fact.thing for entry in dealings))
    holdings = _holdings(dealings, person)
    answer = ",".join(thing for thing in things if thing in holdings) or "nothing"
    return [Reading(answer, tuple(entry.line for thing in things for entry in dealings if entry.fact.thing == thing))]


def _gifts(story: tuple[str, ...]) -> list[Told[Gave]]:
    return of_kind(facts_of(story), Gave)


def _dealings(story: tuple[str, ...], person: str) -> list[Told[Took | Dropped | Gave]]:
    return [
        Told(line, said)
        for line, said in facts_of(story)
        if isinstance(said, Took | Dropped | Gave) and person in (said.person, getattr(said, "receiver", None))
    ]


def _holdings(dealings: list[Told[Took | Dropped | Gave]], person: str) -> set[str]:
    held: set[str] = set()
    for _, said in dealings:
        if isinstance(said, Took) or (isinstance(said, Gave) and said.receiver == person):
            held.add(said.thing)
        else:
            held.remove(said.thing)
    return held
