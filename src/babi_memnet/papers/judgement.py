"""What a finished run says about the published column with its configuration: ``published`` of a result.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babi_memnet.papers.comparison import ColumnComparison, compare, compare_column, tasks_of
from babi_memnet.papers.matching import Match
from babi_memnet.papers.published import PublishedColumn
from babi_memnet.tasks import JOINT


@dataclass(frozen=True, slots=True)
class Judgement:
    """A run held against a published column.

    Attributes:
        found: the column with the run's configuration, or why there is none.
        comparison: the run's tasks compared (one, or all of a joint run); our side alone when no column fits.
        notes: what a reader has to know before trusting the verdicts, a line each.
    """

    found: Match
    comparison: ColumnComparison
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values: first what one asks for, then, below ``comparison``, all of it."""
        comparison = self.comparison.as_json()
        return {
            "column": self.comparison.column and self.comparison.column.name,
            "error_percent": comparison["published"] and comparison["published"]["mean"],
            **{key: comparison[key] for key in ("difference", "explained_by", "verdict")},
            "nearest": self.found.nearest and self.found.nearest.name,
            "differences": list(self.found.differences),
            "notes": list(self.notes),
            "comparison": comparison,
        }


def judge(result: Mapping[str, Any], found: Match) -> Judgement:
    """The run with this result.json held against the column that `match` found for its configuration."""
    column, tasks = found.column, tasks_of(result)
    if column is None:
        notes = [f"no published column fits; {found.why_not()}"]
    elif not column.has_numbers:
        notes = [f"{column.name} is a column of our own: nothing is published to hold it against"]
        column = None
    elif not column.prints_mean_of(tasks) and (lacking := [task for task in tasks if task not in column.errors]):
        notes = [f"the source of {column.name} gives no error for task {', '.join(map(str, lacking))}"]
        column = None
    else:
        notes = caveats(result, column)
    cells = {task: compare(result, column, task) for task in tasks}
    overall = compare(result, column, JOINT) if result["task"] == JOINT else None
    return Judgement(found, compare_column(cells, column, overall), tuple(notes))


def caveats(result: Mapping[str, Any], column: PublishedColumn) -> list[str]:
    """What to know before comparing the run with this result.json with the column, a line each."""
    notes = []
    if result.get("diverged"):
        notes.append(f"restarts {', '.join(map(str, result['diverged']))} diverged")
    source = result["data"]["source"]
    if source not in ("official", "hub"):
        may = "may not be" if source == "saved" else "are not"
        theirs = "the published errors are" if column.has_numbers else "this column is"
        notes.append(f"{theirs} for the official stories, these {may} (data.source={source})")
    restarts = len(result["restarts"])
    if column.restarts and restarts != column.restarts:
        theirs = "the published errors were" if column.has_numbers else "this column is"
        notes.append(f"{theirs} selected among {column.restarts} restarts, these among {restarts}")
    return notes
