"""babi-report from the outside."""

from __future__ import annotations

import csv
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.running import SMALL, Run


@pytest.fixture
def results(command: Run, tmp_path: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """Task and hops to the result.json of a small run."""
    trained = command("train", "-m", "task=1,4", "model.hops=1,2", "training.restarts=3", *SMALL)
    assert trained.returncode == 0, trained.stderr
    found = {}
    for path in (tmp_path / "outputs").rglob("result.json"):
        settings = json.loads((path.parent / "status.json").read_text())["settings"]
        found[settings["task"], settings["model"]["hops"]] = json.loads(path.read_text())
    assert len(found) == 4
    return found


def test_runs_become_a_tidy_table_and_a_pivot(command: Run, tmp_path: Path, results: dict[tuple[int, int], Any]):
    found = command("report", "runs=outputs", "rows=task", "columns=model.hops", "out=drawn")
    assert found.returncode == 0, found.stderr
    assert "model.hops" in found.stdout
    assert "glyph" not in found.stdout.lower()  # what a library tells of its fonts
    folder = tmp_path / "drawn"
    with (folder / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert parquet.read_table(folder / "runs.parquet").to_pylist() == json.loads((folder / "runs.json").read_text())
    for row in rows:
        result = results[int(row["task"]), int(row["model.hops"])]
        errors = [restart["test"]["error_percent"] for restart in result["restarts"]]
        assert float(row["test_error_percent"]) == result["test_error_percent"]
        assert float(row["mean"]) == pytest.approx(statistics.mean(errors))
        assert float(row["standard_deviation"]) == pytest.approx(statistics.stdev(errors))
        assert (float(row["median"]), float(row["best"])) == (statistics.median(errors), min(errors))
        assert row["signature"] == result["signature"]
    cells = json.loads((folder / "cells.json").read_text())
    assert {(cell["task"], cell["model.hops"]) for cell in cells} == set(results)
    for cell in cells:
        result = results[cell["task"], cell["model.hops"]]
        errors = [restart["test"]["error_percent"] for restart in result["restarts"]]
        assert cell["mean"] == pytest.approx(statistics.mean(errors))
        assert cell["selected"] == result["test_error_percent"]
    assert r"\toprule" in (folder / "table.tex").read_text()
    assert (folder / "table.md").read_text().count("\n| ") >= 3
    assert {path.name for path in (folder / "figures").iterdir()} == {
        f"{name}.{form}" for name in ("lines", "heat_map") for form in ("png", "pdf")
    }

    # what an earlier report left there and this one has not is removed
    again = command("report", "runs=outputs", "where={task:4}", "rows=model.hops", "figures=false", "out=drawn")
    assert again.returncode == 0, again.stderr
    assert not list((folder / "figures").iterdir())
    assert len(json.loads((folder / "runs.json").read_text())) == 2

    wrong = [
        (["runs=nowhere"], "nowhere: expected a folder of runs"),
        (["runs=outputs", "rows=model.hop"], "did you mean model.hops?"),
        (["runs=outputs", "columns=task"], "columns=task: needs a key down the side"),
        (["runs=outputs", "where={model.hops:7}"], "where.model.hops=7: expected 1, 2"),
        (["runs=outputs", "where=4"], "where=4: expected keys and values"),
        (["runs=outputs", "rows=task", "value=eror"], "value=eror"),
        (["runs=drawn"], "found no run to read"),
    ]
    for overrides, expected in wrong:
        refused = command("report", *overrides)
        assert refused.returncode == 2, refused.stdout
        assert expected in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_what_runs_were_made_by_is_told_where_it_differs(command: Run, tmp_path: Path) -> None:
    assert command("train", "-m", "task=1,4", *SMALL).returncode == 0
    status = next((tmp_path / "outputs").rglob("status.json"))
    content = json.loads(status.read_text())
    content["versions"]["torch"] = "1.0"
    status.write_text(json.dumps(content))
    told = command("report", "runs=outputs", "figures=false")
    assert told.returncode == 0, told.stderr
    assert "made by different versions, which may change numbers: torch 1.0 (of 1), " in " ".join(told.stdout.split())


@pytest.mark.parametrize("where", ["0", "false", "x", "[1]"])
def test_where_takes_keys_and_values(command: Run, where: str) -> None:
    done = command("report", f"where={where}")
    assert done.returncode == 2
    assert ": expected keys and values, such as where={task:[1,2]}" in done.stderr


def test_runs_without_an_experiment_have_a_name_in_pivots(command: Run, tmp_path: Path) -> None:
    assert command("train", "-m", "task=1,4", *SMALL).returncode == 0
    drawn = command("report", "runs=outputs", "rows=experiment", "columns=task", "out=drawn")
    assert drawn.returncode == 0, drawn.stderr
    assert "no experiment" in drawn.stdout
    assert {cell["experiment"] for cell in json.loads((tmp_path / "drawn" / "cells.json").read_text())} == {None}


def test_results_of_two_machines_are_one_table(command: Run, tmp_path: Path) -> None:
    for place, tasks in (("one", "1,4"), ("two", "4,6")):
        assert command("train", "-m", f"task={tasks}", *SMALL, f"runtime.outputs={place}").returncode == 0
    for status in (tmp_path / "two").rglob("status.json"):
        content = json.loads(status.read_text())
        status.write_text(json.dumps({**content, "host": "second", "ended": "2999-01-01T00:00:00+00:00"}))
    done = command("report", "merge=[one,two]", "out=results/all.parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "results/all.parquet: runs: 3, rows: 3 of the 4 in one + two\n"
    table = parquet.read_table(tmp_path / "results" / "all.parquet").to_pylist()
    assert {row["task"]: row["machine.host"] == "second" for row in table} == {1: False, 4: True, 6: True}

    # what is merged is shown as the folders are, wherever these are
    folders = command("report", "runs=[one,two]", "where={task:[1,6]}", "rows=task", "out=drawn", "figures=false")
    assert folders.returncode == 0, folders.stderr
    expected = (tmp_path / "drawn" / "runs.json").read_bytes()
    for place in ("one", "two"):
        (tmp_path / place).rename(tmp_path / f"away_{place}")
    words = ["where={task:[1,6]}", "rows=task", "figures=false"]
    merged = command("report", "runs=results/all.parquet", *words)
    assert merged.returncode == 0, merged.stderr
    assert merged.stdout.splitlines()[1:-1] == folders.stdout.splitlines()[1:-1]
    assert (tmp_path / "outputs" / "reports" / "all" / "runs.json").read_bytes() == expected

    # a file is added to, and never replaced by chance
    both = "merge=[results/all.parquet,away_one]"
    more = command("report", both, "out=results/all.parquet")
    assert more.stdout == "results/all.parquet: runs: 3, rows: 3 of the 5 in results/all.parquet + away_one\n"
    assert parquet.read_table(tmp_path / "results" / "all.parquet").to_pylist() == table
    part = command("report", both, "out=part.parquet", "where={task:4}")
    assert part.stdout == "part.parquet: runs: 1, rows: 1 of the 5 in results/all.parquet + away_one\n"
    wrong = [
        ([both, "out=results/all.parquet", "where={task:4}"], "exists already; expected another file, since where"),
        (["merge=away_two", "out=results/all.parquet"], "out=results/all.parquet: exists already; name it in merge"),
        (["merge=away_two"], "out=None: expected the file to write to, such as results.parquet"),
        (["merge=away_two", "out=results"], "out=results: expected the file to write to, such as results.parquet"),
        (["merge=[]", "out=new.parquet"], "merge=[]: expected a folder of runs, or a list of some"),
        (["merge=results", "out=new.parquet"], "merge=results: expected folders with run directories in them"),
        (["merge=away_two", "out=new.parquet", "rows=task"], "rows=task: expected no merge beside it, which makes no"),
        (["merge=away_two", "out=new.parquet", "story=1"], "story=1: expected no merge beside it"),
        (["runs=results/all.parquet", "story=1"], "expected a run directory, found no status.json"),
        (["runs=results/all.parquet", "inspect=true"], "inspect=true: "),
    ]
    for overrides, line in wrong:
        refused = command("report", *overrides)
        assert refused.returncode == 2, refused.stdout
        assert line in refused.stderr
        assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "new.parquet").exists()
