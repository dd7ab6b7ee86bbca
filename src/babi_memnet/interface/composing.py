"""The request that words of a command line stand for, composed beside whatever else uses Hydra in this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from threading import Lock
from typing import NamedTuple

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.basecontainer import BaseContainer

from babi_memnet.commands.application import refuse_what_hydra_would_not
from babi_memnet.commands.explaining import explain
from babi_memnet.commands.train import TrainSchema
from babi_memnet.commands.words import prepared
from babi_memnet.config import register, request_of, schemas
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.models.networks import forget_own
from babi_memnet.paths import conf_directory
from babi_memnet.request import Request

_RESOLVERS = ("run_directory", "choices")
"""What `config.register` adds to those of OmegaConf."""

_COMPOSING = Lock()
"""What Hydra knows is the same for all threads."""


class Composed(NamedTuple):
    """A request of babi-train, with what its record keeps of how it was asked for."""

    request: Request
    config: DictConfig
    words: Sequence[str]


def composed(words: Sequence[str]) -> Composed:
    """What ``babi-train`` with these words would run.

    Networks of one's own are read anew, since who writes one in a notebook changes it there.

    Raises:
        RequestError: as the one line with which the command would end.
    """
    for word in words:
        if not isinstance(word, str) or word.startswith(("-", "hydra", "+")) or "=" not in word:
            raise bad_value("train", word, "words such as 'task=1' or 'model.hops=2', each a KEY=VALUE of babi-train")
    try:
        with _COMPOSING:
            if forget_own():
                schemas.cache_clear()
            with _own_schemas():
                return _composed(words)
    except RequestError:
        raise
    except Exception as error:
        line = explain(error)
        if line is None:
            raise
        raise RequestError(line) from error


def _composed(words: Sequence[str]) -> Composed:
    refuse_what_hydra_would_not(words, TrainSchema)
    words = prepared(words, "train")
    loader = ConfigLoaderImpl(create_config_search_path(str(conf_directory())))
    config = loader.load_configuration("train", list(words), RunMode.RUN)
    experiment = config.hydra.runtime.choices.get("experiment")
    with open_dict(config):
        del config["hydra"]
    return Composed(request_of(config, experiment), config, words)


@contextmanager
def _own_schemas() -> Iterator[None]:
    """Hydra and OmegaConf know our schemas and resolvers meanwhile, and afterwards what they knew before."""
    Plugins.instance()  # whose schemas are Hydra's own, and stay
    store = ConfigStore.instance()
    known = deepcopy(store.repo)
    resolvers = {name: BaseContainer._resolvers.get(name) for name in _RESOLVERS}
    try:
        with warnings.catch_warnings():
            # Our presets of launchers go by the names of Hydra's schemas for them.
            warnings.filterwarnings("ignore", message=r"(?s).*validated against ConfigStore schema")
            register(train=TrainSchema)
            yield
    finally:
        store.repo = known
        for name, resolver in resolvers.items():
            OmegaConf.clear_resolver(name)
            if resolver is not None:
                BaseContainer._resolvers[name] = resolver
