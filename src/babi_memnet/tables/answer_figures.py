"""Pictures of answers: where the errors are, and which answer is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from babi_memnet.looking.answers import BINS, POOLED, Confusion, Record
from babi_memnet.tables.numbers import rounded
from babi_memnet.tables.style import COLOURS, GREY, STYLE
from babi_memnet.tasks import as_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_ANSWER = 24
_DARK = 60
"""Percent above which a tile of the colour map Blues needs white ink."""


def error_figure(records: Sequence[Record]) -> Figure:
    """The error by number of supporting facts and by length of the story; ``records`` are those of one label.

    With several tasks each is a row of tiles, below those that are pooled (see `answers.error_records`).
    """
    tasks = list(dict.fromkeys(record["task"] for record in records if record["task"] != POOLED))
    several = len(tasks) > 1
    bins = {name: _bins(records, name) for name in BINS}
    # a bin takes as much room on the left as on the right
    widths = [len(names) + 0.6 for names in bins.values()]
    size = 1.4 + 0.52 * sum(widths), 2.7 + (0.5 + 0.21 * len(tasks) if several else 0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(size[0], 5.2), size[1]), layout="constrained")
        heights = (1.9, 0.1 + 0.21 * len(tasks)) if several else (1,)
        panels = figure.subplots(
            len(heights), 2, sharex="col", sharey="row", squeeze=False, width_ratios=widths, height_ratios=heights
        )
        for side, (name, names) in enumerate(bins.items()):
            whole = [
                record
                for record in records
                if record["by"] == name and record["task"] == (POOLED if several else tasks[0])
            ]
            _draw_errors(panels[0][side], whole, names)
            if several:
                panels[0][side].set_title(named_tasks(whole[0]["tasks"].split()), loc="left", fontsize=8, color=GREY)
            lowest = panels[-1][side]
            if several:
                _draw_tasks(lowest, [record for record in records if record["by"] == name], names, tasks)
            counts = {record["bin"]: f"({record['questions']})" for record in whole}
            if several:
                # the tiles have the names of the bins below them, and other counts
                for part, count in counts.items():
                    below = panels[0][side].get_xaxis_transform()
                    panels[0][side].text(
                        names.index(part), -0.04, count, transform=below, ha="center", va="top", fontsize=7, color=GREY
                    )
            lowest.set_xticks(range(len(names)), names if several else [f"{part}\n{counts[part]}" for part in names])
            lowest.set_xlim(-0.6, len(names) - 0.4)
        shown = [record for record in records if several == (record["task"] == POOLED)]
        highest = max(1.0, *(max(record["high"], record["worst"]) for record in shown))
        panels[0][0].set_ylim(-0.03 * highest, 1.05 * highest)
        panels[0][0].set_ylabel("test error, %")
        panels[-1][0].set_xlabel("supporting facts")
        panels[-1][1].set_xlabel("statements told before the question")
        if several:
            panels[1][0].set_ylabel("task")
        handles, texts = panels[0][0].get_legend_handles_labels()
        figure.suptitle(records[0]["label"] + ("" if several else f", task {tasks[0]}"), x=0.01, ha="left", fontsize=9)
        figure.legend(handles, texts, loc="outside lower right", fontsize=8, ncols=3)
    return figure


def _bins(records: Sequence[Record], name: str) -> list[str]:
    """Those that have questions, in order."""
    there = {record["bin"] for record in records if record["by"] == name}
    return [str(part) for part in BINS[name] if str(part) in there]


def _draw_errors(axes: Axes, records: Sequence[Record], names: Sequence[str]) -> None:
    """The selected restart with its interval; beside it the mean over restarts, from the best to the worst."""
    places = [names.index(record["bin"]) for record in records]
    if records[0]["restarts"] > 1:
        beside = [place + 0.2 for place in places]
        ends = [record["best"] for record in records], [record["worst"] for record in records]
        axes.vlines(beside, *ends, color=GREY, linewidth=1, label="all restarts: mean, best to worst")
        axes.plot(beside, [record["mean"] for record in records], "_", color=GREY, markersize=7)
    error = [record["error_percent"] for record in records]
    below = [record["error_percent"] - record["low"] for record in records]
    above = [record["high"] - record["error_percent"] for record in records]
    axes.errorbar(
        places,
        error,
        # an error of 0 has its lower end at 0, but for the last digit
        yerr=[[max(0.0, value) for value in below], [max(0.0, value) for value in above]],
        fmt="o",
        color=COLOURS[0],
        markersize=4.5,
        capsize=2.5,
        linewidth=1.2,
        label="selected restart, 95 % interval (questions)",
    )


def _draw_tasks(axes: Axes, records: Sequence[Record], names: Sequence[str], tasks: Sequence[int]) -> None:
    """The error of every task and bin as tiles; white where there are no questions."""
    values = [[float("nan")] * len(names) for _ in tasks]
    for record in records:
        if record["task"] != POOLED:
            values[tasks.index(record["task"])][names.index(record["bin"])] = record["error_percent"]
    axes.grid(False)
    axes.imshow(values, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            if value == value:
                ink = "white" if value > _DARK else "black"
                axes.text(column, row, rounded(value, 0), ha="center", va="center", color=ink, fontsize=7.5)
    axes.set_yticks(range(len(tasks)), [str(task) for task in tasks])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def confusion_figure(matrix: Confusion, title: str) -> Figure:
    """Right answers down and given ones across, in percent of the questions with that right answer.

    Tiles of answers that are right have a frame.
    """
    totals = matrix.counts.sum(axis=1)
    percent = 100 * matrix.counts / totals[:, None]
    rows, columns = len(matrix.rows), len(matrix.columns)
    names = [_cut(name) for name in matrix.columns]
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        size = 1.9 + 0.36 * columns, 1.5 + 0.27 * rows
        figure = Figure(figsize=(max(size[0], 4.2), max(size[1], 2.7)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for row in range(rows):
            for column in range(columns):
                value, count = percent[row, column], matrix.counts[row, column]
                if count:
                    text = rounded(value, 0) if value >= 0.5 else "<1"
                    ink = "white" if value > _DARK else "black"
                    axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=7.5)
            if row < columns and matrix.rows[row] == matrix.columns[row]:
                axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=GREY, linewidth=0.8))
        axes.set_yticks(range(rows), [f"{_cut(n)} ({total})" for n, total in zip(matrix.rows, totals, strict=True)])
        axes.set_xticks(range(columns), names, rotation=40, ha="right", rotation_mode="anchor")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="given answer, % of the row (framed: right)", ylabel="right answer (questions)")
        figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    return figure


def named_tasks(tasks: Sequence[object]) -> str:
    """``task 1``, ``tasks 1, 2, 3``; ``tasks 1 to 20`` for many without gaps."""
    names = [str(task) for task in tasks]
    numbers = [task for task in map(as_task, names) if isinstance(task, int)]
    if len(names) == 1:
        return f"task {names[0]}"
    if len(names) == len(numbers) > 3 and len(numbers) == max(numbers) - min(numbers) + 1:
        return f"tasks {min(numbers)} to {max(numbers)}"
    return f"tasks {', '.join(names)}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_ANSWER else f"{name[: _LONGEST_ANSWER - 1]}…"
