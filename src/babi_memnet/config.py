"""From Hydra's configuration to `Settings`, and from Hydra's errors to one line for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from omegaconf import MISSING, DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from babi_memnet.data.settings import SOURCES
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.models.settings import MemN2NSettings
from babi_memnet.paths import conf_directory
from babi_memnet.request import Request, settle
from babi_memnet.search.settings import SearchSettings
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.tracking.settings import NoTracker, WandbTracker
from babi_memnet.training.settings import TrainingSettings


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


@dataclass
class ReproduceSchema:
    """The top level of reproduce.yaml.

    Attributes:
        table: a file of conf/published.
        columns: ids of its columns; null means all that can be trained.
        tasks: 1 to 20; null means all. A joint column is always trained on all tasks.
        beside: published tables of conf/published, or columns of them as TABLE/COLUMN, to show beside ours.
        training: changes to the schedule of every column, such as fewer restarts; only what the command line sets.
    """

    table: str = MISSING
    columns: list[str] | None = None
    tasks: list[int] | None = None
    beside: list[str] = field(default_factory=list)
    data: Any = MISSING
    training: Any = MISSING
    tracker: Any = MISSING
    runtime: Any = MISSING


@dataclass
class GenerateSchema:
    """The top level of generate.yaml.

    Attributes:
        out: the folder to write to.
        format: babi (the official layout, generated stories only), parquet, or datasets (what save_to_disk writes).
        tasks: 1 to 20; null means all.
        overwrite: whether files that exist may be replaced.
    """

    out: str = MISSING
    format: str = "babi"
    tasks: list[int] | None = None
    overwrite: bool = False
    data: Any = MISSING
    runtime: Any = MISSING


@dataclass
class ReportSchema:
    """The top level of report.yaml.

    Attributes:
        runs: a folder of runs, or a list of folders.
        where: which runs; a mapping of key to the value, or the values, that it must have; null means all.
        rows: the key whose values stand down the side; null means that what sets the runs apart decides.
        columns: the key whose values stand across; null for none.
        value: what is shown; one of `tables.pivot.VALUES`.
        out: the folder to write to; null means reports/<name of runs> among the outputs.
        figures: whether figures are drawn.
        inspect: whether the networks are asked their test questions again: attention, errors, confusions, words.
        story: the number of a test question, from 1, or a text file; a network's way through it is then shown instead.
        restart: whose; null means the one that was selected.
    """

    runs: Any = MISSING
    where: Any = None
    rows: str | None = None
    columns: str | None = None
    value: str = "test_error_percent"
    out: str | None = None
    figures: bool = True
    inspect: bool = False
    story: Any = None
    restart: int | None = None
    tracker: Any = MISSING
    runtime: Any = MISSING


@dataclass
class DemoSchema:
    """The top level of demo.yaml.

    Attributes:
        run: one run directory; null takes all finished runs below ``runs``.
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


# Every choice of every group of conf/: the dataclass whose values its YAML sets.
SCHEMAS: dict[str, dict[str, type]] = {
    "data": SOURCES,
    "tokenizer": {"words": TokenizerSettings},
    "model": {"memn2n": MemN2NSettings},
    "training": {"restarts": TrainingSettings},
    "tracker": {"wandb": WandbTracker, "none": NoTracker},
    "runtime": {"runtime": RuntimeSettings},
}


def register() -> None:
    """Make the dataclasses known to Hydra, and ``${run_directory:}`` to its run directory."""
    Plugins.instance()  # looks for plugins, and would put Hydra's own default back
    store = ConfigStore.instance()
    combinations = BasicSweeperConf(_target_="hydra_plugins.babi_memnet.Sweeper")
    # Not in train.yaml, whose word a file of conf/search could not overrule.
    store.store(group="hydra/sweeper", name="basic", node=combinations)
    store.store(group="hydra/sweeper", name="search", node=SearchSettings)
    store.store(name="train_schema", node=TrainSchema)
    store.store(name="reproduce_schema", node=ReproduceSchema)
    store.store(name="generate_schema", node=GenerateSchema)
    store.store(name="report_schema", node=ReportSchema)
    store.store(name="demo_schema", node=DemoSchema)
    for group, choices in SCHEMAS.items():
        for name, schema in choices.items():
            store.store(group=f"schema/{group}", name=name, node=schema)
    OmegaConf.register_new_resolver("run_directory", _run_directory, replace=True)


def request_of(config: DictConfig, experiment: str | None) -> Request:
    """The request that a composed configuration, with or without Hydra's own part, stands for.

    Args:
        config: the composed configuration.
        experiment: the choice of the group ``experiment``, which the configuration itself does not show.

    Raises:
        RequestError: a value is out of its range, or the stories are not to be had.
    """
    _check_keys(config)
    parts: dict[str, Any] = {name: OmegaConf.to_object(config[name]) for name in SCHEMAS}
    return settle(Settings(task=config.task, **parts), experiment)


def _check_keys(config: DictConfig) -> None:
    """Refuse what ``+key=value`` has added: nothing would read it."""
    allowed = {field.name for field in fields(TrainSchema)} | {"hydra"}
    found = [str(key) for key in config if key not in allowed]
    for group in SCHEMAS:
        if not isinstance(config[group], DictConfig):
            raise bad_value(group, config[group], f"one of {', '.join(choices_of(group))}")
        known = {field.name for field in fields(cast(type, OmegaConf.get_type(config[group])))}
        found += [f"{group}.{key}" for key in config[group] if key not in known]
    if found:
        raise RequestError(f"{found[0]}: no such key{suggestion(found[0], known_keys())}")


def known_keys() -> list[str]:
    """Every dotted key that can be overridden, with the names of the groups."""
    keys = ["task", "experiment", "debug", *SCHEMAS]
    for group, choices in SCHEMAS.items():
        for schema in choices.values():
            keys += [f"{group}.{field.name}" for field in fields(schema)]
    return list(dict.fromkeys(keys))


def choices_of(group: str) -> list[str]:
    """The choices of a group of conf/."""
    folder = conf_directory() / group
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))


def explain(error: BaseException) -> str | None:
    """One line that says what is wrong with the request; None when the error is not about the request."""
    chain = list(_causes(error))
    for link in chain:
        if isinstance(link, RequestError):
            return str(link)
    for link in chain:
        if isinstance(link, ConfigKeyError | ConfigAttributeError):
            key = link.full_key or str(link.key)
            known = [name for name in [*known_keys(), "tasks", "columns"] if name != key]
            return f"{key}: no such key{suggestion(key, known)}; --cfg job lists those there are"
        if isinstance(link, MissingMandatoryValue):
            return f"{link.full_key}: needs a value; add {link.full_key}=..."
        if isinstance(link, ValidationError):
            return f"{_first_line(error)}: {_first_line(link)}"
        if isinstance(link, MissingConfigException) and link.missing_cfg_file:
            choice = link.missing_cfg_file.removeprefix("hydra/").partition("/")[2]
            group = link.missing_cfg_file.removesuffix(f"/{choice}")
            choices = choices_of(group)
            named = suggestion(choice, choices) or f"; expected one of {', '.join(choices)}"
            return f"{group}={choice}: no such choice{named}"
        if isinstance(link, OSError) and link.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"{link.filename}: {link.strerror}; expected a place to write to, runtime.outputs=DIR names another"
    if isinstance(error, ValueError) and "Config group override" in str(error):
        return "null: no such choice of a group; leave the group out for its default"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return " ".join(str(error).split())
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        # Hydra and OmegaConf do not always name the cause; what merely happened meanwhile elsewhere is none.
        theirs = isinstance(error, HydraException | OmegaConfBaseException)
        error = error.__cause__ or (error.__context__ if theirs else None)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _run_directory(*, _root_: DictConfig) -> str:
    directory = request_of(_root_, _root_.hydra.runtime.choices.get("experiment")).directory
    # Absolute, so that in a multirun it stands on its own and not below the folder of the sweep.
    return str(directory.absolute())
