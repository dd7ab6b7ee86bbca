"""``metrics.jsonl``: one line per epoch, appended and flushed as it happens, so that a killed run keeps its epochs."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from babi_memnet.errors import RequestError
from babi_memnet.reading import read_regular
from babi_memnet.runs.files import plain

METRICS_FILE = "metrics.jsonl"

LARGEST_METRICS = 512
"""MiB that it may have: a thousand restarts and ten thousand epochs have less."""


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The epochs recorded so far; a last line that is still being written, or was torn by a kill, is left out.

    Raises:
        RequestError: another line is damaged; the text names file and line.
    """
    rows = []
    for number, line in enumerate(_whole_lines(path), start=1):
        row = _parse(line)
        if row is None or row["epoch"] != number:
            raise RequestError(f"{path}:{number}: expected a JSON object with {number} as epoch, one line an epoch")
        rows.append(row)
    return rows


def count_epochs(path: Path) -> int:
    """How many epochs are recorded, without reading what they showed; 0 when nothing is there."""
    try:
        return read_regular(path, LARGEST_METRICS).count(b"\n")
    except FileNotFoundError:
        return 0


def cut_after(path: Path, epoch: int) -> int:
    """Drop all lines after that of ``epoch``, a torn one, and all from the first that does not follow its predecessor.

    The last epoch that is left, 0 when none is.
    """
    if not path.exists():
        return 0
    last, end = 0, 0
    for line in _whole_lines(path):
        row = _parse(line)
        if row is None or row["epoch"] > epoch or row["epoch"] != last + 1:
            break
        last, end = row["epoch"], end + len(line)
    os.truncate(path, end)
    return last


class MetricsLog:
    """Appends epochs to ``path`` and insists that they come one after the other.

    Args:
        last_epoch: the epoch of the last line that is there already, 0 for none.
    """

    def __init__(self, path: Path, last_epoch: int) -> None:
        self.last_epoch = last_epoch
        self._digest = hashlib.sha256(path.read_bytes() if path.exists() else b"")
        self._file = path.open("ab")

    def append(self, row: Mapping[str, Any]) -> None:
        """Add the line of one epoch.

        Raises:
            ValueError: ``row["epoch"]`` is not the one after the last.
        """
        if row.get("epoch") != self.last_epoch + 1:
            raise ValueError(f"epoch {row.get('epoch')} recorded after epoch {self.last_epoch}")
        line = json.dumps(plain(row), ensure_ascii=False, allow_nan=False).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._digest.update(line)
        self.last_epoch += 1

    @property
    def sha256(self) -> str:
        """Of all lines, in hex."""
        return self._digest.hexdigest()

    def sync(self) -> None:
        """Return when all lines are on the disk, so that no checkpoint can be newer than its metrics."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        content = read_regular(path, LARGEST_METRICS)
    except FileNotFoundError:
        return
    yield from (line for line in io.BytesIO(content) if line.endswith(b"\n"))


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("epoch"), int) else None
