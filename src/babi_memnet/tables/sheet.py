"""Comparisons as tables: for a terminal, for a log and as Markdown, drawn from their JSON alone.

`run_table` is what a single run ends with, `column_tables` a reproduced table. Both give a `Sheet`, which is nothing
but text in rows; `show`, `to_text` and `to_markdown` put it on a screen, in a log or in a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from babi_memnet.errors import visible
from babi_memnet.tables.numbers import NO_DATA, counted, interval, percent, rounded, signed
from babi_memnet.tasks import JOINT, texts_in_order

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MARKS = {"reproduced": "=", "better": "<", "worse": ">", "unresolved": "?"}
LEGEND = (
    "= reproduced, < ours is lower, > ours is higher, ? unresolved; errors in percent, differences ours - published"
)
_COLOURS = {"=": "green", "<": "cyan", ">": "red", "?": "yellow"}
_TEXT_WIDTH = 120
_NARROWEST = 80
_Column = TypeVar("_Column")

_NOTHING = {"error_percent": None, "published": None, "verdict": None}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text.

    Attributes:
        title: one line above; may be empty.
        header: one text per column; a line break stacks it.
        rows: cells, as many per row as the header has.
        summary: how many of the last rows sum up the others, set apart by a line.
        notes: lines below.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    summary: int = 0
    notes: tuple[str, ...] = ()


def run_table(judgement: Mapping[str, Any]) -> Sheet:
    """The table a run ends with; ``judgement`` is `Judgement.as_json()`, the ``published`` of its result.json."""
    comparison = judgement["comparison"]
    cells = comparison["cells"]
    rows = [(task, *_run_row(cells[task])) for task in texts_in_order(cells)]
    summary = 0
    if len(rows) > 1:
        whole = {**comparison, "error_percent": comparison["mean"], "spread": None, "interval": None}
        whole["published"] = comparison["published"] and comparison["published"]["mean"]
        rows += [("mean", *_run_row(whole)), ("failed", *_failed_row(comparison, 7))]
        summary = 2
    column, label = judgement["column"], comparison["label"]
    title = f"{column}: {label}" if column else "No published error to hold this run against"
    notes = list(judgement["notes"])
    if column:
        notes += [
            f"published: {comparison['published']['source']}",
            "±: spread of the selected error if all restarts were repeated; interval: 95 %, from the test questions",
            "margin: the largest difference that test questions and restarts explain",
        ]
    header = ("task", "ours", "±", "interval", "published", "difference", "margin", "verdict")
    return Sheet(title, header, tuple(rows), summary, tuple(notes))


def column_table(columns: Sequence[Mapping[str, Any]], title: str = "", notes: Sequence[str] = ()) -> Sheet:
    """Tasks × columns, each as ours, published, difference and mark; mean and failed tasks below.

    ``columns`` are `ColumnComparison.as_json()`, the ``columns`` of a table.json. A task that a column lacks
    is left empty. ``notes`` are added below.
    """
    tasks = texts_in_order(
        {task for column in columns for task in (*column["cells"], *column.get("missing", ())) if task != JOINT}
    )
    rows = [(task, *_flat(_column_cells(column["cells"].get(task)) for column in columns)) for task in tasks]
    rows.append(("mean", *_flat(_mean_cells(column) for column in columns)))
    rows.append(("failed", *_flat(_failed_row(column, 4) for column in columns)))
    header = ("task", *_flat((f"{column['id'] or ''}\nours", "published", "diff", "") for column in columns))
    below = [LEGEND, *notes]
    if any(len(column["cells"]) < len(tasks) for column in columns):
        below.append("means and failed tasks are over the tasks present, on both sides")
    return Sheet(title, header, tuple(rows), 2, tuple(below))


def column_tables(
    columns: Sequence[Mapping[str, Any]], width: int, title: str = "", notes: Sequence[str] = ()
) -> list[Sheet]:
    """`column_table` cut into as many tables as it takes to stay within ``width`` characters, if one column does."""
    return cut(columns, lambda some: column_table(some, title, notes), width)


def cut(columns: Sequence[_Column], draw: Callable[[Sequence[_Column]], Sheet], width: int) -> list[Sheet]:
    """What ``draw`` makes of the columns, in as many tables as it takes to stay within ``width`` characters."""
    sheets: list[Sheet] = []
    start = 0
    while start < len(columns):
        count = 1
        while start + count < len(columns) and _width(draw(columns[start : start + count + 1])) <= width:
            count += 1
        sheets.append(draw(columns[start : start + count]))
        start += count
    return sheets


def compact_table(columns: Sequence[Mapping[str, Any]], title: str = "", notes: Sequence[str] = ()) -> Sheet:
    """Tasks × columns as ``ours (published)``, narrow enough for a page of a paper; mean and failed tasks below."""
    tasks = texts_in_order(
        {task for column in columns for task in (*column["cells"], *column.get("missing", ())) if task != JOINT}
    )

    def pair(ours: float | None, published: float | None, verdict: str | None, digits: int = 1) -> str:
        if ours is None:
            return NO_DATA
        mark = f" {MARKS[verdict]}" if verdict in ("better", "worse") else ""
        return rounded(ours, digits) + ("" if published is None else f" ({rounded(published, digits)}){mark}")

    rows = []
    for task in tasks:
        cells = [column["cells"].get(task, _NOTHING) for column in columns]
        rows.append((task, *(pair(cell["error_percent"], cell["published"], cell["verdict"]) for cell in cells)))
    published = [column["published"] or {"mean": None, "failed": None} for column in columns]
    pairs = list(zip(columns, published, strict=True))
    rows.append(("mean", *(pair(column["mean"], side["mean"], column["verdict"]) for column, side in pairs)))
    rows.append(("failed", *(pair(column["failed"], side["failed"], None, 0) for column, side in pairs)))
    below = ["ours (published), errors in percent; < ours is lower, > ours is higher, beyond what is explained", *notes]
    return Sheet(title, ("task", *(str(column["id"]) for column in columns)), tuple(rows), 2, tuple(below))


def summary_table(columns: Sequence[Mapping[str, Any]], title: str = "", notes: Sequence[str] = ()) -> Sheet:
    """One row a column: mean error, failed tasks and verdict against the published ones, all restarts, minutes."""
    rows = []
    for column in columns:
        published = column["published"] or {"mean": None, "failed": None}
        verdict = column["verdict"]
        every = column.get("over_restarts") or {"mean": None, "median": None}
        rows.append(
            (
                str(column["id"]),
                rounded(column["mean"]),
                rounded(published["mean"]),
                signed(column["difference"]),
                percent(column["chance"]),
                str(column["failed"]),
                counted(published["failed"]),
                f"{MARKS[verdict]} {verdict}" if verdict else "",
                rounded(every["mean"]),
                rounded(every["median"]),
                rounded(column["seconds"] / 60),
            )
        )
    header = (
        "column",
        "mean",
        "published",
        "diff",
        "chance",
        "failed",
        "published",
        "verdict",
        "all",
        "median",
        "minutes",
    )
    below = [
        "chance: that two honest repetitions differ at least as much",
        "all, median: mean and median error of all restarts, the mean over the tasks",
        *notes,
    ]
    return Sheet(title, header, tuple(rows), 0, tuple(below))


def screen_width() -> int:
    """How many characters a sheet may be wide to fit on the screen, at least 80; 120 where there is no screen."""
    return max(get_terminal_size((_TEXT_WIDTH, 0)).columns, _NARROWEST)


def show(sheets: Iterable[Sheet], file: TextIO | None = None) -> None:
    """Print to ``file`` (default standard output): in colour on a terminal, as plain text into a pipe or a log."""
    from rich.console import Console

    console = Console(file=file, highlight=False)
    for sheet in sheets:
        if console.is_terminal:
            _draw(sheet, console)
        else:
            console.file.write(to_text(sheet))


def to_text(sheet: Sheet, width: int = _TEXT_WIDTH) -> str:
    """Plain text without colour, as wide as the table needs; notes are broken at ``width``. Ends with a line break."""
    from io import StringIO

    from rich.console import Console

    file = StringIO()
    _draw(sheet, Console(file=file, width=max(width, _width(sheet)), color_system=None, highlight=False))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def to_markdown(sheet: Sheet) -> str:
    """A Markdown table with the title as a bold line above and the notes as a list below."""
    lines = [f"**{sheet.title}**", ""] if sheet.title else []
    lines.append(_markdown_row(text.replace("\n", " ") for text in sheet.header))
    lines.append(_markdown_row(["---", *["---:"] * (len(sheet.header) - 1)]))
    lines += [_markdown_row(row) for row in sheet.rows]
    lines += ["", *(f"- {note}" for note in sheet.notes)] if sheet.notes else []
    return "\n".join(lines) + "\n"


def _draw(sheet: Sheet, console: Console) -> None:
    from rich.text import Text

    if sheet.title:
        console.print(Text(visible(sheet.title), style="bold"))
    console.print(_rich(sheet))
    for note in sheet.notes:
        console.print(Text(visible(note), style="dim"))


_LEFT = ("", "task", "column", "verdict")


def _rich(sheet: Sheet) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for text in sheet.header:
        table.add_column(Text(visible(text)), justify="left" if text in _LEFT else "right", no_wrap=True)
    for position, row in enumerate(sheet.rows):
        last = position == len(sheet.rows) - sheet.summary - 1
        table.add_row(*(Text(visible(cell), style=_colour(cell)) for cell in row), end_section=last)
    return table


def _width(sheet: Sheet) -> int:
    columns = zip(sheet.header, *sheet.rows, strict=True)
    # rich sets columns three characters apart
    return sum(max(len(line) for text in column for line in text.split("\n")) + 3 for column in columns)


def _run_row(cell: Mapping[str, Any]) -> tuple[str, ...]:
    verdict = cell["verdict"]
    why = f" ({cell['explained_by']})" if cell["explained_by"] else ""
    return (
        rounded(cell["error_percent"]),
        rounded(cell["spread"]),
        interval(cell["interval"]),
        rounded(cell["published"]),
        signed(cell["difference"]),
        rounded(cell["margin"] if cell["margin"] is not None else cell["margin_questions"]),
        f"{MARKS[verdict]} {verdict}{why}" if verdict else "",
    )


def _column_cells(cell: Mapping[str, Any] | None) -> tuple[str, ...]:
    if cell is None:
        return NO_DATA, "", "", ""
    mark = MARKS[cell["verdict"]] if cell["verdict"] else ""
    return rounded(cell["error_percent"]), rounded(cell["published"]), signed(cell["difference"]), mark


def _mean_cells(column: Mapping[str, Any]) -> tuple[str, ...]:
    published = column["published"] and column["published"]["mean"]
    return _column_cells({**column, "error_percent": column["mean"], "published": published})


def _failed_row(column: Mapping[str, Any], cells: int) -> tuple[str, ...]:
    """Failed tasks of both sides, in the places of a row of `run_table` (7 cells) or `column_table` (4 cells)."""
    ours, published = column["failed"], column["published"] and column["published"]["failed"]
    difference = f"{ours - published:+g}" if published is not None else ""
    texts = (str(ours), counted(published), difference)
    return (*texts, "") if cells == 4 else (texts[0], "", "", texts[1], texts[2], "", "")


def _flat(groups: Iterable[tuple[str, ...]]) -> list[str]:
    return [text for group in groups for text in group]


def _colour(cell: str) -> str:
    return _COLOURS.get(cell[:1], "")


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
