"""Figures of a pivot show its cells."""

from __future__ import annotations

from dataclasses import replace

from babi_memnet.runs.collection import Row
from babi_memnet.tables.pivot import pivot
from babi_memnet.tables.run_figures import MOST_SERIES, heat_map, line_figure
from babi_memnet.tables.run_sheets import pivot_sheets
from tests.tables.test_pivot import FIRST, SECOND, row

ROWS = [row(task, hops, FIRST if hops == 1 else SECOND) for task in (1, 4) for hops in (1, 2, 3)]


def drawn(rows: list[Row]) -> list[list[float]]:
    """The means of every line that has a name."""
    figure = line_figure(pivot(rows, "task", "model.hops", "test_error_percent"))
    assert figure is not None
    return [list(container.lines[0].get_ydata()) for axes in figure.axes for container in axes.containers]


def test_lines_are_the_means() -> None:
    assert drawn(ROWS) == [[5.0, 14.0, 14.0], [5.0, 14.0, 14.0]]


def test_a_heat_map_has_the_means() -> None:
    figure = heat_map(pivot(ROWS, "task", "model.hops", "test_error_percent"))
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == ["5.0", "14.0", "14.0"] * 2
    assert heat_map(pivot(ROWS, "task", None, "test_error_percent")) is None


def test_too_many_lines_are_not_drawn() -> None:
    rows = [row(task, 1, FIRST) for task in range(1, MOST_SERIES + 2)]
    rows += [row(task, 2, FIRST) for task in range(1, MOST_SERIES + 2)]
    assert line_figure(pivot(rows, "task", "model.hops", "test_error_percent")) is None


def test_a_mean_difference_that_rounds_to_zero_has_no_minus() -> None:
    rows = [replace(one, published={"difference": -0.04}) for one in ROWS]
    table = pivot(rows, "task", "model.hops", "difference")
    figure = heat_map(table)
    assert figure is not None
    assert {text.get_text() for text in figure.axes[0].texts} == {"0.0"}
    (sheet,) = pivot_sheets(table, rows, "a title")
    assert {cell for line in sheet.rows for cell in line[1:]} == {"0.0"}
