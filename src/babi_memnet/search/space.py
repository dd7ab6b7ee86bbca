"""What is searched over: keys of the configuration, each with the values it may take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from babi_memnet.errors import bad_value

_DIGITS = 4
"""Significant ones of what is drawn from an interval."""

Value = int | float | str
"""A value as a study keeps it. That of a `Choice` is the word on the command line."""


@dataclass(frozen=True)
class Choice:
    """One of some words, without any order between them."""

    key: str
    words: tuple[str, ...]

    def values(self) -> Sequence[Value]:
        """All values."""
        return self.words

    def holding(self, value: object) -> Value | None:
        """The value that stands for ``value``, None when it is not among them."""
        return next((word for word in self.words if _same(word, value)), None)

    def meant(self, drawn: Value) -> Value:
        """The value of a run whose trial has ``drawn`` one."""
        return drawn


@dataclass(frozen=True)
class Steps:
    """One of some numbers at equal distances, in order."""

    key: str
    numbers: tuple[int | float, ...]

    def values(self) -> Sequence[Value]:
        """All values."""
        return self.numbers

    def holding(self, value: object) -> Value | None:
        """The value that stands for ``value``, None when it is not among them."""
        return next((number for number in self.numbers if _same(number, value)), None)

    def meant(self, drawn: Value) -> Value:
        """The value of a run whose trial has ``drawn`` one, which a sampler may have rounded in its own way."""
        return min(self.numbers, key=lambda number: abs(number - float(drawn)))


@dataclass(frozen=True)
class Interval:
    """Any number from ``low`` to ``high``, whole ones when ``whole``; even over their logarithms when ``log``."""

    key: str
    low: int | float
    high: int | float
    log: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        text = f"interval({self.low},{self.high})"
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise bad_value(self.key, text, "two numbers, the lower one first")
        if self.log and self.low <= 0:
            raise bad_value(self.key, f"tag(log,{text})", "numbers above 0, since they have logarithms")

    def values(self) -> Sequence[Value] | None:
        """None: there are too many."""
        return None

    def holding(self, value: object) -> Value | None:
        """The value that stands for ``value``, None when it is not among them."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return None
        if self.whole and value != int(value):
            return None
        return int(value) if self.whole else float(value)

    def meant(self, drawn: Value) -> Value:
        """The value of a run whose trial has ``drawn`` one: rounded, so that one can write it down."""
        if self.whole:
            return int(drawn)
        return min(max(float(f"{float(drawn):.{_DIGITS}g}"), self.low), self.high)


Dimension = Choice | Steps | Interval
Point = dict[str, Value]
"""A value for every key of a space."""


@dataclass(frozen=True)
class Space:
    """The dimensions of a search."""

    dimensions: tuple[Dimension, ...]

    @property
    def keys(self) -> list[str]:
        """What is searched over."""
        return [dimension.key for dimension in self.dimensions]

    def grid(self) -> list[Point]:
        """All combinations, the last key changing fastest.

        Raises:
            RequestError: there are too many, since a key may have any value of an interval.
        """
        values: list[Sequence[Value]] = []
        for dimension in self.dimensions:
            some = dimension.values()
            if some is None:
                text = f"interval({dimension.low},{dimension.high})"  # type: ignore[union-attr]
                raise bad_value(dimension.key, text, "choice(...) or range(...), as hydra.sweeper.sampler is grid")
            values.append(some)
        return [dict(zip(self.keys, combination, strict=True)) for combination in product(*values)]

    def ends(self) -> Iterator[tuple[str, Value]]:
        """Values to try the space by: every word of a choice, and the ends of everything else, each with its key."""
        for dimension in self.dimensions:
            match dimension:
                case Choice(key, words):
                    yield from ((key, word) for word in words)
                case Steps(key, numbers):
                    yield from ((key, number) for number in dict.fromkeys((numbers[0], numbers[-1])))
                case Interval(key, low, high):
                    yield from ((key, number) for number in (low, high))

    def as_json(self) -> dict[str, object]:
        """The space in a file: equal for equal spaces."""
        plain: dict[str, object] = {}
        for dimension in self.dimensions:
            match dimension:
                case Choice(key, words):
                    plain[key] = {"choice": list(words)}
                case Steps(key, numbers):
                    plain[key] = {"range": list(numbers)}
                case Interval(key, low, high, log):
                    plain[key] = {"interval": [low, high], "log": log}
        return plain


def _same(one: object, other: object) -> bool:
    if isinstance(other, bool) or other is None:
        return str(one).lower() == ("null" if other is None else str(other).lower())
    try:
        return float(one) == float(other)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(one).strip("'\"") == str(other)
