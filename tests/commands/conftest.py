"""Running commands as a user does: in a process of their own, in an empty folder, offline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

SMALL = ["data.size=60", "data.test_questions=40", "debug=quick", "tracker=none"]
"""A run of a second on stories that no cache holds yet."""


@pytest.fixture(scope="session")
def story_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(story_cache: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("BABI_", "WANDB_", "HYDRA_"))}
    return {**kept, "BABI_CACHE": str(story_cache), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


@pytest.fixture
def command(tmp_path: Path, environment: dict[str, str]) -> Run:
    """``command("train", "task=1", ...)`` runs babi-train in an empty folder; ``environ`` adds variables."""

    def run(name: str, *overrides: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"babi_memnet.commands.{name}", *overrides],
            cwd=tmp_path,
            env={**environment, **(environ or {})},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def only_run(folder: Path) -> Path:
    """The one run directory below a folder."""
    (status,) = folder.rglob("status.json")
    return status.parent
