"""babi-demo: ask trained networks questions and watch their hops, on a local page or in the terminal."""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from hydra import compose
from omegaconf import MISSING, DictConfig, OmegaConf, open_dict

from babi_memnet.commands.application import launch, logged_to, write_request
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import request_of, schemas
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.request import known_settings
from babi_memnet.runs.collection import Row, collect, folders_of, read_rows
from babi_memnet.runs.directory import load_run
from babi_memnet.runs.exported import CONFIG_FILE, exported_rows

log = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class DemoSchema:
    """The top level of demo.yaml.

    Attributes:
        run: one run directory, or a folder that babi-export wrote; null takes all finished runs below ``runs``.
        runs: a folder of runs, or a list of folders; null means the outputs.
        text: a dialogue in the terminal instead of a page; ``--text`` says the same.
        host: the address to serve at; other than 127.0.0.1 it lets others ask.
        port: null means the first free one from 7860.
        browser: whether to open the page in a browser.
        first: words of babi-train for the run that is trained where there is none.
    """

    run: str | None = None
    runs: Any = None
    text: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    browser: bool = False
    first: list[str] = field(default_factory=lambda: ["task=joint", "training=joint", "training.restarts=2"])
    runtime: Any = MISSING


def demo(config: DictConfig) -> None:
    """Find or train networks, and answer until the user ends it."""
    # Not for --help, which shows what the schema above and the files of conf/ say.
    from babi_memnet.demo.networks import Networks

    settings: Any = OmegaConf.to_container(config, resolve=True)
    if settings["port"] is not None and not 1 <= settings["port"] <= 65535:
        raise bad_value("port", settings["port"], "1 to 65535, or null for the first that is free")
    if not settings["text"]:
        _check_gradio()
    networks = Networks(_rows(settings))
    if settings["text"]:
        from babi_memnet.demo.text import Dialogue

        Dialogue(networks).run()
        return
    from babi_memnet.demo.page import Page

    logging.getLogger("httpx").setLevel(logging.WARNING)  # gradio looks whether its own server answers
    page = Page(networks)
    address = page.serve(settings["host"], settings["port"], settings["browser"])
    if settings["host"] not in _LOOPBACK:
        log.warning("host=%s: whoever reaches this machine can ask", settings["host"])
    log.info("%s (Ctrl-C ends it)", address)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        log.info("ended")
    finally:
        page.close()


def _check_gradio() -> None:
    """Find out before any work whether the page could be built.

    Raises:
        RequestError: the library for it is not installed.
    """
    if find_spec("gradio") is None:
        raise RequestError("text=false: the page needs gradio; pip install 'babi_memnet[demo]', or text=true")


def _rows(settings: dict[str, Any]) -> list[Row]:
    """What is on record of finished runs; of one that is trained now where the outputs have none.

    Raises:
        RequestError: ``run`` or ``runs`` name none that is done.
    """
    if settings["run"] is not None:
        folder, known = Path(settings["run"]), known_settings(schemas())
        if (folder / CONFIG_FILE).is_file():
            return exported_rows(folder, known)
        rows = read_rows(load_run(folder).path, known)
        if not rows[0].is_done:
            raise bad_value("run", settings["run"], f"a run that is done, this one is {rows[0].keys['state']}")
        return rows
    outputs = settings["runtime"]["outputs"]
    named = settings["runs"] is not None
    if not named and not Path(outputs).is_dir():
        return _trained(settings)
    found, broken = collect(folders_of(settings["runs"] if named else outputs), known_settings(schemas()))
    for line in broken:
        log.warning("left out: %s", line)
    if not named:  # runs that were only to show that everything works
        found = [row for row in found if not Path(row.keys["run"]).is_relative_to(Path(outputs, "debug"))]
    # Attention that was only ever linear has no shares of one to show.
    done = [row for row in found if row.is_done and row.keys["training.epochs"] != 0]
    if not done and named:
        raise bad_value("runs", settings["runs"], "folders with a run that is done, found none")
    return done or _trained(settings)


def _trained(settings: dict[str, Any]) -> list[Row]:
    from babi_memnet.experiment import run

    words = [*settings["first"], f"runtime.outputs={settings['runtime']['outputs']}"]
    config = compose("train", words, return_hydra_config=True)
    experiment = config.hydra.runtime.choices.get("experiment")
    with open_dict(config):
        del config["hydra"]
    request = request_of(config, experiment)
    log.info("no finished run in the outputs: training one (babi-train %s)", " ".join(words))
    with logged_to(request.directory):
        run(request, request.directory, lambda: write_request(request.directory, config, words))
    return read_rows(request.directory, known_settings(schemas()))


def main() -> NoReturn:
    """Entry point of ``babi-demo``; ``--text`` is the usual way to say ``text=true``."""
    sys.argv[1:] = ["text=true" if word == "--text" else word for word in sys.argv[1:]]
    launch("demo", demo, DemoSchema, train=TrainSchema)


if __name__ == "__main__":
    main()
