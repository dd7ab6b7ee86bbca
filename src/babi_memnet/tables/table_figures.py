"""Figures of a reproduced table, drawn from table.json and curves.json: one panel a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.tables.style import COLOURS, GREY, STYLE, settle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Column = Mapping[str, Any]

_OURS, _PUBLISHED = COLOURS[0], COLOURS[1]


def against_published(columns: Sequence[Column]) -> Figure:
    """The error of every task: ours with its 95 % interval, and the published one."""

    def draw(axes: Axes, column: Column) -> None:
        for task, cell in column["cells"].items():
            place, (low, high), error = int(task), cell["interval"], cell["error_percent"]
            axes.plot([low, high], [place, place], color=_OURS, linewidth=3, alpha=0.35, solid_capstyle="butt")
            axes.plot(error, place, "o", color=_OURS, markersize=4, label="ours, 95 % of the test questions")
            if cell["published"] is not None:
                axes.plot(cell["published"], place, "D", color=_PUBLISHED, mfc="none", markersize=5, label="published")

    return _by_task(columns, draw)


def restart_spread(columns: Sequence[Column]) -> Figure:
    """The test error of every restart, the one that is reported, and the published one."""

    def draw(axes: Axes, column: Column) -> None:
        for task, cell in column["cells"].items():
            place, errors = int(task), cell["restart_errors"]["test"]
            axes.plot(errors, [place] * len(errors), "|", color=GREY, markersize=6, label="a restart")
            axes.plot(cell["error_percent"], place, "o", color=_OURS, markersize=4, label="the selected restart")
            if cell["published"] is not None:
                axes.plot(cell["published"], place, "D", color=_PUBLISHED, mfc="none", markersize=5, label="published")

    return _by_task(columns, draw)


def learning_curves(columns: Sequence[Column], curves: Mapping[str, Any]) -> Figure:
    """Training and validation error by epoch: the median restart, averaged over the tasks of a column.

    The band of a joint column is from its best to its worst restart. The linear start is shaded.
    """

    longest = max(run["epoch"][-1] for runs in curves["columns"].values() for run in runs.values())

    def draw(axes: Axes, column: Column) -> None:
        runs = list(curves["columns"][column["id"]].values())
        epochs = max((run["epoch"] for run in runs), key=len)
        linear = runs[0]["phase"].count("linear_start")
        if linear:
            axes.axvspan(0.5, linear + 0.5, color="0.93", zorder=0, label="linear start")
        for split, colour, line in (("train", _OURS, "-"), ("validation", _PUBLISHED, "--")):
            axes.plot(epochs, _average(runs, split, "median"), line, color=colour, linewidth=1.3, label=split)
            if column["joint"]:
                band = _average(runs, split, "low"), _average(runs, split, "high")
                axes.fill_between(epochs, *band, color=colour, alpha=0.15, linewidth=0, label=None)
        axes.set_ylim(0, None)
        axes.set_xlim(0, longest + 1)

    return _panels(columns, draw, 2.1, "epoch", "error %")


def _average(runs: Sequence[Mapping[str, Any]], split: str, measure: str) -> list[float]:
    """Over the runs, epoch by epoch; what is no number counts as nothing known and makes a gap.

    A run whose restarts have all ended early stays where it was.
    """
    longest = max(len(run["epoch"]) for run in runs)
    courses = [run[split][measure] for run in runs]
    by_epoch = zip(*([*course, *course[-1:] * (longest - len(course))] for course in courses), strict=True)
    return [float("nan") if None in values else sum(values) / len(values) for values in by_epoch]


def _by_task(columns: Sequence[Column], draw: Callable[[Axes, Column], None]) -> Figure:
    tasks = sorted({int(task) for column in columns for task in column["cells"]})

    def framed(axes: Axes, column: Column) -> None:
        draw(axes, column)
        axes.set_yticks(tasks, [str(task) for task in tasks])
        axes.set_ylim(tasks[-1] + 0.7, tasks[0] - 0.7)
        axes.set_xlim(-2, 102)
        axes.axvline(5, color=GREY, linewidth=0.7, linestyle=":")

    return _panels(columns, framed, 0.9 + 0.145 * len(tasks), "error % (dotted: a task fails above 5)", "task")


def _panels(
    columns: Sequence[Column], draw: Callable[[Axes, Column], None], height: float, across: str, up: str
) -> Figure:
    """One panel a column, three beside each other, with one legend above."""
    wide = min(3, len(columns))
    rows = ceil(len(columns) / wide)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(4.2, 3.0 * wide), 0.7 + rows * (height + 0.3)), layout="constrained")
        panels = list(figure.subplots(rows, wide, sharex=True, sharey=True, squeeze=False).flat)
        legend: dict[str, Any] = {}
        for place, axes in enumerate(panels):
            axes.set_visible(place < len(columns))
            axes.tick_params(labelbottom=place + wide >= len(columns))
            if place < len(columns):
                draw(axes, columns[place])
                axes.set_title(columns[place]["label"], loc="left")
                handles, names = axes.get_legend_handles_labels()
                legend = dict(zip(names, handles, strict=True)) | legend
        figure.supxlabel(across, fontsize=9)
        figure.supylabel(up, fontsize=9)
        figure.legend(legend.values(), legend.keys(), loc="outside upper center", ncols=len(legend))
        settle(figure)
    return figure
