"""A reproduced table as one HTML file that needs nothing else: no scripts, no fonts, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babi_memnet.papers.beside import BESIDE_LEGEND, said_of
from babi_memnet.tables.numbers import NO_DATA
from babi_memnet.tables.pages import filled
from babi_memnet.tables.sheet import LEGEND, MARKS
from babi_memnet.tasks import JOINT, texts_in_order


@dataclass(frozen=True, slots=True)
class PageFigure:
    """A figure of the page.

    Attributes:
        heading: what stands above it.
        caption: what stands below it, and is read out in its place.
        svg: the drawing, from `inline_svg`.
    """

    heading: str
    caption: str
    svg: str


def table_page(table: Mapping[str, Any], figures: Sequence[PageFigure]) -> str:
    """The page for the content of a table.json; every number on it says where it is from."""

    def value_at(path: str) -> float | None:
        """The number at ``path``, keys and positions joined by /; None where there is none."""
        value: Any = table
        for key in path.split("/"):
            value = value[int(key)] if isinstance(value, list) else None if value is None else value.get(key)
        number: float | None = value
        return number

    columns, environment = table["columns"], table["environment"]
    versions = [f"{name} {version}" for name, version in environment["versions"].items() if version]
    trained = {task for column in columns for task in column["cells"]}
    missing = {task for column in columns for task in column["missing"] if task != JOINT}
    return filled(
        "table.html",
        title=table["id"],
        table=table,
        value_at=value_at,
        figures=figures,
        tasks=texts_in_order(trained | missing),
        trained_tasks=texts_in_order(trained),
        cell_tasks=[texts_in_order(column["cells"]) for column in columns],
        beside_lines=[f"{column['label']}: {said_of(column)}" for column in table["beside"]],
        protocol_lines=[f"{key}: {value}" for key, value in table["protocol"].items()],
        environment_lines=[f"Python {environment['python']}, {environment['platform']}", *versions],
        legend=LEGEND,
        beside_legend=BESIDE_LEGEND,
        marks=MARKS,
        no_data=NO_DATA,
    )
