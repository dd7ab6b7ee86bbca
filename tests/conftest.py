"""Fixtures for the whole test tree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import Run

# Tests started in the background inherit an ignored Ctrl-C, and so would the commands that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def official_root() -> Path:
    """The folder ``tasks_1-20_v1-2`` below what ``BABI_DATA`` names; the test is skipped when it is not set."""
    given = os.environ.get("BABI_DATA")
    if not given:
        pytest.skip("BABI_DATA does not name the official data")
    root = Path(given)
    return root / "tasks_1-20_v1-2" if (root / "tasks_1-20_v1-2").is_dir() else root


@pytest.fixture(scope="session")
def story_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of generated stories for all tests of commands, and not the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def environment(story_cache: Path) -> dict[str, str]:
    """The environment of a command: nothing of the user's settings, offline, a wide terminal."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("BABI_", "WANDB_", "HYDRA_"))}
    return {**kept, "BABI_CACHE": str(story_cache), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}


@pytest.fixture
def command(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Runs a command as a user does: in a process of its own, in an empty folder.

    ``command("train", "task=1")`` is ``babi-train task=1``; ``environ`` adds variables.
    """

    def run(name: str, *overrides: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", f"babi_memnet.commands.{name}", *overrides],
            cwd=tmp_path,
            env={**environment, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
