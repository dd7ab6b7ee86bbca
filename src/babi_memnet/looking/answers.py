"""What networks answer to test questions: where the errors are, and which answer is taken for which.

Legend: R restarts, N questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.papers.statistics import wilson_interval
from babi_memnet.tasks import Task

Record = dict[str, Any]
OTHER = "(other)"
POOLED = "pooled"


@dataclass(frozen=True, slots=True)
class Answered:
    """What the restarts of one run answered to the test questions of one task.

    Attributes:
        label: what sets the run apart from others; with ``task`` no two of a report are alike.
        run, experiment, task: as in a row of `runs.collection`.
        facts [N]: how many different supporting facts the answer rests on.
        told [N]: how many statements were told before the question, those that the memory has forgotten among them.
        right: the right answers.
        given: those of the selected restart.
        wrong [R, N]: whether a restart answered wrong.
        selected: the place of the selected restart.
    """

    label: str
    run: str
    experiment: str | None
    task: Task
    facts: npt.NDArray[np.int64]
    told: npt.NDArray[np.int64]
    right: Sequence[str]
    given: Sequence[str]
    wrong: npt.NDArray[np.bool_]
    selected: int


class Bin(NamedTuple):
    """The numbers from ``low`` to ``high``; None for no end."""

    low: int
    high: int | None

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"

    def holds(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which of the values are in it."""
        inside: npt.NDArray[np.bool_] = values >= self.low
        return inside if self.high is None else inside & (values <= self.high)


# Only tasks 7 and 8 have questions of more than three facts. Stories have from 1 (task 20) to 228 statements (task 3).
BINS: dict[str, tuple[Bin, ...]] = {
    "supporting facts": (*(Bin(count, count) for count in range(6)), Bin(6, None)),
    "statements": (Bin(0, 0), Bin(1, 2), *(Bin(2**n // 2 + 1, 2**n) for n in range(2, 8)), Bin(129, None)),
}
_VALUES: dict[str, Callable[[Answered], npt.NDArray[np.int64]]] = {
    "supporting facts": lambda one: one.facts,
    "statements": lambda one: one.told,
}


def by_label(answered: Iterable[Answered]) -> dict[str, list[Answered]]:
    """The tasks of each label, in order: a joint run, or the runs that differ in nothing but their task."""
    groups: dict[str, list[Answered]] = {}
    for one in answered:
        groups.setdefault(one.label, []).append(one)
    return groups


def error_records(answered: Iterable[Answered]) -> list[Record]:
    """The error by number of supporting facts and by length of the story: one record per task and bin with questions.

    Where a label has several tasks there are records of task ``pooled`` too. These pool the ``tasks`` whose questions
    differ in the number; tasks of one number of facts, or of one length, would only add how hard they are. A bin still
    holds those tasks alone that reach it, the longest stories a few: what a fact or a statement more costs is told by
    the records of a task, not by the pooled ones. Where no task differs all are pooled: the numbers then compare tasks,
    such as 1, 2 and 3 with one, two and three facts.

    ``error_percent`` is of the selected restart, each task's own, with ``low`` and ``high``, the 95 % interval (Wilson)
    for so many ``questions``. ``mean``, ``standard_deviation``, ``best`` and ``worst`` are over ``restarts``; of pooled
    runs the first restarts of all tasks count as one, the second as another, and so on: each is a fresh draw.
    """
    records = []
    for label, tasks in by_label(answered).items():
        for name in BINS:
            for one in tasks:
                records += _binned(name, label, one.task, [one])
            if len(tasks) > 1:
                differing = [one for one in tasks if len(np.unique(_VALUES[name](one))) > 1]
                records += _binned(name, label, POOLED, differing or tasks)
    return records


def _binned(name: str, label: str, task: Task, parts: Sequence[Answered]) -> list[Record]:
    about = {"label": label, "experiment": parts[0].experiment, "task": task, "by": name}
    run = parts[0].run if len({one.run for one in parts}) == 1 else None
    restarts = min(len(one.wrong) for one in parts)
    wrong = np.concatenate([one.wrong[:restarts] for one in parts], axis=1)  # [R, N]
    chosen = np.concatenate([one.wrong[one.selected] for one in parts])
    values = np.concatenate([_VALUES[name](one) for one in parts])
    records = []
    for part in BINS[name]:
        inside = part.holds(values)
        questions = int(inside.sum())
        if not questions:
            continue
        error = 100 * float(chosen[inside].mean())
        low, high = (float(end) for end in wilson_interval(error, questions))
        every = (100 * wrong[:, inside].mean(axis=1)).tolist()
        records.append(
            {
                **about,
                "bin": str(part),
                "questions": questions,
                "error_percent": error,
                "low": low,
                "high": high,
                "restarts": restarts,
                "mean": fmean(every),
                "standard_deviation": stdev(every) if restarts > 1 else None,
                "best": min(every),
                "worst": max(every),
                "tasks": " ".join(str(one.task) for one in parts),
                "run": run,
            }
        )
    return records


def confusion_records(answered: Iterable[Answered]) -> list[Record]:
    """How often which answer was given for which: one record per label, task, right and given answer that occurs.

    Of the selected restart, the most frequent first.
    """
    records = []
    for one in answered:
        about = {"label": one.label, "experiment": one.experiment, "task": one.task}
        pairs = Counter(zip(one.right, one.given, strict=True))
        for (right, given), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0])):
            records.append({**about, "right": right, "given": given, "questions": count, "run": one.run})
    return records


class Confusion(NamedTuple):
    """Right answers down, given ones across.

    rows, columns: their names, the most frequent right answers first; the columns begin with the names of the rows,
    then come answers that are never right. counts [rows, columns]: questions.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: npt.NDArray[np.int64]


def confusion(right: Sequence[str], given: Sequence[str], most: int) -> Confusion:
    """The matrix of the ``most`` most frequent answers; the rest is pooled as `OTHER`, where there is a rest.

    Frequent as right answers first, then as given ones. A pooled answer that is right stands in the corner with the
    pooled wrong ones, as they cannot be told apart there.
    """
    asked, said = Counter(right), Counter(given)
    names = sorted(asked | said, key=lambda name: (-asked[name], -said[name], name))
    kept, rest = names[:most], set(names[most:])
    rows = [name for name in kept if asked[name]] + [OTHER] * any(asked[name] for name in rest)
    columns = [name for name in kept if asked[name]]
    # the pooled ones come where their row is, so that right answers are on the diagonal
    columns += [OTHER] * (len(rows) > len(columns)) + [name for name in kept if not asked[name]]
    columns += [OTHER] * (OTHER not in columns and any(said[name] for name in rest))
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for one, other in zip(right, given, strict=True):
        counts[rows.index(OTHER if one in rest else one), columns.index(OTHER if other in rest else other)] += 1
    return Confusion(tuple(rows), tuple(columns), counts)
