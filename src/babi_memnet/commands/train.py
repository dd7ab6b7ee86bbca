"""babi-train: train restarts on one task, or jointly on all, and hold the result against the paper."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NoReturn

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from babi_memnet.commands.application import launch, write_request
from babi_memnet.commands.search import watched
from babi_memnet.commands.sweeping import has_the_terminal, threads_of_a_job
from babi_memnet.config import request_of
from babi_memnet.errors import RunStopped
from babi_memnet.runs.directory import RunDirectory

log = logging.getLogger(__name__)


def train(config: DictConfig) -> float | None:
    """Run one request; returns the validation error of the selected restart, for hyperparameter searches.

    None when the run was stopped before its last epoch, as a pruned trial of a search.
    """
    hydra = HydraConfig.get()
    if hydra.mode == RunMode.MULTIRUN and config.runtime.threads is None:
        config.runtime.threads = threads_of_a_job(hydra.launcher)
    request = request_of(config, hydra.runtime.choices.get("experiment"))
    directory = Path(hydra.runtime.output_dir)
    record = RunDirectory(directory)
    record.expect(request.signature)
    result = record.result
    on_record = result is not None
    alone = hydra.mode == RunMode.RUN or has_the_terminal(hydra.launcher)
    trial = watched(hydra, config.runtime.outputs)
    if trial is not None:
        trial.replay(record.metrics())
    if result is None:
        # Only now: what is on record or refused, and --help, should not wait for torch.
        from babi_memnet.experiment import run

        words = hydra.overrides.task
        try:
            if trial is not None:
                trial.check()  # as it would have been after its last epoch, had it not been killed
            result = run(
                request, directory, lambda: write_request(directory, config, words), alone, _sweep(hydra), trial
            )
        except RunStopped as stop:
            log.info("record: %s (%s)", directory, stop)
            return None
        if trial is not None:
            trial.replay(record.metrics())  # where another process trained it while this one waited
    if alone:
        from babi_memnet.tables.sheet import run_table, show

        show([run_table(result["published"])])
    log.info("record: %s%s", directory, " (answered from it, nothing was trained)" if on_record else "")
    return float(result["restarts"][result["selected"]]["validation"]["error_percent"])


def _sweep(hydra: HydraConf) -> str | None:
    """The sweep or search that this job is one of, as a group of runs: ``sweep/hops``."""
    if hydra.sweeper.get("trial") is not None:
        return f"search/{hydra.sweeper.study}"
    name = hydra.runtime.choices.get("sweep")
    return f"sweep/{name}" if name else None


def main() -> NoReturn:
    """Entry point of ``babi-train``."""
    launch("train", train)


if __name__ == "__main__":
    main()
