"""Fixtures for the whole test tree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from tests.attack.trying import summary
from tests.running import Run
from tests.warm_process import WarmProcess

# Before torch is imported: the threads that it and NumPy start take longer than what they do here.
os.environ["OMP_NUM_THREADS"] = "1"

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


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for this test alone, and no data of the user's."""
    monkeypatch.setenv("BABI_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BABI_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def story_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of generated stories for all tests of commands, and not the user's."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def environment(story_cache: Path) -> Mapping[str, str]:
    """The environment of a command: nothing of the user's settings or of pytest's, offline, a wide terminal, UTF-8."""
    of_others = ("BABI_", "WANDB_", "HYDRA_", "PYTEST_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(of_others)}
    ours = {"HF_HUB_OFFLINE": "1", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"}
    return MappingProxyType({**kept, **ours, "BABI_CACHE": str(story_cache)})


@pytest.fixture(scope="session")
def warm_process(environment: Mapping[str, str]) -> Iterator[WarmProcess]:
    """What ``command`` forks from."""
    with closing(WarmProcess(environment)) as warm:
        yield warm


@pytest.fixture(scope="session")
def run_command(warm_process: WarmProcess) -> Run:
    """As ``command``, in the folder that is given: ``run_command("train", "task=1", folder=...)``."""

    def run(name: str, *overrides: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return warm_process.run(f"babi_memnet.commands.{name}", *overrides, **options)

    return run


@pytest.fixture
def command(run_command: Run, tmp_path: Path) -> Run:
    """Runs a command in an empty folder, as a fork of a process that has all imports behind it.

    ``command("train", "task=1")`` is ``babi-train task=1``; ``environ`` adds variables, ``stdin`` is what is typed.
    What such a fork cannot show is listed in `tests.warm_process`; ``process`` can.
    """
    return partial(run_command, folder=tmp_path)


@pytest.fixture
def process(tmp_path: Path, environment: Mapping[str, str]) -> Run:
    """As ``command``, but as a user does: in a process of its own. Takes the seconds that imports take."""

    def run(name: str, *overrides: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the cases of tests/attack have ended in."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    if line := summary(reports):
        terminalreporter.write_line(line)
