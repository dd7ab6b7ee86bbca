"""babi-generate: simulated stories as files in the official layout."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import NoReturn

from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.application import launch
from babi_memnet.data.export import write_official_layout
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import bad_value
from babi_memnet.settings import TASKS

log = logging.getLogger(__name__)


def generate(config: DictConfig) -> None:
    """Write the files that the configuration asks for."""
    settings = OmegaConf.to_object(config.data)
    if not isinstance(settings, GeneratedData):
        raise bad_value("data", config.data.source, "generated, the only source that makes new stories")
    tasks = list(config.tasks or TASKS)
    folder = write_official_layout(settings, Path(config.out), tasks, config.overwrite, progress=sys.stderr.isatty())
    log.info("%d tasks written to %s", len(tasks), folder)


def main() -> NoReturn:
    """Entry point of ``babi-generate``."""
    launch("generate", generate)


if __name__ == "__main__":
    main()
