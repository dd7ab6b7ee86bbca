"""What all commands share: start Hydra, and turn what goes wrong into one line and an exit status."""

from __future__ import annotations

import atexit
import gc
import io
import logging
import os
import re
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import NoReturn, TextIO

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.starting import start_quickly
from babi_memnet.commands.words import prepared
from babi_memnet.config import choices_of, register, schemas
from babi_memnet.errors import RequestError, RunsFailed, bad_value, visible
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
    _ready_streams()

    try:
        _prepare(**{config_name: schema}, **composed)
        sys.argv[1:] = prepared(sys.argv[1:], config_name)
        refuse_what_hydra_would_not(sys.argv[1:], schema)
        hydra.main(version_base="1.3", config_path=str(conf_directory()), config_name=config_name)(job)()
        if job.failure:
            raise job.failure
    except KeyboardInterrupt:
        _say("interrupted; the same command goes on from the last checkpoint")
        sys.exit(INTERRUPTED)
    except RunsFailed as error:
        _say(f"babi-{config_name}: {visible(str(error))}")
        sys.exit(FAILED)
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _has_no_reader(sys.stdout):  # they have read enough, as head has
            _to_nowhere(sys.stdout)
            sys.exit(FAILED)
        line = explain(error)
        if line is None or _wants_traceback(sys.argv[1:]):
            traceback.print_exc()
        if line is None:
            sys.exit(FAILED)
        _say(f"babi-{config_name}: {visible(line)}")
        sys.exit(REFUSED)
    finally:
        # What is done is done: libraries that are taken apart would tell of a Ctrl-C that comes now in their own way.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(DONE)


def _ready_streams() -> None:
    """Let standard output and error take everything, also where they are closed, full, or know no ±."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # it was closed; no other file may get its number and be written to
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    logging.raiseExceptions = False  # a line that a console does not take is on record in train.log


def _say(line: str) -> None:
    """A line on standard error; where that takes none, the exit status has to say it."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        _to_nowhere(sys.stderr)


def _has_no_reader(stream: TextIO) -> bool:
    """Whether a stream is a pipe whose other end is closed."""
    poll = select.poll()
    poll.register(stream, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _to_nowhere(stream: TextIO) -> None:
    """What is still to be written to a stream that takes nothing more would fail once more at the end."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


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
        """Do it, where the command was started: there relative paths begin, also with ``hydra.job.chdir=true``."""
        try:
            with failures_logged(), chdir(HydraConfig.get().runtime.cwd):
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


def refuse_what_hydra_would_not(words: Sequence[str], schema: type) -> None:
    """Words that Hydra takes otherwise than they can be meant.

    It would take several files of conf/sweep or conf/search, and then run none of their values; a list for a group, and
    then end in a traceback; any number for true or false; and no folder at all for the one that is shown by default.
    """
    groups, truths = "|".join(schemas()), _truths(schema)
    for word in words:
        if found := re.match(rf"\+?(sweep|search)=.*[,*(]|\+?({groups}|experiment|debug)=\s*[\[{{]", word):
            raise RequestError(f"{word}: expected a single one of {', '.join(choices_of(found[1] or found[2]))}")
        if found := re.fullmatch(r"\+*(hydra\.(?:run\.dir|sweep\.dir|sweep\.subdir))=(null|''|\"\")?", word):
            raise RequestError(f"{word}: expected a folder; without the word it is where the record of the request is")
        key, _, value = word.lstrip("+").partition("=")
        if re.search(r"\d", value) and key in truths and re.fullmatch(r"[-+\d.,e\s]+", value):
            raise bad_value(key, value, "true or false")


def _truths(schema: type) -> set[str]:
    """The keys that are true or false."""
    parts = [("", schema)]
    parts += [(f"{group}.", part) for group, choices in schemas().items() for part in choices.values()]
    return {f"{group}{field.name}" for group, part in parts for field in fields(part) if field.type in ("bool", bool)}


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
