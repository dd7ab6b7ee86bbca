"""The attention of finished runs over their test questions as a table to read, from the records of `looking`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, stdev
from typing import Any

from babi_memnet.looking.answers import Record
from babi_memnet.looking.attention import NULL_MODELS
from babi_memnet.tables.numbers import NO_DATA, rounded
from babi_memnet.tables.sheet import Sheet


def tidy_attention(records: Iterable[Record]) -> list[Record]:
    """The records with a column for each hop instead of a list; shorter ones are filled up with None."""
    records = list(records)
    most = max((record["hops"] for record in records), default=0)
    flat = []
    for record in records:
        one: Record = {}
        for key, value in record.items():
            if isinstance(value, tuple | list):
                one |= {f"{key}_{hop + 1}": value[hop] if hop < len(value) else None for hop in range(most)}
            else:
                one[key] = value
        flat.append(one)
    return flat


def attention_sheet(records: Iterable[Record], title: str, notes: Sequence[str] = ()) -> Sheet:
    """One row per run and task: the selected restart, with the deviation over all of them, beside the null models."""
    groups: dict[tuple[str, Any], list[Record]] = {}
    for record in records:
        groups.setdefault((record["run"], record["task"]), []).append(record)
    # a label that is always the same says nothing
    first = 0 if len({group[0]["label"] for group in groups.values()}) > 1 else 1
    rows = tuple(_row(group)[first:] for group in groups.values())
    return Sheet(title, _HEADER[first:], rows, notes=(*_LEGEND, *notes))


_HEADER = (
    "networks",
    "task",
    "error\n%",
    "mass on supporting facts\nby hop",
    "±",
    "uniform",
    "recency",
    "found",
    "±",
    "uniform",
    "recency",
    "all\nfound",
    "in\norder",
    "on empty slots\nby hop",
    "entropy\nby hop",
    "mass when\nright, wrong",
    "error when all are\nfound, not found",
)
_LEGEND = (
    "percent, of the selected restart; ±: standard deviation over restarts; entropy in bits",
    "found: supporting facts that some hop weighs above all other statements; in order: as the chain of reasoning goes",
    "uniform: all slots alike; recency: the latest statement, then the one before it",
)


def _row(group: Sequence[Record]) -> tuple[str, ...]:
    (chosen,) = (record for record in group if record["selected"])
    restarts = [record for record in group if record["selected"] is not None]
    null = {name: next(record for record in group if record["network"] == name) for name in NULL_MODELS}
    return (
        chosen["label"],
        str(chosen["task"]),
        rounded(chosen["error_percent"]),
        _hops(chosen["mass"]),
        _deviation([fmean(record["mass"]) for record in restarts]),
        *(_whole(fmean(null[name]["mass"])) for name in NULL_MODELS),
        _whole(chosen["found"]),
        _deviation([record["found"] for record in restarts]),
        *(_whole(null[name]["found"]) for name in NULL_MODELS),
        _whole(chosen["complete"]),
        _whole(chosen["in_order"]),
        _hops(chosen["empty"]),
        " ".join(map(rounded, chosen["entropy"])),
        f"{_whole(chosen['mass_when_right'])}, {_whole(chosen['mass_when_wrong'])}",
        ", ".join(rounded(chosen[f"error_when_{how}"], missing=NO_DATA) for how in ("complete", "incomplete")),
    )


def _hops(values: Sequence[float]) -> str:
    return " ".join(map(_whole, values))


def _whole(value: float | None) -> str:
    return rounded(value, 0, NO_DATA)


def _deviation(values: Sequence[float | None]) -> str:
    numbers = [value for value in values if value is not None]
    return _whole(stdev(numbers)) if len(numbers) > 1 else ""
