"""Fixtures for the tests of the interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import babi_memnet as bm

SMALL = ["data.size=60", "data.test_questions=40", "training.epochs=2", "tracker=none", "runtime.threads=1"]


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Iterator[Path]:
    """Where outputs go, with the stories of the other tests."""
    folder = tmp_path_factory.mktemp("interface")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BABI_CACHE", str(story_cache))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="package")
def trained(place: Path) -> bm.Run:
    """A small run of three restarts."""
    return bm.train("task=1", "training.restarts=3", *SMALL)
