"""Bring the table and the picture of docs/writing-memory.md, errors by the number of training questions, up to date.

    python -m scripts.data_page [REPORT]

With the folder of a `babi-report` over the runs of `+sweep=writing_memory_data`, its rows are first taken into
results/writing_memory/, rounded and without their places. Table and picture are drawn from what is kept there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.runs.collection import as_number
from babi_memnet.tables.numbers import rounded
from babi_memnet.tables.sheet import Sheet, to_markdown
from babi_memnet.tables.style import COLOURS, STYLE, rendered
from scripts.attention_page import ROOT, short, show, write_records

KEPT = ROOT / "results" / "writing_memory" / "data.json"
PAGE = ROOT / "docs" / "writing-memory.md"
PICTURE = ROOT / "docs" / "images" / "writing_memory_data.png"
NETWORKS = {
    "ours_1k/writing_memory_inferred": "writing memory, inferred symmetry",
    "ours_1k/writing_memory": "writing memory",
    "memn2n_1k/pe_ls_rn": "MemN2N PE LS RN",
}
"""Experiments, and what the page calls them."""
_FIELDS = ("experiment", "task", "restarts", "test_error_percent", "mean", "best", "worst")


def kept(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is kept of the tidy rows of a report, the number of training questions as a number."""
    return [
        {"questions": int(as_number(row["data.size"]) or 0), **{name: short(row[name]) for name in _FIELDS}}
        for row in rows
        if row["state"] == "done"
    ]


def data_sheet(records: Sequence[Mapping[str, Any]]) -> Sheet:
    """A row for each task and number of questions: the mean error of each network, and its best and worst restart."""
    found = {(int(one["task"]), one["questions"], one["experiment"]): one for one in records}
    rows = []
    for task, questions in sorted({key[:2] for key in found}):
        cells = [found.get((task, questions, network)) for network in NETWORKS]
        shown = [
            f"{rounded(one['mean'])} ({rounded(one['best'])} to {rounded(one['worst'])})" if one else ""
            for one in cells
        ]
        rows.append((str(task), f"{questions:,}", *shown))
    return Sheet("", ("task", "questions", *NETWORKS.values()), tuple(rows))


def data_figure(records: Sequence[Mapping[str, Any]]) -> Figure:
    """For each task the mean error of each network by the number of questions; bars go from best to worst restart."""
    tasks = sorted({int(one["task"]) for one in records})
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.2 + 1.75 * len(tasks), 3.0), layout="constrained")
        panels = list(figure.subplots(1, len(tasks), sharey=True, squeeze=False).flat)
        for task, axes in zip(tasks, panels, strict=True):
            for place, (network, label) in enumerate(NETWORKS.items()):
                line = sorted(
                    (one for one in records if (int(one["task"]), one["experiment"]) == (task, network)),
                    key=lambda one: one["questions"],
                )
                means = [one["mean"] for one in line]
                spread = [
                    [one["mean"] - one["best"] for one in line],
                    [one["worst"] - one["mean"] for one in line],
                ]
                shift = 1.06 ** (place - 1)  # so that bars do not hide each other
                axes.errorbar(
                    [one["questions"] * shift for one in line], means, spread, color=COLOURS[place],
                    marker="os^"[place], markersize=4, linewidth=1.2, elinewidth=0.8, label=label,
                )  # fmt: skip
            axes.set_xscale("log")
            ticks = sorted({one["questions"] for one in records})
            axes.set_xticks(ticks, [f"{tick // 1000}k" if tick >= 1000 else str(tick) for tick in ticks])
            axes.minorticks_off()
            axes.axhline(5, color="0.6", linewidth=0.8, linestyle=":")
            axes.set_title(f"task {task}", loc="left")
            axes.set_ylim(bottom=-1)
        panels[0].set_ylabel("test error, %")
        figure.supxlabel("training questions", fontsize=9)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(NETWORKS))
    return figure


def main() -> None:
    if len(sys.argv) == 2:
        write_records(kept(json.loads((Path(sys.argv[1]) / "runs.json").read_text())), KEPT)
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    records = json.loads(KEPT.read_text())
    show(to_markdown(data_sheet(records)), PAGE)
    PICTURE.write_bytes(rendered(data_figure(records), "png"))


if __name__ == "__main__":
    main()
