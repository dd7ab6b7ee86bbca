"""The picture of when networks answered that decide so themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.looking.answers import Record
from babi_memnet.tables.style import COLOURS, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def stopping_figure(hops: Sequence[Record], allowed: Sequence[Record]) -> Figure:
    """Steps taken by supporting facts, and the error with fewer allowed, of the tasks of one label."""
    tasks = list(dict.fromkeys(record["task"] for record in hops))
    bins = list(dict.fromkeys(record["facts"] for record in sorted(hops, key=lambda record: record["facts"])))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 3), layout="constrained")
        left, right = figure.subplots(1, 2)
        for place, task in enumerate(tasks):
            colour = COLOURS[place % len(COLOURS)]
            aside = 0.5 * (place - (len(tasks) - 1) / 2) / len(tasks)
            of_facts, within = ([record for record in records if record["task"] == task] for records in (hops, allowed))
            _draw(left, [bins.index(record["facts"]) + aside for record in of_facts], of_facts, colour, "")
            _draw(right, [record["allowed"] + 0.3 * aside for record in within], within, colour, f"task {task}", "-")
        left.set_xticks(range(len(bins)), bins)
        left.set(xlabel="supporting facts of the question", ylabel=f"steps taken, of {hops[0]['steps']}")
        left.set_ylim(0, hops[0]["steps"] + 0.2)
        right.set_xticks(sorted({record["allowed"] for record in allowed}))
        right.set(xlabel="steps allowed", ylabel="test error, %")
        right.set_ylim(bottom=0)
        figure.suptitle(hops[0]["label"], x=0.01, ha="left", fontsize=9)
        figure.legend(loc="outside lower right", fontsize=8, ncols=6)
        restarts = hops[0]["restarts"]
        figure.supxlabel(f"mean of {restarts} restarts, 95 % interval", fontsize=8, x=0.01, ha="left")
    return figure


def _draw(
    axes: Axes, places: Sequence[float], records: Sequence[Record], colour: str, label: str, line: str = "none"
) -> None:
    means = [record["mean"] for record in records]
    half = [0.0 if record["low"] is None else record["mean"] - record["low"] for record in records]
    axes.errorbar(
        places, means, yerr=half, fmt="o", linestyle=line, color=colour, markersize=4, capsize=2.5, label=label or None
    )
