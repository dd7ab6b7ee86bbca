"""Results of several folders, or of several machines, in one Parquet file: a row for every run and task.

A file holds all that reports say of runs: every key of the configuration, the errors of every restart, the published
error, versions and machine, but nothing of the networks. Other programs read it as any other Parquet file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.errors import RequestError, kind_and_line, one_line
from babi_memnet.reading import expect_regular
from babi_memnet.runs.collection import NOTHING_KNOWN, Known, Row, collect
from babi_memnet.runs.files import write_atomically

if TYPE_CHECKING:
    import pyarrow

SUFFIX = ".parquet"

FORMAT = b"1"
"""Raised when files are written that what reads this format today would not understand."""

_MARK = b"babi_memnet merged runs"
_PART = b"part"
_LARGEST = 1024
"""MiB that a file may have; a row takes about one KiB."""

_SCALARS = ((bool,), (int,), (int, float), (str,))
"""Kinds of values that a column can have; all others are written as JSON."""


def gather(roots: Iterable[str], known: Known = NOTHING_KNOWN) -> tuple[list[Row], list[str]]:
    """As `collect`, of folders and of files that `write_merged` wrote.

    Raises:
        RequestError: there is no such folder or file, or the file is another one.
    """
    roots = list(roots)
    rows, broken = collect([root for root in roots if not root.endswith(SUFFIX)], known)
    there = {row.keys["run"] for row in rows}
    for root in roots:
        if root.endswith(SUFFIX):
            merged = [row for row in read_merged(Path(root), known) if row.keys["run"] not in there]
            there |= {row.keys["run"] for row in merged}
            rows += merged
    return rows, broken


def newest(sources: Iterable[Sequence[Row]]) -> list[Row]:
    """The rows of several sources with each signature once: of the record that is done, and of these of the newest."""
    records: dict[tuple[int, str, str], list[Row]] = {}
    for source, rows in enumerate(sources):
        for row in rows:
            records.setdefault((source, row.keys["run"], row.keys["signature"]), []).append(row)
    kept: dict[str, list[Row]] = {}
    for (_, _, signature), rows in records.items():
        if signature not in kept or _age(rows[0]) > _age(kept[signature][0]):
            kept[signature] = rows
    return [row for rows in kept.values() for row in rows]


def _age(row: Row) -> tuple[bool, datetime]:
    """Larger for what is done, and for what is newer."""
    when = str(row.machine.get("ended") or row.machine.get("started"))
    try:
        return row.is_done, datetime.fromisoformat(when)
    except ValueError:  # nobody knows
        return row.is_done, datetime.min.replace(tzinfo=UTC)


def write_merged(path: Path, rows: Sequence[Row]) -> None:
    """Write ``rows``, at least one, to a Parquet file."""
    import pyarrow
    from pyarrow import parquet

    columns = [column for part, of in _PARTS.items() for column in _columns(part, [of(row) for row in rows])]
    schema = pyarrow.schema([field for field, _ in columns], metadata={_MARK: FORMAT})
    content = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.table([values for _, values in columns], schema=schema), content)
    write_atomically(path, content.getvalue().to_pybytes())


def read_merged(path: Path, known: Known = NOTHING_KNOWN) -> list[Row]:
    """The rows that `write_merged` wrote to a file.

    Raises:
        RequestError: there is no such file, or it is damaged or another one.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        expect_regular(path, _LARGEST)
        table = parquet.ParquetFile(path).read()
        table.validate(full=True)
    except FileNotFoundError:
        raise RequestError(f"{path}: expected a file of merged runs, found none") from None
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise RequestError(f"{path}: expected a Parquet file of merged runs ({one_line(error)})") from None
    version = (table.schema.metadata or {}).get(_MARK)
    if version != FORMAT:
        what = "another file" if version is None else f"one of format {version.decode(errors='replace')}"
        raise RequestError(f"{path}: expected a Parquet file that babi-report merge= wrote, found {what}")
    try:
        parts = {part: _records(part, table) for part in _PARTS}
        rows = zip(*parts.values(), strict=True)
        return [_row(dict(zip(parts, row, strict=True)), known) for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise RequestError(f"{path}: expected what babi-report merge= wrote ({kind_and_line(fault)})") from None


def _result(row: Row) -> dict[str, Any]:
    return {
        "test_error_percent": row.test[row.selected] if row.test else None,
        "error": row.error,
        "seeds": [seed for seed, _ in row.numbers],
        "restarts": [number for _, number in row.numbers],
        "selected": row.selected,
        "train_errors": list(row.train),
        "validation_errors": list(row.validation),
        "test_errors": list(row.test),
        "seconds": row.seconds,
        "published": None if row.published is None else json.dumps(dict(row.published)),
    }


_PARTS: dict[str, Callable[[Row], Mapping[str, Any]]] = {
    "key": lambda row: row.keys,
    "result": _result,
    "machine": lambda row: row.machine,
    "versions": lambda row: row.versions,
}
"""What a row consists of; the columns of the last two have the name of the part before theirs."""

_PREFIXED = ("machine", "versions")


def _row(parts: Mapping[str, dict[str, Any]], known: Known) -> Row:
    result, keys = parts["result"], parts["key"]
    published = result["published"]
    return Row(
        keys=keys,
        error=result["error"],
        numbers=tuple(zip(result["seeds"], result["restarts"], strict=True)),
        selected=result["selected"],
        train=tuple(result["train_errors"]),
        validation=tuple(result["validation_errors"]),
        test=tuple(result["test_errors"]),
        published=None if published is None else json.loads(published),
        seconds=result["seconds"],
        versions=parts["versions"],
        machine=parts["machine"],
        bookkeeping=known.bookkeeping,
    )


def _columns(part: str, records: Sequence[Mapping[str, Any]]) -> list[tuple[pyarrow.Field, pyarrow.Array]]:
    """The columns of a part, each with what says how it is read back."""
    import pyarrow

    columns = []
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        kinds = {type(value) for value in values if value is not None}
        of_one_kind = part == "result" or any(kinds <= set(scalars) for scalars in _SCALARS)
        if not of_one_kind:
            values = [json.dumps(value) for value in values]
        elif kinds == {int, float}:
            values = [None if value is None else float(value) for value in values]
        array = pyarrow.array(values)
        shown = f"{part}.{name}" if part in _PREFIXED else name
        told = {_PART: part.encode(), b"name": name.encode(), b"form": b"plain" if of_one_kind else b"json"}
        columns.append((pyarrow.field(shown, array.type, metadata=told), array))
    return columns


def _records(part: str, table: pyarrow.Table) -> list[dict[str, Any]]:
    """What `_columns` was given for a part."""
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.metadata and field.metadata.get(_PART) == part.encode():
            values = column.to_pylist()
            is_json = field.metadata[b"form"] == b"json"
            columns[field.metadata[b"name"].decode()] = list(map(json.loads, values)) if is_json else values
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
