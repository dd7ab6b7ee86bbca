"""What a tracker shows of a report of runs, or of a traced story."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from babi_memnet.runs.collection import Row
from babi_memnet.runs.signature import short_digest
from babi_memnet.tables.formats import to_columns
from babi_memnet.tables.pivot import Pivot
from babi_memnet.tables.run_sheets import cell_records, tidy
from babi_memnet.tables.sheet import Sheet
from babi_memnet.tracking.protocol import TrackedReport, TrackedRun

Records = Sequence[Mapping[str, Any]]


def runs_for_tracker(
    rows: Sequence[Row], pivot: Pivot | None, inspected: Mapping[str, Records], folder: Path, files: Sequence[Path]
) -> TrackedReport:
    """A report of ``rows`` whose ``files`` were written into ``folder``; ``inspected`` are more tables by name.

    The summary has how many runs there are and are done, and over the rows of these the mean test error of the selected
    restart, in percent.
    """
    done = [row for row in rows if row.is_done]
    summary: dict[str, float | int | str] = {
        "runs": len({row.keys["run"] for row in rows}),
        "done": len({row.keys["run"] for row in done}),
    }
    if done:
        summary["test_error_percent"] = fmean(row.test[row.selected] for row in done)
    tables = {"cells": cell_records(pivot)} if pivot else {"runs": tidy(rows)}
    named = {name: _table(records) for name, records in {**tables, **inspected}.items() if records}
    return TrackedReport(summary, named, _images(files), files, folder)


def story_for_tracker(sheet: Sheet, known: Mapping[str, Any], folder: Path, files: Sequence[Path]) -> TrackedReport:
    """A traced story: its ``sheet`` as a table, what is ``known`` of it as the summary, such as the answer."""
    names = ["statement", *sheet.header[1:]]
    summary = {name: value for name, value in known.items() if value is not None}
    return TrackedReport(summary, {"story": (names, sheet.rows)}, _images(files), files, folder)


def tracked(rows: Sequence[Row], title: str, asked: Mapping[str, Any], directory: Path) -> TrackedRun:
    """The run of a tracker for a report of ``rows``, written into ``directory``; ``asked`` is what was asked for.

    The id has a digest of the runs, each with its state, and of ``asked``: the same report of the same runs is the same
    run. It belongs to the table of the experiments, where they are of one.
    """
    runs = sorted({(row.keys["signature"], row.keys["state"]) for row in rows})
    digest = short_digest(json.dumps([runs, asked], sort_keys=True))
    experiments = list(dict.fromkeys(row.keys["experiment"] for row in rows))
    groups = {str(experiment).partition("/")[0] if experiment else None for experiment in experiments}
    return TrackedRun(
        run_id=f"report-{digest}",
        name=f"report/{title}"[:_LONGEST_NAME],
        directory=directory,
        config={"report": dict(asked), "runs": sorted({row.keys["signature"] for row in rows})},
        group=groups.pop() if len(groups) == 1 else None,
        job_type="report",
        tags=["report"],
    )


_LONGEST_NAME = 128


def _images(files: Iterable[Path]) -> dict[str, Path]:
    # the folder in the name keeps a picture apart from the table of the same name
    return {f"figures/{path.stem}": path for path in files if path.suffix == ".png"}


def _table(records: Records) -> tuple[list[str], list[list[Any]]]:
    """Names and rows, each column of one kind."""
    columns = to_columns(records)
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]
