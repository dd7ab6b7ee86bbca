"""Made-up result.json contents and configurations for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babi_memnet.papers.matching import experiment_facts


def configuration(experiment: str, task: int | str) -> dict[str, Any]:
    """The nested configuration of a run of ``experiment``, with keys that no column is about."""
    nested: dict[str, Any] = {"data": {"source": "official"}, "training": {"restarts": 10}, "runtime": {"seed": 0}}
    for key, value in experiment_facts(experiment).items():
        *groups, last = key.split(".")
        inner = nested
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return {**nested, "task": task}


def task_result(
    task: int, train: Sequence[float], test: Sequence[float], questions: int = 1000, source: str = "official"
) -> dict[str, Any]:
    """The result of a run on one task."""
    return {
        "task": task,
        "restarts": [
            {
                "restart": index,
                "train": {"error_percent": seen},
                "test": {"error_percent": unseen, "per_task": {str(task): unseen}},
            }
            for index, (seen, unseen) in enumerate(zip(train, test, strict=True))
        ],
        "selected": min(range(len(train)), key=lambda index: train[index]),
        "data": {"source": source, "questions": {"test": questions}},
        "seconds": 12.5,
    }


def joint_result(train: Sequence[float], test: Sequence[dict[int, float]]) -> dict[str, Any]:
    """The result of a joint run; ``test`` has the error of every task for each restart."""
    means = [sum(row.values()) / len(row) for row in test]
    result = task_result(0, train, means, questions=1000 * len(test[0]))
    result["task"] = "joint"
    for restart, row in zip(result["restarts"], test, strict=True):
        restart["test"]["per_task"] = {str(task): error for task, error in row.items()}
    return result
