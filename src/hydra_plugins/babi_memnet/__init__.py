"""The sweeper of babi-train.

Hydra takes plugins from this namespace alone, and every Hydra program of the environment loads this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn


class Sweeper(BasicSweeper):
    """As Hydra's own, but all jobs run before one that failed is told, and every one that failed is."""

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Run every combination of values.

        Raises:
            RunsFailed: some jobs failed. When none could be started at all, the error of the first instead.
        """
        from babi_memnet.commands.sweeping import jobs_at_once, tell_failures

        assert self.config is not None
        if self.max_batch_size is None:
            self.max_batch_size = jobs_at_once(self.config.hydra.launcher)
        launcher = _Launcher(self.launcher)
        self.launcher = launcher  # type: ignore[assignment]
        super().sweep(arguments)
        tell_failures(launcher.jobs)
        return [launcher.jobs]


class _Launcher:
    """A launcher whose failed jobs do not end the sweep before the next batch has run."""

    def __init__(self, launcher: Any) -> None:
        self._launcher = launcher
        self.jobs: list[JobReturn] = []

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        self.jobs += self._launcher.launch(job_overrides, initial_job_idx=initial_job_idx)
        return []
