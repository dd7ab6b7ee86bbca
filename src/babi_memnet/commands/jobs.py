"""The jobs of a sweep: what each of them asks for, found without composing a configuration for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, open_dict

from babi_memnet.config import request_of
from babi_memnet.errors import RequestError
from babi_memnet.request import Request
from babi_memnet.runs.directory import RunDirectory


@dataclass(frozen=True)
class Job:
    """One combination of values.

    Attributes:
        overrides: the words that make its configuration.
        request: what they ask for, or why they cannot be met.
    """

    overrides: tuple[str, ...]
    request: Request | RequestError

    @property
    def directory(self) -> Path | None:
        """Where its run is recorded; None when the request cannot be met."""
        return None if isinstance(self.request, RequestError) else self.request.directory

    def on_record(self) -> dict[str, Any] | None:
        """The result.json of its run, if that is done.

        Raises:
            RequestError: its directory holds another run.
        """
        if isinstance(self.request, RequestError):
            return None
        record = RunDirectory(self.request.directory)
        record.expect(self.request.signature)
        return record.result


class Planner:
    """Finds the requests of jobs.

    Composing is by far the largest part of a job that is on record already. Jobs of a sweep mostly differ in values
    only, so a configuration is composed once for each combination of groups and the values are then put into a copy,
    as Hydra does it.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        self._loader = loader
        self._config = config
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}
        self._groups: dict[str, bool] = {}
        self._composed: dict[tuple[str, ...], tuple[DictConfig, str | None]] = {}

    def plan(self, jobs: Sequence[Sequence[str]]) -> Iterator[Job]:
        """What each job asks for.

        Raises:
            HydraException: no configuration can be made of the words of one.
        """
        for words in jobs:
            config, experiment = self._configuration(words)
            try:
                request: Request | RequestError = request_of(config, experiment)
            except RequestError as error:
                request = error
            yield Job(tuple(words), request)

    def _configuration(self, words: Sequence[str]) -> tuple[DictConfig, str | None]:
        for word in words:
            if word not in self._parsed:
                self._parsed[word] = self._parser.parse_override(word)
        composing = tuple(word for word in words if self._is_composed(self._parsed[word]))
        if composing not in self._composed:
            config = self._loader.load_sweep_config(self._config, list(composing))
            experiment = config.hydra.runtime.choices.get("experiment")
            with open_dict(config):
                del config["hydra"]
            self._composed[composing] = config, experiment
        base, experiment = self._composed[composing]
        config = deepcopy(base)
        values = [self._parsed[word] for word in words if word not in composing]
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config, experiment

    def _is_composed(self, override: Override) -> bool:
        """Whether this is more than a value of ours: a choice of a group, or one of Hydra's own settings."""
        key = override.key_or_group
        if key.startswith("hydra."):
            return True
        if key not in self._groups:
            self._groups[key] = bool(self._loader.get_group_options(key, results_filter=None))
        # As Hydra decides it: a mapping is a value also where a group has that name.
        return self._groups[key] and not isinstance(override.value(), dict)
