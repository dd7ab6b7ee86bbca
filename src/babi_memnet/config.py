"""From Hydra's configuration to `Settings`: the dataclass of every choice, what there is to choose, and requests."""

from __future__ import annotations

import textwrap
from dataclasses import fields
from functools import cache
from typing import Any, cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeperConf
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

from babi_memnet.data.settings import SOURCES
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError, bad_value, suggestion
from babi_memnet.models.networks import network_files, settings_class
from babi_memnet.paths import conf_files
from babi_memnet.request import Request, settle
from babi_memnet.search.settings import SearchSettings
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.settings_fields import expect_within_measure
from babi_memnet.tracking.settings import NoTracker, WandbTracker
from babi_memnet.training.settings import TrainingSettings

_LINE = 110
"""The longest line of a list of choices in the help."""


@cache
def schemas() -> dict[str, dict[str, type]]:
    """Every group of conf/ to its choices: the dataclasses whose values their YAML files set.

    Raises:
        RequestError: the file of a network is not as it should be.
    """
    return {
        "data": SOURCES,
        "tokenizer": {"words": TokenizerSettings},
        "model": {name: settings_class(name) for name in network_files()},
        "training": {"restarts": TrainingSettings},
        "tracker": {"wandb": WandbTracker, "none": NoTracker},
        "runtime": {"runtime": RuntimeSettings},
    }


def register(**commands: type) -> None:
    """Make the dataclasses known to Hydra, ``${run_directory:}`` to its run directory and ``${choices:}`` to its help.

    Args:
        commands: the dataclass of the top level of each primary file of conf/ that will be composed, by its name:
            ``register(train=TrainSchema)`` for train.yaml.
    """
    Plugins.instance()  # looks for plugins, and would put Hydra's own default back
    store = ConfigStore.instance()
    combinations = BasicSweeperConf(_target_="hydra_plugins.babi_memnet.Sweeper")
    # Not in train.yaml, whose word a file of conf/search could not overrule.
    store.store(group="hydra/sweeper", name="basic", node=combinations)
    store.store(group="hydra/sweeper", name="search", node=SearchSettings)
    for name, schema in commands.items():
        store.store(name=f"{name}_schema", node=schema)
    for group, choices in schemas().items():
        for name, schema in choices.items():
            store.store(group=f"schema/{group}", name=name, node=schema)
    OmegaConf.register_new_resolver("run_directory", _run_directory, replace=True)
    OmegaConf.register_new_resolver("choices", _listed_choices, replace=True)


def request_of(config: DictConfig, experiment: str | None) -> Request:
    """The request that a composed configuration, with or without Hydra's own part, stands for.

    Args:
        config: the composed configuration.
        experiment: the choice of the group ``experiment``, which the configuration itself does not show.

    Raises:
        RequestError: a value is out of its range, or the stories are not to be had.
    """
    _check_keys(config)
    parts: dict[str, Any] = {name: OmegaConf.to_object(config[name]) for name in schemas()}
    for name, part in parts.items():
        expect_within_measure(part, f"{name}.")
    return settle(Settings(task=config.task, **parts), experiment)


def _check_keys(config: DictConfig) -> None:
    """Refuse what ``+key=value`` has added: nothing would read it."""
    allowed = {field.name for field in fields(Settings)} | {"hydra"}
    found = [str(key) for key in config if key not in allowed]
    for group in schemas():
        if not isinstance(config[group], DictConfig):
            raise bad_value(group, config[group], f"one of {', '.join(choices_of(group))}")
        known = {field.name for field in fields(cast(type, OmegaConf.get_type(config[group])))}
        found += [f"{group}.{key}" for key in config[group] if key not in known]
    if found:
        raise RequestError(f"{found[0]}: no such key{suggestion(found[0], known_keys())}")


def known_keys() -> list[str]:
    """Every dotted key that can be overridden, with the names of the groups."""
    keys = ["task", "experiment", "debug", *schemas()]
    for group, choices in schemas().items():
        for schema in choices.values():
            keys += [f"{group}.{field.name}" for field in fields(schema)]
    return list(dict.fromkeys(keys))


def choices_of(group: str) -> list[str]:
    """The choices of a group: its files in conf/ and in the folders of ``BABI_PATH``, such as ``memn2n_1k/pe_ls_rn``.

    Raises:
        RequestError: ``BABI_PATH`` names a folder that is not there.
    """
    return list(conf_files(group))


def _listed_choices(group: str, column: int) -> str:
    """The choices of a group for the help, in lines that begin at this column, counted from 0."""
    lines = textwrap.wrap(", ".join(choices_of(group)), _LINE - column, break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * column}".join(lines)


def _run_directory(*, _root_: DictConfig) -> str:
    directory = request_of(_root_, _root_.hydra.runtime.choices.get("experiment")).directory
    # Absolute, so that in a multirun it stands on its own and not below the folder of the sweep.
    return str(directory.absolute())
