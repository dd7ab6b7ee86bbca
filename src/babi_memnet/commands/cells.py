"""The cells of a published table: planned from its columns, trained where they are not on record."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, cast

from hydra._internal.callbacks import Callbacks
from hydra.conf import HydraConf
from hydra.core.utils import JobReturn, JobStatus, configure_log
from hydra.types import HydraContext
from omegaconf import DictConfig

from babi_memnet.commands.application import Work
from babi_memnet.commands.jobs import Common, Composer, Job, plan
from babi_memnet.commands.sweeping import answered, failure_line, launched, make_launcher
from babi_memnet.errors import RequestError
from babi_memnet.papers.published import PublishedColumn
from babi_memnet.tasks import JOINT, Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """One run of a table, of a task or ``joint``."""

    column: PublishedColumn
    task: Task
    job: Job

    @property
    def name(self) -> str:
        """For people: ``pe_ls_rn task 3`` or ``pe_ls_rn_joint``."""
        return self.column.id if self.task == JOINT else f"{self.column.id} task {self.task}"


@dataclass
class Cells:
    """The runs of a table, and what is known of them.

    Attributes:
        planned: every run that the request asks for and whose data are there.
        results: column and task to the result.json of each run that is done.
        missing: column and task to one line that says why there is none: no data, or the run failed.
        refused: the first request that could not be met, for when none can.
        failed: the runs that failed.
    """

    planned: list[Cell] = field(default_factory=list)
    results: dict[str, dict[Task, dict[str, Any]]] = field(default_factory=dict)
    missing: dict[str, dict[Task, str]] = field(default_factory=dict)
    refused: RequestError | None = None
    failed: list[Cell] = field(default_factory=list)

    @classmethod
    def plan(
        cls,
        columns: Iterable[PublishedColumn],
        tasks: Sequence[int],
        overrides: Sequence[str],
        composer: Composer,
        common: Common,
    ) -> Self:
        """The cells of the columns; ``overrides`` are passed on to each.

        Raises:
            RequestError: a setting is wrong. Data that are not there make a cell missing instead.
        """
        cells = cls()
        for column in columns:
            keys: list[Task] = [JOINT] if column.joint else list(tasks)
            cells.results[column.id], cells.missing[column.id] = {}, {}
            words = [[f"experiment={column.experiment}", f"task={key}", *overrides] for key in keys]
            for key, job in zip(keys, plan(composer, common, words), strict=True):
                if isinstance(job.request, RequestError):
                    cells._leave_out(column.id, key, job.request)
                else:
                    cells.planned.append(Cell(column, key, job))
        return cells

    def train(self, composer: Composer, common: Common, hydra: HydraConf) -> None:
        """Train what is not on record. A run that fails leaves the others alone.

        Args:
            composer: makes the configurations of the runs.
            common: what these have in common, the launcher among it.
            hydra: Hydra's settings of this command.

        Raises:
            RequestError: the launcher has not what it needs.
            RunsFailed: a process was killed, and with it the launcher gave up all runs.
        """
        returns, left = answered([cell.job for cell in self.planned], own_directories=True)
        if left:
            try:
                returns += _train(left, composer, common)
            finally:
                # Launchers replace it by their own.
                configure_log(cast(DictConfig, hydra.job_logging), hydra.verbose)
        came_to = {tuple(job.overrides or ()): job for job in returns}
        for cell in self.planned:
            job = came_to.get(cell.job.overrides)
            if job is not None and job.status == JobStatus.FAILED:
                self._fail(cell, job._return_value)
            elif (result := cell.job.on_record()) is not None:
                self.results[cell.column.id][cell.task] = result

    def _fail(self, cell: Cell, error: Exception) -> None:
        if isinstance(error, RequestError):
            self._leave_out(cell.column.id, cell.task, error)
            return
        self.failed.append(cell)
        line = f"failed: {failure_line(error)}"
        self.missing[cell.column.id][cell.task] = line
        log.error("%s %s; its log: %s", cell.name, line, cell.job.require().directory / "train.log")

    def _leave_out(self, column: str, key: Task, error: RequestError) -> None:
        self.missing[column][key] = str(error)
        self.refused = self.refused or error


def _train(jobs: Sequence[Job], composer: Composer, common: Common) -> list[JobReturn]:
    """Run jobs of babi-train by the launcher that their configuration has, as a sweep would."""
    from babi_memnet.commands.train import train

    config = composer.configuration(common, jobs[0].overrides)
    context = HydraContext(config_loader=composer, callbacks=Callbacks(config))
    return launched(jobs, make_launcher(context, Work(train), config), config.hydra.launcher)
