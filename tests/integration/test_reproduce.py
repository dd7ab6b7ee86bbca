"""A table is the same whatever trains its cells, and whoever stopped that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.launchers import launchers_but, words_of
from tests.running import Run

REQUEST = ["columns=[pe,bow,hop1_pe_ls_joint]", "tasks=[1,4,6]", "data.size=60", "data.test_questions=40",
           "training.restarts=2", "training.epochs=60", "training.linear_start_epochs=1",
           "training.checkpoint_seconds=0", "tracker=none"]  # fmt: skip


def table(folder: Path) -> dict[str, Any]:
    """The table without what no two attempts have in common."""
    drawn = json.loads((folder / "tables/memn2n_1k/table.json").read_text())
    drawn.pop("seconds")
    for column in drawn["columns"]:
        column.pop("seconds")
    return drawn


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("whole")
    done = run_command("reproduce", *REQUEST, "runtime.outputs=outputs", folder=folder)
    assert done.returncode == 0, done.stderr
    return table(folder / "outputs")


def finished(outputs: Path) -> dict[Path, int]:
    """When each finished run wrote its result."""
    return {path: path.stat().st_mtime_ns for path in outputs.rglob("result.json")}


@pytest.mark.integration
@pytest.mark.parametrize("launcher", launchers_but("cores"))
def test_every_launcher_trains_the_same_cells(
    command: Run, tmp_path: Path, uninterrupted: dict[str, Any], launcher: str
):
    columns = ["pe", "hop1_pe_ls_joint"]
    request = [f"columns=[{','.join(columns)}]", *REQUEST[1:]]
    made = command("reproduce", *request, *words_of(launcher))
    assert made.returncode == 0, made.stderr
    expected = [column for column in uninterrupted["columns"] if column["id"] in columns]
    assert table(tmp_path / "outputs")["columns"] == expected
    log = (tmp_path / "outputs/tables/memn2n_1k/reproduce.log").read_text()
    assert "4 runs to train, 0 on record" in log
    assert log.endswith("figures/\n")  # the launcher's own way of logging has not stayed
    files = finished(tmp_path / "outputs")
    again = command("reproduce", *request)
    assert again.returncode == 0, again.stderr
    assert "0 runs to train, 4 on record" in again.stdout
    assert finished(tmp_path / "outputs") == files


def children(parent: int) -> Iterator[int]:
    """The processes that ``parent`` has started."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent:
            yield int(path.parent.name)


def kill_one_worker(driver: int) -> None:
    """SIGKILL to a process that trains, as a kernel short of memory would."""
    trainers = [child for child in children(driver) if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]
    os.kill(trainers[0], signal.SIGKILL)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("stop", "status", "runs_before"),
    [
        pytest.param(stop, status, runs_before, id=f"{name} after {runs_before}", marks=marks)
        for stop, status, name, places in (
            (lambda driver: os.kill(driver, signal.SIGKILL), -signal.SIGKILL, "kill -9", (4, 0)),
            (lambda driver: os.kill(driver, signal.SIGINT), 130, "Ctrl-C", (2, 0)),
            (kill_one_worker, 0, "kill -9 of a worker", (0, 4)),
        )
        for runs_before, marks in zip(places, ((), pytest.mark.attack), strict=True)
    ],
)
def test_a_stopped_table_goes_on(
    command: Run,
    environment: Mapping[str, str],
    tmp_path: Path,
    uninterrupted: dict[str, Any],
    stop: Callable[[int], None],
    status: int,
    runs_before: int,
):
    outputs = tmp_path / "outputs"
    arguments = [sys.executable, "-m", "babi_memnet.commands.reproduce", *REQUEST]
    process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(finished(outputs)) < runs_before or not any(outputs.rglob("metrics.jsonl")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    stop(process.pid)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    before = finished(outputs)
    if status != 0:
        assert len(before) < 7
    again = command("reproduce", *REQUEST)
    assert again.returncode == 0, again.stderr
    after = finished(outputs)
    assert len(after) == 7
    assert before == {path: after[path] for path in before}
    assert f"{7 - len(before)} runs to train" in again.stdout or len(before) == 7
    assert table(outputs) == uninterrupted
