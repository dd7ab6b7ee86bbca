"""Many runs by one command: declared sweeps, launchers, jobs that fail, drivers that are killed."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from babi_memnet.commands.jobs import Common, Composer, plan
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import choices_of, register
from babi_memnet.paths import conf_directory
from tests.running import SMALL, Run, results, settings

LAUNCHERS = [
    "basic",
    pytest.param("joblib", marks=pytest.mark.integration),
    pytest.param("submitit_local", marks=pytest.mark.integration),
]


def test_a_sweep_gives_the_results_of_single_runs_and_repeats_nothing(command: Run, tmp_path: Path) -> None:
    request = ["task=1,4", "model.hops=1,2", *SMALL, "runtime.threads=1"]
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
    assert sorted(path.name for path in (tmp_path / "outputs/debug").iterdir() if path.is_dir()) in (
        ["train"],
        [".submitit", "train"],
    )


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
def test_every_job_of_a_declared_sweep_can_be_run_and_is_another(name: str) -> None:
    register(train=TrainSchema)
    file = OmegaConf.load(conf_directory() / "sweep" / f"{name}.yaml")
    words = [f"{key}={value}" for key, value in file.hydra.sweeper.params.items()]
    (combinations,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(words), None)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        composer = Composer(GlobalHydra.instance().config_loader())
        jobs = list(plan(composer, Common("train", ()), [[*words, f"+sweep={name}"] for words in combinations]))
    assert len({job.require().signature for job in jobs}) == len(combinations) > 1


def test_the_folder_of_a_sweep_holds_its_runs(command: Run, tmp_path: Path) -> None:
    done = command("train", "-m", "task=1,4", *SMALL, "hydra.sweep.dir='there/some runs'")
    assert done.returncode == 0, done.stderr
    assert len(results(tmp_path / "there" / "some runs" / "train")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_job_of_many_says_what_came_of_it_in_one_line(command: Run) -> None:
    done = command("train", "-m", "task=1,4", *SMALL)
    lines = [line for line in done.stdout.splitlines() if "; record: " in line]
    assert [line.partition("-")[0] for line in lines] == ["task_01", "task_04"]
    assert all(re.search(r": test error \d+\.\d %, \d+\.\d % over 2 restarts; record: /", line) for line in lines)
    assert "published column" not in done.stdout  # the table of a single run
