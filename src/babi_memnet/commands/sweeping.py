"""Sweeps: which jobs are left to run, how many fit at once, how many cores each has, how all of it went."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.jobs import Job, Planner
from babi_memnet.errors import RequestError, RunsFailed
from babi_memnet.runs.collection import in_order, read_rows
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.settings import available_cores

log = logging.getLogger(__name__)

_NARROWEST = 80


def run_jobs(
    words: Sequence[str], loader: ConfigLoader, config: DictConfig, launcher: Launcher, at_once: int | None
) -> list[list[JobReturn]]:
    """Run every combination of the values in ``words`` that is not on record, and show all results in one table.

    Args:
        words: overrides, of which some list several values.
        loader: makes configurations.
        config: the configuration of the sweep.
        launcher: runs the jobs.
        at_once: the most jobs it is given together; None leaves that to the launcher.

    Raises:
        RunsFailed: some jobs failed, or a process was killed. When none could be started at all, the error of the
            first instead.
    """
    folder = Path(config.hydra.sweep.dir)
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / "multirun.yaml")
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(list(words))
    (combinations,) = BasicSweeper.split_arguments(overrides, None)
    jobs = list(Planner(loader, config).plan(combinations))
    own_directories = in_own_directories(config)
    returns, left = answered(jobs, own_directories)
    if len(left) < len(jobs):
        log.info("%d of %d jobs to run, the others are on record", len(left), len(jobs) - len(returns))
    at_once = at_once or jobs_at_once(config.hydra.launcher) or max(1, len(left))
    for first in range(0, len(left), at_once):
        batch = [list(job.overrides) for job in left[first : first + at_once]]
        try:
            returns += launcher.launch(batch, initial_job_idx=first)
        except BrokenProcessPool as error:
            raise RunsFailed("a process was killed; the same command goes on where it was") from error
    if own_directories:
        show_results(jobs)
    tell_failures(returns, len(jobs))
    return [returns]


def answered(jobs: Sequence[Job], own_directories: bool) -> tuple[list[JobReturn], list[Job]]:
    """What need not be started, because it cannot be met, and the jobs to run: each request once.

    ``own_directories``: whether each run is in the directory of its request, where its record would be.
    """
    refused: list[JobReturn] = []
    left: dict[Path, Job] = {}
    for job in jobs:
        try:
            if isinstance(job.request, RequestError):
                raise job.request
            if not own_directories or job.on_record() is None:
                left.setdefault(job.request.directory, job)
        except RequestError as error:
            refused.append(JobReturn(overrides=job.overrides, status=JobStatus.FAILED, _return_value=error))
    return refused, list(left.values())


def in_own_directories(config: DictConfig) -> bool:
    """Whether the jobs of a sweep are in the directories of their requests, and nothing else was asked for."""
    raw = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    return isinstance(raw, dict) and raw["subdir"] == "${run_directory:}"


def show_results(jobs: Sequence[Job]) -> None:
    """All that is on record of the jobs, as the table that babi-report makes of it."""
    # A single run has no need of them.
    from babi_memnet.tables.pivot import choose_keys, pivot
    from babi_memnet.tables.run_sheets import pivot_sheets, row_sheet
    from babi_memnet.tables.sheet import show

    directories = dict.fromkeys(job.directory for job in jobs if job.directory is not None)
    rows = in_order([row for path in directories if RunDirectory(path).status for row in read_rows(path)])
    if len(rows) < 2:
        return
    title = f"{len(directories)} runs"
    width = max(get_terminal_size((120, 0)).columns, _NARROWEST)
    if keys := choose_keys(rows):
        show(pivot_sheets(pivot(rows, *keys, "test_error_percent"), rows, title, width))
    else:
        show([row_sheet(rows, title)])


def tell_failures(returns: Sequence[JobReturn], count: int) -> None:
    """End a sweep of ``count`` jobs, of which those in ``returns`` have run or been refused.

    Raises:
        RunsFailed: some of them failed. When none could be started at all, the error of the first instead.
    """
    failed = [job for job in returns if job.status == JobStatus.FAILED]
    if failed and len(failed) == count and all(explain(job._return_value) for job in failed):
        raise failed[0]._return_value
    if failed:
        lines = "; ".join(f"{_words(job)}: {one_line(job._return_value)}" for job in failed)
        raise RunsFailed(f"{len(failed)} of {count} jobs failed: {lines}")
    log.info("%d jobs are done", count)


def jobs_at_once(launcher: DictConfig) -> int | None:
    """How many jobs may be given to this launcher together; None for any number.

    Submitit starts all jobs at once when it runs them on this machine, so it gets as many as there are cores for.
    """
    if "LocalLauncher" not in str(launcher.get("_target_")):
        return None
    return max(1, available_cores() // int(launcher.get("cpus_per_task") or 1))


def side_by_side(launcher: DictConfig) -> int:
    """How many jobs a launcher of this machine runs at the same time; 1 for any other.

    A search asks for so many trials at once, as each can learn only from those that have ended before it.
    """
    if (fitting := jobs_at_once(launcher)) is not None:
        return fitting
    jobs = int(launcher.get("n_jobs") or 1)
    return jobs if jobs > 0 else available_cores()


def threads_of_a_job(launcher: DictConfig) -> int | None:
    """The cores that each job of this launcher has to itself; None when it may use all that it finds."""
    if cores := launcher.get("cpus_per_task") or OmegaConf.select(launcher, "ray.remote.num_cpus"):
        return max(1, int(cores))
    if launcher.get("n_jobs"):
        jobs = int(launcher.n_jobs)
        return max(1, available_cores() // (jobs if jobs > 0 else available_cores()))
    return None


def _words(job: JobReturn) -> str:
    where = job.hydra_cfg and job.hydra_cfg.hydra.runtime.output_dir
    return " ".join(job.overrides or ()) + (f" in {os.path.relpath(where)}" if where else "")


def one_line(error: Any) -> str:
    """What went wrong, for a list of failed jobs."""
    return explain(error) or " ".join(f"{type(error).__name__}: {error}".split())
