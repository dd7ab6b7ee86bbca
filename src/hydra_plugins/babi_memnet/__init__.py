"""Sweepers and launchers of babi-train: all combinations of values, or a search for the best; here or under Slurm.

Hydra takes plugins from this namespace alone, and every Hydra program of the environment loads this file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.utils import JobReturn
from hydra.plugins import sweeper
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class Sweeper(BasicSweeper):
    """Every combination of values, as Hydra's own; but what is on record is not run, and what fails ends nothing.

    Which combinations there are is Hydra's work, what is done with them that of `babi_memnet.commands.sweeping`.
    """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher that runs the jobs.

        Raises:
            RequestError: it is not installed, or for other jobs.
        """
        from babi_memnet.commands.jobs import Composer
        from babi_memnet.commands.sweeping import make_launcher

        self._composer = Composer(hydra_context.config_loader)
        quick = HydraContext(config_loader=self._composer, callbacks=hydra_context.callbacks)
        self.hydra_context, self.config = quick, config
        if config.hydra.job.config_name == "reproduce":
            # Tables one after another: the launcher that was chosen is that of their runs.
            self.launcher = BasicLauncher()
            self.launcher.setup(hydra_context=quick, task_function=task_function, config=config)
        else:
            self.launcher = make_launcher(quick, task_function, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run every combination of values.

        Raises:
            RunsFailed: some jobs failed. When none could be started at all, the error of the first instead.
        """
        from babi_memnet.commands.sweeping import run_jobs

        assert self.config is not None
        if self.config.hydra.job.config_name != "train":
            return super().sweep(arguments)
        assert self.launcher is not None
        words = [*self._parse_config(), *arguments]
        return run_jobs(words, self._composer, self.config, self.launcher, self.max_batch_size)


class CoresLauncher(Launcher):
    """Jobs side by side on the cores of this machine, as `babi_memnet.commands.side_by_side` says."""

    def __init__(self, cores: int | None) -> None:
        """``cores`` are shared by the jobs; None stands for all that this process may use.

        Raises:
            RequestError: their number is none.
        """
        from babi_memnet.commands.sweeping import cores_to_share

        self._cores = cores_to_share(cores)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take what to run, before `launch`."""
        self._context, self._work, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs and wait for all of them.

        Raises:
            RequestError: they are no runs of babi-train.
        """
        from babi_memnet.commands.application import Work
        from babi_memnet.commands.side_by_side import launch
        from babi_memnet.errors import bad_value

        if self._config.hydra.job.config_name != "train":
            raise bad_value("hydra/launcher", "cores", "basic or joblib, since what runs here is not babi-train")
        # Its own account of failures is for launchers that keep a log of each job themselves.
        work = self._work.function if isinstance(self._work, Work) else self._work
        return launch(work, self._context, self._config, self._cores, job_overrides, initial_job_idx)


class LocalLauncher(Launcher):
    """Each job in a process of its own on this machine; settings as those of Hydra's submitit_local."""

    def __init__(self, **settings: Any) -> None:
        from babi_memnet.commands import submitting

        self._launcher = submitting.LocalLauncher(**settings)

    def setup(self, **what: Any) -> None:
        """Take what to run, before `launch`."""
        self._launcher.setup(**what)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs and wait for all of them."""
        return self._launcher.launch(job_overrides, initial_job_idx)


class SlurmLauncher(LocalLauncher):
    """All jobs as one array of Slurm; settings as those of Hydra's submitit_slurm."""

    def __init__(self, **settings: Any) -> None:
        from babi_memnet.commands import submitting

        self._launcher = submitting.SlurmLauncher(**settings)  # type: ignore[assignment]


class Search(sweeper.Sweeper):
    """Trials of a study of Optuna; the arguments are those of ``babi_memnet.search.settings.SearchSettings``."""

    def __init__(self, **settings: Any) -> None:
        """Check the settings.

        Raises:
            RequestError: one of them is wrong.
        """
        from babi_memnet.search.settings import SearchSettings

        self._settings = SearchSettings(**settings)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher that runs the jobs."""
        from babi_memnet.commands.sweeping import make_launcher

        self._loader, self.config = hydra_context.config_loader, config
        self.launcher = make_launcher(hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Run the trials that are left, as `babi_memnet.commands.search.search` says."""
        from babi_memnet.commands.search import search

        assert self.config is not None
        launcher = self.launcher
        assert launcher is not None

        def launch(jobs: list[list[str]], first: int) -> Sequence[JobReturn]:
            return launcher.launch(jobs, initial_job_idx=first)

        return [search(self._settings, arguments, self.config, self._loader, launch)]
