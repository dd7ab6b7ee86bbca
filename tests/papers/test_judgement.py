"""What result.json says about the published column."""

from __future__ import annotations

import json
from dataclasses import replace

from babi_memnet.papers.judgement import judge
from babi_memnet.papers.matching import match
from babi_memnet.tables.sheet import run_table, to_text
from tests.papers.runs import configuration, joint_result, task_result

TRAIN = [0.1 * index for index in range(10)]


def test_a_run_with_a_column() -> None:
    found = match(configuration("memn2n_1k/pe_ls_rn", 3))
    entry = judge(task_result(3, TRAIN, [41.0] * 10), found).as_json()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert (entry["column"], entry["differences"], entry["notes"]) == ("memn2n_1k/pe_ls_rn", [], [])
    cell = entry["comparison"]["cells"]["3"]
    assert (cell["published"], cell["verdict"]) == (40.3, "reproduced")
    # of a single task the mean is the cell itself
    assert entry["comparison"]["margin"] == cell["margin"]


def test_other_stories_and_other_restarts_are_said() -> None:
    found = match(configuration("memn2n_1k/pe_ls_rn", 3))
    judgement = judge(task_result(3, TRAIN[:4], [41.0] * 4, source="generated"), found)
    assert judgement.notes == (
        "the published errors are for the official stories, these are not (data.source=generated)",
        "the published errors were selected among 10 restarts, these among 4",
    )


def test_a_run_without_a_column_says_which_is_nearest() -> None:
    settings = configuration("memn2n_1k/pe_ls_rn", 3)
    settings["model"]["hops"] = 4
    entry = judge(task_result(3, TRAIN, [41.0] * 10), match(settings)).as_json()
    assert (entry["column"], entry["nearest"]) == (None, "memn2n_1k/pe_ls_rn")
    assert entry["notes"] == ["no published column fits; nearest: memn2n_1k/pe_ls_rn, differs in model.hops=4 (3)"]
    assert entry["comparison"]["cells"]["3"]["error_percent"] == 41.0
    assert entry["comparison"]["cells"]["3"]["verdict"] is None


def test_a_column_without_the_row_does_not_cost_the_run_its_result() -> None:
    found = match(configuration("memn2n_1k/pe_ls_rn", 3))
    assert found.column is not None
    judgement = judge(task_result(3, TRAIN, [41.0] * 10), replace(found, column=replace(found.column, errors={1: 0.0})))
    assert judgement.notes == ("the source of memn2n_1k/pe_ls_rn gives no error for task 3",)
    assert judgement.comparison.cells[3].against is None
    assert judgement.as_json()["column"] is None
    assert "41.0" in to_text(run_table(judgement.as_json()))


def test_a_joint_run_has_all_tasks_and_the_mean() -> None:
    found = match(configuration("memn2n_1k/pe_ls_rn_joint", "joint"))
    assert found.column is not None
    comparison = judge(joint_result(TRAIN, [found.column.errors] * 10), found).as_json()["comparison"]
    assert list(comparison["cells"]) == [str(task) for task in range(1, 21)]
    assert (comparison["failed"], comparison["published"]["failed"]) == (11, 11)
    assert (comparison["difference"], comparison["verdict"]) == (0.0, "reproduced")
