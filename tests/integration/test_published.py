"""On the official data a run reaches the published number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import Run, only_run


@pytest.mark.integration
def test_task_one_is_solved_as_published(command: Run, official_root: Path, tmp_path: Path):
    request = ["experiment=memn2n_1k/pe_ls_rn", "task=1", "data=official"]
    found = command("train", *request, environ={"BABI_DATA": str(official_root)})
    assert found.returncode == 0, found.stderr
    result = json.loads((only_run(tmp_path / "outputs") / "result.json").read_text())
    assert result["test_error_percent"] < 1
    assert result["published"]["column"] == "memn2n_1k/pe_ls_rn"
    assert result["published"]["error_percent"] == 0.0
    assert result["published"]["verdict"] == "reproduced"
    assert "memn2n_1k/pe_ls_rn" in found.stdout


@pytest.mark.integration
def test_masking_the_empty_slots_costs_what_the_protocol_says(command: Run, official_root: Path, tmp_path: Path):
    """The network has to be able to attend to nothing: task 10 shows it."""
    errors = {}
    for empty_slots in ("attended", "masked"):
        folder = tmp_path / empty_slots
        request = ["task=10", "data=official", "training.restarts=4", f"hydra.run.dir={folder}", "tracker=none"]
        found = command(
            "train", *request, f"model.empty_slots={empty_slots}", environ={"BABI_DATA": str(official_root)}
        )
        assert found.returncode == 0, found.stderr
        errors[empty_slots] = json.loads((folder / "result.json").read_text())["mean"]
    assert errors["masked"] > errors["attended"] + 5
