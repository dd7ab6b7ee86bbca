"""Hydra's start of a command, without what it does for nothing. What it prints and composes stays the same."""

from __future__ import annotations

import gc
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

import hydra._internal.hydra as hydra_start
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from babi_memnet.config import choices_of


def start_quickly() -> None:
    """Let Hydra start commands by `QuickHydra` from now on."""
    hydra_start.Hydra = QuickHydra  # type: ignore[misc]


class QuickHydra(hydra_start.Hydra):
    """Hydra, which lists all choices of all groups for ``--help`` only where the text has a place for them."""

    def __init__(self, task_name: str, config_loader: ConfigLoader) -> None:
        super().__init__(task_name, QuickLoader(config_loader.get_search_path()))
        self._help_text = ""
        self._resolve = False

    def get_help(self, help_cfg: DictConfig, cfg: DictConfig, args_parser: ArgumentParser, resolve: bool) -> str:
        """The text for ``--help`` and ``--hydra-help``."""
        self._help_text = help_cfg.template
        return super().get_help(help_cfg, cfg, args_parser, resolve)

    def show_cfg(
        self,
        config_name: str | None,
        overrides: list[str],
        cfg_type: str,
        package: str | None,
        resolve: bool = False,
    ) -> None:
        """The configuration for ``--cfg``."""
        self._resolve = resolve
        super().show_cfg(config_name, overrides, cfg_type, package, resolve)

    def get_sanitized_cfg(self, cfg: DictConfig, cfg_type: str) -> DictConfig:
        """The part of it that was asked for; Hydra's part refers to the rest, which is there now."""
        if cfg_type == "hydra" and self._resolve:
            OmegaConf.resolve(cfg)
        return super().get_sanitized_cfg(cfg, cfg_type)

    def format_config_groups(self, predicate: Callable[[str], bool], compact: bool = True) -> str:
        """The choices of the groups that fit."""
        return super().format_config_groups(predicate, compact) if "CONFIG_GROUPS" in self._help_text else ""


class QuickLoader(ConfigLoaderImpl):
    """Hydra's loader of configurations, which

    - composes the configuration of a run once, not once to see whether it is a run and then again to run it;
    - looks for choices without copying every schema first, which is most of the work of completing a word in the shell;
    - knows the choices in folders of a group as well, such as ``memn2n_1k/pe``, when a word is completed;
    - does not look for garbage among what has just been made, all of which is kept.
    """

    def __init__(self, config_search_path: ConfigSearchPath) -> None:
        super().__init__(config_search_path)
        self.repository = _Repository(config_search_path)
        self._of_a_run: tuple[str | None, list[str], DictConfig] | None = None

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """The configuration that a primary file and overrides make, as Hydra makes it."""
        with _without_collecting():
            if run_mode == RunMode.MULTIRUN and not validate_sweep_overrides:  # Hydra.get_mode asks so
                try:
                    config = super().load_configuration(config_name, overrides, RunMode.RUN, from_shell)
                except HydraException:
                    pass  # it is no run, or wrong, which the next time will tell
                else:
                    self._of_a_run = config_name, list(overrides), config
                    return config
            if self._of_a_run is not None:
                (name, words, config), self._of_a_run = self._of_a_run, None
                if (run_mode, config_name, overrides) == (RunMode.RUN, name, [*words, _RUN]):
                    config.hydra.mode = RunMode.RUN
                    config.hydra.overrides.hydra.append(_RUN)
                    return config
            return super().load_configuration(config_name, overrides, run_mode, from_shell, validate_sweep_overrides)

    def get_group_options(
        self,
        group_name: str,
        results_filter: ObjectType | None = ObjectType.CONFIG,
        config_name: str | None = None,
        overrides: list[str] | None = None,
    ) -> list[str]:
        """The choices of a group, or the groups in it."""
        found = super().get_group_options(group_name, results_filter, config_name, overrides)
        if overrides is None or not group_name or results_filter != ObjectType.CONFIG:
            return found
        return sorted({*found, *choices_of(group_name)})  # only completion has overrides for which it asks


_RUN = "hydra.mode=RUN"
"""What Hydra adds to the overrides of a run."""


class _Repository(ConfigRepository):
    """Where Hydra looks for configurations. It copies all of this before each look, so as to put other places in."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Repository:
        # Other places come in a list of their own, and what is in a place is not changed but copied when it is taken.
        return copy(self)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """No garbage collection meanwhile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
