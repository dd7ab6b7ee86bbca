"""Fixtures for the tests of commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register
from babi_memnet.paths import conf_directory


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch, story_cache: Path, tmp_path: Path) -> Iterator[Any]:
    """What makes the configurations of babi-train, in an empty folder."""
    monkeypatch.setenv("BABI_CACHE", str(story_cache))
    monkeypatch.chdir(tmp_path)
    register(train=TrainSchema)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        yield GlobalHydra.instance().config_loader()
