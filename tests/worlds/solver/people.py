"""Where people and things are or were: tasks 1-3, 6, and 9-14."""

from __future__ import annotations

from tests.worlds.solver.facts import Dropped, Fact, Located, Told, Took, Went, facts_of, of_kind
from tests.worlds.solver.reading import Reading

PRONOUN_SENTENCES = ("Afterwards ", "After that ", "Following that ", "Then ")


def where_is_person(story: tuple[str, ...], person: str) -> list[Reading]:
    """The last place; a pronoun needs the statement before it as well."""
    last = _moves(facts_of(story), person)[-1]
    lines = (last.line - 1, last.line) if story[last.line].startswith(PRONOUN_SENTENCES) else (last.line,)
    return [Reading(last.fact.place, lines)]


def where_was_person(story: tuple[str, ...], person: str, place: str) -> list[Reading]:
    """By the times of the day, the place before the last visit to ``place``."""
    visits = sorted(_moves(facts_of(story), person), key=lambda told: told.fact.time)
    index = max(index for index, visit in enumerate(visits) if visit.fact.place == place)
    before = visits[index - 1]
    return [Reading(before.fact.place, (visits[index].line, before.line))]


def is_person_in(story: tuple[str, ...], person: str, place: str) -> list[Reading]:
    """Only the last word about the whereabouts of a person counts."""
    for line, said in reversed(facts_of(story)):
        if isinstance(said, Went) and person in said.people:
            return [Reading("yes" if said.place == place else "no", (line,))]
        if isinstance(said, Located) and said.person == person:
            return [Reading(said.verdict if place in said.places else "no", (line,))]
    raise ValueError(f"nothing is told of {person}")


def where_is_thing(story: tuple[str, ...], thing: str) -> list[Reading]:
    """Where it was dropped, or where its holder is."""
    told = facts_of(story)
    last = _handlings(told, thing)[-1]
    until = last.line if isinstance(last.fact, Dropped) else len(told)
    move = _moves(told[:until], last.fact.person)[-1]
    return [Reading(move.fact.place, (last.line, move.line))]


def where_was_thing(story: tuple[str, ...], thing: str, place: str) -> list[Reading]:
    """Where its carrier was before the last visit to ``place`` with it."""
    told = facts_of(story)
    handlings = _handlings(told, thing)
    last = handlings[-1]
    taken = last if isinstance(last.fact, Took) else handlings[-2]
    carried = told[taken.line : last.line] if isinstance(last.fact, Dropped) else told[taken.line :]
    moves = _moves(carried, last.fact.person)
    index = max(index for index, move in enumerate(moves) if move.fact.place == place)
    before = moves[index - 1]
    return [Reading(before.fact.place, (last.line, moves[index].line, before.line))]


def _moves(told: list[Told[Fact]], person: str) -> list[Told[Went]]:
    return [entry for entry in of_kind(told, Went) if person in entry.fact.people]


def _handlings(told: list[Told[Fact]], thing: str) -> list[Told[Took | Dropped]]:
    return [Told(line, said) for line, said in told if isinstance(said, Took | Dropped) and said.thing == thing]
