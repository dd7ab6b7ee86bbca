"""How far something long is: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from babi_memnet.logs import to_log_files

if TYPE_CHECKING:  # torch is behind it, and who waits for other processes has no need of that
    from babi_memnet.training.loop import EpochRecord

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 20.0
_SECONDS_BETWEEN_DRAWINGS = 0.1
_FORM = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"


class Meter:
    """Shows how much of something is done, in words as well, and the time left.

    On a terminal that is one bar. In a pipe and in the log files it is a line now and then.
    """

    def __init__(self, name: str, total: float, done: float = 0, bar: bool = True) -> None:
        """``done`` of ``total`` are done already; without ``bar`` there are only lines, also on a terminal."""
        self._name, self._total, self._first = name, total, done
        self._started = self._told = time.monotonic()
        self._drawn = 0.0
        self._bar: tqdm | None = None
        self._redirect = logging_redirect_tqdm()
        if bar and sys.stderr.isatty():
            self._bar = tqdm(total=total, initial=done, desc=name, bar_format=_FORM, dynamic_ncols=True, leave=False)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._redirect.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
            self._redirect.__exit__(kind, error, traceback)

    def show(self, done: float, words: str, last: bool = False) -> None:
        """``done`` of the total are done, and ``words`` say how it goes; the ``last`` time has a line in any case."""
        now = time.monotonic()
        if self._bar is not None and now - self._drawn >= _SECONDS_BETWEEN_DRAWINGS:
            self._drawn = now
            self._bar.n = done
            self._bar.set_postfix_str(words)
        if now - self._told < _SECONDS_BETWEEN_LINES and not last:
            return
        self._told = now
        line = f"{self._name}: {words}"
        if last:
            line += f", {now - self._started:.0f} s"
        elif done > self._first:
            line += f", {(now - self._started) * (self._total - done) / (done - self._first):.0f} s left"
        if self._bar is None:
            log.info(line)
        else:
            to_log_files(logging.INFO, line)


class Progress(Meter):
    """How far a run is: phase, epoch, best and median training error over the restarts."""

    def __init__(self, name: str, epochs: int, done: int = 0, bar: bool = True) -> None:
        """``done`` of ``epochs`` epochs lie behind; without ``bar`` there are only lines, also on a terminal."""
        super().__init__(name, epochs, done, bar)
        self._epochs = epochs

    def update(self, record: EpochRecord, last: bool = False) -> None:
        """One more epoch is done; the ``last``, where all restarts have ended early."""
        number, phase = record.epoch.number, " (linear start)" if record.epoch.linear else ""
        best, median = np.min(record.train_error_percent), np.median(record.train_error_percent)
        errors = f"train error best {best:.1f} %, median {median:.1f} %"
        self.show(number, f"epoch {number} of {self._epochs}{phase}, {errors}", last=number == self._epochs or last)
