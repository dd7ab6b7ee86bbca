"""Which epochs a run has, and with what step size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from babi_memnet.training.settings import TrainingSettings


class Epoch(NamedTuple):
    """One pass: its phase (``linear_start`` or ``softmax``), number from 1 on through both phases, and step size."""

    phase: str
    number: int
    learning_rate: float

    @property
    def linear(self) -> bool:
        """Whether the attention goes without its softmax."""
        return self.phase == "linear_start"


def schedule(settings: TrainingSettings) -> Iterator[Epoch]:
    """The epochs of a run, in order.

    Differs from the paper: section 4.3 ends the linear start when the validation loss stops falling and goes on at
    0.01; the released code gives it a fixed length and goes on at the rate it had.
    """
    first = settings.linear_start_epochs
    for number in range(1, first + 1):
        yield Epoch("linear_start", number, settings.linear_start_learning_rate)
    for number in range(1, settings.epochs + 1):
        rate = settings.learning_rate * 0.5 ** (number // settings.halve_every)
        yield Epoch("softmax", first + number, rate)
