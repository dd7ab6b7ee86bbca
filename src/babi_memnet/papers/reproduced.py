"""A reproduced table as JSON: table.json, which every view is drawn from, and the learning curves beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median, stdev
from typing import Any

from babi_memnet.papers.comparison import compare, compare_column, failed
from babi_memnet.papers.published import PublishedColumn, PublishedTable
from babi_memnet.papers.statistics import wilson_interval
from babi_memnet.tasks import JOINT, Task


def reproduced_column(
    column: PublishedColumn,
    results: Mapping[Task, Mapping[str, Any]],
    tasks: Sequence[Task],
    missing: Mapping[Task, str],
    runs: Mapping[Task, str],
) -> dict[str, Any]:
    """One of the ``columns`` of a table.json: the comparison, and what papers do not report.

    Args:
        column: the published column.
        results: task, or ``joint``, to the result.json of its run; at least one.
        tasks: the tasks that were asked for.
        missing: what has no result, with one line that says why. It is in no sum.
        runs: task, or ``joint``, to where its run is recorded.
    """
    result_of = {task: results.get(JOINT, results.get(task)) for task in tasks}
    present = {task: result for task, result in result_of.items() if result is not None}
    cells = {task: compare(result, column, task) for task, result in present.items()}
    overall = compare(results[JOINT], column, JOINT) if JOINT in results else None
    entry = compare_column(cells, column, overall).as_json()
    for task, result in present.items():
        train = [restart["train"]["error_percent"] for restart in result["restarts"]]
        test = [restart["test"]["per_task"][str(task)] for restart in result["restarts"]]
        entry["cells"][str(task)] |= {
            "restart_errors": {"train": train, "test": test},
            "over_restarts": over_restarts(test),
            "parameters": result.get("parameters"),  # an earlier version did not count them
            "run": runs[JOINT if JOINT in results else task],
        }
    return {
        **entry,
        "joint": column.joint,
        "over_restarts": {
            name: fmean(cell["over_restarts"][name] for cell in entry["cells"].values()) for name in ("mean", "median")
        },
        "missing": {str(task): line for task, line in missing.items()},
        "seconds": sum(result["seconds"] for result in results.values()),
    }


def over_restarts(errors: Sequence[float]) -> dict[str, Any]:
    """What a paper that reports one restart of many leaves out: how the test errors of all of them are spread.

    ``failed`` restarts have an error above 5 %; the interval of their share is Wilson's at 95 %. The standard deviation
    is that of a sample (n - 1), None for a single restart.
    """
    count = sum(failed(error) for error in errors)
    share = 100 * count / len(errors)
    low, high = wilson_interval(share, len(errors))
    return {
        "mean": fmean(errors),
        "standard_deviation": stdev(errors) if len(errors) > 1 else None,
        "median": median(errors),
        "best": min(errors),
        "worst": max(errors),
        "failed": count,
        "failed_percent": share,
        "failed_interval": [float(low), float(high)],
    }


def reproduced_table(
    table: PublishedTable,
    columns: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
    environment: Mapping[str, Any],
    wall_seconds: float,
    beside: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The whole table.json.

    Args:
        table: the published table.
        columns: its reproduced columns.
        notes: what to know before comparing.
        environment: where it was drawn.
        wall_seconds: what the command took that drew it, often less than the training.
        beside: columns of other papers, as `columns_beside` gives them.
    """
    source = {"title": table.title, "authors": table.authors, "year": table.year, "arxiv": table.arxiv}
    return {
        "id": table.id,
        "source": source,
        "protocol": dict(table.protocol),
        "columns": list(columns),
        "beside": list(beside),
        "notes": list(notes),
        "environment": dict(environment),
        "seconds": {"training": sum(column["seconds"] for column in columns), "wall": wall_seconds},
    }


def learning_curve(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """One run of curves.json from its metrics.jsonl: errors in percent by epoch, over its restarts.

    Restarts whose error is no number are left out of an epoch.
    """
    curve: dict[str, Any] = {"epoch": [], "phase": []}
    for split in ("train", "validation"):
        curve[split] = {"median": [], "low": [], "high": []}
    for row in rows:
        curve["epoch"].append(row["epoch"])
        curve["phase"].append(row["phase"])
        for split in ("train", "validation"):
            errors = [error for error in row[f"{split}/error_percent"] if error is not None]
            for name, measure in (("median", median), ("low", min), ("high", max)):
                curve[split][name].append(measure(errors) if errors else None)
    return curve
