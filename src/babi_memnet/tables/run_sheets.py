"""Rows of runs as tables: the tidy one with everything in it, and sheets to read, of the rows and of a pivot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import fmean, median
from typing import Any

from babi_memnet.papers.comparison import failed
from babi_memnet.runs.collection import Row, as_text, shown, varying
from babi_memnet.runs.environment import unlike_versions
from babi_memnet.tables.numbers import interval, mean_and_deviation, rounded, signed
from babi_memnet.tables.pivot import VALUES, Pivot, of_run, sample_variance
from babi_memnet.tables.sheet import MARKS, Sheet

_MOST_NAMED = 5
_BETWEEN = 3


def tidy(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One record per row, all with the same names in the same order; None where a row has no such thing.

    First what the run is (with every key of the configuration that differs between the rows), then its errors over the
    restarts, the published error and how they compare. Of an unfinished run only the first part is known.
    """
    differing = [key for key in varying(rows) if key not in ("task", "experiment")]
    return [_record(row, differing) for row in rows]


def _record(row: Row, differing: Sequence[str]) -> dict[str, Any]:
    keys, test, place = row.keys, row.test, row.selected
    published = row.published or {}
    return {
        "experiment": keys["experiment"],
        "task": as_text(keys["task"]),
        **{key: keys.get(key) for key in differing},
        "signature": keys["signature"],
        "state": keys["state"],
        "restarts": len(test) or None,
        "test_error_percent": test[place] if test else None,
        "mean": fmean(test) if test else None,
        "standard_deviation": sqrt(sample_variance(test)) if len(test) > 1 else None,
        "median": median(test) if test else None,
        "best": min(test) if test else None,
        "worst": max(test) if test else None,
        "train_error_percent": row.train[place] if test else None,
        "validation_error_percent": row.validation[place] if test else None,
        "failed": failed(test[place]) if test else None,
        "published_error_percent": of_run(row, "published"),
        "difference": of_run(row, "difference"),
        "margin": of_run(row, "margin"),
        "verdict": published.get("verdict"),
        "column": published.get("column"),
        "seconds": row.seconds,
        "error": row.error,
        "run": keys["run"],
    }


def cell_records(pivot: Pivot) -> list[dict[str, Any]]:
    """One record per cell of the pivot, unrounded: its keys, then its numbers."""
    records = []
    for row in pivot.row_values:
        for column in pivot.column_values:
            if cell := pivot.cell(row, column):
                low, high = cell.interval or (None, None)
                across = {pivot.columns: column} if pivot.columns else {}
                numbers = {name: getattr(cell, name) for name in _NUMBERS}
                records.append({pivot.rows: row, **across, "value": pivot.value, **numbers, "low": low, "high": high})
    return records


_NUMBERS = ("mean", "standard_deviation", "median", "best", "worst", "selected", "restarts", "experiments")


def row_sheet(rows: Sequence[Row], title: str, most: int | None = None) -> Sheet:
    """The rows to read: what differs, the errors, the published one. ``most`` cuts it after as many rows."""
    records = tidy(rows[:most])
    differing = [key for key in varying(rows) if key not in ("task", "experiment")]
    columns: list[tuple[str, list[str]]] = [
        (name, [_plain(record.get(name)) for record in records]) for name in ("experiment", "task", *differing, "state")
    ]
    columns += [
        ("restarts", [_plain(record["restarts"]) for record in records]),
        ("selected", [rounded(record["test_error_percent"]) for record in records]),
        ("mean ± sd", [mean_and_deviation(record["mean"], record["standard_deviation"]) for record in records]),
        ("median", [rounded(record["median"]) for record in records]),
        ("best", [rounded(record["best"]) for record in records]),
        ("published", [rounded(record["published_error_percent"]) for record in records]),
        ("difference", [signed(record["difference"]) for record in records]),
        ("verdict", [f"{MARKS[verdict]} {verdict}" if (verdict := record["verdict"]) else "" for record in records]),
        ("seconds", [rounded(record["seconds"]) for record in records]),
    ]
    # a column that says nothing is left out, and so is the state where all is well
    columns = [(name, cells) for name, cells in columns if any(cells) and (name != "state" or set(cells) != {"done"})]
    notes = ["test errors in percent: of the selected restart, and over all restarts"]
    if len(records) < len(rows):
        notes.append(f"{len(rows) - len(records)} more rows are in the files")
    header = tuple(name for name, _ in columns)
    cells = tuple(zip(*(cells for _, cells in columns), strict=True))
    return Sheet(title, header, cells, notes=(*notes, *_of_all(rows)))


def pivot_sheets(pivot: Pivot, rows: Sequence[Row], title: str, width: int | None = None) -> list[Sheet]:
    """The pivot as one table or, with ``width``, as many as it takes to stay within so many characters, if one can.

    Under each value of the key across stand the mean with its deviation and, where there is one, the selected value.
    ``rows`` are all rows: those that are not done are told below.
    """
    sides = [shown(pivot.rows, value) for value in pivot.row_values]
    groups = [_group(pivot, value) for value in pivot.column_values]
    room = None if width is None else width - max(map(len, (pivot.rows, *sides))) - _BETWEEN
    notes = (_legend(pivot), *pivot.notes, *_of_all(rows))
    sheets = []
    for some in _packed(groups, room):
        header = (pivot.rows, *(name for group in some for name, _ in group))
        cells = zip(sides, *(column for group in some for _, column in group), strict=True)
        sheets.append(Sheet(title, header, tuple(cells), notes=notes))
    return sheets


def _of_all(rows: Sequence[Row]) -> list[str]:
    """What a reader has to know of all rows, whatever is shown of them."""
    versions = {row.keys["run"]: row.versions for row in rows if row.is_done}
    return [*unlike_versions(versions.values()), *open_runs(rows)]


def open_runs(rows: Iterable[Row]) -> list[str]:
    """A line on the runs that are not done and stand in no mean, and one for each of the first of them."""
    waiting = {row.keys["run"]: row for row in rows if not row.is_done}
    if not waiting:
        return []
    states = Counter(row.keys["state"] for row in waiting.values())
    lines = [f"not done, and in no mean: {', '.join(f'{count} {state}' for state, count in sorted(states.items()))}"]
    for run, row in list(waiting.items())[:_MOST_NAMED]:
        lines.append(f"  {row.keys['state']}: {run}{f': {row.error}' if row.error else ''}")
    if len(waiting) > _MOST_NAMED:
        lines.append(f"  and {len(waiting) - _MOST_NAMED} more")
    return lines


_Group = list[tuple[str, list[str]]]
"""What stands under one value of the key across: header and cells, column by column."""


def _group(pivot: Pivot, column: Any) -> _Group:
    above, beside = (f"{shown(pivot.columns, column)}\n", "\n") if pivot.columns else ("", "")
    cells = [pivot.cell(row, column) for row in pivot.row_values]
    group = [
        (
            f"{above}mean ± sd",
            [mean_and_deviation(cell.mean, cell.standard_deviation) if cell else "" for cell in cells],
        )
    ]
    if any(cell and cell.selected is not None for cell in cells):
        group.append((f"{beside}selected", [rounded(cell.selected) if cell else "" for cell in cells]))
    if not pivot.columns:
        group += [
            (name, [rounded(getattr(cell, name)) if cell else "" for cell in cells]) for name in ("median", "best")
        ]
        group.append(("95 % interval", [interval(cell.interval) if cell else "" for cell in cells]))
    return group


def _packed(groups: Sequence[_Group], room: int | None) -> list[list[_Group]]:
    """The groups, as many together as fit into ``room`` characters."""
    packed: list[list[_Group]] = []
    left = 0
    for group in groups:
        needed = sum(
            max(len(line) for text in (name, *cells) for line in text.split("\n")) + _BETWEEN for name, cells in group
        )
        if not packed or (room is not None and needed > left):
            packed.append([])
            left = room or 0
        packed[-1].append(group)
        left -= needed
    return packed


def _legend(pivot: Pivot) -> str:
    per_cent = ", in percent" if pivot.value.endswith("_percent") else ""
    across = f", by {pivot.columns} across" if pivot.columns else ""
    chosen = ""
    if pivot.value.endswith("_percent"):
        chosen = " over restarts; selected: of the restart that is reported"
    return f"{VALUES[pivot.value]}{per_cent}{across}: mean ± standard deviation{chosen}"


def _plain(value: Any) -> str:
    return "" if value is None else as_text(value)
