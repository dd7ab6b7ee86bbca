"""The folder of a table: all views are there and show what the JSON says."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from babi_memnet.tables.table_figures import against_published, learning_curves, restart_spread
from babi_memnet.tables.table_report import table_for_tracker, write_table
from tests.tables.tables import made_up

TABLE, CURVES = made_up()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("table")
    return folder, write_table(folder, TABLE, CURVES)


def test_all_files_are_there(written: tuple[Path, list[Path]]) -> None:
    folder, files = written
    assert {path for path in folder.rglob("*") if path.is_file()} == set(files)
    assert json.loads((folder / "table.json").read_text()) == TABLE
    assert json.loads((folder / "curves.json").read_text()) == CURVES
    for path in files:
        start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".html": b"<!doctype html>"}.get(path.suffix, b"")
        assert path.read_bytes().startswith(start)
    assert len([path for path in files if path.suffix == ".png"]) == 3


def test_the_same_table_gives_the_same_files(written: tuple[Path, list[Path]], tmp_path: Path) -> None:
    folder, files = written
    for again in write_table(tmp_path, TABLE, CURVES):
        assert again.read_bytes() == (folder / again.relative_to(tmp_path)).read_bytes()
    assert len(files) == len(list(tmp_path.rglob("*.*")))


def test_the_csv_is_unrounded(written: tuple[Path, list[Path]]) -> None:
    with (written[0] / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(column["cells"]) + 1 for column in TABLE["columns"])
    for column in TABLE["columns"]:
        mine = {row["task"]: row for row in rows if row["column"] == column["id"]}
        assert float(mine["mean"]["error_percent"]) == column["mean"]
        for task, cell in column["cells"].items():
            for name in ("error_percent", "published", "difference", "chance", "spread"):
                assert float(mine[task][name]) == cell[name]
            assert float(mine[task]["restarts_standard_deviation"]) == cell["over_restarts"]["standard_deviation"]
            assert mine[task]["run"] == cell["run"]


def test_documents_show_other_papers_too(written: tuple[Path, list[Path]]) -> None:
    folder, _ = written
    for file in ("table.md", "table.tex", "table.html"):
        text = (folder / file).read_text()
        assert "92.0" in text  # LSTM, task 19
        assert "16.5" in text  # relation network, task 3
    assert (folder / "table.tex").read_text().count(r"\toprule") == 2


def test_a_tracker_gets_the_numbers_of_every_column(written: tuple[Path, list[Path]]) -> None:
    folder, files = written
    report = table_for_tracker(TABLE, folder, files)
    for column in TABLE["columns"]:
        assert report.summary[f"{column['id']}/mean"] == column["mean"]
        assert report.summary[f"{column['id']}/verdict"] == column["verdict"]
    names, rows = report.tables["table"]
    assert all(len(row) == len(names) for row in rows)
    assert set(report.images) == {
        f"figures/{name}" for name in ("against_published", "restart_spread", "learning_curves")
    }


def test_the_figures_show_the_errors() -> None:
    panels = against_published(TABLE["columns"]).axes
    assert [panel.get_title(loc="left") for panel in panels] == [column["label"] for column in TABLE["columns"]]
    for panel, column in zip(panels, TABLE["columns"], strict=True):
        points = {(line.get_xdata()[0], line.get_ydata()[0]) for line in panel.lines if len(line.get_xdata()) == 1}
        for task, cell in column["cells"].items():
            assert (cell["error_percent"], int(task)) in points
            assert (cell["published"], int(task)) in points


def test_the_figures_show_every_restart() -> None:
    for panel, column in zip(restart_spread(TABLE["columns"]).axes, TABLE["columns"], strict=True):
        drawn = {line.get_ydata()[0]: list(line.get_xdata()) for line in panel.lines if len(line.get_xdata()) == 5}
        assert drawn == {int(task): cell["restart_errors"]["test"] for task, cell in column["cells"].items()}


def test_the_learning_curves_are_the_median_over_the_tasks() -> None:
    panel = learning_curves(TABLE["columns"], CURVES).axes[0]
    train = next(line for line in panel.lines if line.get_label() == "train")
    assert list(train.get_xdata()) == [1, 2, 3]
    assert list(train.get_ydata()) == CURVES["columns"]["pe"]["1"]["train"]["median"]


def test_a_run_that_ended_early_stays_where_it_was() -> None:
    whole = CURVES["columns"]["pe"]["1"]
    half = {
        key: values[:1] if isinstance(values, list) else {name: line[:1] for name, line in values.items()}
        for key, values in whole.items()
    }
    column = next(column for column in TABLE["columns"] if column["id"] == "pe")
    panel = learning_curves([column], {"columns": {"pe": {"1": half, "2": whole}}}).axes[0]
    train = next(line for line in panel.lines if line.get_label() == "train")
    assert list(train.get_xdata()) == whole["epoch"]
    first = half["train"]["median"][0]
    assert list(train.get_ydata()) == [(first + error) / 2 for error in whole["train"]["median"]]
