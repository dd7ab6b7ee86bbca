"""Sweeps: which jobs are left to run, how many fit at once, how many cores each has, how all of it went."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.jobs import Common, Composer, Job, plan
from babi_memnet.commands.words import as_value
from babi_memnet.config import schemas
from babi_memnet.errors import RequestError, RunsFailed, bad_value, kind_and_line
from babi_memnet.request import Request, known_settings
from babi_memnet.runs.collection import in_order, read_rows
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.settings import available_cores

log = logging.getLogger(__name__)


def run_jobs(
    words: Sequence[str], composer: Composer, config: DictConfig, launcher: Launcher, at_once: int | None
) -> list[list[JobReturn]]:
    """Run every combination of the values in ``words`` that is not on record, and show all results in one table.

    Args:
        words: overrides, of which some list several values.
        composer: makes configurations.
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
    overrides = OverridesParser.create(config_loader=composer).parse_overrides(list(words))
    (combinations,) = BasicSweeper.split_arguments(overrides, None)
    own_directories = in_own_directories(config)
    jobs = list(plan(composer, Common.of(config), [[*words, *into_folder_of(config)] for words in combinations]))
    returns, left = answered(jobs, own_directories)
    returns += launched(left, launcher, config.hydra.launcher, at_once)
    if own_directories:
        show_results(jobs)
    tell_failures(returns, len(jobs))
    return [returns]


def make_launcher(context: HydraContext, work: TaskFunction, config: DictConfig) -> Launcher:
    """The launcher that a configuration names, ready to launch.

    Raises:
        RequestError: it is not installed.
    """
    known, target = Plugins.instance().class_name_to_class, str(config.hydra.launcher.get("_target_"))
    if target not in known:
        choice = config.hydra.runtime.choices.get("hydra/launcher")
        extras = "pip install 'babi_memnet[launchers]', or for Ray 'babi_memnet[ray]'"
        raise RequestError(f"hydra/launcher={choice}: there is no {target} here; {extras}")
    return Plugins.instance().instantiate_launcher(context, work, config)


def answered(jobs: Sequence[Job], own_directories: bool) -> tuple[list[JobReturn], list[Job]]:
    """What need not be started, because it cannot be met, and the jobs to run: each request once.

    ``own_directories``: whether each run is in the directory of its request, where its record would be.
    """
    refused: list[JobReturn] = []
    left: dict[Path, Job] = {}
    on_record = 0
    for job in jobs:
        try:
            if own_directories and job.on_record() is not None:
                on_record += 1
            else:
                left.setdefault(job.require().directory, job)
        except RequestError as error:
            refused.append(failed(job.overrides, error))
    log.info("%d runs to train, %d on record", len(left), on_record)
    return refused, list(left.values())


def failed(words: Sequence[str], error: Exception) -> JobReturn:
    """What a job came to that did not end by itself."""
    return JobReturn(overrides=words, status=JobStatus.FAILED, _return_value=error)


def launched(
    jobs: Sequence[Job], launcher: Launcher, settings: DictConfig, at_once: int | None = None
) -> list[JobReturn]:
    """What each job came to, in their order.

    Args:
        jobs: what to run.
        launcher: runs them.
        settings: the configuration of the launcher.
        at_once: the most jobs it is given together; None leaves that to the launcher.

    Raises:
        RunsFailed: a process was killed, and with it the launcher gave up all jobs.
    """
    returns: list[JobReturn] = []
    at_once = at_once or jobs_at_once(settings) or max(1, len(jobs))
    for first in range(0, len(jobs), at_once):
        batch = [list(job.overrides) for job in jobs[first : first + at_once]]
        try:
            returns += launcher.launch(batch, initial_job_idx=first)
        except BrokenProcessPool as error:
            raise RunsFailed("a process was killed; the same command goes on where it was") from error
    return returns


def in_own_directories(config: DictConfig) -> bool:
    """Whether the jobs of a sweep are in the directories of their requests, and nothing else was asked for."""
    raw = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    return isinstance(raw, dict) and raw["subdir"] == "${run_directory:}"


def into_folder_of(config: DictConfig) -> list[str]:
    """The words that put the runs of a sweep below ``hydra.sweep.dir``, where somebody has set that."""
    raw = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    if not in_own_directories(config) or (isinstance(raw, dict) and raw["dir"] == "${runtime.outputs}"):
        return []
    return [f"runtime.outputs={as_value(str(config.hydra.sweep.dir))}"]


def show_results(jobs: Sequence[Job]) -> None:
    """All that is on record of the jobs, as the table that babi-report makes of it."""
    # A single run has no need of them.
    from babi_memnet.tables.pivot import choose_keys, pivot
    from babi_memnet.tables.run_sheets import pivot_sheets, row_sheet
    from babi_memnet.tables.sheet import screen_width, show

    directories = dict.fromkeys(job.request.directory for job in jobs if isinstance(job.request, Request))
    known, recorded = known_settings(schemas()), [path for path in directories if RunDirectory(path).status]
    rows = in_order([row for path in recorded for row in read_rows(path, known)])
    if len(rows) < 2:
        return
    title = f"{len(directories)} runs"
    width = screen_width()
    if keys := choose_keys(rows):
        show(pivot_sheets(pivot(rows, *keys, "test_error_percent"), rows, title, width))
    else:
        show([row_sheet(rows, title)])


def tell_failures(returns: Sequence[JobReturn], count: int) -> None:
    """End a sweep of ``count`` jobs, of which those in ``returns`` have run or been refused.

    Raises:
        RunsFailed: some of them failed. When none could be started at all, the error of the first instead.
    """
    failures = [job for job in returns if job.status == JobStatus.FAILED]
    if failures and len(failures) == count and all(explain(job._return_value) for job in failures):
        raise failures[0]._return_value
    if failures:
        lines = "; ".join(f"{_words(job)}: {failure_line(job._return_value)}" for job in failures)
        raise RunsFailed(f"{len(failures)} of {count} jobs failed: {lines}")
    log.info("%d jobs are done", count)


def jobs_at_once(launcher: DictConfig) -> int | None:
    """How many jobs may be given to this launcher together; None for any number.

    Submitit starts all jobs at once when it runs them on this machine, so it gets as many as there are cores for.
    """
    if "LocalLauncher" not in str(launcher.get("_target_")):
        return None
    return max(1, available_cores() // int(launcher.get("cpus_per_task") or 1))


def jobs_together(launcher: DictConfig) -> int:
    """How many jobs a launcher of this machine runs at the same time; 1 for any other.

    A search asks for so many trials at once, as each can learn only from those that have ended before it.
    """
    if (fitting := jobs_at_once(launcher)) is not None:
        return fitting
    if "CoresLauncher" in str(launcher.get("_target_")):
        return cores_to_share(launcher.cores)
    jobs = int(launcher.get("n_jobs") or 1)
    return jobs if jobs > 0 else available_cores()


def cores_to_share(cores: int | None) -> int:
    """How many cores the launcher ``cores`` has; None stands for all that this process may use.

    Raises:
        RequestError: their number is none.
    """
    if cores is None:
        return available_cores()
    if not isinstance(cores, int) or cores < 1:
        raise bad_value("hydra.launcher.cores", cores, "a whole number of at least 1, or null for all cores")
    return cores


def has_the_terminal(launcher: DictConfig) -> bool:
    """Whether a job of this launcher has the terminal to itself."""
    return "BasicLauncher" in str(launcher.get("_target_"))


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


def failure_line(error: Any) -> str:
    """What went wrong, for a list of failed jobs."""
    return explain(error) or kind_and_line(error)
