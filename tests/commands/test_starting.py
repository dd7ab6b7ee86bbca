"""How commands start: without libraries that they do not need, and to the same configuration as by Hydra itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_automatic_config_search_path, get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import OmegaConf

from babi_memnet.commands.starting import QuickHydra
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register
from babi_memnet.paths import conf_directory
from tests.running import SMALL, Run

HEAVY = {"torch", "numba", "datasets", "wandb", "scipy", "matplotlib", "pandas", "numpy", "gradio", "optuna"}
COMMANDS = ("train", "reproduce", "report", "demo", "export", "generate")


def imported_by(command: str, words: list[str], environment: Mapping[str, str], folder: Path) -> set[str]:
    """The heavy libraries that a command has imported when it ends."""
    script = (
        f"import sys; sys.argv[1:] = {words!r}\n"
        f"from babi_memnet.commands.{command} import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print(*({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command_name", COMMANDS)
def test_help_imports_nothing_heavy(command_name: str, environment: Mapping[str, str], tmp_path: Path):
    assert not imported_by(command_name, ["--help"], environment, tmp_path)


@pytest.mark.parametrize("words", [["--cfg", "job"], ["task=21"], ["model.hops=0"]])
def test_what_does_not_train_imports_nothing_heavy(words: list[str], environment: Mapping[str, str], tmp_path: Path):
    assert not imported_by("train", words, environment, tmp_path)


def test_a_run_on_record_is_answered_without_anything_heavy(
    command: Run, environment: Mapping[str, str], tmp_path: Path
):
    request = ["task=1", *SMALL]
    assert command("train", *request).returncode == 0
    assert not imported_by("train", request, environment, tmp_path)


@pytest.fixture
def hydras() -> Iterator[tuple[Hydra, Hydra]]:
    """Hydra itself, and as our commands start it, both over our conf/."""
    version.setbase("1.3")
    register(train=TrainSchema)
    places = create_automatic_config_search_path(None, None, str(conf_directory()))
    yield tuple(kind("train", ConfigLoaderImpl(places)) for kind in (Hydra, QuickHydra))  # type: ignore[misc]
    GlobalHydra.instance().clear()


def as_started(hydra: Hydra, words: list[str]) -> Any:
    """What Hydra composes for a command of these words, as its entry point asks for it; or the error."""
    words = list(words)
    mode = hydra.get_mode("train", words)
    if mode is None:
        mode = RunMode.RUN
        words.append("hydra.mode=RUN")
    try:
        config = hydra.compose_config("train", words, mode)
    except HydraException as error:
        return str(error)
    return OmegaConf.to_container(config, resolve=False), OmegaConf.is_struct(config), OmegaConf.to_yaml(config)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["task=3", "experiment=memn2n_1k/pe_ls_rn", "model.hops=2", "+model.hop=1"],
        ["hydra.mode=RUN", "data=official"],
        ["+sweep=hops"],
        ["task=1,2"],
        ["model.hop=2"],
        ["training=joined"],
    ],
    ids=" ".join,
)
def test_the_configuration_is_that_of_hydra(hydras: tuple[Hydra, Hydra], words: list[str]):
    theirs, ours = (as_started(hydra, words) for hydra in hydras)
    assert ours == theirs


def test_the_configuration_of_a_run_is_composed_once(hydras: tuple[Hydra, Hydra], monkeypatch: pytest.MonkeyPatch):
    composed = []
    compose = ConfigLoaderImpl._load_configuration_impl
    monkeypatch.setattr(
        ConfigLoaderImpl,
        "_load_configuration_impl",
        lambda *arguments, **named: composed.append(named) or compose(*arguments, **named),
    )
    counts = []
    for hydra in hydras:
        composed.clear()
        as_started(hydra, ["task=3"])
        counts.append(len(composed))
    assert counts == [2, 1]
    # and what a later question gets is its own
    first, second = (hydras[1].compose_config("train", ["task=4"], RunMode.RUN) for _ in range(2))
    first.task = 5
    assert second.task == 4


def test_help_lists_groups_only_where_the_text_has_a_place_for_them(
    hydras: tuple[Hydra, Hydra], monkeypatch: pytest.MonkeyPatch
):
    looked: list[str] = []
    groups = ConfigLoaderImpl.list_groups

    def watched(self: ConfigLoaderImpl, parent_name: str) -> list[str]:
        looked.append(parent_name)
        return groups(self, parent_name)

    monkeypatch.setattr(ConfigLoaderImpl, "list_groups", watched)
    config = hydras[0].compose_config("train", [], RunMode.RUN)
    for text, lists in ((config.hydra.help, False), (config.hydra.hydra_help, True)):
        theirs, ours = (hydra.get_help(text, config, get_args_parser(), False) for hydra in hydras)
        assert ours == theirs
        looked.clear()
        hydras[1].get_help(text, config, get_args_parser(), False)
        assert bool(looked) == lists
