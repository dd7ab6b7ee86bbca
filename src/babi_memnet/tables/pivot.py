"""Rows of runs pivoted by two keys: in each cell the mean over restarts, its deviation, and the selected value.

What a cell averages over is made of *experiments*: rows that differ in nothing but seeds and restarts. The restarts of
one experiment are pooled, each counted once however many runs hold it. A cell with several experiments, such as one
over tasks, is their plain mean. Its deviation is that of this mean if every restart were drawn anew, the root of the
summed variances divided by the number of experiments; the tasks of a joint run share their restarts, so these are
averaged within a restart first. Intervals are Student's, 95 %, with the degrees of freedom of Welch and Satterthwaite
(Satterthwaite 1946, Biometrics Bulletin 2, 110-114).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median
from typing import Any

from babi_memnet.errors import bad_value, suggestion
from babi_memnet.papers.statistics import student_quantile
from babi_memnet.runs.collection import REPETITIONS, Row, as_text, check_key, values_of, varying

_Name = tuple[Any, ...]
_Pool = defaultdict[_Name, defaultdict[_Name, dict[Any, float]]]

VALUES = {
    "test_error_percent": "test error",
    "train_error_percent": "training error",
    "validation_error_percent": "validation error",
    "difference": "difference to published",
    "seconds": "seconds of training",
}
"""What a cell can be of. The first three have a value for each restart, the others one for each run."""

_OF_RESTARTS: dict[str, Callable[[Row], Sequence[float]]] = {
    "test_error_percent": lambda row: row.test,
    "train_error_percent": lambda row: row.train,
    "validation_error_percent": lambda row: row.validation,
}


@dataclass(frozen=True, slots=True)
class PivotCell:
    """What the runs with one pair of keys gave.

    Attributes:
        mean: over the restarts, or over the runs where the value is one of a run.
        standard_deviation: of that mean if every restart were drawn anew once; None without two restarts of each
            experiment.
        interval: 95 % interval of the mean; None as above.
        median, best, worst: over the restarts of a single experiment; of several, their means.
        selected: mean of the values of the selected restarts; None where the value is one of a run.
        restarts: how many repetitions the experiment with the fewest has.
        experiments: how many experiments the cell averages over.
        values: the repetitions one by one, of a single experiment; else empty.
    """

    mean: float
    standard_deviation: float | None
    interval: tuple[float, float] | None
    median: float
    best: float
    worst: float
    selected: float | None
    restarts: int
    experiments: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Pivot:
    """Cells by the values of two keys.

    Attributes:
        value: what the cells are of, one of `VALUES`.
        rows: the key down the side.
        columns: the key across, or None for one column.
        row_values, column_values: what these keys are, in order; ``(None,)`` without ``columns``.
        cells: by row and column value, both as text; pairs without a finished run are missing.
        notes: what a reader has to know, a line each.
    """

    value: str
    rows: str
    columns: str | None
    row_values: tuple[Any, ...]
    column_values: tuple[Any, ...]
    cells: Mapping[tuple[str, str], PivotCell]
    notes: tuple[str, ...]

    def cell(self, row: Any, column: Any) -> PivotCell | None:
        """The cell of two values of the keys."""
        return self.cells.get((as_text(row), as_text(column)))


def pivot(rows: Sequence[Row], row_key: str, column_key: str | None, value: str) -> Pivot:
    """The finished rows by the values of one or two keys; ``value`` is one of `VALUES`.

    Raises:
        RequestError: there is no such key or value, or no finished row that has it.
    """
    if value not in VALUES:
        raise bad_value("value", value, f"one of {', '.join(VALUES)}{suggestion(value, VALUES)}")
    check_key("rows", row_key, rows)
    if column_key is not None:
        check_key("columns", column_key, rows)
    done = [row for row in rows if row.is_done and (value in _OF_RESTARTS or of_run(row, value) is not None)]
    if not done:
        raise bad_value("value", value, f"something that the runs have: {VALUES[value]} is on record for none of them")
    gathered: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in done:
        column = as_text(row.keys.get(column_key)) if column_key else as_text(None)
        gathered[as_text(row.keys.get(row_key)), column].append(row)
    identity = [key for key in varying(done) if key not in REPETITIONS]
    return Pivot(
        value=value,
        rows=row_key,
        columns=column_key,
        row_values=tuple(values_of(row_key, done)),
        column_values=tuple(values_of(column_key, done)) if column_key else (None,),
        cells={place: _cell(inside, identity, value) for place, inside in gathered.items()},
        notes=_notes(gathered, identity, (row_key, column_key)),
    )


def choose_keys(rows: Sequence[Row]) -> tuple[str, str | None] | None:
    """The one or two keys that set finished rows apart, for whoever names none; None where there are more, or none.

    Seeds do not count, nor do keys that go with another one, as paired values and the keys of an experiment do.
    """
    done = [row for row in rows if row.is_done]
    keys = [key for key in varying(done) if key not in REPETITIONS]
    if "experiment" in keys:
        keys = [key for key in keys if key in ("task", "experiment")]
    alike: dict[tuple[int, ...], str] = {}
    for key in keys:
        places: dict[str, int] = {}
        alike.setdefault(tuple(places.setdefault(as_text(row.keys.get(key)), len(places)) for row in done), key)
    apart = sorted(alike.values(), key=lambda key: key != "task")
    return (apart[0], apart[1] if len(apart) == 2 else None) if len(apart) in (1, 2) else None


def of_run(row: Row, value: str) -> float | None:
    """A value that a run has once: ``seconds``, or what the comparison with the published error says, if it does."""
    if value == "seconds":
        return row.seconds
    return row.published[value] if row.published else None


def _cell(rows: Iterable[Row], identity: Sequence[str], value: str) -> PivotCell:
    """The cell of finished rows; ``identity`` are the keys that tell experiments apart."""
    # experiment to repetition to task: only a joint run has several tasks in one repetition
    pooled: _Pool = defaultdict(lambda: defaultdict(dict))
    selected: _Pool = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        task = row.keys["task"]
        name = tuple(as_text(row.keys.get(key)) for key in identity if key != "task" or not row.keys["joint"])
        run = (row.keys["signature"],)  # the same request recorded in two places is one run
        if (errors_of := _OF_RESTARTS.get(value)) is None:
            pooled[name][run][task] = of_run(row, value) or 0.0
            continue
        errors = errors_of(row)
        selected[name][run][task] = errors[row.selected]
        for number, error in zip(row.numbers, errors, strict=True):
            pooled[name][(row.keys.get("data.seed"), *number)][task] = error
    groups = [_repetitions(experiment) for experiment in pooled.values()]
    chosen = [fmean(_repetitions(experiment)) for experiment in selected.values()]
    deviation, interval = _spread(groups, bounded=value in _OF_RESTARTS)
    return PivotCell(
        mean=fmean(map(fmean, groups)),
        standard_deviation=deviation,
        interval=interval,
        median=fmean(map(median, groups)),
        best=fmean(map(min, groups)),
        worst=fmean(map(max, groups)),
        selected=fmean(chosen) if chosen else None,
        restarts=min(map(len, groups)),
        experiments=len(groups),
        values=tuple(groups[0]) if len(groups) == 1 else (),
    )


def sample_variance(values: Sequence[float]) -> float:
    """Of at least two values, with ddof 1; `statistics.variance` is exact and takes a hundred times as long."""
    mean = fmean(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _repetitions(experiment: Mapping[_Name, Mapping[Any, float]]) -> list[float]:
    return [fmean(tasks.values()) for tasks in experiment.values()]


def _spread(groups: Sequence[Sequence[float]], bounded: bool) -> tuple[float | None, tuple[float, float] | None]:
    """Standard deviation and 95 % interval of the mean of the groups' means; ``bounded`` values lie in 0..100."""
    if any(len(group) < 2 for group in groups):
        return None, None
    count, mean = len(groups), fmean(map(fmean, groups))
    variances = [sample_variance(group) for group in groups]
    parts = [one / len(group) for one, group in zip(variances, groups, strict=True)]
    total, half = sum(parts), 0.0
    if total > 0:
        freedom = total**2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
        half = student_quantile(freedom) * sqrt(total) / count
    low, high = mean - half, mean + half
    return sqrt(sum(variances)) / count, (max(low, 0.0), min(high, 100.0)) if bounded else (low, high)


def _notes(
    cells: Mapping[tuple[str, str], Sequence[Row]], identity: Sequence[str], pivoted: Sequence[str | None]
) -> tuple[str, ...]:
    """What cells average over, and what is not the same in all of them."""
    keys = [key for key in identity if key not in pivoted]
    mixed: list[str] = []
    if "experiment" in identity:
        # an experiment is known by its name, unless something else was asked for under it
        changed = [key for key in keys if key not in ("task", "experiment")]
        keys = [key for key in keys if key in ("task", "experiment")]
        mixed = [key for key in changed if any(_is_mixed(rows, key) for rows in cells.values())]
    over, unequal = [], []
    for key in keys:
        first, *others = ({as_text(row.keys.get(key)) for row in rows} for rows in cells.values())
        if any(other != first for other in others):
            unequal.append(key)
        elif len(first) > 1:
            values = ", ".join(as_text(value) for value in values_of(key, next(iter(cells.values()))))
            over.append(f"{key} ({values})")
    notes = [f"each cell is the mean over {' and '.join(over)}"] if over else []
    if unequal:
        notes.append(f"not the same in all cells: {', '.join(unequal)}")
    if mixed:
        notes.append(f"averaged over runs of one experiment that differ in {', '.join(mixed)}; where={{...}} chooses")
    return tuple(notes)


def _is_mixed(rows: Sequence[Row], key: str) -> bool:
    """Whether runs of the same experiment and task have different values of a key."""
    found: dict[tuple[Any, Any], set[str]] = {}
    for row in rows:
        found.setdefault((row.keys["experiment"], row.keys["task"]), set()).add(as_text(row.keys.get(key)))
    return any(len(values) > 1 for values in found.values())
