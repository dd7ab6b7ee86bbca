"""Errors by the number of training questions: table and words of the page are those of the kept rows."""

from __future__ import annotations

import json
import re

from babi_memnet.tables.sheet import to_markdown
from scripts.data_page import KEPT, NETWORKS, PAGE, data_figure, data_sheet, kept

RECORDS = json.loads(KEPT.read_text())
SIZES = [50, 100, 200, 500, 1000]


def test_the_table_is_that_of_the_kept_rows() -> None:
    assert f"<!-- table -->\n{to_markdown(data_sheet(RECORDS))}<!-- end of table -->" in PAGE.read_text()


def test_every_network_has_every_size_with_three_restarts() -> None:
    tasks = {one["task"] for one in RECORDS}
    asked = {(task, size, network) for task in tasks for size in SIZES for network in NETWORKS}
    assert {(one["task"], one["questions"], one["experiment"]) for one in RECORDS} == asked
    assert {one["restarts"] for one in RECORDS} == {3}


def test_the_figure_has_a_panel_for_each_task_and_a_line_for_each_network() -> None:
    figure = data_figure(RECORDS)
    assert len(figure.axes) == len({one["task"] for one in RECORDS})
    for axes in figure.axes:
        assert len(axes.containers) == len(NETWORKS)
        task = re.fullmatch(r"task (\d+)", axes.get_title(loc="left"))
        assert task
        line = axes.containers[0][0].get_ydata().tolist()
        expected = {one["questions"]: one["mean"] for one in RECORDS
                    if one["task"] == task[1] and one["experiment"] == next(iter(NETWORKS))}  # fmt: skip
        assert line == [expected[size] for size in SIZES]


def test_rows_of_a_report_are_kept_without_their_places() -> None:
    row = {"experiment": "a/b", "task": "1", "data.size": "1k", "state": "done", "restarts": 3, "run": "/x",
           "test_error_percent": 1.23456, "mean": 2.0, "best": 1.0, "worst": 3.0}  # fmt: skip
    (one,) = kept([row, {**row, "state": "running"}])
    assert (one["questions"], one["test_error_percent"]) == (1000, 1.2346)
    assert "run" not in one
