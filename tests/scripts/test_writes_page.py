"""The table of what writing gives is that of the kept cells, and the page says of it what is so."""

from __future__ import annotations

import json
from math import sqrt
from statistics import fmean
from typing import Any

from babi_memnet.tables.sheet import to_markdown
from scripts.writes_page import KEPT, PAGE, WRITES, writes_sheet

CELLS = json.loads(KEPT.read_text())
FOUND: dict[tuple[int, str], dict[str, Any]] = {(cell["task"], cell["model.write"]): cell for cell in CELLS}


def test_the_table_is_that_of_the_kept_cells() -> None:
    assert f"<!-- table -->\n{to_markdown(writes_sheet(CELLS))}<!-- end of table -->" in PAGE.read_text()


def test_the_kept_cells_are_of_twenty_tasks_and_ten_restarts() -> None:
    assert set(FOUND) == {(task, write) for task in range(1, 21) for write in WRITES}
    assert {cell["restarts"] for cell in CELLS} == {10}


def test_the_last_rows_are_means_and_failed_tasks() -> None:
    mean, failed = writes_sheet(CELLS).rows[-2:]
    for place, write in enumerate(WRITES):
        selected = [FOUND[task, write]["selected"] for task in range(1, 21)]
        means = [FOUND[task, write]["mean"] for task in range(1, 21)]
        assert mean[1 + 2 * place].startswith(f"{fmean(means):.1f} ±")
        assert mean[2 + 2 * place] == f"{fmean(selected):.1f}"
        assert failed[2 + 2 * place] == str(sum(error > 5 for error in selected))


def test_the_differences_that_the_page_speaks_of_are_those_that_stand_out() -> None:
    large = []
    for (task, write), cell in FOUND.items():
        plain = FOUND[task, "none"]
        error = sqrt((cell["standard_deviation"] ** 2 + plain["standard_deviation"] ** 2) / 10)
        if write != "none" and abs(cell["mean"] - plain["mean"]) > 3.8 * error:
            large.append((task, write, cell["mean"] < plain["mean"]))
    assert sorted(large) == [(9, "add", True), (11, "add", False)]
