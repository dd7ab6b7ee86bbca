"""Which epochs a run has, and with what step sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.training.settings import TrainingSettings


class Epoch(NamedTuple):
    """One pass.

    Attributes:
        phase: ``linear_start`` or ``softmax``, what comes after it.
        number: from 1 on through both phases.
        learning_rate: the step size, before warm-up and cosine.
        place: how many epochs of this phase lie before, and how many it has.
    """

    phase: str
    number: int
    learning_rate: float
    place: tuple[int, int] = (0, 1)

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
        yield Epoch("linear_start", number, settings.linear_start_learning_rate, (number - 1, first))
    for number in range(1, settings.epochs + 1):
        halved = 0.5 ** (number // settings.halve_every) if settings.schedule == "halving" else 1
        yield Epoch("softmax", first + number, settings.learning_rate * halved, (number - 1, settings.epochs))


def is_stepwise(settings: TrainingSettings) -> bool:
    """Whether the step size changes within an epoch."""
    return settings.schedule == "cosine" or settings.warmup > 0


def step_sizes(settings: TrainingSettings, epoch: Epoch, steps: int) -> npt.NDArray[np.float64]:
    """The step size of each step of an epoch, [S]: that of the epoch, unless warm-up or a cosine say otherwise.

    The warm-up is linear and the cosine is half a wave from the end of the warm-up to the end of the phase (Loshchilov
    & Hutter 2017, arXiv 1608.03983, equation 5, without restarts).
    """
    rates = np.full(steps, epoch.learning_rate)
    if epoch.linear or not is_stepwise(settings):
        return rates
    before, epochs = epoch.place
    share = (before * steps + np.arange(1, steps + 1)) / (epochs * steps)  # of the phase, behind after each step
    if settings.schedule == "cosine":
        rates *= 0.5 * (1 + np.cos(np.pi * np.clip((share - settings.warmup) / (1 - settings.warmup), 0, 1)))
    if settings.warmup:
        rates *= np.minimum(1, share / settings.warmup)
    return rates
