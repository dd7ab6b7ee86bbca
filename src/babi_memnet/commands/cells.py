"""The cells of a published table: planned from its columns, trained where they are not on record."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hydra import compose
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from babi_memnet.commands.application import write_request
from babi_memnet.config import request_of
from babi_memnet.errors import RequestError
from babi_memnet.papers.published import PublishedColumn
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.runs.metrics import METRICS_FILE, count_epochs
from babi_memnet.side_by_side import Job, train_side_by_side

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 20.0

Key = int | str
"""What a cell is of: a task, or ``joint``."""


@dataclass(frozen=True)
class Cell:
    """One run of a table."""

    column: PublishedColumn
    task: Key
    job: Job

    @property
    def name(self) -> str:
        """For people: ``pe_ls_rn task 3`` or ``pe_ls_rn_joint``."""
        return self.column.id if self.task == "joint" else f"{self.column.id} task {self.task}"


@dataclass
class Cells:
    """The runs of a table, and what is known of them.

    Attributes:
        planned: every run that the request asks for and whose data are there.
        results: column and task to the result.json of each run that is done.
        missing: column and task to one line that says why there is none: no data, or the run failed.
        refused: the first request that could not be met, for when none can.
        failed: how many runs failed.
    """

    planned: list[Cell] = field(default_factory=list)
    results: dict[str, dict[Key, dict[str, Any]]] = field(default_factory=dict)
    missing: dict[str, dict[Key, str]] = field(default_factory=dict)
    refused: RequestError | None = None
    failed: list[Cell] = field(default_factory=list)

    @classmethod
    def plan(cls, columns: Iterable[PublishedColumn], tasks: Sequence[int], overrides: Sequence[str]) -> Self:
        """The cells of the columns; ``overrides`` are passed on to each.

        Raises:
            RequestError: a setting is wrong. Data that are not there make a cell missing instead.
        """
        cells = cls()
        for column in columns:
            experiment = str(column.experiment)
            keys: list[Key] = ["joint"] if column.joint else list(tasks)
            cells.results[column.id], cells.missing[column.id] = {}, {}
            # The tasks of a column differ in nothing else, and composing is most of the work.
            composed = compose("train", [f"experiment={experiment}", *overrides])
            for key in keys:
                config = deepcopy(composed)
                config.task = key
                try:
                    request = request_of(config, experiment)
                except RequestError as error:
                    cells._leave_out(column.id, key, error)
                    continue
                words = [f"experiment={experiment}", f"task={key}", *overrides]
                on_start = partial(write_request, request.directory, config, words)
                cells.planned.append(Cell(column, key, Job(request, on_start)))
                if (result := RunDirectory(request.directory).result) is not None:
                    cells.results[column.id][key] = result
        return cells

    @property
    def to_train(self) -> list[Cell]:
        """The cells without a result."""
        return [cell for cell in self.planned if cell.task not in self.results[cell.column.id]]

    def train(self, cores: int) -> None:
        """Train what is not on record, side by side on ``cores`` cores. One that fails leaves the others alone."""
        left = {cell.job.directory: cell for cell in self.to_train}
        done = len(self.planned) - len(left)
        if not left:
            log.info("all %d runs are on record", done)
            return
        log.info("%d runs to train on %d cores, %d on record", len(left), cores, done)
        with _TableProgress(list(left.values())) as progress:
            for job, outcome in train_side_by_side([cell.job for cell in left.values()], cores, progress.watch):
                cell = left[job.directory]
                progress.end(cell)
                if isinstance(outcome, RequestError):
                    self._leave_out(cell.column.id, cell.task, outcome)
                elif isinstance(outcome, Exception):
                    self.failed.append(cell)
                    line = f"failed: {type(outcome).__name__}: {' '.join(str(outcome).split())}"
                    self.missing[cell.column.id][cell.task] = line
                    log.error("%s %s; its traceback: %s", cell.name, line, job.directory / "train.log")
                else:
                    self.results[cell.column.id][cell.task] = outcome

    def _leave_out(self, column: str, key: Key, error: RequestError) -> None:
        self.missing[column][key] = str(error)
        self.refused = self.refused or error


class _TableProgress:
    """How far a whole table is: one bar with the time left on a terminal, a line now and then anywhere else."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = {cell.job.directory: cell for cell in cells}
        self._ended: set[Path] = set()
        self._total = sum(cell.job.cost for cell in cells)
        self._first = self._behind()  # by an earlier attempt
        self._started = self._told = time.monotonic()
        self._bar: tqdm | None = None
        self._redirect = logging_redirect_tqdm()
        if sys.stderr.isatty():
            form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"
            options = {"bar_format": form, "dynamic_ncols": True, "leave": False}
            self._bar = tqdm(total=self._total, initial=self._first, desc="table", **options)

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

    def watch(self, running: Sequence[Job]) -> None:
        """Show what is running, how far the table is, and how long the rest will take."""
        behind, now = self._behind(), time.monotonic()
        names = ", ".join(self._cells[job.directory].name for job in running)
        count = f"{len(self._ended)} of {len(self._cells)} runs"
        if self._bar is not None:
            self._bar.set_postfix_str(f"{count}; {names}", refresh=False)
            self._bar.n = behind
            self._bar.refresh()
        elif now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            left = ""
            if behind > self._first:
                seconds = (now - self._started) * (self._total - behind) / (behind - self._first)
                left = f", about {seconds:.0f} s left"
            log.info("%s%s; training %s", count, left, names)

    def end(self, cell: Cell) -> None:
        """The cell has ended, well or not."""
        self._ended.add(cell.job.directory)

    def _behind(self) -> float:
        return sum(cell.job.cost * self._share(path, cell.job) for path, cell in self._cells.items())

    def _share(self, directory: Path, job: Job) -> float:
        return 1.0 if directory in self._ended else count_epochs(directory / METRICS_FILE) / job.epochs
