"""A run's test error held against a published one: how far apart, and whether noise explains it.

Two things make two honest attempts at the same number differ: the test set is finite, and the restart that is
reported is one of many (see `babi_memnet.papers.statistics`). A difference within what they explain is `reproduced`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

from babi_memnet.errors import RequestError
from babi_memnet.papers.published import PublishedColumn
from babi_memnet.papers.statistics import (
    FEWEST_RESTARTS,
    Repetition,
    normal_quantile,
    question_variance,
    student_chance,
    student_quantile,
    wilson_interval,
)
from babi_memnet.tasks import JOINT, Task, as_task, in_order

FAILED_ABOVE = 5.0
"""A task counts as failed when its error, not rounded, is above this (Sukhbaatar et al. 2015, Table 1)."""

PRINTED_TO = 0.1
"""The papers print one decimal. Rounding errs uniformly within a step, with the variance of the step squared / 12."""


@dataclass(frozen=True, slots=True)
class Against:
    """What a published error says about one of ours.

    Attributes:
        published: the published error.
        difference: ours minus published, in percent points.
        margin_questions: how large a difference the test questions and the rounding of the published error explain.
        margin: how large a difference questions, rounding and restarts explain; None with too few restarts to say.
        variance: of the difference, from all three; without the restarts when ``margin`` is None.
        freedom: degrees of freedom of that variance.
        chance: probability that two honest repetitions differ at least as much, either way, by questions, rounding and
            restarts; None with too few restarts to say.
        explained_by: ``questions`` or ``restarts`` when the difference is within the margin, else None.
        verdict: ``reproduced`` (the difference is explained), ``better`` or ``worse`` (it is not), ``unresolved`` (the
            restarts are too few to say).
    """

    published: float
    difference: float
    margin_questions: float
    margin: float | None
    variance: float
    freedom: float
    chance: float | None
    explained_by: str | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test error of a run, of one task or the mean over the tasks of a joint run, and the published one.

    Attributes:
        task: a task, or ``joint`` for the mean over all tasks of a joint run.
        error_percent: test error of the selected restart.
        interval: 95 % interval of that error, from the number of questions alone.
        questions: number of test questions.
        restarts: number of restarts the run selected among.
        spread: standard deviation of the selected error if all restarts were repeated; None with too few restarts.
        against: the comparison; None when there is no published error.
        repetition: what training and selecting once more would give; None with too few restarts.
    """

    task: Task
    error_percent: float
    interval: tuple[float, float]
    questions: int
    restarts: int
    spread: float | None
    against: Against | None
    repetition: Repetition | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values, flat: one of the ``cells`` of a table.json."""
        against = self.against
        return {
            "task": self.task,
            "error_percent": self.error_percent,
            "interval": list(self.interval),
            "questions": self.questions,
            "restarts": self.restarts,
            "spread": self.spread,
            "published": against and against.published,
            **_conclusion(against),
        }


@dataclass(frozen=True, slots=True)
class ColumnComparison:
    """The compared tasks of one column. Means and counts of both sides are over the same tasks.

    Attributes:
        column: the published column, which may be one of our own without any numbers, or None.
        cells: task to its comparison, in order of the tasks.
        mean, failed: mean error and number of failed tasks of ours.
        published_failed: the same count of the paper: the printed one when all its tasks are there (the paper counted
            unrounded errors), else counted from the rows; None without a column.
        against: the mean error held against the published mean; None without a column, and where the source prints the
            mean over all tasks alone and some are not there.
    """

    column: PublishedColumn | None
    cells: dict[Task, Comparison]
    mean: float
    failed: int
    published_failed: float | None
    against: Against | None

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values: one entry of the ``columns`` of a table.json."""
        column, against = self.column, self.against
        published = None
        if column and against:
            rows = {str(task): column.errors[task] for task in self.cells if task in column.errors}
            published = {
                "errors": rows,
                "mean": against.published,
                "failed": self.published_failed,
                "source": column.source,
            }
        return {
            "id": column and column.id,
            "table": column and column.table,
            "label": column and column.label,
            "errors": {str(task): cell.error_percent for task, cell in self.cells.items()},
            "mean": self.mean,
            "failed": self.failed,
            "published": published,
            **_conclusion(against),
            "cells": {str(task): cell.as_json() for task, cell in self.cells.items()},
        }


def _conclusion(against: Against | None) -> dict[str, Any]:
    keys = ("difference", "margin_questions", "margin", "chance", "explained_by", "verdict")
    return {key: against and getattr(against, key) for key in keys}


def compare(result: Mapping[str, Any], column: PublishedColumn | None, task: Task) -> Comparison:
    """One error of the run with this result.json against the column.

    ``task`` is the run's task; of a joint run any of its tasks, or ``joint`` for the mean over them. Without a column
    only our side is filled in. Raises RequestError when the column has errors, but none for the task.
    """
    tasks = tasks_of(result) if task == JOINT else [task]
    questions = [_questions_of(result, one) for one in tasks]
    train = [restart["train"]["error_percent"] for restart in result["restarts"]]
    test = [[_test_error(restart["test"], one) for one in tasks] for restart in result["restarts"]]
    ours = test[result["selected"]]
    repetition = None
    if len(train) >= FEWEST_RESTARTS:
        repetition = Repetition.of(train, [_mean(row) for row in test], column.restarts if column else None)
    against = None
    if column and column.errors:
        published = [_published(column, one) for one in tasks]
        noise = sum(
            float(question_variance(error, printed, count)) + PRINTED_TO**2 / 12
            for error, printed, count in zip(ours, published, questions, strict=True)
        )
        against = _against(_mean(ours), _mean(published), noise / len(tasks) ** 2, repetition, len(train), column)
    return Comparison(
        task=task,
        error_percent=_mean(ours),
        interval=_interval(ours, questions),
        questions=sum(questions),
        restarts=len(train),
        spread=sqrt(float(repetition.variances()[0])) if repetition else None,
        against=against,
        repetition=repetition,
    )


def compare_column(
    cells: Mapping[Task, Comparison], column: PublishedColumn | None, overall: Comparison | None = None
) -> ColumnComparison:
    """The compared tasks of one column together; ``cells`` (at least one) were compared with the same column.

    The tasks of a joint run share one selected restart: there ``overall``, its comparison under ``joint``, says what
    the mean does. Without it the cells are separate runs, whose errors are independent.
    """
    ordered = {task: cells[task] for task in in_order(cells)}
    errors = [cell.error_percent for cell in ordered.values()]
    published_failed, against = None, None
    if column and column.errors:
        rows = [_published(column, task) for task in ordered]
        whole = column.failed is not None and len(rows) == len(column.errors)
        published_failed = column.failed if whole else sum(failed(error) for error in rows)
        against = overall.against if overall else _mean_against(list(ordered.values()), column)
    elif column and column.prints_mean_of(ordered):
        published_failed = column.failed
        against = _printed_mean_against(list(ordered.values()), column, overall)
    return ColumnComparison(
        column, ordered, _mean(errors), sum(failed(error) for error in errors), published_failed, against
    )


def tasks_of(result: Mapping[str, Any]) -> list[Task]:
    """The tasks that the run with this result.json answered, in order."""
    if result["task"] != JOINT:
        return [as_task(result["task"])]
    return in_order(as_task(task) for task in result["restarts"][0]["test"]["per_task"])


def _questions_of(result: Mapping[str, Any], task: Task) -> int:
    """How many test questions of a task there were; the same of each, where the record does not say more."""
    questions = result["data"]["questions"]
    of_task = questions.get("test_per_task", {}).get(str(task))
    return int(questions["test"] // len(tasks_of(result)) if of_task is None else of_task)


def failed(error_percent: float) -> bool:
    """Whether a task with this error counts as failed: strictly above 5 %."""
    # 5.000000000000004 is 50 wrong of 1000, computed in another order
    return error_percent > FAILED_ABOVE + 1e-9


def _against(
    ours: float,
    published: float,
    noise: float,
    repetition: Repetition | None,
    restarts: int,
    column: PublishedColumn,
) -> Against:
    """``noise`` is the variance of the difference that test questions and rounding give."""
    margin, chance, variance, freedom = None, None, noise, inf
    difference = ours - published
    if repetition:
        margin = float(repetition.margin(noise))
        chance = float(repetition.chance(difference, noise))
        ours_variance, theirs_variance = repetition.variances()
        variance = noise + float(ours_variance + theirs_variance)
        # Welch-Satterthwaite: only the part that the restarts give is estimated
        freedom = float(repetition.freedom) * (variance / max(variance - noise, 1e-12)) ** 2
    margin_questions = normal_quantile() * sqrt(noise)
    explained_by, verdict = _verdict(difference, margin_questions, margin, restarts, column.restarts)
    return Against(published, difference, margin_questions, margin, variance, freedom, chance, explained_by, verdict)


def _mean_against(cells: Sequence[Comparison], column: PublishedColumn) -> Against:
    """The mean of separate runs held against the mean of their published errors."""
    sides = [cell.against for cell in cells if cell.against]
    if len(sides) == 1:
        return sides[0]
    return _together(cells, sides, _mean([side.published for side in sides]), column)


def _printed_mean_against(cells: Sequence[Comparison], column: PublishedColumn, overall: Comparison | None) -> Against:
    """Our mean over all tasks held against a mean of which the source prints no rows; ``overall`` is of a joint run.

    For what the test questions explain, the rows of the source are taken to be spread over the tasks as ours are.
    """
    if column.mean is None:
        raise ValueError(f"column {column.name} has no mean")
    ours = [cell.error_percent for cell in cells]
    scale = column.mean / max(_mean(ours), 1e-12)
    rows = [min(scale * error, 100.0) for error in ours]
    rounding = len(cells) * PRINTED_TO**2 / 12  # of one number, the mean
    noise = [
        float(question_variance(cell.error_percent, row, cell.questions)) + rounding
        for cell, row in zip(cells, rows, strict=True)
    ]
    if overall:
        whole = sum(noise) / len(cells) ** 2
        return _against(overall.error_percent, column.mean, whole, overall.repetition, overall.restarts, column)
    sides = [
        _against(cell.error_percent, row, one, cell.repetition, cell.restarts, column)
        for cell, row, one in zip(cells, rows, noise, strict=True)
    ]
    return _together(cells, sides, column.mean, column)


def _together(
    cells: Sequence[Comparison], sides: Sequence[Against], published: float, column: PublishedColumn
) -> Against:
    """The mean of cells: variances add up, / T²; degrees of freedom after Welch and Satterthwaite."""
    variance = sum(side.variance for side in sides)
    freedom = variance**2 / max(sum(side.variance**2 / side.freedom for side in sides), 1e-12)
    count = len(sides)
    # one cell with too few restarts leaves the mean without a known spread
    known = all(side.margin is not None for side in sides)
    margin = student_quantile(freedom) * sqrt(variance) / count if known else None
    difference = _mean([cell.error_percent for cell in cells]) - published
    chance = student_chance(difference * count / sqrt(variance), freedom) if known else None
    margin_questions = sqrt(sum(side.margin_questions**2 for side in sides)) / count
    restarts = min(cell.restarts for cell in cells)
    explained_by, verdict = _verdict(difference, margin_questions, margin, restarts, column.restarts)
    return Against(
        published, difference, margin_questions, margin, variance / count**2, freedom, chance, explained_by, verdict
    )


def _verdict(
    difference: float, margin_questions: float, margin: float | None, restarts: int, published_restarts: int | None
) -> tuple[str | None, str]:
    """What explains the difference, and the verdict.

    One restart is not the published procedure, whatever it gives. Fewer restarts than the paper's leave a worse error
    open, since more of them might find a better one; they do not leave a better error open.
    """
    if restarts == 1:
        return None, "unresolved"
    if abs(difference) <= margin_questions:
        return "questions", "reproduced"
    if margin is None:
        return None, "unresolved"
    if abs(difference) <= margin:
        return "restarts", "reproduced"
    if difference < 0:
        return None, "better"
    return None, "unresolved" if restarts < (published_restarts or 0) else "worse"


def _interval(errors: Sequence[float], questions: Sequence[int]) -> tuple[float, float]:
    """95 % interval of one error (Wilson), or of the mean over several tasks (normal, variance p(1-p)/n per task)."""
    if len(errors) == 1:
        low, high = wilson_interval(errors[0], questions[0])
        return float(low), float(high)
    # half of the variance of a difference is that of one side
    variances = (
        float(question_variance(error, error, count)) / 2 for error, count in zip(errors, questions, strict=True)
    )
    variance = sum(variances) / len(errors) ** 2
    half = normal_quantile() * sqrt(variance)
    return max(_mean(errors) - half, 0.0), min(_mean(errors) + half, 100.0)


def _test_error(test: Mapping[str, Any], task: Task) -> float:
    per_task = test.get("per_task")
    return float(per_task[str(task)] if per_task else test["error_percent"])


def _published(column: PublishedColumn, task: Task) -> float:
    if not isinstance(task, int) or task not in column.errors:
        raise RequestError(f"column {column.name} has no error for task {task}: its source gives no such row")
    return column.errors[task]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
