"""The same sweep under every launcher, and drivers and workers that are killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.launchers import launchers_but, no_slurm, words_of
from tests.running import Run, done_runs, results, settings

pytestmark = pytest.mark.integration

SWEEP = ["-m", "task=1,4,15", "model.hops=1,2,3", "training.restarts=3", "data.size=200", "data.test_questions=100"]
QUICK = ["training.epochs=20", "training.linear_start_epochs=2", "training.checkpoint_seconds=0", "tracker=none"]
REQUEST = [*SWEEP, *QUICK, "runtime.threads=1"]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> dict[str, Any]:
    """The nine results by the basic launcher, undisturbed."""
    folder = tmp_path_factory.mktemp("basic")
    done = run_command("train", *words("basic"), folder=folder)
    assert done.returncode == 0, done.stderr
    found = results(folder)
    assert settings(folder) == {(task, hops, "done") for task in (1, 4, 15) for hops in (1, 2, 3)}
    return found


def words(launcher: str) -> list[str]:
    return [*REQUEST, *words_of(launcher)]


def start(launcher: str) -> list[str]:
    return [sys.executable, "-m", "babi_memnet.commands.train", *words(launcher)]


@pytest.mark.parametrize("launcher", launchers_but("basic"))
def test_every_launcher_gives_the_same_nine_results(
    environment: Mapping[str, str], tmp_path: Path, expected: dict[str, Any], launcher: str
) -> None:
    done = subprocess.run(
        start(launcher), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert results(tmp_path) == expected
    assert "9 runs" in done.stdout  # the table at the end


def children(parent: int) -> list[int]:
    """The processes below a process, the youngest generation last."""
    found = []
    waiting = [parent]
    while waiting:
        listed = subprocess.run(["pgrep", "-P", str(waiting.pop())], capture_output=True, text=True, check=False)
        waiting += [int(word) for word in listed.stdout.split()]
        found += waiting
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("launcher", "victim"),
    [
        ("joblib", "worker"),
        ("submitit_local", "driver"),
        pytest.param("joblib", "driver", marks=pytest.mark.attack),
        pytest.param("submitit_local", "worker", marks=pytest.mark.attack),
    ],
)
def test_killed_at_random_moments_a_sweep_loses_and_repeats_nothing(
    environment: Mapping[str, str], tmp_path: Path, expected: dict[str, Any], launcher: str, victim: str
) -> None:
    """Three kills in turn, of the driver with all its processes or of one worker; then one more call completes it."""
    chance = random.Random(f"{launcher} {victim}")
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    finished: dict[Path, int] = {}
    for _ in range(3):
        with subprocess.Popen(start(launcher), cwd=tmp_path, env=environment, **quiet) as driver:
            time.sleep(chance.uniform(1, 8))
            if victim == "worker":
                if workers := children(driver.pid):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                driver.wait(timeout=120)
            if driver.poll() is None:
                os.killpg(driver.pid, signal.SIGKILL)
        # what is done stays as it is
        now = {path: path.stat().st_mtime_ns for path in done_runs(tmp_path)}
        assert {path: now.get(path) for path in finished} == finished
        finished = now
    done = subprocess.run(
        start(launcher), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert results(tmp_path) == expected


def queue() -> dict[str, str]:
    """The jobs that Slurm knows of, and their states."""
    command = ["squeue", "--array", "--states=all", "--noheader", "--format=%i %T"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(line.split() for line in lines)


def until(true: Any, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@no_slurm
@pytest.mark.attack
def test_slurm_kills_one_job_and_takes_one_back(environment: Mapping[str, str], tmp_path: Path) -> None:
    """Four jobs as an array: one is killed, one preempted; the latter goes on by itself, the first by one more call."""
    # long enough to be met while they run
    long = ["data.size=1000", "data.test_questions=100", "training.epochs=2500", "training.linear_start_epochs=0"]
    words = ["-m", "task=1,4", "model.hops=1,2", *long, "training.restarts=3", "training.checkpoint_seconds=0.5"]
    slurm = [*words_of("submitit_slurm"), "hydra.launcher.array_parallelism=2"]
    command = [sys.executable, "-m", "babi_memnet.commands.train", *words, "tracker=none", *slurm]
    before = set(queue())
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as driver:

        def running() -> list[str]:
            return [job for job, state in queue().items() if job not in before and state == "RUNNING"]

        first, second = until(lambda: sorted(running())[:2] if len(running()) == 2 else None)
        until(lambda: len(list(tmp_path.rglob("checkpoint.json"))) == 2)
        subprocess.run(["scancel", "--signal=KILL", "--full", first], check=True)
        # as the job is queued again at once, scancel believes that it failed, and would ask for another minute
        with subprocess.Popen(["scancel", "--signal=USR2", second], stderr=subprocess.DEVNULL) as asking:
            until(lambda: queue()[second] == "PENDING")
            asking.kill()
        taken_back = [path for path in tmp_path.rglob("status.json") if '"interrupted"' in path.read_text()]
        assert len(taken_back) == 1
        # Slurm would wait two minutes
        subprocess.run(["scontrol", "update", f"JobId={second}", "StartTime=now"], check=True)
        _, errors = driver.communicate(timeout=240)
    assert driver.returncode == 1, errors
    assert "1 of 4 jobs failed: task=1 model.hops=1" in errors
    assert f"job {first} ended without a result" in errors
    assert len(done_runs(tmp_path)) == 3
    log = (taken_back[0].parent / "train.log").read_text()
    assert "continuing after epoch" in log
    files = {path: path.stat().st_mtime_ns for path in done_runs(tmp_path)}
    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in files} == files
    basic = tmp_path / "basic"
    basic.mkdir()
    plain = [*command[: -len(slurm)], "hydra/launcher=basic"]
    assert subprocess.run(plain, cwd=basic, env=environment, stdout=subprocess.DEVNULL).returncode == 0
    assert results(tmp_path / "outputs") == results(basic)
