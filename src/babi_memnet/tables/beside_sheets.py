"""Published columns beside ours, as sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from babi_memnet.papers.beside import BESIDE_LEGEND, said_of
from babi_memnet.tables.sheet import NO_DATA, Sheet, cut


def beside_tables(table: Mapping[str, Any], width: int) -> list[Sheet]:
    """The ``beside`` of a table.json, tasks × published columns, in tables of at most ``width`` characters."""
    tasks = sorted({int(task) for column in table["columns"] for task in column["cells"]})

    def number(value: float | None, form: str = ".1f") -> str:
        return NO_DATA if value is None else format(value, form)

    def draw(columns: Sequence[Mapping[str, Any]]) -> Sheet:
        rows = [(str(task), *(number(column["errors"].get(str(task))) for column in columns)) for task in tasks]
        rows.append(("mean", *(number(column["mean"]) for column in columns)))
        rows.append(("failed", *(number(column["failed"], "g") for column in columns)))
        header = ("task", *(f"{column['table']}\n{column['id']}" for column in columns))
        notes = [BESIDE_LEGEND, *(f"{column['label']}: {said_of(column)}" for column in columns)]
        return Sheet("published elsewhere", header, tuple(rows), 2, tuple(notes))

    return cut(table["beside"], draw, width)
