"""The jobs of a sweep or a table: what each of them asks for, found without composing a configuration for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

from hydra._internal.config_loader_impl import ConfigLoaderImpl, get_overrides_dirname
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from babi_memnet.config import request_of
from babi_memnet.errors import RequestError
from babi_memnet.request import Request
from babi_memnet.runs.directory import RunDirectory


@dataclass(frozen=True)
class Job:
    """A run of babi-train, as launchers take it.

    Attributes:
        overrides: the words that make its configuration.
        request: what they ask for, or why they cannot be met.
    """

    overrides: tuple[str, ...]
    request: Request | RequestError

    def require(self) -> Request:
        """What it asks for.

        Raises:
            RequestError: that cannot be met.
        """
        if isinstance(self.request, RequestError):
            raise self.request
        return self.request

    def on_record(self) -> dict[str, Any] | None:
        """The result.json of its run, if that is done.

        Raises:
            RequestError: the request cannot be met, or its directory holds another run.
        """
        request = self.require()
        record = RunDirectory(request.directory)
        record.expect(request.signature)
        return record.result


class Common(NamedTuple):
    """What the configurations of all jobs are made from, besides the words of each.

    Attributes:
        config_name: their primary file of conf/.
        hydra_words: overrides of Hydra's own settings, such as the launcher.
    """

    config_name: str
    hydra_words: tuple[str, ...]

    @classmethod
    def of(cls, sweep: DictConfig) -> Common:
        """That of the jobs of a sweep with this configuration."""
        return cls(sweep.hydra.job.config_name, tuple(sweep.hydra.overrides.hydra))


class Composer(ConfigLoaderImpl):
    """Hydra's loader of configurations, which makes those of jobs in a fraction of the time.

    Composing is by far the largest part of a job that is on record already. Jobs mostly differ in values only, so a
    configuration is composed once for each combination of groups and the values are then put into a copy, as Hydra
    does it.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        super().__init__(loader.get_search_path())
        self._forget()

    def __getstate__(self) -> dict[str, Any]:
        # Launchers send a loader with every job, which then composes but once.
        return {"config_search_path": self.config_search_path, "repository": self.repository}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def _forget(self) -> None:
        self._parsed: dict[str, Override] = {}
        self._groups: dict[str, bool] = {}
        self._composed: dict[tuple[Common, tuple[str, ...]], _Composed] = {}

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """The configuration of a job, as every launcher asks for it."""
        config = self.configuration(Common.of(master_config), sweep_overrides)
        OmegaConf.copy_cache(from_config=master_config, to_config=config)
        return config

    def configuration(self, common: Common, words: Sequence[str]) -> DictConfig:
        """The configuration of a job, Hydra's part included.

        Raises:
            HydraException: none can be made of the words.
        """
        composed, values = self._compose(common, words)
        config = deepcopy(composed.whole)
        self._apply_overrides_to_config(values, config)
        own = [override for override in map(self._parse, words) if not override.is_hydra_override()]
        naming = config.hydra.job.config.override_dirname
        with open_dict(config.hydra):
            config.hydra.overrides.task = [override.input_line for override in own]
            config.hydra.job.override_dirname = get_overrides_dirname(
                own, exclude_keys=naming.exclude_keys, item_sep=naming.item_sep, kv_sep=naming.kv_sep
            )
        return config

    def request(self, common: Common, words: Sequence[str]) -> Request:
        """What a job asks for.

        Raises:
            HydraException: no configuration can be made of the words.
            RequestError: it cannot be met.
        """
        composed, values = self._compose(common, words)
        config = deepcopy(composed.own)
        self._apply_overrides_to_config(values, config)
        return request_of(config, composed.experiment)

    def _compose(self, common: Common, words: Sequence[str]) -> tuple[_Composed, list[Override]]:
        """A configuration with the right groups, and the values that it lacks."""
        composing = tuple(word for word in words if self._is_composed(self._parse(word)))
        if (common, composing) not in self._composed:
            whole = self.load_configuration(common.config_name, [*common.hydra_words, *composing], RunMode.RUN)
            own = deepcopy(whole)
            with open_dict(own):
                del own["hydra"]
            self._composed[common, composing] = _Composed(whole, own, whole.hydra.runtime.choices.get("experiment"))
        return self._composed[common, composing], [self._parse(word) for word in words if word not in composing]

    def _parse(self, word: str) -> Override:
        if word not in self._parsed:
            self._parsed[word] = OverridesParser.create(config_loader=self).parse_override(word)
        return self._parsed[word]

    def _is_composed(self, override: Override) -> bool:
        """Whether this is more than a value of ours: a choice of a group, or one of Hydra's own settings."""
        key = override.key_or_group
        if key.startswith("hydra."):
            return True
        if key not in self._groups:
            self._groups[key] = bool(self.get_group_options(key, results_filter=None))
        # As Hydra decides it: a mapping is a value also where a group has that name.
        return self._groups[key] and not isinstance(override.value(), dict)


class _Composed(NamedTuple):
    """A configuration, the same without Hydra's part, and the experiment file that it was composed with."""

    whole: DictConfig
    own: DictConfig
    experiment: str | None


def plan(composer: Composer, common: Common, jobs: Sequence[Sequence[str]]) -> Iterator[Job]:
    """What each job asks for.

    Raises:
        HydraException: no configuration can be made of the words of one.
    """
    for words in jobs:
        try:
            request: Request | RequestError = composer.request(common, words)
        except RequestError as error:
            request = error
        yield Job(tuple(words), request)
