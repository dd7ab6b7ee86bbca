"""Uniform choices whose outcome is the same on every machine and every Python version."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Dice:
    """Choices drawn from one stream of random numbers.

    Everything is derived from ``random.Random.random()``: its stream for a given integer seed is the one part of the
    module that Python promises to keep. ``choice``, ``randrange`` and ``shuffle`` have changed between versions.
    """

    __slots__ = ("_random",)

    def __init__(self, *seed: object) -> None:
        """Streams of different ``seed`` values (compared by their text) are independent of each other."""
        digest = hashlib.sha256("/".join(map(str, seed)).encode()).digest()
        self._random = random.Random(int.from_bytes(digest, "big")).random

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._random() < probability

    def below(self, bound: int) -> int:
        """A whole number from 0 to ``bound - 1``."""
        return int(self._random() * bound)

    def choose(self, items: Sequence[Item]) -> Item:
        """One of ``items``."""
        return items[int(self._random() * len(items))]

    def choose_other(self, items: Sequence[Item], excluded: Item) -> Item:
        """One of ``items`` that is not ``excluded``."""
        while True:
            item = items[int(self._random() * len(items))]
            if item != excluded:
                return item

    def choose_distinct(self, items: Sequence[Item], count: int) -> tuple[Item, ...]:
        """``count`` different items in random order."""
        remaining = list(items)
        return tuple(remaining.pop(self.below(len(remaining))) for _ in range(count))

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in a uniformly random order."""
        return list(self.choose_distinct(items, len(items)))

    def shuffled_cyclically(self, items: Sequence[Item]) -> list[Item]:
        """The items in an order in which all of them lie on one cycle, so that none stays where it was (Sattolo)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last)
            order[last], order[other] = order[other], order[last]
        return order
