"""Merged results are the rows of the records, whoever made them, each run once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from babi_memnet.errors import RequestError
from babi_memnet.runs.collection import Known, Row, collect
from babi_memnet.runs.merging import gather, newest, read_merged, write_merged

KNOWN = Known(bookkeeping=frozenset({"runtime.outputs"}))


def record(
    root: Path, signature: str, host: str, ended: str | None, error: float | None = 10.0, **settings: Any
) -> Path:
    """A run directory; unfinished without an error."""
    directory = root / f"task_01-{signature}"
    directory.mkdir(parents=True)
    status = {
        "state": "running" if error is None else "done",
        "error": None,
        "signature": signature,
        "started": "2026-01-01T00:00:00+00:00",
        "ended": ended,
        "host": host,
        "cores": 4,
        "versions": {"torch": "2.9", "wandb": None},
        "git": {"commit": "abc", "dirty": False},
        "settings": {"task": 1, "data": {"source": "generated"}, "runtime": {"outputs": "out"}, **settings},
    }
    (directory / "status.json").write_text(json.dumps(status))
    if error is not None:
        restarts = [
            {
                "restart": number,
                "seed": 7,
                "train": {"error_percent": 1.0 + number},
                "validation": {"error_percent": 2.0 + number, "per_task": {"1": 2.5 + number}},
                "test": {"error_percent": error, "per_task": {"1": error + number, "2": 1 / 3}},
            }
            for number in range(2)
        ]
        cells = {"1": {"published": 0.5, "difference": error - 0.5, "verdict": "worse"}}
        published = {"column": "table/column", "comparison": {"cells": cells}}
        result = {"restarts": restarts, "selected": 1, "seconds": 12.5, "published": published}
        (directory / "result.json").write_text(json.dumps(result))


def plain(rows: list[Row]) -> list[dict[str, Any]]:
    """What rows hold; a key that a row lacks is None in a table."""
    names = {name for row in rows for name in row.keys}
    return [
        {
            **{name: getattr(row, name) for name in Row.__dataclass_fields__},
            "keys": {name: row.keys.get(name) for name in names},
        }
        for row in rows
    ]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    record(tmp_path / "runs", "a", "one", "2026-01-02T00:00:00+00:00", model={"name": "x", "size": 3, "list": [1, 2]})
    record(tmp_path / "runs", "b", "two", None, None, model={"name": "y", "size": "1k", "empty": {}, "share": 0.5})
    record(tmp_path / "runs", "c", "two", None, None, model={"name": "y", "share": 1, "on": True})
    rows, broken = collect([tmp_path / "runs"], KNOWN)
    assert (len(rows), broken) == (4, [])
    write_merged(tmp_path / "all.parquet", rows)
    found = read_merged(tmp_path / "all.parquet", KNOWN)
    assert plain(found) == plain(rows)
    assert gather([str(tmp_path / "all.parquet")], KNOWN) == (found, [])

    # for other programs: one column for each thing, of its own kind
    table = parquet.read_table(tmp_path / "all.parquet")
    names = ("task", "machine.host", "machine.cores", "machine.commit", "versions.torch", "test_error_percent")
    assert [[row[name] for name in names] for row in table.to_pylist()] == [
        [1, "one", 4, "abc", "2.9", 11.0],
        [2, "one", 4, "abc", "2.9", 1 / 3],
        [1, "two", 4, "abc", "2.9", None],
        [1, "two", 4, "abc", "2.9", None],
    ]
    assert table["model.share"].to_pylist() == [None, None, 0.5, 1.0]


def test_without_a_run_that_is_done_there_are_columns_too(tmp_path: Path) -> None:
    record(tmp_path / "runs", "a", "one", None, None)
    rows, _ = collect([tmp_path / "runs"])
    write_merged(tmp_path / "all.parquet", rows)
    assert plain(read_merged(tmp_path / "all.parquet")) == plain(rows)


def test_of_a_signature_the_newest_that_is_done_is_kept(tmp_path: Path) -> None:
    record(tmp_path / "one", "a", "one", "2026-01-02T09:00:00+00:00", 10.0)
    record(tmp_path / "two", "a", "two", "2026-01-02T09:30:00+02:00", 20.0)  # earlier, in another zone
    record(tmp_path / "one", "b", "one", "2026-01-01T00:00:00+00:00", 30.0)
    record(tmp_path / "two", "b", "two", "2026-02-01T00:00:00+00:00", None)
    record(tmp_path / "two", "c", "two", None, None)
    sources = [collect([tmp_path / name])[0] for name in ("one", "two")]
    for several in (sources, sources[::-1]):
        kept = {(row.keys["signature"], row.keys["task"]): row for row in newest(several)}
        assert {place: row.machine["host"] for place, row in kept.items()} == {
            ("a", 1): "one",
            ("a", 2): "one",
            ("b", 1): "one",
            ("b", 2): "one",
            ("c", 1): "two",
        }
    # once merged, again changes nothing
    write_merged(tmp_path / "all.parquet", newest(sources))
    again = newest([read_merged(tmp_path / "all.parquet"), *sources])
    assert plain(again) == plain(newest(sources))


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    with pytest.raises(RequestError, match=r"all.parquet: expected a file of merged runs, found none$"):
        gather([str(path)])
    path.write_bytes(b"PAR1")
    with pytest.raises(RequestError, match=r"all.parquet: expected a Parquet file of merged runs \("):
        read_merged(path)
    parquet.write_table(pyarrow.table({"task": [1]}), path)
    with pytest.raises(RequestError, match=r"expected .* that babi-report merge= wrote, found another file$"):
        read_merged(path)
    record(tmp_path / "runs", "a", "one", None)
    write_merged(path, collect([tmp_path / "runs"])[0])
    table = parquet.read_table(path)
    parquet.write_table(table.drop_columns(["selected"]), path)
    with pytest.raises(RequestError, match=r"expected what babi-report merge= wrote \(KeyError: 'selected'\)$"):
        read_merged(path)
    later = {**table.schema.metadata, b"babi_memnet merged runs": b"2"}
    parquet.write_table(table.replace_schema_metadata(later), path)
    with pytest.raises(RequestError, match=r"babi-report merge= wrote, found one of format 2$"):
        read_merged(path)
