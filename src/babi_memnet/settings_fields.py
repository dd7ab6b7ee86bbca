"""What a field of the settings says about itself: that it cannot change the result of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from babi_memnet.errors import bad_value

LARGEST = 10**9
"""Of whole numbers that say how many; none is meant to be nearly as large."""

LARGEST_FLOAT = 1e30
"""Of other numbers; parameters are single precision, which ends at 3e38."""

LARGEST_SEED = 2**63 - 1

_KEY = "without_effect"

BOOKKEEPING: Mapping[str, str] = {_KEY: "bookkeeping"}
"""Metadata of a field that says where things are, who watches, what is kept: no difference between runs to show."""

EXECUTION: Mapping[str, str] = {_KEY: "execution"}
"""Metadata of a field that says with what a result is computed, as the device or the number of threads."""


def marked(settings: Any, *marks: Mapping[str, str]) -> list[str]:
    """The names of the fields of a dataclass whose metadata is one of ``marks``.

    ``settings`` is the class or an instance; of an instance also the dotted names of the marked fields of the
    dataclasses that it holds.
    """
    names = []
    kinds = {mark[_KEY] for mark in marks}
    for field in fields(settings):
        part = None if isinstance(settings, type) else getattr(settings, field.name)
        if field.metadata.get(_KEY) in kinds:
            names.append(field.name)
        elif is_dataclass(part):
            names += [f"{field.name}.{name}" for name in marked(part, *marks)]
    return names


def expect_within_measure(settings: Any, key: str = "") -> None:
    """Refuse numbers without end in a dataclass and those it holds, and whole numbers that nobody can mean.

    Raises:
        RequestError: names the key, which begins with ``key``.
    """
    for field in fields(settings):
        value, name = getattr(settings, field.name), f"{key}{field.name}"
        if is_dataclass(value):
            expect_within_measure(value, f"{name}.")
        elif isinstance(value, float) and not math.isfinite(value):
            raise bad_value(name, value, "a finite number")
        elif isinstance(value, float) and abs(value) > LARGEST_FLOAT:
            raise bad_value(name, value, f"a number of at most {LARGEST_FLOAT:g}")
        elif isinstance(value, int) and not isinstance(value, bool):
            largest = LARGEST_SEED if field.name == "seed" else LARGEST
            if abs(value) > largest:
                raise bad_value(name, _short(value), f"a whole number of at most {largest}")


def _short(number: int) -> str:
    """A whole number of any size in a few characters."""
    digits = math.floor(abs(number).bit_length() * math.log10(2)) + 1
    return str(number) if digits <= 30 else f"a number of {digits} digits"
