"""What the solver gives back."""

from __future__ import annotations

from typing import NamedTuple


class Reading(NamedTuple):
    """One way to understand a question: the answer and the indices of the statements that it rests on, in order."""

    answer: str
    supporting: tuple[int, ...]
