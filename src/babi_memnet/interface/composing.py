"""The request that words of a command line stand for, composed beside whatever else uses Hydra in this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import NamedTuple

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

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
        if not isinstance(word, str) or word.startswith("-") or "=" not in word:
            raise bad_value("train", word, "words such as 'task=1' or 'model.hops=2', each a KEY=VALUE of babi-train")
    if forget_own():
        schemas.cache_clear()
    try:
        with _own_schemas():
            words = prepared(words, "train")
            loader = ConfigLoaderImpl(create_config_search_path(str(conf_directory())))
            config = loader.load_configuration("train", list(words), RunMode.RUN)
            experiment = config.hydra.runtime.choices.get("experiment")
            with open_dict(config):
                del config["hydra"]
            return Composed(request_of(config, experiment), config, words)
    except RequestError:
        raise
    except Exception as error:
        line = explain(error)
        if line is None:
            raise
        raise RequestError(line) from error


@contextmanager
def _own_schemas() -> Iterator[None]:
    """Hydra and OmegaConf know our schemas and resolvers meanwhile, and afterwards what they knew before."""
    Plugins.instance()  # whose schemas are Hydra's own, and stay
    store = ConfigStore.instance()
    known = deepcopy(store.repo)
    added = [name for name in _RESOLVERS if not OmegaConf.has_resolver(name)]
    try:
        with warnings.catch_warnings():
            # Our presets of launchers go by the names of Hydra's schemas for them.
            warnings.filterwarnings("ignore", message=r"(?s).*validated against ConfigStore schema")
            register(train=TrainSchema)
            yield
    finally:
        store.repo = known
        for name in added:
            OmegaConf.clear_resolver(name)
