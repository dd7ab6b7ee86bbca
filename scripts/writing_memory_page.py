"""Bring the tables of measurements in docs/writing-memory.md, and the picture of one, up to date.

    python -m scripts.writing_memory_page [data=REPORT] [attention=REPORT]

With the folder of a `babi-report` over the runs of `+sweep=writing_memory_data`, or of one with `inspect=true` over two
columns, what is shown of it is first taken into results/, rounded and without the places of the runs. Tables and
picture are drawn from what is kept there.
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
from babi_memnet.tables.run_report import INSPECTION
from babi_memnet.tables.sheet import Sheet, to_markdown
from babi_memnet.tables.style import COLOURS, STYLE, rendered
from scripts.attention_page import ROOT, short, show, write_records

DATA = ROOT / "results" / "data" / "writing_memory.json"
ATTENTION = ROOT / "results" / "attention" / "writing_memory.json"
PAGE = ROOT / "docs" / "writing-memory.md"
PICTURE = ROOT / "docs" / "images" / "writing_memory_data.png"
NETWORKS = {
    "ours_1k/writing_memory_inferred": "writing memory, inferred symmetry",
    "ours_1k/writing_memory": "writing memory",
    "memn2n_1k/pe_ls_rn": "MemN2N PE LS RN",
}
"""Experiments, and what the page calls them."""
ATTENDING = {"memn2n_1k/pe_ls_rn": "MemN2N PE LS RN", "ours_1k/writing_memory_inferred": "writing memory"}
_FIELDS = ("experiment", "task", "restarts", "test_error_percent", "mean", "best", "worst")


def kept_data(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
        panels[0].set_ylim(bottom=-1)
        panels[0].set_ylabel("test error, %")
        figure.supxlabel("training questions", fontsize=9)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(NETWORKS))
    return figure


def kept_attention(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is kept of the attention of an inspection: of the selected restart of each run."""
    names = ("experiment", "task", "error_percent", "found", "complete")
    return [{name: short(one[name]) for name in names} for one in records if one["selected"]]


def attention_sheet(records: Sequence[Mapping[str, Any]]) -> Sheet:
    """A row for each task: error, and in how many questions all supporting facts are weighed above all others."""
    found = {(one["task"], one["experiment"]): one for one in records}
    header = ["task"]
    for label in ATTENDING.values():
        header += [f"{label}: error", "all facts found"]
    rows = []
    for task in sorted({task for task, _ in found}):
        cells = [found[task, network] for network in ATTENDING]
        rows.append((str(task), *(rounded(one[name]) for one in cells for name in ("error_percent", "complete"))))
    return Sheet("", tuple(header), tuple(rows))


def main() -> None:
    reports = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    if len(reports) < len(sys.argv) - 1 or reports.keys() - {"data", "attention"}:
        sys.exit(str(__doc__))
    if "data" in reports:
        write_records(kept_data(json.loads((Path(reports["data"]) / "runs.json").read_text())), DATA)
    if "attention" in reports:
        records = json.loads((Path(reports["attention"]) / INSPECTION / "attention.json").read_text())
        write_records(kept_attention(records), ATTENTION)
    data, attention = (json.loads(kept.read_text()) for kept in (DATA, ATTENTION))
    show(to_markdown(data_sheet(data)), PAGE, "data table")
    show(to_markdown(attention_sheet(attention)), PAGE, "attention table")
    PICTURE.write_bytes(rendered(data_figure(data), "png"))


if __name__ == "__main__":
    main()
