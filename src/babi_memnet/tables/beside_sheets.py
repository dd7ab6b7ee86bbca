"""Published columns beside ours, as sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from babi_memnet.papers.beside import BESIDE_LEGEND, said_of
from babi_memnet.tables.numbers import NO_DATA, counted, rounded
from babi_memnet.tables.sheet import Sheet, cut
from babi_memnet.tasks import texts_in_order


def beside_tables(table: Mapping[str, Any], width: int) -> list[Sheet]:
    """The ``beside`` of a table.json, tasks × published columns, in tables of at most ``width`` characters."""
    tasks = texts_in_order({task for column in table["columns"] for task in column["cells"]})

    def draw(columns: Sequence[Mapping[str, Any]]) -> Sheet:
        rows = [(task, *(rounded(column["errors"].get(task), missing=NO_DATA) for column in columns)) for task in tasks]
        rows.append(("mean", *(rounded(column["mean"], missing=NO_DATA) for column in columns)))
        rows.append(("failed", *(counted(column["failed"], missing=NO_DATA) for column in columns)))
        header = ("task", *(f"{column['table']}\n{column['id']}" for column in columns))
        notes = [BESIDE_LEGEND, *(f"{column['label']}: {said_of(column)}" for column in columns)]
        return Sheet("published elsewhere", header, tuple(rows), 2, tuple(notes))

    return cut(table["beside"], draw, width)
