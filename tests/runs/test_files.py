"""Files are whole or not there, whoever else writes them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.runs.files import Reserve, remove_leftovers, write_atomically


def test_many_writers_of_one_file_leave_the_whole_content_of_one(tmp_path: Path) -> None:
    contents = [bytes([number]) * 50_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            list(pool.map(lambda content: write_atomically(tmp_path / "status.json", content), contents))
            assert (tmp_path / "status.json").read_bytes() in contents
    assert os.listdir(tmp_path) == ["status.json"]


def test_what_cannot_be_written_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_atomically(tmp_path / "a", b"old")

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(tmp_path / "a", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old"}


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # as in a process that is killed before it comes to it
        patch.setattr(os, "replace", lambda *_: None)
        write_atomically(tmp_path / "result.json", b"half")
    (leftover,) = tmp_path.iterdir()
    for name in ("status.json", ".lock", "table.tmp"):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path)
    assert not leftover.exists()
    assert sorted(os.listdir(tmp_path)) == [".lock", "status.json", "table.tmp"]
    remove_leftovers(tmp_path / "none")


def test_a_reserve_is_room_that_is_given_back(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) >= 1 << 16
    remove_leftovers(tmp_path)  # as after a kill
    reserve.release()
    assert list(tmp_path.iterdir()) == []
