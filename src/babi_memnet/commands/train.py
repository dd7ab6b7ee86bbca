"""babi-train: train restarts on one task, or jointly on all, and hold the result against the paper."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NoReturn

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from babi_memnet.commands.application import launch, write_request
from babi_memnet.config import request_of
from babi_memnet.runs.directory import RunDirectory

log = logging.getLogger(__name__)


def train(config: DictConfig) -> float:
    """Run one request; returns the validation error of the selected restart, for hyperparameter searches."""
    hydra = HydraConfig.get()
    request = request_of(config, hydra.runtime.choices.get("experiment"))
    directory = Path(hydra.runtime.output_dir)
    record = RunDirectory(directory)
    record.expect(request.signature)
    result = record.result
    on_record = result is not None
    if result is None:
        # Only now: what is on record or refused, and --help, should not wait for torch.
        from babi_memnet.experiment import run

        result = run(request, directory, lambda: write_request(directory, config, hydra.overrides.task))
    from babi_memnet.papers.view import run_table, show

    show([run_table(result["published"])])
    log.info("record: %s%s", directory, " (answered from it, nothing was trained)" if on_record else "")
    return float(result["restarts"][result["selected"]]["validation"]["error_percent"])


def main() -> NoReturn:
    """Entry point of ``babi-train``."""
    launch("train", train)


if __name__ == "__main__":
    main()
