"""babi-reproduce from the outside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.running import SMALL, Run, only_run

REQUEST = ["columns=[pe_ls_rn,bow]", "tasks=[1,4]", *SMALL]


@pytest.fixture(scope="module")
def trained(run_command: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which this was asked for once."""
    folder = tmp_path_factory.mktemp("trained")
    first = run_command("reproduce", *REQUEST, folder=folder)
    assert first.returncode == 0, first.stderr
    return folder


@pytest.fixture
def outputs(trained: Path, tmp_path: Path) -> Path:
    """Its outputs, where ``command`` runs."""
    return Path(shutil.copytree(trained / "outputs", tmp_path / "outputs"))


def test_a_table_is_trained_once_and_drawn_from_its_cells(command: Run, tmp_path: Path, outputs: Path):
    table = json.loads((tmp_path / "outputs/debug/tables/memn2n_1k/table.json").read_text())
    assert [column["id"] for column in table["columns"]] == ["pe_ls_rn", "bow"]
    results = {path: json.loads(path.read_text()) for path in outputs.rglob("result.json")}
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
    assert command("reproduce", *REQUEST).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in results} == written
    folder = tmp_path / "outputs/debug/tables/memn2n_1k"
    assert "pe_ls_rn" in (folder / "table.md").read_text()
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".png", ".pdf"}
    curves = json.loads((folder / "curves.json").read_text())["columns"]
    for column in table["columns"]:
        for task, cell in column["cells"].items():
            result = json.loads((tmp_path / "outputs/debug" / cell["run"] / "result.json").read_text())
            assert [restart["test"]["error_percent"] for restart in result["restarts"]] == cell["restart_errors"][
                "test"
            ]
            assert curves[column["id"]][task]["epoch"][0] == 1


@pytest.mark.integration
def test_other_papers_are_shown_beside_ours(command: Run, tmp_path: Path):
    request = ["columns=[pe]", "tasks=[4]", "beside=[rn_10k_joint,memn2n_1k/lstm]", *SMALL]
    found = command("reproduce", *request, "hydra.run.dir=elsewhere")
    assert found.returncode == 0, found.stderr
    assert "one network for all tasks (joint), not one network per task" in found.stdout.replace("\n", " ")
    table = json.loads((tmp_path / "elsewhere/table.json").read_text())
    assert [column["id"] for column in table["beside"]] == ["rn", "lstm"]
    assert table["beside"][1]["errors"]["4"] == 39
    for file in ("table.md", "table.tex", "table.html"):
        assert "39.0" in (tmp_path / "elsewhere" / file).read_text()


@pytest.mark.integration
def test_a_run_that_fails_costs_its_cell_only(command: Run, tmp_path: Path):
    request = ["columns=[pe]", "tasks=[1,4]", *SMALL]
    assert command("train", "experiment=memn2n_1k/pe", "task=1", *SMALL).returncode == 0
    directory = only_run(tmp_path / "outputs")
    shutil.rmtree(directory)
    # the log of the run cannot be written
    (directory / "train.log").mkdir(parents=True)
    found = command("reproduce", *request)
    assert found.returncode == 1
    assert "1 of 2 runs failed" in found.stderr
    assert directory.name in found.stdout
    table = json.loads((tmp_path / "outputs/debug/tables/memn2n_1k/table.json").read_text())
    (column,) = table["columns"]
    assert list(column["cells"]) == ["4"]
    assert column["missing"]["1"].startswith("failed: ")


def test_a_cell_is_the_run_that_train_would_make(command: Run, outputs: Path):
    before = set(outputs.rglob("status.json"))
    found = command("train", "experiment=memn2n_1k/bow", "task=4", *SMALL)
    assert found.returncode == 0, found.stderr
    assert "answered from it" in found.stdout
    assert set(outputs.rglob("status.json")) == before
    assert all((path.parent / ".hydra" / "config.yaml").exists() for path in before)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["table=memn2n_2k"], "memn2n_1k"),
        (["columns=[pe_ls_rm]"], "did you mean pe_ls_rn?"),
        (["columns=[lstm]"], "can be trained"),
        (["tasks=[21]"], "tasks=21"),
        (["beside=[ut_1k_joint]"], "did you mean ut/ut_1k_joint?"),
        (["data=official", "data.root=/nonexistent", "tasks=[1]"], "data.root=/nonexistent"),
        (["hydra/launcher=slurm"], "hydra/launcher=slurm: no such choice"),
        (["hydra.launcher.cores=0", "tasks=[1]", "columns=[pe]", *SMALL], "hydra.launcher.cores=0"),
    ],
)
def test_a_wrong_request_gets_one_line(command: Run, overrides, expected: str):
    found = command("reproduce", *overrides)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr
