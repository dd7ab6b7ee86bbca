"""babi-train: train restarts on one task, or jointly on all, and hold the result against the paper."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import MISSING, DictConfig

from babi_memnet.commands.application import launch, write_request
from babi_memnet.config import request_of
from babi_memnet.errors import RunStopped
from babi_memnet.runs.directory import RunDirectory

log = logging.getLogger(__name__)


@dataclass
class TrainSchema:
    """The top level of train.yaml; the groups fill in the rest."""

    task: int | str = 1
    data: Any = MISSING
    tokenizer: Any = MISSING
    model: Any = MISSING
    training: Any = MISSING
    tracker: Any = MISSING
    runtime: Any = MISSING


def train(config: DictConfig) -> float | None:
    """Run one request; returns the validation error of the selected restart, for hyperparameter searches.

    None when the run was stopped before its last epoch, as a pruned trial of a search.
    """
    # Not for --help, which shows what the schema above and the files of conf/ say.
    from babi_memnet.commands.search import watched
    from babi_memnet.commands.sweeping import has_the_terminal, threads_of_a_job

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
    trial = watched(hydra, config.runtime.outputs, config.training.selection)
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
    if hydra.mode == RunMode.RUN:
        from babi_memnet.tables.sheet import run_table, show

        show([run_table(result["published"])])
        log.info("record: %s%s", directory, " (answered from it, nothing was trained)" if on_record else "")
    else:
        count = len(result["restarts"])
        over = f", {result['mean']:.1f} % over {count} restarts" if count > 1 else ""
        log.info("%s: test error %.1f %%%s; record: %s", request.name, result["test_error_percent"], over, directory)
    return float(result["restarts"][result["selected"]]["validation"]["error_percent"])


def _sweep(hydra: HydraConf) -> str | None:
    """The sweep or search that this job is one of, as a group of runs: ``sweep/hops``."""
    if hydra.sweeper.get("trial") is not None:
        return f"search/{hydra.sweeper.study}"
    name = hydra.runtime.choices.get("sweep")
    return f"sweep/{name}" if name else None


def main() -> NoReturn:
    """Entry point of ``babi-train``."""
    launch("train", train, TrainSchema)


if __name__ == "__main__":
    main()
