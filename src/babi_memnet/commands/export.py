"""babi-export: a trained network as a folder that needs no run directory, for others and for the Hugging Face hub."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import MISSING, DictConfig, OmegaConf

from babi_memnet.commands.application import launch
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import schemas
from babi_memnet.request import known_settings

log = logging.getLogger(__name__)


@dataclass
class ExportSchema:
    """The top level of export.yaml.

    Attributes:
        run: the directory of a finished run.
        out: the folder to write to.
        restart: the number of the restart; null means the one that was selected.
        overwrite: whether files that exist may be replaced.
        push: a repository of the Hugging Face hub, OWNER/NAME, to upload to as well; null for none.
        private: whether that repository, if it is made now, is private.
    """

    run: str = MISSING
    out: str = MISSING
    restart: int | None = None
    overwrite: bool = False
    push: str | None = None
    private: bool = True
    runtime: Any = MISSING


def export(config: DictConfig) -> None:
    """Write the folder that the configuration asks for, and upload it if it says so."""
    # Not for --help, which shows what the schema above and the files of conf/ say.
    from babi_memnet.commands.repeating import repeating
    from babi_memnet.data.hub_models import check_repository, push_model
    from babi_memnet.data.output import assembled, refuse_existing
    from babi_memnet.looking.restoring import Trained
    from babi_memnet.runs.exported import CARD_FILE, FILES, write_exported
    from babi_memnet.runs.files import write_atomically
    from babi_memnet.tables.model_card import model_card

    settings: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    out = Path(settings["out"])
    if settings["push"] is not None:
        check_repository("push", settings["push"])
    if not settings["overwrite"]:
        refuse_existing(out, out, FILES)
    trained = Trained.of_run(settings["run"])
    place = trained.place(settings["restart"])
    bookkeeping = known_settings(schemas()).bookkeeping
    exported = trained.exported(place, bookkeeping)
    command = repeating(trained.settings, exported.experiment, bookkeeping)
    with assembled(out, out, FILES, settings["overwrite"]) as scratch:
        write_exported(scratch, exported)
        write_atomically(scratch / CARD_FILE, model_card(trained, place, command).encode())
    log.info("%s: restart %d of %s: %s", out, exported.restart, settings["run"], ", ".join(FILES))
    if settings["push"] is not None:
        log.info("uploaded: %s", push_model(out, FILES, settings["push"], settings["private"]))


def main() -> NoReturn:
    """Entry point of ``babi-export``."""
    launch("export", export, ExportSchema, train=TrainSchema)


if __name__ == "__main__":
    main()
