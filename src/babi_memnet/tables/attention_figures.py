"""The picture of attention: supporting facts over all tasks."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.looking.answers import Record
from babi_memnet.looking.attention import NULL_MODELS
from babi_memnet.tables.numbers import rounded
from babi_memnet.tables.style import COLOURS, GREY, STYLE

_MARKERS = {"uniform": "x", "recency": "|"}


def support_figure(records: Sequence[Record]) -> Figure | None:
    """For each task of one label the mass on supporting facts by hop, and the facts found, beside null models.

    None when the records are of several labels, or of networks of different hops.
    """
    chosen = {record["task"]: record for record in records if record["selected"]}
    if len(chosen) != sum(bool(record["selected"]) for record in records):
        return None
    hops = {record["hops"] for record in records}
    if len(hops) != 1:
        return None
    tasks = list(chosen)
    null = {name: {r["task"]: r for r in records if r["network"] == name} for name in NULL_MODELS}
    with mpl.rc_context({**STYLE, "axes.grid.axis": "x"}):
        figure = Figure(figsize=(7, 1.4 + 0.24 * len(tasks)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 2))
        masses = [chosen[task]["mass"] for task in tasks]
        left.imshow(masses, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        left.grid(False)
        for place, row in enumerate(masses):
            for hop, mass in enumerate(row):
                colour = "white" if mass > 60 else "black"
                left.text(hop, place, rounded(mass, 0), ha="center", va="center", color=colour, fontsize=8)
        left.set_xticks(range(hops.pop()), [str(hop + 1) for hop in range(len(masses[0]))])
        left.set_yticks(range(len(tasks)), [str(task) for task in tasks])
        left.set(xlabel="hop", ylabel="task", title="weight on supporting facts, %")
        places = range(len(tasks))
        for place, task in enumerate(tasks):
            every = [r["found"] for r in records if r["task"] == task and r["selected"] is not None]
            if every[0] is not None:
                right.plot([min(every), max(every)], [place, place], color=COLOURS[0], linewidth=1, alpha=0.6)
        selected = [chosen[task]["found"] for task in tasks]
        right.plot(selected, places, "o", color=COLOURS[0], markersize=4, label="selected restart")
        for name, marker in _MARKERS.items():
            found = [null[name][task]["found"] for task in tasks]
            right.plot(found, places, marker, color=GREY, markersize=5, label=name)
        right.set(xlim=(-2, 102), title="supporting facts that some hop looks at, %", xlabel="line: all restarts")
        right.tick_params(axis="y", length=0)
        figure.suptitle(records[0]["label"], x=0.01, ha="left", fontsize=9)
        figure.legend(loc="outside lower right", fontsize=8, ncols=3)
    return figure
