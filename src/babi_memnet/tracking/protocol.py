"""A tracker mirrors the record of a run somewhere else. It only ever writes: nothing is read back through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What a tracker is told about a run before its first epoch.

    Attributes:
        run_id: equal for equal requests, so that a continued run is the same run to the tracker.
        name: for people.
        directory: the run directory; the tracker keeps its own files below it.
        config: the resolved configuration as plain nested dicts.
        group: what the run belongs to (the table that its experiment is a column of).
        job_type: what was done (train, report).
        tags: short words to search by.
        restarts: the numbers of the restarts, in the order of their places in a line of ``metrics.jsonl``.
    """

    run_id: str
    name: str
    directory: Path
    config: Mapping[str, Any]
    group: str | None = None
    job_type: str | None = None
    tags: Sequence[str] = field(default=())
    restarts: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class TrackedReport:
    """What is drawn from many runs: a tracker shows it as one run of their group.

    Attributes:
        summary: flat numbers to sort and filter by.
        tables: name to column names and rows.
        images: name to a PNG.
        files: kept as one artifact, by their names below ``folder``.
        folder: where the files are.
    """

    summary: Mapping[str, float | int | str]
    tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[Any]]]]
    images: Mapping[str, Path]
    files: Sequence[Path]
    folder: Path


class Tracker(Protocol):
    """Entered when the run starts and left when it ends; leaving it with an exception marks the run as failed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Mirror one line of ``metrics.jsonl``."""

    def finish(self, result: Mapping[str, Any]) -> None:
        """Mirror ``result.json``, which is on the disk by now, as is the last checkpoint."""

    def report(self, report: TrackedReport) -> None:
        """Mirror a report, whose files are on the disk by now."""


class Untracked:
    """The tracker that mirrors nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None

    def log_epoch(self, row: Mapping[str, Any]) -> None:
        """Do nothing."""

    def finish(self, result: Mapping[str, Any]) -> None:
        """Do nothing."""

    def report(self, report: TrackedReport) -> None:
        """Do nothing."""
