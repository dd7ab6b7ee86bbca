"""Pivots of runs against calculations by hand."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from scipy import stats

from babi_memnet.errors import RequestError
from babi_memnet.runs.collection import Row
from babi_memnet.tables.pivot import pivot
from babi_memnet.tables.run_sheets import cell_records, pivot_sheets, row_sheet, tidy

FIRST, SECOND = (4.0, 2.0, 9.0), (10.0, 12.0, 20.0)


def row(task: int, hops: int, test: tuple[float, ...], seed: int = 0, selected: int = 1, **keys: Any) -> Row:
    run = f"runs/{task}-{hops}-{seed}"
    known = {"run": run, "signature": run, "state": "done", "experiment": None, "task": task, "joint": False}
    return Row(
        keys={**known, "model.hops": hops, "runtime.seed": seed, **keys},
        numbers=tuple((seed, place) for place in range(len(test))),
        selected=selected,
        train=test,
        validation=test,
        test=test,
        seconds=3.0,
    )


def test_a_cell_is_over_the_restarts_of_its_run() -> None:
    table = pivot([row(1, 1, FIRST), row(1, 2, SECOND)], "task", "model.hops", "test_error_percent")
    assert (table.row_values, table.column_values) == ((1,), (1, 2))
    cell = table.cell(1, 1)
    assert cell is not None
    assert (cell.mean, cell.median, cell.best, cell.worst, cell.selected) == (5.0, 4.0, 2.0, 9.0, 2.0)
    assert cell.standard_deviation == pytest.approx(statistics.stdev(FIRST))
    expected = stats.t.interval(0.95, 2, loc=5.0, scale=stats.sem(FIRST))
    assert cell.interval == pytest.approx((max(expected[0], 0.0), expected[1]))
    assert (cell.restarts, cell.experiments, cell.values) == (3, 1, FIRST)


def test_runs_that_differ_in_the_seed_alone_are_one_experiment() -> None:
    table = pivot([row(1, 1, FIRST), row(1, 1, SECOND, seed=5)], "model.hops", None, "test_error_percent")
    cell = table.cell(1, None)
    assert cell is not None
    assert (cell.restarts, cell.experiments) == (6, 1)
    assert cell.mean == pytest.approx(statistics.mean(FIRST + SECOND))
    assert cell.standard_deviation == pytest.approx(statistics.stdev(FIRST + SECOND))
    assert cell.selected == pytest.approx((2.0 + 12.0) / 2)


def test_a_cell_over_tasks_is_the_mean_of_their_means() -> None:
    rows = [row(1, 1, FIRST), row(2, 1, SECOND), row(1, 2, FIRST)]
    table = pivot(rows, "model.hops", None, "test_error_percent")
    cell = table.cell(1, None)
    assert cell is not None
    assert cell.mean == pytest.approx((statistics.mean(FIRST) + statistics.mean(SECOND)) / 2)
    variance = (statistics.variance(FIRST) + statistics.variance(SECOND)) / 4
    assert cell.standard_deviation == pytest.approx(variance**0.5)
    assert cell.experiments == 2
    assert "not the same in all cells: task" in table.notes


def test_runs_of_one_experiment_that_were_changed_are_told() -> None:
    pe = {"experiment": "memn2n_1k/pe", "training.epochs": 100}
    rows = [row(1, 3, FIRST, **pe), row(1, 3, SECOND, **{**pe, "training.epochs": 2})]
    other = row(1, 3, FIRST, **{**pe, "experiment": "memn2n_1k/bow", "model.encoding": "bag_of_words"})
    told = "averaged over runs of one experiment that differ in training.epochs; where={...} chooses"
    assert told in pivot([*rows, other], "task", "experiment", "test_error_percent").notes
    # what sets experiments apart is no change
    assert not pivot([rows[0], other], "task", "experiment", "test_error_percent").notes


def test_records_and_sheets_show_the_cells() -> None:
    rows = [row(1, 1, FIRST), row(1, 2, SECOND), row(4, 1, SECOND)]
    table = pivot(rows, "task", "model.hops", "test_error_percent")
    records = cell_records(table)
    assert [(one["task"], one["model.hops"], one["mean"]) for one in records] == [
        (1, 1, 5.0),
        (1, 2, 14.0),
        (4, 1, 14.0),
    ]
    (sheet,) = pivot_sheets(table, rows, "a title")
    assert sheet.rows[0] == ("1", "5.0 ± 3.6", "2.0", "14.0 ± 5.3", "12.0")
    assert sheet.rows[1] == ("4", "14.0 ± 5.3", "12.0", "", "")


def test_the_tidy_table_has_what_differs_and_every_number() -> None:
    rows = [row(1, 1, FIRST), row(1, 2, SECOND)]
    first, second = tidy(rows)
    assert (first["model.hops"], second["model.hops"]) == (1, 2)
    assert "runtime.seed" not in first
    assert (first["mean"], first["best"], first["failed"], second["failed"]) == (5.0, 2.0, False, True)
    unfinished = Row(keys={**rows[0].keys, "run": "runs/x", "state": "failed"}, error="ValueError: no")
    sheet = row_sheet([*rows, unfinished], "a title")
    assert "not done, and in no mean: 1 failed" in sheet.notes
    assert any("runs/x: ValueError: no" in note for note in sheet.notes)


def test_what_no_run_has_is_refused() -> None:
    with pytest.raises(RequestError, match="did you mean test_error_percent"):
        pivot([row(1, 1, FIRST)], "task", None, "test_eror_percent")
    with pytest.raises(RequestError, match="value=difference"):
        pivot([row(1, 1, FIRST)], "task", None, "difference")
