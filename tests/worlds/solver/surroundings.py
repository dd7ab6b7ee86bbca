"""What lies where: tasks 4, 17 and 19; and what is bigger: task 18."""

from __future__ import annotations

from tests.worlds.solver.facts import Beside, Larger, facts_of
from tests.worlds.solver.reading import Reading

STEPS = {
    "north": (0, 1),
    "south": (0, -1),
    "east": (1, 0),
    "west": (-1, 0),
    "above": (0, 1),
    "below": (0, -1),
    "to the right of": (1, 0),
    "to the left of": (-1, 0),
}


def what_lies(story: tuple[str, ...], side: str, where: str) -> list[Reading]:
    return [
        Reading(what, (line,)) for what, place, step, line in _steps(story) if (place, step) == (where, STEPS[side])
    ]


def what_lies_beyond(story: tuple[str, ...], where: str, side: str) -> list[Reading]:
    """What ``where`` lies on that side of: "What is the kitchen east of?"."""
    return [
        Reading(place, (line,)) for what, place, step, line in _steps(story) if (what, step) == (where, STEPS[side])
    ]


def does_stand(story: tuple[str, ...], what: str, side: str, where: str) -> list[Reading]:
    """``what`` and ``where`` are both told of in relation to a third shape; the steps from there tell."""
    lines, steps = _path(story, where, what)
    east, north = (sum(step[axis] for step in steps) for axis in (0, 1))
    agrees = STEPS[side][0] * east + STEPS[side][1] * north > 0
    return [Reading("yes" if agrees else "no", (lines[1], lines[0]))]


def which_way(story: tuple[str, ...], start: str, end: str) -> list[Reading]:
    lines, steps = _path(story, start, end)
    initials = {STEPS[name]: name[0] for name in ("north", "south", "east", "west")}
    return [Reading(",".join(initials[step] for step in steps), lines)]


def is_bigger(story: tuple[str, ...], what: str, than: str) -> list[Reading]:
    """By way of a third thing: a statement that compares ``what`` with it, and the first other statement that names it.

    There can be several such pairs of statements, and any of them can be meant, mostly a late one.
    """
    comparisons = [(line, said) for line, said in facts_of(story) if isinstance(said, Larger)]
    readings = []
    for line, said in reversed(comparisons):
        if what not in said:
            continue
        larger = said.large == what
        middle = said.small if larger else said.large
        other_line, other = next(((at, it) for at, it in comparisons if middle in it and at != line), (line, said))
        if other == (Larger(middle, than) if larger else Larger(than, middle)):
            readings.append(Reading("yes" if larger else "no", (line, other_line)))
    return readings


def _steps(story: tuple[str, ...]) -> list[tuple[str, str, tuple[int, int], int]]:
    """(what, where, step from where to what, line) for each statement in both senses."""
    both = []
    for line, said in facts_of(story):
        assert isinstance(said, Beside)
        east, north = STEPS[said.side]
        both += [(said.what, said.where, (east, north), line), (said.where, said.what, (-east, -north), line)]
    return both


def _path(story: tuple[str, ...], start: str, end: str) -> tuple[tuple[int, int], list[tuple[int, int]]]:
    """The two statements and the two steps that lead from ``start`` to ``end``."""
    steps = _steps(story)
    for middle, first_where, first_step, first_line in steps:
        for what, second_where, second_step, second_line in steps:
            if (first_where, second_where, what) == (start, middle, end):
                return (first_line, second_line), [first_step, second_step]
    raise ValueError(f"no two steps lead from {start} to {end}")
