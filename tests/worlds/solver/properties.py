"""What people are like, and what follows from it: tasks 15, 16 and 20."""

from __future__ import annotations

from tests.worlds.solver.facts import Condition, Fact, Fears, Kind, Told, facts_of, of_kind
from tests.worlds.solver.reading import Reading

PLACES = {"hungry": "kitchen", "thirsty": "kitchen", "bored": "garden", "tired": "bedroom"}


def what_fears(story: tuple[str, ...], person: str) -> list[Reading]:
    told = facts_of(story)
    own = _kind_of(told, person.capitalize())
    fear = next(entry for entry in of_kind(told, Fears) if entry.fact.kind == own.fact.kind)
    return [Reading(fear.fact.feared, (own.line, fear.line))]


def what_colour(story: tuple[str, ...], person: str) -> list[Reading]:
    """Examples can contradict each other; the one whose kind was told last counts."""
    told = facts_of(story)
    own = _kind_of(told, person)
    alike = [entry for entry in of_kind(told, Kind) if entry.fact.kind == own.fact.kind and entry != own]
    example = alike[-1]
    colour = _condition_of(told, example.fact.person)
    return [Reading(colour.fact.state, (own.line, example.line, colour.line))]


def where_will(story: tuple[str, ...], person: str) -> list[Reading]:
    condition = _condition_of(facts_of(story), person.capitalize())
    return [Reading(PLACES[condition.fact.state], (condition.line,))]


def why(story: tuple[str, ...], person: str) -> list[Reading]:
    """Whatever somebody does, their condition is the reason."""
    condition = _condition_of(facts_of(story), person.capitalize())
    return [Reading(condition.fact.state, (condition.line,))]


def _kind_of(told: list[Told[Fact]], person: str) -> Told[Kind]:
    return next(entry for entry in of_kind(told, Kind) if entry.fact.person == person)


def _condition_of(told: list[Told[Fact]], person: str) -> Told[Condition]:
    return next(entry for entry in of_kind(told, Condition) if entry.fact.person == person)
