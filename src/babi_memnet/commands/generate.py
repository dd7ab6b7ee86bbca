"""babi-generate: stories as files, simulated ones in the official layout, those of any source as Parquet or dataset."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import MISSING, DictConfig, OmegaConf

from babi_memnet.commands.application import launch
from babi_memnet.commands.words import as_word
from babi_memnet.data.export import write_official_layout, write_saved
from babi_memnet.data.lm_eval import write_tasks
from babi_memnet.data.saved import FORMS
from babi_memnet.data.settings import FilesData, GeneratedData
from babi_memnet.data.sources import fingerprint
from babi_memnet.errors import bad_value
from babi_memnet.settings_fields import BOOKKEEPING, marked
from babi_memnet.tasks import TASKS

log = logging.getLogger(__name__)


@dataclass
class GenerateSchema:
    """The top level of generate.yaml.

    Attributes:
        out: the folder to write to.
        format: babi (the official layout, generated stories only), parquet, datasets (what save_to_disk writes), or
            lm_eval (tasks of the lm-evaluation-harness).
        tasks: 1 to 20; null means all.
        overwrite: whether files that exist may be replaced.
    """

    out: str = MISSING
    format: str = "babi"
    tasks: list[int] | None = None
    overwrite: bool = False
    data: Any = MISSING
    runtime: Any = MISSING


def generate(config: DictConfig) -> None:
    """Write the files that the configuration asks for."""
    settings: Any = OmegaConf.to_object(config.data)
    tasks, out, progress = list(config.tasks or TASKS), Path(config.out), sys.stderr.isatty()
    if isinstance(settings, FilesData):
        raise bad_value("data", config.data.source, "generated, or official, hub or saved with another format")
    if config.format in FORMS:

        def card(rows: Mapping[str, int]) -> str:
            from babi_memnet.tables.dataset_card import dataset_card

            command = _repeating(settings, tasks, config.format)
            return dataset_card(settings, tasks, config.format, rows, fingerprint(settings, tasks), command)

        folder = write_saved(settings, out, tasks, config.format, config.overwrite, progress, card)
    elif config.format == "lm_eval":
        folder = write_tasks(settings, out, tasks, config.overwrite)
    elif config.format != "babi":
        raise bad_value("format", config.format, f"babi, {', '.join(FORMS)} or lm_eval")
    elif not isinstance(settings, GeneratedData):
        raise bad_value(
            "data", config.data.source, "generated; the others are written by format=parquet, datasets or lm_eval"
        )
    else:
        folder = write_official_layout(settings, out, tasks, config.overwrite, progress)
    log.info("%d tasks written to %s", len(tasks), folder)


def _repeating(settings: Any, tasks: Sequence[int], form: str) -> list[str]:
    """The words that write the same stories in the same form, wherever the source of them lies."""
    default, aside = vars(type(settings)()), ("source", *marked(settings, BOOKKEEPING))
    changed = {key: value for key, value in vars(settings).items() if key not in aside and value != default[key]}
    words = ["out=DIR", f"format={form}"]
    if settings.source != "generated":
        words.append(f"data={settings.source}")
    if list(tasks) != list(TASKS):
        words.append(as_word("tasks", list(tasks)))
    words += [as_word(f"data.{key}", value) for key, value in changed.items()]
    return ["babi-generate", *map(shlex.quote, words)]


def main() -> NoReturn:
    """Entry point of ``babi-generate``."""
    launch("generate", generate, GenerateSchema)


if __name__ == "__main__":
    main()
