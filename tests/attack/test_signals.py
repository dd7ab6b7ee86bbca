"""Every signal that ends a process, at any moment: the same command then comes to the same result."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.attack.trying import HANG, RIGHT, SECONDS, TRACEBACK, UNCLEAR, WRONG, Property, drawn, judge, portions
from tests.running import SMALL, Run, results

COUNT = 36
WORDS = [*SMALL, "training.epochs=4", "training.restarts=2", "training.checkpoint_seconds=0"]
ASKED = (signal.SIGINT, signal.SIGTERM)
SIGNALS = (
    *ASKED,
    signal.SIGKILL,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGPIPE,
    signal.SIGABRT,
)


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> dict[str, object]:
    """The result of a run that nothing has happened to."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert run_command("train", *WORDS, folder=folder).returncode == 0
    return results(folder)


@pytest.mark.parametrize("some", portions(range(COUNT), 18, 4))
def test_a_signal(
    some: list[int], right: dict[str, object], run_command: Run, tmp_path: Path, record_property: Property
) -> None:
    def tried(number: int) -> tuple[str, str]:
        random = drawn(f"signal {number}")
        sent, after = SIGNALS[number % len(SIGNALS)], random.uniform(0.02, 0.9)
        folder = tmp_path / str(number)
        folder.mkdir()
        first = run_command("train", *WORDS, folder=folder, seconds=SECONDS, kill=(sent, after))
        # Until the command has begun, Python ends on its own terms.
        begun = list(folder.rglob("status.json"))
        if sent in ASKED and begun and first.returncode not in (0, 130):
            return UNCLEAR, f"{sent.name} after {after:.2f}: status {first.returncode}: {first.stderr[-500:]}"
        if sent in ASKED and begun and "Traceback" in first.stderr:
            return TRACEBACK, f"{sent.name} after {after:.2f}: {first.stderr[-900:]}"
        if first.returncode == 130 and begun and json.loads(begun[0].read_text())["state"] == "running":
            return WRONG, f"{sent.name} after {after:.2f}: its record says that it is running"
        second = run_command("train", *WORDS, folder=folder, seconds=SECONDS)
        if second.returncode == -signal.SIGALRM:
            return HANG, f"{sent.name} after {after:.2f}"
        if second.returncode != 0:
            return UNCLEAR, f"{sent.name} after {after:.2f}, then status {second.returncode}: {second.stderr[-500:]}"
        if left := list(folder.rglob("*.tmp")):
            return WRONG, f"left behind: {left}"
        return (RIGHT, "") if results(folder) == right else (WRONG, f"{sent.name} after {after:.2f}: another result")

    judge(((number, tried(number)) for number in some), record_property)
