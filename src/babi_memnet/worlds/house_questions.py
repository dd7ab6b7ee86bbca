"""The questions of tasks 1-3 and 5-8 about what happened in the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from babi_memnet.worlds import wording
from babi_memnet.worlds.house import Drop, Event, Get, Give, House, Move
from babi_memnet.worlds.story import Asked

# The official generator seems to draw at most so often for one question, and to meet each possible question of task 3
# with one draw in four per event: that explains the 5 of 2005 moments at which it passed over a possible question.
DRAWS = 100
DRAWS_PER_EVENT = 4


def about_one_event(
    ask: Callable[[House, Event], Asked | None],
) -> Callable[[House, Sequence[Event]], Asked | None]:
    """Makes a question about recent events of one about a single event: one is drawn until one can carry it."""

    def question(house: House, recent: Sequence[Event]) -> Asked | None:
        remaining = list(recent)
        while remaining:
            asked = ask(house, remaining.pop(house.dice.below(len(remaining))))
            if asked is not None:
                return asked
        return None

    return question


@about_one_event
def where_is_the_person(house: House, event: Event) -> Asked | None:
    """Task 1: where the person of the event went last."""
    move = house.last_move(event.person)
    if move is None:
        return None
    return Asked(wording.WHERE_IS_PERSON.format(who=move.person), move.place, (move.line,))


@about_one_event
def where_is_the_thing(house: House, event: Event) -> Asked | None:
    """Task 2: where the thing was dropped, or where its holder has carried it since."""
    if isinstance(event, Move):
        return None
    last = house.last_handling[event.thing]
    move = house.last_move(last.person, before=last if isinstance(last, Drop) else None)
    if move is None or (isinstance(last, Get) and move.line < last.line):
        return None
    return Asked(wording.WHERE_IS_THING.format(thing=event.thing), move.place, (last.line, move.line))


def where_was_the_thing(house: House, recent: Sequence[Event]) -> Asked | None:
    """Task 3: from which room the thing was carried on to another one.

    Any move of the carrier but the first may be asked for, unless it leads to a room that is visited again. All such
    moves of all recent events are equally likely.
    """
    named = [event.thing for event in recent if not isinstance(event, Move)]
    possible = [
        change for thing in named if len(house.carried[thing]) > 1 for change in _changes_of_place(house, thing)
    ]
    for _ in range(DRAWS if possible else 0):
        drawn = house.dice.below(DRAWS_PER_EVENT * len(recent))
        if drawn < len(possible):
            last, move, before = possible[drawn]
            question = wording.WHERE_WAS_THING.format(thing=last.thing, place=move.place)
            return Asked(question, before.place, (last.line, move.line, before.line))
    return None


@about_one_event
def about_the_gift(house: House, event: Event) -> Asked | None:
    """Task 5: what was given, who gave it, or who received it.

    Nothing keeps the giver from having given the receiver something else since; the answer then is out of date, as in
    two of a thousand official questions.
    """
    if not isinstance(event, Give):
        return None
    gift = next(other for other in reversed(house.clauses) if isinstance(other, Give) and other.thing == event.thing)
    forms, answer = house.dice.choose(
        (
            (wording.WHAT_GAVE, gift.thing),
            (wording.WHO_GAVE, gift.person),
            (wording.WHO_RECEIVED, gift.receiver),
        )
    )
    question = house.dice.choose(forms).format(who=gift.person, thing=gift.thing, whom=gift.receiver)
    return Asked(question, answer, (gift.line,))


@about_one_event
def is_the_person_there(house: House, event: Event) -> Asked | None:
    """Task 6: whether the person of a move is in a room, which is so half of the time."""
    if not isinstance(event, Move):
        return None
    move = house.last_move(event.person)
    assert move is not None
    yes = house.dice.chance(0.5)
    place = move.place if yes else house.dice.choose_other(house.task.places, move.place)
    question = wording.IS_PERSON_IN.format(who=move.person, place=place)
    return Asked(question, "yes" if yes else "no", (move.line,))


@about_one_event
def how_many_things(house: House, event: Event) -> Asked | None:
    """Task 7: how many things the person who got, dropped or gave carries; all their dealings support it."""
    if isinstance(event, Move):
        return None
    dealings = house.dealings(event.person)
    number = wording.NUMBERS[len(house.held_by(event.person))]
    return Asked(wording.HOW_MANY.format(who=event.person), number, tuple(dealing.line for dealing in dealings))


@about_one_event
def which_things(house: House, event: Event) -> Asked | None:
    """Task 8: what the person who got or dropped carries, thing by thing in the order of the first get of each."""
    if isinstance(event, Move):
        return None
    lines: dict[str, list[int]] = {}
    for dealing in house.dealings(event.person):
        lines.setdefault(dealing.thing, []).append(dealing.line)
    held = [thing for thing in lines if house.holder_of[thing] == event.person]
    answer = ",".join(held) or wording.NOTHING
    supporting = tuple(line for group in lines.values() for line in group)
    return Asked(wording.WHAT_CARRIES.format(who=event.person), answer, supporting)


def _changes_of_place(house: House, thing: str) -> list[tuple[Get | Drop, Move, Move]]:
    """The last handling of ``thing`` with each move that carried it on, and the move before that one.

    A move to a room that the carrier came to again later does not count, since "before the kitchen" would then mean
    the later visit.
    """
    moves = house.carried[thing]
    return [
        (house.last_handling[thing], move, before)
        for following, (before, move) in enumerate(pairwise(moves), start=2)
        if all(move.place != other.place for other in moves[following:])
    ]
