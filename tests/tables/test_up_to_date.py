"""When the folder of a table is drawn again, and when it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from babi_memnet.tables.table_report import write_table
from tests.tables.tables import made_up

TABLE, CURVES = made_up()


def written_at(files: list[Path]) -> list[int]:
    return [path.stat().st_mtime_ns for path in files]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_table(tmp_path_factory.mktemp("table"), TABLE, CURVES)


def test_the_same_table_is_not_drawn_again(files: list[Path]) -> None:
    before = written_at(files)
    longer = {**TABLE, "seconds": {**TABLE["seconds"], "wall": 1234.5}}
    assert write_table(files[0].parent, longer, CURVES) == files
    assert written_at(files) == before


def _missing(files: list[Path]) -> None:
    files[-1].unlink()


def _edited(files: list[Path]) -> None:
    files[2].write_text("something else")


def _damaged(files: list[Path]) -> None:
    files[0].write_text("{")


def _drawn_by_older_code(files: list[Path]) -> None:
    for path in files:
        os.utime(path, (0, 0))


@pytest.mark.parametrize("happened", [_missing, _edited, _damaged, _drawn_by_older_code])
def test_what_is_not_as_it_was_written_is_drawn_again(
    files: list[Path], happened: Callable[[list[Path]], None]
) -> None:
    contents = [path.read_bytes() for path in files]
    happened(files)
    before = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
    write_table(files[0].parent, TABLE, CURVES)
    assert [path.read_bytes() for path in files] == contents
    assert all(after > earlier for after, earlier in zip(written_at(files), before, strict=True))


def test_another_table_is_drawn(files: list[Path]) -> None:
    for table, curves in (
        ({**TABLE, "notes": ["other"]}, CURVES),
        (TABLE, {"columns": {**CURVES["columns"]}, "more": 1}),
    ):
        before = written_at(files)
        write_table(files[0].parent, table, curves)
        assert all(after > earlier for after, earlier in zip(written_at(files), before, strict=True))
