"""BABI_PATH: configuration files of one's own are choices like those of conf/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import SMALL, Run

SWEEP = """# @package _global_
# Error by seed and hops.
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      task: 1
      model.hops: 1,2
"""
EXPERIMENT = """# @package _global_
# A small one.
model:
  hops: 2
  dimension: 10
"""


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """The environment that names a folder with a sweep and an experiment, and another with neither."""
    for name, content in {"sweep/mine": SWEEP, "experiment/mine/first": EXPERIMENT}.items():
        file = tmp_path / "own" / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(content)
    (tmp_path / "empty").mkdir()
    return {"BABI_PATH": "own:empty"}


def settings_of_runs(folder: Path) -> list[tuple[int, int, int]]:
    """Task, hops and dimension of every run that is done."""
    statuses = [json.loads((path.parent / "status.json").read_text()) for path in folder.rglob("result.json")]
    return sorted(
        (status["settings"]["task"], status["settings"]["model"]["hops"], status["settings"]["model"]["dimension"])
        for status in statuses
    )


def test_help_lists_them(command: Run, own: dict[str, str]):
    without, shown = command("train", "--help"), command("train", "--help", environ=own)
    assert shown.returncode == 0, shown.stderr
    listed = set(shown.stdout.replace(",", "").split()) - set(without.stdout.replace(",", "").split())
    assert listed == {"mine", "mine/first"}


def test_they_can_be_chosen(command: Run, own: dict[str, str], tmp_path: Path):
    swept = command("train", "+sweep=mine", *SMALL, environ=own)
    assert swept.returncode == 0, swept.stderr
    assert [run[:2] for run in settings_of_runs(tmp_path / "outputs")] == [(1, 1), (1, 2)]


@pytest.mark.integration
@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_workers_find_them(command: Run, own: dict[str, str], tmp_path: Path, launcher: str):
    words = ["-m", "experiment=mine/first", "task=1,4", *SMALL, f"hydra/launcher={launcher}"]
    done = command("train", *words, environ=own)
    assert done.returncode == 0, done.stderr
    assert settings_of_runs(tmp_path / "outputs") == [(1, 2, 10), (4, 2, 10)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["+sweep=mne"], "sweep=mne: no such choice (did you mean mine?)"),
        (["experiment=mine/fist"], "experiment=mine/fist: no such choice (did you mean mine/first?)"),
        (["+sweep=mine,hops"], "expected a single one of columns, controllers, data_size,"),
    ],
)
def test_suggestions_know_them(command: Run, own: dict[str, str], words: list[str], expected: str):
    refused = command("train", *words, environ=own)
    assert refused.returncode == 2
    assert expected in refused.stderr
    assert "mine" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["task=1"], ["--help"], ["training=joined"]])
def test_a_folder_that_is_not_there_is_named(command: Run, words: list[str]):
    refused = command("train", *words, environ={"BABI_PATH": "nowhere"})
    assert refused.returncode == 2
    assert refused.stderr == "babi-train: BABI_PATH: nowhere: no such folder; expected folders, separated by :\n"
