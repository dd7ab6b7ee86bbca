"""The questions of tasks 1-3 and 5-8 about what happened in the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from babi_memnet.worlds import wording
from babi_memnet.worlds.house import Drop, Event, Get, Give, House, Move
from babi_memnet.worlds.story import AskedQuestion

# What follows from the 2000 official questions of task 3: a question is given up after about 100 draws (5 possible ones
# of 2005 were passed over), and a move is drawn by going back from the last one and stopping at each with this chance.
DRAWS = 100
STOP = 0.25


def about_one_event(
    ask: Callable[[House, Event], AskedQuestion | None],
) -> Callable[[House, Sequence[Event]], AskedQuestion | None]:
    """Makes a question about recent events of one about a single event: one is drawn until one can carry it."""

    def question(house: House, recent: Sequence[Event]) -> AskedQuestion | None:
        remaining = list(recent)
        while remaining:
            asked = ask(house, remaining.pop(house.dice.below(len(remaining))))
            if asked is not None:
                return asked
        return None

    return question


@about_one_event
def where_is_the_person(house: House, event: Event) -> AskedQuestion | None:
    """Task 1: where the person of the event went last."""
    move = house.last_move(event.person)
    if move is None:
        return None
    return AskedQuestion(wording.WHERE_IS_PERSON.format(who=move.person), move.place, (move.line,))


@about_one_event
def where_is_the_thing(house: House, event: Event) -> AskedQuestion | None:
    """Task 2: where the thing was dropped, or where its holder has carried it since."""
    if isinstance(event, Move):
        return None
    last = house.last_handling[event.thing]
    move = house.last_move(last.person, before=last if isinstance(last, Drop) else None)
    if move is None or (isinstance(last, Get) and move.line < last.line):
        return None
    return AskedQuestion(wording.WHERE_IS_THING.format(thing=event.thing), move.place, (last.line, move.line))


def where_was_the_thing(house: House, recent: Sequence[Event]) -> AskedQuestion | None:
    """Task 3: from which room the thing was carried on to another one.

    An event and a move of the carrier are drawn together until they fit each other. "Before the kitchen" means the last
    visit to the kitchen, and there must have been a move before that one while the thing was carried.
    """
    if all(isinstance(event, Move) or len(house.carried[event.thing]) < 2 for event in recent):
        return None
    for _ in range(DRAWS):
        event = house.dice.choose(recent)
        if isinstance(event, Move):
            continue
        moves = house.carried[event.thing]
        place = next((move.place for move in reversed(moves) if house.dice.chance(STOP)), None)
        visit = max((index for index, move in enumerate(moves) if move.place == place), default=0)
        if visit > 0:
            before = moves[visit - 1]
            question = wording.WHERE_WAS_THING.format(thing=event.thing, place=place)
            supporting = (house.last_handling[event.thing].line, moves[visit].line, before.line)
            return AskedQuestion(question, before.place, supporting)
    return None


@about_one_event
def about_the_gift(house: House, event: Event) -> AskedQuestion | None:
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
    return AskedQuestion(question, answer, (gift.line,))


@about_one_event
def is_the_person_there(house: House, event: Event) -> AskedQuestion | None:
    """Task 6: whether the person of a move is in a room, which is so half of the time."""
    if not isinstance(event, Move):
        return None
    move = house.last_move(event.person)
    assert move is not None
    yes = house.dice.chance(0.5)
    place = move.place if yes else house.dice.choose_other(house.task.places, move.place)
    question = wording.IS_PERSON_IN.format(who=move.person, place=place)
    return AskedQuestion(question, "yes" if yes else "no", (move.line,))


@about_one_event
def how_many_things(house: House, event: Event) -> AskedQuestion | None:
    """Task 7: how many things the person who got, dropped or gave carries; all their dealings support it."""
    if isinstance(event, Move):
        return None
    dealings = house.dealings(event.person)
    number = wording.NUMBERS[len(house.held_by(event.person))]
    return AskedQuestion(wording.HOW_MANY.format(who=event.person), number, tuple(dealing.line for dealing in dealings))


@about_one_event
def which_things(house: House, event: Event) -> AskedQuestion | None:
    """Task 8: what the person who got or dropped carries, thing by thing in the order of the first get of each."""
    if isinstance(event, Move):
        return None
    lines: dict[str, list[int]] = {}
    for dealing in house.dealings(event.person):
        lines.setdefault(dealing.thing, []).append(dealing.line)
    held = [thing for thing in lines if house.holder_of[thing] == event.person]
    answer = ",".join(held) or wording.NOTHING
    supporting = tuple(line for group in lines.values() for line in group)
    return AskedQuestion(wording.WHAT_CARRIES.format(who=event.person), answer, supporting)
