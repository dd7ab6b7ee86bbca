"""The folder of a reproduced table: every view of it, drawn from its JSON alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from babi_memnet.folders import alone_in
from babi_memnet.runs.files import write_atomically, write_json
from babi_memnet.tables.beside_sheets import beside_tables
from babi_memnet.tables.formats import to_csv, to_latex
from babi_memnet.tables.sheet import column_table, compact_table, to_markdown
from babi_memnet.tables.up_to_date import is_up_to_date
from babi_memnet.tracking.protocol import TrackedReport


def write_table(directory: Path, table: Mapping[str, Any], curves: Mapping[str, Any]) -> list[Path]:
    """Write table.json and curves.json and all views of them into ``directory``; the files, in order.

    table.md, table.tex (booktabs), table.csv (tidy, unrounded), table.html (self-contained) and figures as PNG and PDF.
    A folder that shows all this already is left as it is, since drawing takes seconds. Who draws into the same folder
    waits.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with alone_in(directory):
        return _write(directory, table, curves)


def _write(directory: Path, table: Mapping[str, Any], curves: Mapping[str, Any]) -> list[Path]:
    table_file, curves_file, *views = files = [directory / file for file in ("table.json", "curves.json", *_VIEWS)]
    if is_up_to_date(table_file, table, curves_file, curves, views):
        return files
    # matplotlib takes longer to load than all of this takes to write
    from babi_memnet.tables.inline_svg import inline_svg
    from babi_memnet.tables.style import rendered
    from babi_memnet.tables.table_figures import against_published, learning_curves, restart_spread
    from babi_memnet.tables.table_page import PageFigure, table_page

    columns, name, notes = table["columns"], table["id"], table["notes"]
    drawn = {
        "against_published": against_published(columns),
        "restart_spread": restart_spread(columns),
        "learning_curves": learning_curves(columns, curves),
    }
    (directory / "figures").mkdir(parents=True, exist_ok=True)
    beside = beside_tables(table, _PAPER_WIDTH)
    markdown = [column_table(columns, name, notes), *beside]
    latex = [compact_table(columns, name, notes), *beside]
    page = table_page(table, [PageFigure(*_SAID[stem], inline_svg(figure, stem)) for stem, figure in drawn.items()])
    contents = {
        "table.md": "\n".join(map(to_markdown, markdown)).encode(),
        "table.tex": "\n".join(map(to_latex, latex)).encode(),
        "table.csv": to_csv(tidy_cells(table)).encode(),
        "table.html": page.encode(),
        **{f"figures/{stem}.png": rendered(figure, "png") for stem, figure in drawn.items()},
        **{f"figures/{stem}.pdf": rendered(figure, "pdf") for stem, figure in drawn.items()},
    }
    for file in _VIEWS:
        write_atomically(directory / file, contents[file])
    write_json(curves_file, curves)
    write_json(table_file, table)  # the last, so that no view is newer
    return files


_FIGURES = ("against_published", "restart_spread", "learning_curves")
_VIEWS = (
    "table.md",
    "table.tex",
    "table.csv",
    "table.html",
    *(f"figures/{stem}.png" for stem in _FIGURES),
    *(f"figures/{stem}.pdf" for stem in _FIGURES),
)
_PAPER_WIDTH = 100

_SAID = {
    "against_published": (
        "Published and ours",
        "Test error of every task: ours with the 95 % interval of its test questions, and published.",
    ),
    "restart_spread": ("All restarts", "Test error of every restart, of the selected one, and the published error."),
    "learning_curves": (
        "Learning curves",
        "Error of the median restart by epoch, averaged over the tasks of a column; the band of a joint column is from "
        "its best to its worst restart.",
    ),
}
"""Heading and caption of every figure of the page."""


def table_for_tracker(table: Mapping[str, Any], folder: Path, files: Sequence[Path]) -> TrackedReport:
    """What a tracker shows of the table whose ``files`` were written into ``folder``."""
    summary: dict[str, float | int | str] = {}
    for column in table["columns"]:
        for name in ("mean", "failed", "difference", "chance", "verdict"):
            if column[name] is not None:
                summary[f"{column['id']}/{name}"] = column[name]
    records = tidy_cells(table)
    rows = [list(record.values()) for record in records]
    pictures = {f"figures/{path.stem}": path for path in files if path.suffix == ".png"}
    return TrackedReport(summary, {"table": (list(records[0]), rows)}, pictures, files, folder)


def tidy_cells(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One record per column and task, unrounded; and one per column with task ``mean``."""
    records = []
    for column in table["columns"]:
        for task, cell in column["cells"].items():
            over = cell["over_restarts"]
            low, high = cell["interval"]
            record = {"table": table["id"], "column": column["id"], "task": task}
            record |= {name: cell[name] for name in _NUMBERS} | {"low": low, "high": high}
            record |= {f"restarts_{name}": over[name] for name in _OVER_RESTARTS}
            records.append(record | {"run": cell["run"]})
        published = column["published"] or {"mean": None}
        whole = {**column, "error_percent": column["mean"], "published": published["mean"]}
        record = dict.fromkeys(records[-1])
        record |= {"table": table["id"], "column": column["id"], "task": "mean"}
        records.append(record | {name: whole.get(name) for name in _NUMBERS})
    return records


_NUMBERS = ("error_percent", "published", "difference", "margin_questions", "margin", "chance", "explained_by",
            "verdict", "spread", "questions", "restarts")  # fmt: skip
_OVER_RESTARTS = ("mean", "standard_deviation", "median", "best", "worst", "failed")
