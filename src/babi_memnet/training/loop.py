"""The training loop: every restart through every epoch of the schedule."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Questions
from babi_memnet.training.engine import Engine
from babi_memnet.training.schedule import Epoch, schedule
from babi_memnet.training.settings import TrainingSettings


class EpochRecord(NamedTuple):
    """What an epoch showed, each array over the restarts.

    train_loss in nats per question; the errors in percent, of training as met while the epoch ran (time noise on, the
    parameters moving), of validation after it.
    """

    epoch: Epoch
    train_loss: npt.NDArray[np.float64]
    train_error_percent: npt.NDArray[np.float64]
    validation_error_percent: npt.NDArray[np.float64]
    seconds: float

    def as_row(self) -> dict[str, Any]:
        """The line of metrics.jsonl."""
        return {
            "phase": self.epoch.phase,
            "epoch": self.epoch.number,
            "learning_rate": self.epoch.learning_rate,
            "train/loss": self.train_loss.tolist(),
            "train/error_percent": self.train_error_percent.tolist(),
            "validation/error_percent": self.validation_error_percent.tolist(),
            "seconds": self.seconds,
        }


def train(
    engine: Engine,
    generators: Sequence[np.random.Generator],
    validation: Questions,
    settings: TrainingSettings,
    done: int = 0,
) -> Iterator[EpochRecord]:
    """Train all restarts, one record an epoch; what is done with a record is the caller's.

    Args:
        engine: holds the model, whose parameters are updated, and the training questions.
        generators: the random numbers of each restart; are advanced.
        validation: held-out questions; they only monitor.
        settings: the schedule.
        done: epochs that parameters and generators have already been through.
    """
    for epoch in schedule(settings):
        if epoch.number <= done:
            continue
        started = time.perf_counter()
        trained = engine.train_epoch(generators, epoch)
        yield EpochRecord(
            epoch=epoch,
            train_loss=trained.loss,
            train_error_percent=100 * trained.wrong,
            validation_error_percent=error_percent(engine.answers(validation, epoch.linear), validation),
            seconds=time.perf_counter() - started,
        )


def error_percent(chosen: npt.NDArray[np.int64], questions: Questions) -> npt.NDArray[np.float64]:
    """Share of wrong answers in percent, [R], of answers [R, N]."""
    return np.asarray(100 * (chosen != questions.answers).mean(axis=1))


def select_restart(train_error_percent: Sequence[float], train_loss: Sequence[float | None]) -> int:
    """The place of the restart that is reported, from what the last epoch showed of each.

    That is the one with the lowest training error (section 4.2), and among equals the lowest training loss. A restart
    that diverged, whose loss is no number, comes last.
    """
    loss = np.array([np.nan if value is None else value for value in train_loss], dtype=np.float64)
    diverged = ~np.isfinite(loss)
    return int(np.lexsort((loss, np.array(train_error_percent), diverged))[0])
