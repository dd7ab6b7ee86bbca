"""The record of a run under flat names, as trackers chart and tabulate it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from babi_memnet.tasks import as_task, column_label, in_order


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
            summary |= {f"{column_label(as_task(task))}/test/error_percent": error for task, error in per_task.items()}
    return summary


def restart_rows(result: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """The restarts of ``result.json`` as a table: column names, and one row per restart (None: not measured)."""
    every = [restart["test"].get("per_task") or {} for restart in result["restarts"]]
    tasks = in_order({as_task(task) for per_task in every for task in per_task})
    columns = ["restart", "seed", "selected", "train/error_percent", "train/loss"]
    columns += ["validation/error_percent", "test/error_percent", *(f"test/{column_label(task)}" for task in tasks)]
    rows = []
    for place, restart in enumerate(result["restarts"]):
        per_task = {as_task(task): error for task, error in (restart["test"].get("per_task") or {}).items()}
        train, validation, test = (restart.get(split) or {} for split in ("train", "validation", "test"))
        row = [restart["restart"], restart["seed"], place == result["selected"]]
        row += [train.get("error_percent"), train.get("loss"), validation.get("error_percent")]
        rows.append([*row, test.get("error_percent"), *(per_task.get(task) for task in tasks)])
    return columns, rows


def _is_simple(value: object) -> bool:
    return isinstance(value, str | bool | int | float)
