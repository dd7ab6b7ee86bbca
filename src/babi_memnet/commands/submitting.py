"""Launchers on submitit, for processes of this machine and for Slurm, that outlive jobs that are killed."""

from __future__ import annotations

import io
import logging
import subprocess
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from functools import cached_property
from pathlib import Path
from shutil import which
from typing import Any, cast

import submitit
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, filter_overrides
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf
from hydra_plugins.hydra_submitit_launcher.submitit_launcher import BaseSubmititLauncher
from omegaconf import OmegaConf
from submitit.core.utils import FailedJobError, UncompletedJobError
from submitit.slurm.slurm import SlurmInfoWatcher, SlurmJob

from babi_memnet.errors import RequestError

log = logging.getLogger(__name__)

_SECONDS_BETWEEN_QUESTIONS = 60
_FOR_ALL_EXECUTORS = set(OmegaConf.structured(BaseQueueConf).keys())
_FORGOTTEN = "FORGOTTEN"
# What Slurm calls a job that will not run any more.
_ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}


class JobKilled(Exception):
    """A job ended without a result. Its run is not lost: the same command goes on from its last checkpoint."""


class _SubmititLauncher(BaseSubmititLauncher):  # type: ignore[misc]  # its library has no types
    """As Hydra's, but a job that was killed fails by itself and the others are waited for."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        assert self.config is not None
        jobs = [list(words) for words in job_overrides]
        numbers = range(initial_job_idx, initial_job_idx + len(jobs))
        executor = self._executor()
        for number, words in zip(numbers, jobs, strict=True):
            log.info("\t#%d : %s", number, " ".join(filter_overrides(words)))
        ids = [f"job_id_for_{number}" for number in numbers]
        states = [Singleton.get_state()] * len(jobs)
        with redirect_stderr(io.StringIO()):  # what sbatch refuses is in the error as well
            started = executor.map_array(self, jobs, ["hydra.sweep.dir"] * len(jobs), numbers, ids, states)
        outputs = str(executor.folder).partition("%")[0]
        log.info("jobs %s; what they print: %s", ", ".join(job.job_id for job in started), outputs)
        return [self._outcome(job, words) for job, words in zip(started, jobs, strict=True)]

    def _executor(self) -> submitit.AutoExecutor:
        settings = {key: value for key, value in self.params.items() if value is not None}
        folder = Path(settings.pop("submitit_folder"))
        of_executor = {}
        if "max_num_timeout" in settings:
            of_executor[f"{self._EXECUTOR}_max_num_timeout"] = settings.pop("max_num_timeout")
        executor = submitit.AutoExecutor(folder=folder, cluster=self._EXECUTOR, **of_executor)
        for key, value in settings.items():
            executor.update_parameters(**{key if key in _FOR_ALL_EXECUTORS else f"{self._EXECUTOR}_{key}": value})
        return executor

    def _outcome(self, job: Any, words: Sequence[str]) -> JobReturn:
        try:
            return cast(JobReturn, job.results()[0])
        except (UncompletedJobError, FailedJobError) as error:
            log.debug("job %s: %s", job.job_id, error)
            killed = JobKilled(f"job {job.job_id} ended without a result ({job.state.lower()}); {job.paths.stderr}")
            return JobReturn(overrides=words, status=JobStatus.FAILED, _return_value=killed)


class LocalLauncher(_SubmititLauncher):
    """Each job in a process of its own on this machine."""

    _EXECUTOR = "local"


class SlurmLauncher(_SubmititLauncher):
    """All jobs as one array of Slurm."""

    _EXECUTOR = "slurm"

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        if not which("sbatch"):
            raise RequestError("hydra/launcher=submitit_slurm: expected Slurm on this machine, found no sbatch on PATH")
        SlurmJob.watcher = QueueWatcher(delay_s=_SECONDS_BETWEEN_QUESTIONS)
        try:
            return super().launch(job_overrides, initial_job_idx)
        except FailedJobError as error:
            reason = " ".join(str(error).split())
            raise RequestError(f"hydra/launcher=submitit_slurm: {reason}") from error


class QueueWatcher(SlurmInfoWatcher):
    """Knows the states of jobs also where Slurm keeps no accounts, and sacct answers nothing for ever.

    There the queue is asked instead. It forgets jobs some minutes after their end, so one that is not in it has ended.
    """

    def is_done(self, job_id: str, mode: str = "standard") -> bool:
        """Whether the job will not run any more. Suspended, preempted and requeued ones may."""
        return self.get_state(job_id, mode=mode).partition(" ")[0] in (*_ENDED, _FORGOTTEN)

    def update(self) -> None:
        """Ask for the states of the jobs that have not ended."""
        if self._has_accounts:
            super().update()
            return
        waiting = self._registered - self._finished
        command = ["squeue", "--me", "--array", "--states=all", "--noheader", "--format=%i|%T"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        self._last_status_check = time.time()
        if answer.returncode:
            log.warning("squeue does not answer, waiting: %s", " ".join(answer.stderr.split()))
            return
        states = dict(line.split("|") for line in answer.stdout.splitlines())
        self._info_dict |= {job: {"State": states.get(job, _FORGOTTEN)} for job in waiting}
        self._finished |= {job for job in waiting if self.is_done(job, mode="cache")}

    @cached_property
    def _has_accounts(self) -> bool:
        command = ["sacct", "--noheader", "--jobs=1"]
        return which("sacct") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
