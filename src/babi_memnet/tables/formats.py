"""Tables for documents and for other programs: LaTeX of a sheet, CSV and columns of records."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from babi_memnet.tables.sheet import Sheet


def to_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """The records, all with the names of the first, under a header; numbers as they are, None as nothing."""
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def to_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The values by name, all with the names of the first, each of one kind as typed tables want them.

    Whole numbers among others become floats; values that are not all of one kind, such as 300 and 1k, become text.
    """
    columns = {}
    for name in records[0]:
        values = [record[name] for record in records]
        kinds = {type(value) for value in values if value is not None}
        kind = float if kinds == {int, float} else str if len(kinds) > 1 else None
        columns[name] = [None if value is None else kind(value) for value in values] if kind else values
    return columns


def to_latex(sheet: Sheet) -> str:
    """A table of the booktabs package, with the title above and the notes as comments."""
    lines = [f"% {' '.join(note.split())}" for note in (sheet.title, *sheet.notes) if note]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(sheet.header) - 1)}}}", r"\toprule"]
    stacked = [text.partition("\n") for text in sheet.header]
    if any(line for _, line, _ in stacked):
        lines.append(_latex_row(above if line else "" for above, line, _ in stacked))
        lines.append(_latex_row(below if line else above for above, line, below in stacked))
    else:
        lines.append(_latex_row(sheet.header))
    lines += [r"\midrule", *map(_latex_row, sheet.rows), r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines) + "\n"


_LATEX = str.maketrans(
    {**{sign: f"\\{sign}" for sign in "&%$#_{}"}, "\\": r"\textbackslash{}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": "$<$", ">": "$>$"}
    | {"[": "{[}", "*": "{*}"}  # at the start of a row they would be an argument of the \\ before it
)


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cell.translate(_LATEX) for cell in cells) + r" \\"
