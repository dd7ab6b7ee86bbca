"""What a sweep over the jobs of a launcher needs to know: how many fit, how many cores each has, how all of it went."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from babi_memnet.config import explain
from babi_memnet.errors import RunsFailed
from babi_memnet.settings import available_cores

log = logging.getLogger(__name__)


def tell_failures(jobs: Sequence[JobReturn]) -> None:
    """End a sweep whose jobs have all run.

    Raises:
        RunsFailed: some of them failed. When none could be started at all, the error of the first instead.
    """
    failed = [job for job in jobs if job.status == JobStatus.FAILED]
    if failed and len(failed) == len(jobs) and all(explain(job._return_value) for job in failed):
        raise failed[0]._return_value
    if failed:
        lines = "; ".join(f"{_words(job)}: {_one_line(job._return_value)}" for job in failed)
        raise RunsFailed(f"{len(failed)} of {len(jobs)} jobs failed: {lines}")
    log.info("%d jobs are done", len(jobs))


def jobs_at_once(launcher: DictConfig) -> int | None:
    """How many jobs may be given to this launcher together; None for any number.

    Submitit starts all jobs at once when it runs them on this machine, so it gets as many as there are cores for.
    """
    if "LocalLauncher" not in str(launcher.get("_target_")):
        return None
    return max(1, available_cores() // int(launcher.get("cpus_per_task") or 1))


def threads_of_a_job(launcher: DictConfig) -> int | None:
    """The cores that each job of this launcher has to itself; None when it may use all that it finds."""
    if launcher.get("cpus_per_task"):
        return int(launcher.cpus_per_task)
    if launcher.get("n_jobs"):
        jobs = int(launcher.n_jobs)
        return max(1, available_cores() // (jobs if jobs > 0 else available_cores()))
    return None


def _words(job: JobReturn) -> str:
    where = job.hydra_cfg and job.hydra_cfg.hydra.runtime.output_dir
    return " ".join(job.overrides or ()) + (f" in {os.path.relpath(where)}" if where else "")


def _one_line(error: BaseException) -> str:
    return explain(error) or " ".join(f"{type(error).__name__}: {error}".split())
