"""The folder of a report: every table of it in every form, and its figures."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from babi_memnet.folders import alone_in
from babi_memnet.runs.collection import Row
from babi_memnet.runs.files import write_atomically
from babi_memnet.tables.formats import to_columns, to_csv, to_latex
from babi_memnet.tables.pivot import Pivot
from babi_memnet.tables.run_sheets import cell_records, pivot_sheets, row_sheet, tidy
from babi_memnet.tables.sheet import to_markdown
from babi_memnet.tables.style import rendered

log = logging.getLogger(__name__)

INSPECTION = "inspect"
"""The folder, below that of a report, of what `inspection_report` writes."""
MANIFEST = "files.json"
"""What it wrote."""

_FIGURES = ("lines", "heat_map")
PREDICTIONS = ("predictions.csv", "predictions.parquet", "agreement.csv", "agreement.json", "agreement.md")
"""What `predictions_report` writes beside the report."""

_CELLS = ("cells.csv", "cells.parquet", "cells.json")
_INSPECTED = re.compile(r"files\.json|(figures/)?(attention|errors|confusion|words)[^/]*\.(json|csv|md|png|pdf)")


def write_run_report(
    directory: Path, rows: Sequence[Row], pivot: Pivot | None, title: str, figures: bool
) -> list[Path]:
    """Write the report of ``rows`` into ``directory``; what was written, in order.

    ``runs.*`` is the tidy table of all rows and ``cells.*`` the cells of the pivot, unrounded, as CSV, Parquet and
    JSON. ``table.md`` and ``table.tex`` are the pivot to read, or the rows without one; ``figures/`` draws the pivot.
    What an earlier report left there and this one does not have is removed, and its inspection.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with alone_in(directory):
        return _write(directory, rows, pivot, title, figures)


def _write(directory: Path, rows: Sequence[Row], pivot: Pivot | None, title: str, figures: bool) -> list[Path]:
    written = write_records(directory / "runs", tidy(rows))
    written += write_records(directory / "cells", cell_records(pivot)) if pivot else []
    sheet = pivot_sheets(pivot, rows, title)[0] if pivot else row_sheet(rows, title)
    for name, text in (("table.md", to_markdown(sheet)), ("table.tex", to_latex(sheet))):
        write_atomically(directory / name, text.encode())
        written.append(directory / name)
    if pivot and figures:
        written += _draw(directory / "figures", pivot)
    drawn = [directory / "figures" / f"{name}.{form}" for name in _FIGURES for form in ("png", "pdf")]
    for path in [*drawn, *(directory / name for name in (*_CELLS, *PREDICTIONS))]:
        if path not in written:
            path.unlink(missing_ok=True)
    _remove_inspection(directory / INSPECTION)
    return written


def _remove_inspection(directory: Path) -> None:
    """Remove the files that an earlier inspection says it wrote, and no others."""
    try:
        listed = json.loads((directory / MANIFEST).read_bytes())["written"]
        names = [name for name in listed if _INSPECTED.fullmatch(name)]
    except (OSError, ValueError, KeyError, TypeError):  # none, or not ours
        return
    for name in names:
        (directory / name).unlink(missing_ok=True)


def _draw(folder: Path, pivot: Pivot) -> list[Path]:
    # matplotlib takes longer to load than a small report takes to write
    from babi_memnet.tables.run_figures import MOST_SERIES, heat_map, line_figure

    folder.mkdir(exist_ok=True)
    figures = {"lines": line_figure(pivot), "heat_map": heat_map(pivot)}
    if figures["lines"] is None:
        log.info("no figure of lines: there would be more than %d of them", MOST_SERIES)
    written = []
    for name, figure in figures.items():
        if figure is None:
            continue
        for form in ("png", "pdf"):
            write_atomically(folder / f"{name}.{form}", rendered(figure, form))
            written.append(folder / f"{name}.{form}")
    return written


def write_records(
    path: Path, records: Sequence[dict[str, Any]], forms: Sequence[str] = (".csv", ".parquet", ".json")
) -> list[Path]:
    """The records, all with the same names, as ``path`` in these forms."""
    written = [path.with_suffix(form) for form in forms]
    for file in written:
        write_atomically(file, _FORMS[file.suffix](records))
    return written


def _as_csv(records: Sequence[dict[str, Any]]) -> bytes:
    return to_csv(records).encode()


def _as_json(records: Sequence[dict[str, Any]]) -> bytes:
    return b"[\n" + b",\n".join(map(orjson.dumps, records)) + b"\n]\n"


def _as_parquet(records: Sequence[dict[str, Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    columns = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table(to_columns(records)), columns)
    content: bytes = columns.getvalue().to_pybytes()
    return content


_FORMS = {".csv": _as_csv, ".parquet": _as_parquet, ".json": _as_json}
