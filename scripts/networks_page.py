"""Bring what has been measured in docs/networks.md, and its picture, up to date.

    python -m scripts.networks_page [TABLE_JSON COMMAND MACHINE SECONDS]

With arguments, a reproduced table is first taken into results/networks/, as scripts/results_page.py does with those of
docs/results.md. Table and picture are drawn from what is kept there, and beside it from MemN2N and our own network.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.papers.comparison import failed
from babi_memnet.tables.numbers import NO_DATA, counted, rounded
from babi_memnet.tables.sheet import MARKS
from babi_memnet.tables.style import STYLE, rendered, settle
from scripts.results_page import ROOT, take_in

KEPT = ROOT / "results" / "networks"
PAGE = ROOT / "docs" / "networks.md"
PICTURE = ROOT / "docs" / "images" / "networks.png"
MEASURED = re.compile(r"(<!-- measured -->\n).*?(<!-- end of measured -->)", flags=re.DOTALL)

FAMILIES = {
    "weston_2015/ngram": "n-grams",
    "weston_2015/lstm": "LSTM",
    "entnet_1k/entnet_1k": "EntNet",
    "qrn/qrn_2r_1k": "QRN 2r",
    "memn2n_1k/pe_ls_rn": "MemN2N PE LS RN",
    "gmemn2n_1k/gmemn2n_1k": "gated MemN2N",
    "weston_2015/memnn_am": "MemNN AM, facts given",
    "weston_2015/memnn_am_ng_nl": "MemNN AM NG NL, same",
    "ours_1k/writing_memory_inferred": "writing memory",
}
"""The columns that are shown, in this order, and their names in the picture."""

_DARK = 60


def families() -> dict[str, Mapping[str, Any]]:
    """The columns that have been measured, by their name with the table."""
    kept = [*KEPT.glob("*.json"), *(ROOT / "results" / f"{name}.json" for name in ("memn2n_1k", "ours_1k"))]
    tables = [json.loads(path.read_text()) for path in sorted(kept)]
    found = {f"{table['id']}/{column['id']}": column for table in tables for column in table["columns"]}
    return {name: found[name] for name in FAMILIES if name in found}


def measured(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """Two Markdown tables: one row a network, and the error of every task."""
    header = ["column", "selected: mean", "failed", "published: mean", "failed", "margin", "verdict"]
    header += ["one restart a task: mean ±", "parameters", "minutes of training"]
    rows = [header, ["---", *["---:"] * 5, "---", *["---:"] * 3]]
    for name, column in columns.items():
        published = column["published"] or {"mean": None, "failed": None}
        verdict = f"{MARKS[column['verdict']]} {column['verdict']}" if column["verdict"] else ""
        theirs = [rounded(published["mean"], missing=NO_DATA), counted(published["failed"], missing=NO_DATA)]
        ours = [f"{column['mean']:.1f}", str(column["failed"])]
        rest = [_one_restart(column), _parameters(column), f"{column['seconds'] / 60:.0f}"]
        rows.append([f"`{name}`", *ours, *theirs, rounded(column["margin"], missing=NO_DATA), verdict, *rest])
    tasks = [["task", *(FAMILIES[name] for name in columns)], ["---:"] * (1 + len(columns))]
    for task in range(1, 21):
        errors = [f"{column['cells'][str(task)]['error_percent']:.1f}" for column in columns.values()]
        tasks.append([str(task), *errors])
    lacking = ", ".join(f"`{name}`" for name in FAMILIES if name not in columns)
    parts = ["\n".join(f"| {' | '.join(row)} |" for row in part) for part in (rows, tasks)]
    return "\n\n".join([*parts, *([f"Not measured yet: {lacking}."] if lacking else [])]) + "\n"


def _one_restart(column: Mapping[str, Any]) -> str:
    """Mean over the tasks where restart k is taken of each, as mean and deviation over k."""
    errors = [cell["restart_errors"]["test"] for cell in column["cells"].values()]
    means = [fmean(of_restart) for of_restart in zip(*errors, strict=True)]
    return f"{fmean(means):.1f} ± {stdev(means):.1f} ({len(means)})" if len(means) > 1 else f"{means[0]:.1f} (1)"


def _parameters(column: Mapping[str, Any]) -> str:
    counts = [cell["parameters"] for cell in column["cells"].values() if cell.get("parameters") is not None]
    if not counts:  # records of an earlier version
        return NO_DATA
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def picture(columns: Mapping[str, Mapping[str, Any]]) -> Figure:
    """The error of every task, a row of tiles for each network; failed tasks in bold."""
    names = [FAMILIES[name] for name in columns]
    errors = [[column["cells"][str(task)]["error_percent"] for task in range(1, 21)] for column in columns.values()]
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(9.2, 0.9 + 0.3 * len(names)), layout="constrained")
        axes = figure.subplots()
        axes.imshow(errors, cmap="Blues", vmin=0, vmax=100, aspect="auto")
        for row, of_tasks in enumerate(errors):
            _write_row(axes, row, of_tasks)
        axes.set_xticks(range(20), [str(task) for task in range(1, 21)])
        means = [f"{name}  {column['mean']:.1f}" for name, column in zip(names, columns.values(), strict=True)]
        axes.set_yticks(range(len(names)), means)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title("test error % by task, of the restart that each selects; bold: failed, above 5; left: the mean")
        settle(figure)
    return figure


def _write_row(axes: Any, row: int, errors: Sequence[float]) -> None:
    for place, error in enumerate(errors):
        ink, weight = "white" if error > _DARK else "0.1", "bold" if failed(error) else "normal"
        axes.text(place, row, f"{error:.1f}", ha="center", va="center", fontsize=7.5, color=ink, weight=weight)


def main() -> None:
    if len(sys.argv) == 5:
        take_in(KEPT, *sys.argv[1:])
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    columns = families()
    PAGE.write_text(MEASURED.sub(lambda found: f"{found[1]}{measured(columns)}{found[2]}", PAGE.read_text()))
    PICTURE.write_bytes(rendered(picture(columns), "png"))


if __name__ == "__main__":
    main()
