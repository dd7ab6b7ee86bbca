"""Task 18: what is bigger than what, by way of a third."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from babi_memnet.worlds import wording
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.story import AskedQuestion, Story, Task

# How often the last one of several statements of the same comparison is used instead of the one that was drawn. Nothing
# tells why the official generator does so; 0.6 gives the shares of 11,000 official questions, 0.5 and 0.67 do not.
LAST_DUPLICATE = 0.6


@dataclass(frozen=True, kw_only=True)
class SizesTask(Task):
    """Things of different sizes: those in ``fixed`` go from small to large, and every container is larger than those.

    Blocks of ``statements`` comparisons are told, each followed by questions until ``draws`` have been made or
    ``questions`` asked; the first block that gets all of its questions is the last. A draw is of one of the ``window``
    last comparisons.
    """

    fixed: tuple[str, ...] = (wording.CHOCOLATE, wording.BOX_OF_CHOCOLATES)
    containers: tuple[str, ...] = wording.CONTAINERS
    statements: int = 5
    questions: int = 5
    draws: int = 100
    window: int = 10

    def play(self, dice: Dice, story: Story) -> Iterator[AskedQuestion]:
        by_size = (*self.fixed, *dice.shuffled(self.containers))
        told: list[tuple[str, str]] = []
        asked = 0
        while asked < self.questions:
            for _ in range(self.statements):
                told.append(self._tell(dice, story, by_size))
            asked = 0
            for _ in range(self.draws):
                question = self._ask(dice, told)
                if question is not None:
                    yield question
                    asked += 1
                    if asked == self.questions:
                        break

    def _tell(self, dice: Dice, story: Story, by_size: tuple[str, ...]) -> tuple[str, str]:
        """Compares two things; returns the small one and the large one."""
        small, large = sorted(dice.choose_distinct(by_size, 2), key=by_size.index)
        form = dice.choose((wording.FITS_INSIDE, wording.IS_BIGGER))
        story.tell(form.format(small=small, large=large))
        return small, large

    def _ask(self, dice: Dice, told: list[tuple[str, str]]) -> AskedQuestion | None:
        """A question with the answer yes about something large, or no about something small, if the draw allows one.

        One of the last comparisons is drawn; another one, the first that names its middle, must lead on from there.
        """
        line = len(told) - 1 - dice.below(min(self.window, len(told)))
        if dice.chance(LAST_DUPLICATE):
            line = max(index for index, pair in enumerate(told) if pair == told[line])
        small, large = told[line]
        yes = dice.chance(0.5)
        what, middle = (large, small) if yes else (small, large)
        other_line = next((index for index, pair in enumerate(told) if middle in pair and index != line), None)
        if other_line is None:
            return None
        other_small, other_large = told[other_line]
        if middle != (other_large if yes else other_small):
            return None
        than = other_small if yes else other_large
        question = dice.choose((wording.IS_BIGGER_THAN, wording.DOES_FIT)).format(what=what, than=than)
        return AskedQuestion(question, "yes" if yes else "no", (line, other_line))
