"""What all commands share: start Hydra, and turn what goes wrong into one line and an exit status."""

from __future__ import annotations

import atexit
import gc
import io
import logging
import os
import re
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.starting import start_quickly
from babi_memnet.config import choices_of, register
from babi_memnet.errors import RequestError, RunsFailed
from babi_memnet.logs import to_log_files
from babi_memnet.paths import conf_directory
from babi_memnet.runs.directory import REQUEST_FOLDER
from babi_memnet.runs.files import write_atomically

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


def launch(config_name: str, work: Callable[[DictConfig], object], schema: type, **composed: type) -> NoReturn:
    """Run ``work`` on the configuration that ``conf/<config_name>.yaml`` and the command line make, and exit.

    Args:
        config_name: the name of the command and of its primary file.
        work: what the command does.
        schema: the dataclass of the top level of that file.
        composed: the dataclasses of other primary files that ``work`` composes, by their names.

    Exit status: 0 done; 1 something failed, with a traceback or, when it was some of many runs, with one line; 2 the
    request was wrong, with one line on standard error and no traceback unless ``runtime.debug=true``; 130 interrupted,
    by Ctrl-C or SIGTERM.
    """
    # What is there at the end goes with the process, and need not be looked through for garbage once more.
    atexit.register(gc.freeze)
    start_quickly()
    # Hydra then raises what went wrong instead of printing it in its own way.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    # Who is told to end, by a queue say, ends as by Ctrl-C: the record says so, and goes on from its checkpoint.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    job = Work(work)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None where it was closed
            stream.reconfigure(errors="replace")  # a terminal that has no ± shows another mark

    try:
        _prepare(**{config_name: schema}, **composed)
        _refuse_several_sweeps(sys.argv[1:])
        hydra.main(version_base="1.3", config_path=str(conf_directory()), config_name=config_name)(job)()
        if job.failure:
            raise job.failure
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except RunsFailed as error:
        print(f"babi-{config_name}: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except Exception as error:
        line = explain(error)
        if line is None or _wants_traceback(sys.argv[1:]):
            traceback.print_exc()
        if line is None:
            sys.exit(FAILED)
        print(f"babi-{config_name}: {line}", file=sys.stderr)
        sys.exit(REFUSED)
    sys.exit(DONE)


class Work:
    """What a command does with a configuration, as Hydra runs it: here, or in a process of a launcher.

    Attributes:
        function: the work itself, a function of a module.
        failure: what went wrong. One of many jobs raises it instead, so that the launcher carries it to the driver.
    """

    def __init__(self, function: Callable[[DictConfig], object]) -> None:
        self.function = function
        self.failure: BaseException | None = None

    def __call__(self, config: DictConfig) -> object:
        """Do it."""
        try:
            with failures_logged():
                return self.function(config)
        except (Exception, KeyboardInterrupt) as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise
            self.failure = error
            return None

    def __reduce__(self) -> tuple[Callable[..., Work], tuple[Callable[[DictConfig], object]]]:
        return _work_elsewhere, (self.function,)


def _work_elsewhere(function: Callable[[DictConfig], object]) -> Work:
    """In another process, which does not know our schemas yet."""
    _prepare()  # launchers bring the schemas of primary files, with all else that Hydra knew where they come from
    return Work(function)


@contextmanager
def failures_logged() -> Iterator[None]:
    """What ends the block goes to the log files as well: one line, or a traceback where one line would not do."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        line = "interrupted" if isinstance(error, KeyboardInterrupt) else explain(error)
        line = str(error) if isinstance(error, RunsFailed) else line
        to_log_files(logging.ERROR, line or "failed", None if line else error)
        raise


@contextmanager
def logged_to(directory: Path) -> Iterator[None]:
    """train.log in a run directory, as babi-train would leave it."""
    directory.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(directory / "train.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        with failures_logged():
            yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _prepare(**commands: type) -> None:
    """Make our schemas known to Hydra in this process, with those of the primary files of these commands."""
    register(**commands)
    # Our presets of launchers go by the names of Hydra's schemas for them, and are meant to be checked against these.
    warnings.filterwarnings("ignore", message=r"(?s).*validated against ConfigStore schema")


def _refuse_several_sweeps(words: Sequence[str]) -> None:
    """Hydra would take several files of conf/sweep or conf/search, and then run none of their values."""
    for word in words:
        if found := re.match(r"\+?(sweep|search)=.*[,*(]", word):
            raise RequestError(f"{word}: expected a single one of {', '.join(choices_of(found[1]))}")


def write_request(directory: Path, config: DictConfig, overrides: Sequence[str]) -> None:
    """Put the exact configuration and the overrides into ``.hydra/`` of a run directory.

    Hydra would do so by itself, but also in the directory of a run that is done or somebody else's.
    """
    folder = directory / REQUEST_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {"config": config, "overrides": OmegaConf.create(list(overrides))}.items():
        write_atomically(folder / f"{name}.yaml", OmegaConf.to_yaml(content).encode())


def _wants_traceback(overrides: Sequence[str]) -> bool:
    # Read from the words themselves: what is wrong may be that no configuration can be made of them.
    return any(re.fullmatch(r"\+*runtime\.debug=(true|yes|on|1)", word, flags=re.IGNORECASE) for word in overrides)
