"""The training loop: every restart through every epoch of the schedule."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Questions
from babi_memnet.training.course import Course
from babi_memnet.training.engine import Engine
from babi_memnet.training.restarts import Restarts
from babi_memnet.training.schedule import Epoch, schedule
from babi_memnet.training.settings import TrainingSettings


class EpochRecord(NamedTuple):
    """What an epoch showed, each array over the restarts; of one that has ended early, what its reported epoch did.

    ``learning_rate`` is the step size of the last step. Losses in nats per question; errors in percent, of training as
    met while the epoch ran (time noise on, the parameters moving), of validation after it.
    """

    epoch: Epoch
    learning_rate: float
    train_loss: npt.NDArray[np.float64]
    train_error_percent: npt.NDArray[np.float64]
    validation_error_percent: npt.NDArray[np.float64]
    validation_loss: npt.NDArray[np.float64]
    seconds: float

    def as_row(self) -> dict[str, Any]:
        """The line of metrics.jsonl."""
        return {
            "phase": self.epoch.phase,
            "epoch": self.epoch.number,
            "learning_rate": self.learning_rate,
            "train/loss": self.train_loss.tolist(),
            "train/error_percent": self.train_error_percent.tolist(),
            "validation/error_percent": self.validation_error_percent.tolist(),
            "validation/loss": self.validation_loss.tolist(),
            "seconds": self.seconds,
        }


def train(
    engine: Engine,
    restarts: Restarts,
    generators: Sequence[np.random.Generator],
    validation: Questions,
    settings: TrainingSettings,
    course: Course,
    done: int = 0,
) -> Iterator[EpochRecord]:
    """Train all restarts, one record an epoch; what is done with a record is the caller's.

    At the end the parameters are those of the reported epochs.

    Args:
        engine: trains ``restarts`` with the training questions.
        restarts: their parameters are updated in place.
        generators: the random numbers of each restart; are advanced.
        validation: held-out questions.
        settings: the schedule.
        course: how the restarts fare; is updated.
        done: epochs that all of these have already been through.
    """
    for epoch in schedule(settings):
        if epoch.number <= done or not course.running.any():
            continue
        started = time.perf_counter()
        trained = engine.train_epoch(generators, epoch, course.running)
        judged = engine.evaluate(validation, epoch.linear)
        shown = {
            "train/loss": trained.loss,
            "train/error_percent": 100 * trained.wrong,
            "validation/error_percent": error_percent(judged.answers, validation),
            "validation/loss": judged.loss,
        }
        ran = course.running
        course.take(epoch, shown, engine.measured)
        told = {name.replace("/", "_"): np.where(ran, shown[name], course.shown[name]) for name in shown}
        seconds = time.perf_counter() - started
        yield EpochRecord(epoch=epoch, learning_rate=trained.learning_rate, **told, seconds=seconds)
    engine.finish()
    course.finish(restarts.parameters)


def error_percent(chosen: npt.NDArray[np.int64], questions: Questions) -> npt.NDArray[np.float64]:
    """Share of wrong answers in percent, [R], of answers [R, N]."""
    return np.asarray(100 * (chosen != questions.answers).mean(axis=1))
