"""A real run with the default tracker: what Weights & Biases has is what the record says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.test_train import read_lines
from tests.running import Run, only_run
from tests.tracking.wandb_reader import read_log


def test_a_run_is_mirrored_as_it_is_recorded(command: Run, tmp_path: Path):
    request = ["experiment=memn2n_1k/pe_ls_rn", "task=4", "debug=quick", "data.test_questions=40"]
    found = command("train", *request, "training.first_restart=2")
    assert found.returncode == 0, found.stderr
    directory = only_run(tmp_path / "outputs")
    result = json.loads((directory / "result.json").read_text())
    (file,) = directory.glob("wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert log.exit_code == 0
    assert log.run["id"] == f"memn2n_1k-pe_ls_rn-{result['signature']}"
    assert log.run["group"] == "memn2n_1k"
    assert "memn2n_1k/pe_ls_rn" in log.run["tags"]
    assert log.run["job_type"] == "train"
    assert "task 4" in log.run["tags"]
    assert log.config["training"]["first_restart"] == 2
    lines = read_lines(directory / "metrics.jsonl")
    for line, mirrored in zip(lines, log.history, strict=True):
        assert mirrored["epoch"] == line["epoch"]
        for place, number in enumerate((2, 3)):
            for name in ("train/loss", "train/error_percent", "validation/error_percent"):
                assert mirrored[f"restart_{number:02d}/{name}"] == pytest.approx(line[name][place])
        assert mirrored["train/error_percent/best"] == pytest.approx(min(line["train/error_percent"]))
    assert log.summary["test_error_percent"] == pytest.approx(result["test_error_percent"])
    for restart in result["restarts"]:
        name = f"restart_{restart['restart']:02d}/test/error_percent"
        assert log.summary[name] == pytest.approx(restart["test"]["error_percent"])


def test_a_request_that_is_refused_for_its_stories_is_no_run_anywhere(command: Run, tmp_path: Path):
    folder = tmp_path / "stories" / "en"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        (folder / f"qa1_single-supporting-fact_{split}.txt").write_text("1 Anna left.\n3 Where is Anna?\thall\t1\n")
    found = command("train", "task=1", "data=official", f"data.root={folder.parent}")
    assert found.returncode == 2
    assert "train.txt:2" in found.stderr
    assert list(tmp_path.rglob("status.json")) == []
    assert list(tmp_path.rglob("*.wandb")) == []
