"""Tasks 4, 17 and 19: places or shapes that lie around each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, Task

COMPASS = tuple(wording.COMPASS)
RELATIONS = tuple(wording.RELATIONS)
OPPOSITES = {**wording.COMPASS, **wording.RELATIONS}


class Layout:
    """Which neighbours lie on which side of each other.

    ``side[x][y]`` is the side of ``y`` on which ``x`` lies: x is north of y.
    """

    def __init__(self) -> None:
        self.side: dict[str, dict[str, str]] = {}

    def put(self, new: str, side: str, old: str) -> None:
        """Puts ``new`` on that side of ``old``."""
        self.side.setdefault(new, {})[old] = side
        self.side.setdefault(old, {})[new] = OPPOSITES[side]

    def pairs(self, dice: Dice) -> Iterator[tuple[str, str]]:
        """Every pair of neighbours once, in the order and sense in which the pairs are told.

        A place and then one of its neighbours is drawn until a new pair comes up. A place with a single neighbour
        therefore tends to come first in its pair, and its pair to come early.
        """
        neighbours = {place: tuple(sides) for place, sides in self.side.items()}
        places = tuple(neighbours)
        untold = {(place, neighbour) for place in places for neighbour in neighbours[place]}
        while untold:
            place = dice.choose(places)
            neighbour = dice.choose(neighbours[place])
            if (place, neighbour) in untold:
                untold -= {(place, neighbour), (neighbour, place)}
                yield place, neighbour


def draw_line(dice: Dice, names: tuple[str, ...], first_side: str, second_side: str) -> tuple[Layout, tuple[str, ...]]:
    """Three of the names, the second on one side of the first and the third on a side of the second."""
    start, middle, end = dice.choose_distinct(names, 3)
    layout = Layout()
    layout.put(middle, first_side, start)
    layout.put(end, second_side, middle)
    return layout, (start, middle, end)


@dataclass(frozen=True, kw_only=True)
class NeighboursTask(Task):
    """Task 4: three places in a straight line; what lies beside one of them?"""

    places: tuple[str, ...] = wording.HOME

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        side = dice.choose(COMPASS)
        layout, _ = draw_line(dice, self.places, side, side)
        told = list(layout.pairs(dice))
        for what, where in told:
            story.tell(wording.LIES.format(what=what, side=layout.side[what][where], where=where))
        line = dice.below(len(told))
        what, where = told[line]
        form = wording.WHAT_LIES if dice.chance(0.5) else wording.WHAT_LIES_BEYOND
        question = form.format(side=layout.side[what][where], opposite=layout.side[where][what], where=where)
        yield AskedQuestion(question, what, (line,))


@dataclass(frozen=True, kw_only=True)
class PositionsTask(Task):
    """Task 17: how two shapes stand to each other when only their relations to a third have been told."""

    shapes: tuple[str, ...] = wording.SHAPES
    questions: int = 8

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        first_side = dice.choose(RELATIONS)
        second_side = dice.choose_other(RELATIONS, OPPOSITES[first_side])
        layout, (start, middle, end) = draw_line(dice, self.shapes, first_side, second_side)
        line_of = {}
        # Unlike in the other maps, the place that is drawn first is named last.
        for where, what in layout.pairs(dice):
            line = story.tell(wording.STANDS.format(what=what, side=layout.side[what][where], where=where))
            line_of[where if what == middle else what] = line
        for _ in range(self.questions):
            wanted = dice.chance(0.5)
            while True:
                what, where = dice.choose(((start, end), (end, start)))
                side = dice.choose(RELATIONS)
                sides = (first_side, second_side) if what == end else (OPPOSITES[first_side], OPPOSITES[second_side])
                if (side in sides) == wanted:
                    break
            question = wording.DOES_STAND.format(what=what, side=side, where=where)
            yield AskedQuestion(question, "yes" if wanted else "no", (line_of[what], line_of[where]))


@dataclass(frozen=True, kw_only=True)
class PathTask(Task):
    """Task 19: six places, two of them two steps apart; how does one get from the one to the other?"""

    places: tuple[str, ...] = wording.HOME

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        first_side = dice.choose(COMPASS)
        second_side = dice.choose_other(COMPASS, OPPOSITES[first_side])
        layout, path = draw_line(dice, self.places, first_side, second_side)
        self._add_side_rooms(dice, layout, path)
        line_of = {}
        for what, where in layout.pairs(dice):
            line = story.tell(wording.LIES.format(what=what, side=layout.side[what][where], where=where))
            line_of[what, where] = line_of[where, what] = line
        start, middle, end = path
        question = wording.WHICH_WAY.format(start=start, end=end)
        yield AskedQuestion(
            question, f"{first_side[0]},{second_side[0]}", (line_of[start, middle], line_of[middle, end])
        )

    def _add_side_rooms(self, dice: Dice, layout: Layout, path: tuple[str, ...]) -> None:
        """Puts each other place on a free side of one on the path. Two places can come to lie on the same spot."""
        for place in (place for place in self.places if place not in path):
            while place not in layout.side:
                beside, side = dice.choose(path), dice.choose(COMPASS)
                if side not in (layout.side[other][beside] for other in layout.side[beside]):
                    layout.put(place, side, beside)
