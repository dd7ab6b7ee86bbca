"""table.json: the comparison, and how all restarts are spread."""

from __future__ import annotations

import json
import statistics

import pytest
from scipy import stats

from babi_memnet.papers.published import load_table
from babi_memnet.papers.reproduced import learning_curve, over_restarts, reproduced_column, reproduced_table
from tests.papers.runs import joint_result, task_result

TABLE = load_table("memn2n_1k")
TRAIN = [0.3, 0.1, 0.2, 0.4, 0.5]
TEST = [4.0, 6.0, 5.0, 5.1, 30.0]


def test_what_a_paper_leaves_out() -> None:
    over = over_restarts(TEST)
    low, high = over.pop("failed_interval")
    assert over == {
        "mean": statistics.mean(TEST),
        "standard_deviation": statistics.stdev(TEST),
        "median": 5.1,
        "best": 4.0,
        "worst": 30.0,
        "failed": 3,  # 5.0 is not above 5
        "failed_percent": 60.0,
    }
    expected = stats.binomtest(3, 5).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((100 * expected.low, 100 * expected.high))


def test_one_restart_has_no_deviation() -> None:
    assert over_restarts([7.0])["standard_deviation"] is None


def test_a_column_of_single_tasks_with_one_missing() -> None:
    results = {1: task_result(1, TRAIN, TEST), 4: task_result(4, TRAIN, [0.0] * 5)}
    missing = {3: "its file is not there"}
    column = reproduced_column(TABLE.column("pe"), results, [1, 3, 4], missing, {1: "runs/a", 4: "runs/b"})
    assert list(column["cells"]) == ["1", "4"]
    cell = column["cells"]["1"]
    assert cell["error_percent"] == 6.0  # of the restart with the lowest training error
    assert cell["restart_errors"] == {"train": TRAIN, "test": TEST}
    assert cell["over_restarts"] == over_restarts(TEST)
    assert [column["cells"][task]["run"] for task in ("1", "4")] == ["runs/a", "runs/b"]
    assert column["missing"] == {"3": "its file is not there"}
    assert (column["mean"], column["failed"], column["joint"], column["seconds"]) == (3.0, 1, False, 25.0)
    # both sides are over the tasks present
    assert column["published"]["mean"] == pytest.approx((0.1 + 3.8) / 2)
    assert json.loads(json.dumps(column)) == column


def test_a_column_of_our_own_has_nothing_to_be_held_against() -> None:
    ours = load_table("ours_1k").column("writing_memory")
    results = {task: task_result(task, TRAIN, TEST) for task in (1, 2)}
    column = reproduced_column(ours, results, [1, 2], {}, {1: "a", 2: "b"})
    assert (column["id"], column["mean"], column["failed"]) == ("writing_memory", 6.0, 2)
    assert {column[key] for key in ("published", "difference", "verdict", "chance")} == {None}
    assert column["over_restarts"] == {"mean": pytest.approx(statistics.mean(TEST)), "median": 5.1}


def test_a_joint_column_shows_the_tasks_that_were_asked_for() -> None:
    rows = [{task: error + task for task in range(1, 21)} for error in TEST]
    results = {"joint": joint_result(TRAIN, rows)}
    column = reproduced_column(TABLE.column("pe_ls_rn_joint"), results, [2, 3], {}, {"joint": "runs/j"})
    assert list(column["cells"]) == ["2", "3"]
    assert column["cells"]["3"]["restart_errors"]["test"] == [error + 3 for error in TEST]
    assert column["cells"]["3"]["error_percent"] == 9.0
    assert {cell["run"] for cell in column["cells"].values()} == {"runs/j"}
    assert column["joint"]


def test_a_table_adds_up_the_training() -> None:
    column = reproduced_column(TABLE.column("pe"), {1: task_result(1, TRAIN, TEST)}, [1], {}, {1: "runs/a"})
    table = reproduced_table(TABLE, [column, column], ["a note"], {"python": "3"}, 7.0)
    assert table["seconds"] == {"training": 25.0, "wall": 7.0}
    assert (table["id"], table["source"]["arxiv"], table["beside"]) == ("memn2n_1k", "1503.08895", [])
    assert table["protocol"]["restarts"] == 10


def test_a_learning_curve_is_over_the_restarts_that_have_an_error() -> None:
    rows = [
        {
            "epoch": 1,
            "phase": "linear_start",
            "train/error_percent": [3.0, 1.0, 8.0],
            "validation/error_percent": [4.0],
        },
        {"epoch": 2, "phase": "softmax", "train/error_percent": [2.0, None, 1.0], "validation/error_percent": [None]},
    ]
    assert learning_curve(rows) == {
        "epoch": [1, 2],
        "phase": ["linear_start", "softmax"],
        "train": {"median": [3.0, 1.5], "low": [1.0, 1.0], "high": [8.0, 2.0]},
        "validation": {"median": [4.0, None], "low": [4.0, None], "high": [4.0, None]},
    }
