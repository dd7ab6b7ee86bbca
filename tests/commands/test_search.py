"""Searches by one command: what they run, record and refuse, and what a kill leaves of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from babi_memnet.commands.search import import_study
from babi_memnet.errors import RequestError
from babi_memnet.runs.directory import RunDirectory
from tests.commands.test_sweeps import LAUNCHERS
from tests.running import SMALL, Run
from tests.tracking.wandb_reader import read_log

SPACE = ["training.learning_rate=tag(log,interval(0.001,0.1))", "model.dimension=choice(5,10,20)"]
SEARCH = ["-m", "hydra/sweeper=search", "task=1", *SMALL]


def study(folder: Path) -> Path:
    """The one study below a folder."""
    (found,) = folder.rglob("search.json")
    return found.parent


def trials(folder: Path) -> list[dict[str, Any]]:
    return json.loads((study(folder) / "trials.json").read_text())["trials"]


def run_of(folder: Path, trial: dict[str, Any]) -> Path:
    """The run directory of a trial of the one study below a folder."""
    return study(folder).parents[1] / trial["run"]


def mean_error(run: Path) -> float:
    restarts = json.loads((run / "result.json").read_text())["restarts"]
    return sum(restart["validation"]["error_percent"] for restart in restarts) / len(restarts)


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.json") if not path.name.startswith(".")}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_search_runs_its_trials_once_and_goes_on_when_given_more(
    command: Run, run_command: Run, tmp_path: Path, launcher: str
) -> None:
    request = [*SEARCH, *SPACE, "model.dimension=choice(5,10,20,50)", "experiment=memn2n_1k/pe_ls_rn"]
    request += [f"hydra/launcher={launcher}"]
    found = command("train", *request, "hydra.sweeper.trials=3")
    assert found.returncode == 0, found.stderr
    assert "Warning" not in found.stderr
    first = trials(tmp_path)
    assert [(one["trial"], one["state"]) for one in first] == [(0, "complete"), (1, "complete"), (2, "complete")]
    assert first[0]["values"] == {"training.learning_rate": 0.005, "model.dimension": "20"}
    for one in first:
        status = json.loads((run_of(tmp_path, one) / "status.json").read_text())
        settings = status["settings"]
        assert settings["training"]["learning_rate"] == one["values"]["training.learning_rate"]
        assert settings["model"]["dimension"] == int(one["values"]["model.dimension"])
        assert one["error_percent"] == pytest.approx(mean_error(run_of(tmp_path, one)))
        assert "sweeper" not in (run_of(tmp_path, one) / ".hydra" / "overrides.yaml").read_text()
    files = written(tmp_path)
    again = command("train", *request, "hydra.sweeper.trials=3")
    assert again.returncode == 0, again.stderr
    assert written(tmp_path) == files
    assert "3 trials, 3 complete" in again.stdout
    assert "(as configured)" in again.stdout
    (tmp_path / "elsewhere").mkdir()
    moved = run_command(
        "train", *request, "hydra.sweeper.trials=3", "runtime.outputs=../outputs/debug", folder=tmp_path / "elsewhere"
    )
    assert moved.returncode == 0, moved.stderr
    assert "as configured: " in moved.stdout
    assert written(tmp_path) == files
    more = command("train", *request, "hydra.sweeper.trials=5")
    assert more.returncode == 0, more.stderr
    assert trials(tmp_path)[:3] == first
    assert len(trials(tmp_path)) == 5


@pytest.mark.integration
def test_a_run_of_a_search_is_the_run_of_its_overrides(command: Run, tmp_path: Path) -> None:
    request = [word for word in SEARCH if word != "tracker=none"]
    assert command("train", *request, *SPACE, "hydra.sweeper.trials=1").returncode == 0
    (trial,) = trials(tmp_path)
    words = yaml.safe_load((run_of(tmp_path, trial) / ".hydra" / "overrides.yaml").read_text())
    single = command("train", *words)
    assert single.returncode == 0, single.stderr
    assert f"{trial['run']} (answered from it" in single.stdout
    (mirrored,) = (run_of(tmp_path, trial)).glob("wandb/offline-run-*/run-*.wandb")
    assert read_log(mirrored).run["group"] == f"search/{study(tmp_path).name}"


@pytest.mark.integration
def test_a_pruned_run_is_stopped_and_can_be_continued_to_what_it_would_have_been(command: Run, tmp_path: Path) -> None:
    small = ["data.size=60", "data.test_questions=40", "training.restarts=2", "training.epochs=6"]
    small += ["training.linear_start_epochs=0", "tracker=none"]
    # A step so small that nothing is learned, after one that learns something.
    grid = ["training.learning_rate=choice(0.01,1e-9)", "hydra.sweeper.sampler=grid"]
    how = ["hydra.sweeper.startup_trials=1", "hydra.sweeper.warm_up_epochs=2"]
    found = command("train", "-m", "hydra/sweeper=search", "task=1", *small, *grid, *how)
    assert found.returncode == 0, found.stderr
    complete, pruned = trials(tmp_path)
    assert (complete["state"], pruned["state"]) == ("complete", "pruned")
    run = RunDirectory(run_of(tmp_path, pruned))
    status = run.status
    assert status is not None
    assert status["state"] == "stopped"
    assert status["error"] == f"pruned after epoch {pruned['epochs']} (trial 1 of {study(tmp_path).name})"
    assert run.result is None
    assert len(run.metrics()) == pruned["epochs"] < 6
    words = ["task=1", *small, "training.learning_rate=1e-9"]
    for more in ([], ["runtime.outputs=whole"]):
        assert command("train", *words, *more).returncode == 0
    (whole,) = (tmp_path / "whole").rglob("result.json")
    expected = json.loads(whole.read_text())
    result = run.result
    assert result is not None
    assert {**result, "seconds": 0} == {**expected, "seconds": 0}


@pytest.mark.integration
def test_a_trial_that_fails_leaves_the_others_alone_and_is_made_up_for(command: Run, tmp_path: Path) -> None:
    grid = [*SEARCH, "model.hops=1,2,3", "hydra.sweeper.sampler=grid"]
    assert command("train", *grid).returncode == 0
    run = run_of(tmp_path, trials(tmp_path)[1])
    shutil.rmtree(run)
    shutil.rmtree(study(tmp_path))
    (run / "metrics.jsonl").mkdir(parents=True)  # in the way
    found = command("train", *grid)
    assert found.returncode == 1
    assert "1 of 3 jobs failed" in found.stderr
    assert [trial["state"] for trial in trials(tmp_path)] == ["complete", "fail", "complete"]
    assert "metrics.jsonl" in trials(tmp_path)[1]["error"]
    (run / "metrics.jsonl").rmdir()
    again = command("train", *grid)
    assert again.returncode == 0, again.stderr
    *_, last = trials(tmp_path)
    assert (last["trial"], last["state"], last["values"]) == (3, "complete", {"model.hops": "2"})


@pytest.mark.integration
def test_a_study_holds_one_search(command: Run, tmp_path: Path) -> None:
    request = [*SEARCH, *SPACE, "hydra.sweeper.trials=1", "hydra.sweeper.study=mine"]
    assert command("train", *request).returncode == 0
    assert study(tmp_path).name == "mine"
    changes = {
        "space": "model.dimension=choice(5,10)",
        "request": "model.hops=1",
        "objective": "hydra.sweeper.objective=selected",
    }
    for part, change in changes.items():
        refused = command("train", *request, change)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"babi-train: hydra.sweeper.study=mine: holds a search of another {part} (")
        assert refused.stderr.count("\n") == 1
    assert len(trials(tmp_path)) == 1


REFUSED = [
    (["task=1,2"], "task=2: expected no search over what an error is measured on and by"),
    (["runtime.seed=1,2"], "runtime.seed=1: expected no search over what"),
    (["model.hop=1,2"], "model.hop: no such key (did you mean model.hops?)"),
    (["training.time_noise=interval(0,2)"], "training.time_noise=2.0: expected a share from 0 to 1"),
    (["model.dimension=interval(10,20)"], "model.dimension=10.0: expected whole numbers, such as those of int("),
    ([*SPACE, "hydra.sweeper.sampler=grid"], "training.learning_rate=interval(0.001,0.1): expected choice(...)"),
    ([*SPACE, "hydra.sweeper.sampler=tpa"], "hydra.sweeper.sampler=tpa: expected one of tpe, random, grid"),
    ([*SPACE, "hydra.sweeper.sampla=tpe"], "hydra.sweeper.sampla: no such key"),
    ([*SPACE, "+sweep=hops"], "sweep=hops: expected no sweep in a search"),
    (["+search=memn2"], "search=memn2: no such choice (did you mean memn2n?)"),
    (["+search=memn2n,x"], "+search=memn2n,x: expected a single one of memn2n"),
]


@pytest.mark.parametrize(("words", "expected"), REFUSED)
def test_a_wrong_search_gets_one_line_and_leaves_nothing(
    command: Run, tmp_path: Path, words: list[str], expected: str
) -> None:
    refused = command("train", *SEARCH, *words)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"babi-train: {expected}")
    assert refused.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("studies"))


def test_a_search_without_many_runs_is_refused(command: Run, tmp_path: Path) -> None:
    for more in ([], ["hydra.sweeper.trial=3"], ["hydra.sweeper.trials=-3"]):
        refused = command("train", *SEARCH[1:], *more)
        assert refused.returncode == 2
        assert refused.stderr.startswith("babi-train: hydra/sweeper=search: expected -m as well")
        assert refused.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("status.json"))
    assert not list(tmp_path.rglob("studies"))


def test_only_babi_train_searches(command: Run) -> None:
    refused = command("reproduce", "-m", "hydra/sweeper=search", "table=memn2n_1k", "training.epochs=1,2")
    assert refused.returncode == 2
    assert refused.stderr.startswith("babi-reproduce: hydra/sweeper=search: expected basic")


def test_without_optuna_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "babi_memnet.search.study", raising=False)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(RequestError, match=r"needs Optuna; pip install 'babi_memnet\[search\]'"):
        import_study()


@pytest.mark.integration
def test_a_killed_search_is_the_search_that_nobody_killed(environment: Mapping[str, str], tmp_path: Path) -> None:
    small = ["data.size=300", "data.test_questions=40", "training.restarts=2", "training.epochs=30", "tracker=none"]
    small += ["training.linear_start_epochs=5", "training.checkpoint_seconds=0"]
    how = ["hydra.sweeper.trials=8", "hydra.sweeper.startup_trials=2", "hydra.sweeper.warm_up_epochs=10"]
    start = [sys.executable, "-m", "babi_memnet.commands.train", "+search=memn2n", "task=1", *small, *how]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    whole = tmp_path / "whole"
    whole.mkdir()
    assert subprocess.run(start, cwd=whole, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
    parts = tmp_path / "parts"
    parts.mkdir()
    for begun in (1, 3, 6):
        with subprocess.Popen(start, cwd=parts, env=environment, **quiet) as driver:
            deadline = time.monotonic() + 120
            while len(list(parts.rglob("metrics.jsonl"))) < begun and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.05 * begun)  # into the epochs of a trial
            os.killpg(driver.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in parts.rglob("result.json")}
    assert len(before) < 8
    done = subprocess.run(start, cwd=parts, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert trials(parts) == trials(whole)
    assert {"complete", "pruned"} == {trial["state"] for trial in trials(parts)}
    assert len(list(parts.rglob("status.json"))) == 8
    for path in whole.rglob("result.json"):
        expected, found = (json.loads((root / path.relative_to(whole)).read_text()) for root in (whole, parts))
        assert {**found, "seconds": 0} == {**expected, "seconds": 0}


@pytest.mark.integration
def test_a_search_killed_in_the_middle_of_a_batch_goes_on(environment: Mapping[str, str], tmp_path: Path) -> None:
    small = ["data.size=300", "data.test_questions=40", "training.restarts=2", "training.epochs=40", "tracker=none"]
    start = [sys.executable, "-m", "babi_memnet.commands.train", *SEARCH[:3], *small, *SPACE]
    start += ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweeper.trials=6"]
    with subprocess.Popen(
        start,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as driver:
        deadline = time.monotonic() + 120
        while len(list(tmp_path.rglob("metrics.jsonl"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(driver.pid, signal.SIGKILL)
    done = subprocess.run(start, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [trial["trial"] for trial in trials(tmp_path)] == list(range(6))
    assert {trial["state"] for trial in trials(tmp_path)} <= {"complete", "pruned"}
    again = subprocess.run(start, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "0 of 6 trials are left" in again.stdout
