"""A tracker mirrors the record of a run somewhere else. It only ever writes: nothing is read back through it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from babi_memnet.runs.settings import NoTracker, WandbTracker

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """What a tracker is told about a run before its first epoch.

    Attributes:
        run_id: the signature, so that a continued run is the same run to the tracker.
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
class Report:
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

    def report(self, report: Report) -> None:
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

    def report(self, report: Report) -> None:
        """Do nothing."""


def check_tracker(settings: NoTracker | WandbTracker) -> None:
    """Find out before any work whether the tracker could start. Does nothing unless W&B is asked to be online.

    Raises:
        RequestError: there is no W&B account to upload to.
    """
    if isinstance(settings, WandbTracker) and settings.mode == "online":
        from babi_memnet.runs.wandb_tracker import check_credentials

        check_credentials()


def start_tracker(settings: NoTracker | WandbTracker, run: TrackedRun) -> Tracker:
    """The tracker that ``settings`` ask for. It starts when it is entered."""
    if isinstance(settings, NoTracker):
        return Untracked()
    from babi_memnet.runs.wandb_tracker import WandbMirror

    return WandbMirror(settings, run)


def track_report(settings: NoTracker | WandbTracker, run: TrackedRun, report: Report) -> None:
    """Mirror a report as a run of its own, where ``settings`` ask for a mirror at all.

    The table is drawn by now, so no trouble with the tracker is worth ending the command: it is a warning.
    """
    try:
        with start_tracker(settings, run) as tracker:
            tracker.report(report)
    except Exception as error:
        logger.warning("the report is not tracked (%s)", " ".join(str(error).split()) or type(error).__name__)


def epoch_metrics(row: Mapping[str, Any], restarts: Sequence[int] | None = None) -> dict[str, Any]:
    """One line of ``metrics.jsonl`` under flat names, as trackers chart it.

    ``restarts`` are the numbers of the restarts (default: counted from 0). A list with one value for each becomes
    ``<name>/best`` (the lowest), ``<name>/median`` and ``restart_03/<name>``; a restart that diverged to NaN counts as
    infinitely bad in the first two. None is left out.
    """
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if not isinstance(value, list | tuple):
            if value is not None:
                flat[name] = value
            continue
        numbered = zip(restarts or range(len(value)), value, strict=True)
        by_restart = {restart: float(number) for restart, number in numbered if number is not None}
        if by_restart:
            ordered = sorted(float("inf") if number != number else number for number in by_restart.values())
            middle = len(ordered) // 2
            flat[f"{name}/best"] = ordered[0]
            flat[f"{name}/median"] = (ordered[middle] + ordered[~middle]) / 2
        flat |= {f"restart_{restart:02d}/{name}": number for restart, number in by_restart.items()}
    return flat


def result_summary(result: Mapping[str, Any]) -> dict[str, Any]:
    """``result.json`` under flat names: what one sorts and filters runs by."""
    names = ("task", "experiment", "selected", "test_error_percent", "mean", "standard_deviation", "seconds")
    summary = {name: result[name] for name in names if result.get(name) is not None}
    published = result.get("published") or {}
    summary |= {f"published/{name}": value for name, value in published.items() if _is_simple(value)}
    for place, restart in enumerate(result["restarts"]):
        summary[f"restart_{restart['restart']:02d}/test/error_percent"] = restart["test"]["error_percent"]
        if place == result["selected"]:
            if restart.get("validation"):
                summary["validation_error_percent"] = restart["validation"]["error_percent"]
            per_task = restart["test"].get("per_task") or {}
            summary |= {f"task_{int(task):02d}/test/error_percent": error for task, error in per_task.items()}
    return summary


def restart_rows(result: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """The restarts of ``result.json`` as a table: column names, and one row per restart (None: not measured)."""
    tasks = sorted({int(task) for restart in result["restarts"] for task in restart["test"].get("per_task") or {}})
    columns = ["restart", "seed", "selected", "train/error_percent", "train/loss"]
    columns += ["validation/error_percent", "test/error_percent", *(f"test/task_{task:02d}" for task in tasks)]
    rows = []
    for place, restart in enumerate(result["restarts"]):
        per_task = {int(task): error for task, error in (restart["test"].get("per_task") or {}).items()}
        train, validation, test = (restart.get(split) or {} for split in ("train", "validation", "test"))
        row = [restart["restart"], restart["seed"], place == result["selected"]]
        row += [train.get("error_percent"), train.get("loss"), validation.get("error_percent")]
        rows.append([*row, test.get("error_percent"), *(per_task.get(task) for task in tasks)])
    return columns, rows


def _is_simple(value: object) -> bool:
    return isinstance(value, str | bool | int | float)
