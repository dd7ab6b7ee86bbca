"""Many runs by one command: declared sweeps, launchers, jobs that fail, drivers that are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from babi_memnet.config import SCHEMAS, choices_of, register
from babi_memnet.paths import conf_directory
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.settings import Settings
from tests.running import SMALL, Run

LAUNCHERS = [
    "basic",
    pytest.param("joblib", marks=pytest.mark.integration),
    pytest.param("submitit_local", marks=pytest.mark.integration),
]


def results(folder: Path) -> dict[str, Any]:
    """Signature to what was found; times differ."""
    found = [json.loads(path.read_text()) for path in folder.rglob("result.json")]
    return {result["signature"]: {**result, "seconds": None} for result in found}


def done_runs(folder: Path) -> list[Path]:
    """The result of every run that says that it is done. One that was killed while writing is not."""
    runs = [RunDirectory(path.parent) for path in folder.rglob("result.json")]
    return [run.path / "result.json" for run in runs if run.is_done]


def settings(folder: Path) -> set[tuple[Any, ...]]:
    records = [json.loads(path.read_text()) for path in folder.rglob("status.json")]
    return {(one["settings"]["task"], one["settings"]["model"]["hops"], one["state"]) for one in records}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_gives_the_results_of_single_runs_and_repeats_nothing(
    command: Run, tmp_path: Path, launcher: str
) -> None:
    request = ["task=1,4", "model.hops=1,2", *SMALL, f"hydra/launcher={launcher}"]
    swept = command("train", "-m", *request)
    assert swept.returncode == 0, swept.stderr
    assert "UserWarning" not in swept.stderr
    found = results(tmp_path / "outputs")
    assert settings(tmp_path / "outputs") == {(task, hops, "done") for task in (1, 4) for hops in (1, 2)}
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "outputs").rglob("*.json")}
    assert command("train", "-m", *request).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "outputs").rglob("*.json")} == files
    single = command("train", "task=4", "model.hops=2", *SMALL, "runtime.outputs=single", "runtime.threads=1")
    assert single.returncode == 0, single.stderr
    ((signature, expected),) = results(tmp_path / "single").items()
    assert found[signature] == expected


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_job_that_fails_leaves_the_others_alone(command: Run, tmp_path: Path, launcher: str) -> None:
    request = ["task=1,25,4", *SMALL, f"hydra/launcher={launcher}"]
    swept = command("train", "-m", *request)
    assert swept.returncode == 1
    assert "1 of 3 jobs failed: task=25" in swept.stderr
    assert swept.stderr.endswith("task=25: expected 1 to 20, or joint\n")
    assert len(results(tmp_path / "outputs")) == 2
    (log,) = (tmp_path / "outputs").glob("**/refused/*/train.log")
    assert "task=25" in log.read_text()
    assert "1 of 3 jobs" in swept.stderr
    assert os.path.relpath(log.parent, tmp_path) in swept.stderr


def test_the_traceback_of_a_job_is_in_its_own_log(command: Run, tmp_path: Path) -> None:
    assert command("train", "-m", "task=1,4", *SMALL).returncode == 0
    (first, *_) = (tmp_path / "outputs").rglob("result.json")
    shutil.rmtree(first.parent)
    # what should become a file is a folder
    (first / "in the way").mkdir(parents=True)
    swept = command("train", "-m", "task=1,4", *SMALL)
    assert swept.returncode == 1
    assert "1 of 2 jobs failed" in swept.stderr
    assert "Traceback" in (first.parent / "train.log").read_text()
    assert json.loads((first.parent / "status.json").read_text())["state"] == "failed"


def test_when_all_jobs_are_wrong_the_request_is(command: Run) -> None:
    swept = command("train", "-m", "task=25,26", *SMALL)
    assert swept.returncode == 2
    assert swept.stderr == "babi-train: task=25: expected 1 to 20, or joint\n"


def test_a_declared_sweep_runs_and_can_be_narrowed(command: Run, tmp_path: Path) -> None:
    swept = command("train", "+sweep=hops", "task=4", "model.hops=1,2", *SMALL)
    assert swept.returncode == 0, swept.stderr
    assert settings(tmp_path / "outputs") == {(4, 1, "done"), (4, 2, "done")}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("+sweep=hops,noise", "expected a single one of"), ("+sweep=hop", "did you mean hops?")],
)
def test_a_wrong_sweep_gets_one_line(command: Run, word: str, expected: str) -> None:
    refused = command("train", "-m", word)
    assert refused.returncode == 2
    assert expected in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("name", choices_of("sweep"))
def test_every_value_of_a_declared_sweep_can_be_run(name: str) -> None:
    register()
    file = OmegaConf.load(conf_directory() / "sweep" / f"{name}.yaml")
    words = [f"{key}={value}" for key, value in file.hydra.sweeper.params.items()]
    (jobs,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(words), None)
    assert len(jobs) > 1
    seen = set()
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        for words in {word: job for job in jobs for word in job}.values():  # each value at least once
            config = compose("train", [*words, f"+sweep={name}"])
            parts = {group: OmegaConf.to_object(config[group]) for group in SCHEMAS}
            seen.add(repr(Settings(task=config.task, **parts)))  # type: ignore[arg-type]
    assert len(seen) > 1


@pytest.mark.integration
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_killed_sweep_goes_on(environment: dict[str, str], tmp_path: Path, launcher: str) -> None:
    small = ["data.size=300", "data.test_questions=40", "training.restarts=2", "training.epochs=30", "tracker=none"]
    words = ["-m", "task=1,4,15", "model.hops=1,2", *small, f"hydra/launcher={launcher}"]
    start = [sys.executable, "-m", "babi_memnet.commands.train", *words]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    for finished in (1, 3):
        with subprocess.Popen(start, cwd=tmp_path, env=environment, **quiet) as driver:
            deadline = time.monotonic() + 120
            while len(done_runs(tmp_path)) < finished and time.monotonic() < deadline:
                time.sleep(0.02)
            os.killpg(driver.pid, signal.SIGKILL)
    before = {path: path.stat().st_mtime_ns for path in done_runs(tmp_path)}
    assert 3 <= len(before) < 6
    done = subprocess.run(start, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    whole = tmp_path / "whole"
    whole.mkdir()
    assert subprocess.run(start, cwd=whole, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0
    expected = results(whole)
    assert len(expected) == 6
    assert results(tmp_path / "outputs") == expected
