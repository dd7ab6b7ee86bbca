"""How far a run is: a bar on a terminal, plain lines anywhere else."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import Self

import numpy as np
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from babi_memnet.logs import to_log_files
from babi_memnet.training.loop import EpochRecord

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 20.0


class Progress:
    """Shows phase, epoch, best and median training error over the restarts, and the time left.

    On a terminal that is one bar. In a pipe and in the log file it is a line now and then, and a last one.
    """

    def __init__(self, name: str, epochs: int, done: int = 0, bar: bool = True) -> None:
        """``done`` of ``epochs`` epochs lie behind; without ``bar`` there are only lines, also on a terminal."""
        self._name, self._epochs, self._first = name, epochs, done
        self._started = self._told = time.monotonic()
        self._bar: tqdm | None = None
        self._redirect = logging_redirect_tqdm()
        if bar and sys.stderr.isatty():
            self._bar = tqdm(total=epochs, initial=done, desc=name, unit="epoch", dynamic_ncols=True, leave=False)

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

    def update(self, record: EpochRecord) -> None:
        """One more epoch is done."""
        errors = record.train_error_percent
        phase = record.epoch.phase.replace("_", " ")
        best, median = float(np.min(errors)), float(np.median(errors))
        if self._bar is not None:
            self._bar.set_postfix_str(f"{phase}, train error best {best:.1f} % median {median:.1f} %", refresh=False)
            self._bar.update()
        now = time.monotonic()
        number = record.epoch.number
        if now - self._told >= _SECONDS_BETWEEN_LINES or number == self._epochs:
            self._told = now
            left = (now - self._started) / (number - self._first) * (self._epochs - number)
            errors_now = f"train error best {best:.1f} %, median {median:.1f} %"
            last = number == self._epochs
            clock = f"{now - self._started:.0f} s" if last else f"{left:.0f} s left"
            line = f"{self._name}: epoch {number} of {self._epochs} ({phase}), {errors_now}, {clock}"
            if self._bar is None:
                log.info(line)
            else:
                to_log_files(logging.INFO, line)
