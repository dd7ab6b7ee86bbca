"""Numbers as text, in one way everywhere. The ``z`` in a form keeps what rounds to zero from being written as -0.0."""

from __future__ import annotations

NO_DATA = "–"
"""Stands where a task has no result; the notes say why."""


def rounded(value: float | None, digits: int = 1, missing: str = "") -> str:
    """``13.5``; ``missing`` where there is no number, here and below."""
    return missing if value is None else f"{value:z.{digits}f}"


def signed(value: float | None, digits: int = 1, missing: str = "") -> str:
    """A difference: ``+0.4``."""
    return missing if value is None else f"{value:+z.{digits}f}"


def percent(share: float | None, digits: int = 0, missing: str = "") -> str:
    """A share of one in percent: ``55 %``."""
    return missing if share is None else f"{100 * share:z.{digits}f} %"


def counted(value: float | None, missing: str = "") -> str:
    """A number that is whole where it is one of ours, and may be a mean where it is published: ``11``, ``10.5``."""
    return missing if value is None else f"{value:g}"


def mean_and_deviation(mean: float | None, deviation: float | None) -> str:
    """``5.0 ± 3.6``; without a deviation the mean alone."""
    return rounded(mean) + (f" ± {rounded(deviation)}" if deviation is not None else "")


def interval(ends: tuple[float, float] | None) -> str:
    """``38.0 to 44.1``."""
    return f"{rounded(ends[0])} to {rounded(ends[1])}" if ends else ""
