"""babi-reproduce from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import SMALL, Run


def test_a_table_is_trained_once_and_drawn_from_its_cells(command: Run, tmp_path: Path):
    request = ["columns=[pe_ls_rn,bow]", "tasks=[1,4]", *SMALL]
    first = command("reproduce", *request)
    assert first.returncode == 0, first.stderr
    table = json.loads((tmp_path / "outputs/debug/tables/memn2n_1k/table.json").read_text())
    assert [column["id"] for column in table["columns"]] == ["pe_ls_rn", "bow"]
    results = {path: json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")}
    assert len(results) == 4
    for column in table["columns"]:
        assert column["published"]["source"]
        for task, error in column["errors"].items():
            (cell,) = (
                result
                for result in results.values()
                if result["experiment"] == f"memn2n_1k/{column['id']}" and str(result["task"]) == task
            )
            assert error == cell["test_error_percent"]
        assert column["mean"] == pytest.approx(sum(column["errors"].values()) / 2)
    written = {path: path.stat().st_mtime_ns for path in results}
    assert command("reproduce", *request).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in results} == written
    assert "pe_ls_rn" in (tmp_path / "outputs/debug/tables/memn2n_1k/table.md").read_text()


def test_a_cell_is_the_run_that_train_would_make(command: Run, tmp_path: Path):
    assert command("reproduce", "columns=[pe]", "tasks=[4]", *SMALL).returncode == 0
    before = set((tmp_path / "outputs").rglob("status.json"))
    found = command("train", "experiment=memn2n_1k/pe", "task=4", *SMALL)
    assert found.returncode == 0, found.stderr
    assert set((tmp_path / "outputs").rglob("status.json")) == before
    assert (next(iter(before)).parent / ".hydra" / "config.yaml").exists()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["table=memn2n_2k"], "memn2n_1k"),
        (["columns=[pe_ls_rm]"], "did you mean pe_ls_rn?"),
        (["columns=[lstm]"], "can be trained"),
        (["tasks=[21]"], "tasks=21"),
        (["data=official", "data.root=/nonexistent", "tasks=[1]"], "data.root=/nonexistent"),
    ],
)
def test_a_wrong_request_gets_one_line(command: Run, overrides, expected: str):
    found = command("reproduce", *overrides)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr
