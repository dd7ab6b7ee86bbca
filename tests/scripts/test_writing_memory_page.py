"""What was measured of the writing memory network: the tables of the page are those of the kept rows."""

from __future__ import annotations

import json
import re

from babi_memnet.tables.sheet import to_markdown
from scripts.writing_memory_page import (
    ATTENDING,
    ATTENTION,
    DATA,
    NETWORKS,
    PAGE,
    attention_sheet,
    data_figure,
    data_sheet,
    kept_attention,
    kept_data,
)

RECORDS = json.loads(DATA.read_text())
ATTENDED = json.loads(ATTENTION.read_text())
SIZES = [50, 100, 200, 500, 1000]


def test_the_tables_are_those_of_the_kept_rows() -> None:
    page = PAGE.read_text()
    assert f"<!-- data table -->\n{to_markdown(data_sheet(RECORDS))}<!-- end of data table -->" in page
    assert f"<!-- attention table -->\n{to_markdown(attention_sheet(ATTENDED))}<!-- end of attention table -->" in page


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
    (one,) = kept_data([row, {**row, "state": "running"}])
    assert (one["questions"], one["test_error_percent"]) == (1000, 1.2346)
    assert "run" not in one


def test_both_networks_were_asked_about_all_tasks() -> None:
    assert {(one["task"], one["experiment"]) for one in ATTENDED} == {
        (task, network) for task in range(1, 21) for network in ATTENDING
    }


def test_of_an_inspection_the_selected_restart_is_kept() -> None:
    one = {"experiment": "a", "task": 3, "error_percent": 1.23456, "found": 2.0, "complete": 3.0, "run": "/x"}
    (found,) = kept_attention([{**one, "selected": True}, {**one, "selected": False}, {**one, "selected": None}])
    assert found == {"experiment": "a", "task": 3, "error_percent": 1.2346, "found": 2.0, "complete": 3.0}
