"""Bring the table of docs/network.md, what it gives MemN2N to write its memory, up to date.

    python -m scripts.writes_page [REPORT]

With the folder of a `babi-report ... rows=task columns=model.write`, its cells are first taken into results/writes/,
rounded. The table is drawn from what is kept there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

from babi_memnet.papers.comparison import failed
from babi_memnet.tables.numbers import mean_and_deviation, rounded
from babi_memnet.tables.sheet import Sheet, to_markdown
from scripts.attention_page import ROOT, short, show, write_records

KEPT = ROOT / "results" / "writes" / "cells.json"
PAGE = ROOT / "docs" / "network.md"
WRITES = ("none", "add", "gated")


def writes_sheet(cells: Sequence[Mapping[str, Any]]) -> Sheet:
    """A row for each task, two columns for each way to write; means and failed tasks below.

    The deviation of a mean over tasks is that of drawing a restart of each task, as in the pivots of `babi-report`.
    """
    found = {(cell["task"], cell["model.write"]): cell for cell in cells}
    tasks = sorted({task for task, _ in found})
    rows = []
    for task in tasks:
        row = [str(task)]
        for cell in (found[task, write] for write in WRITES):
            row += [mean_and_deviation(cell["mean"], cell["standard_deviation"]), rounded(cell["selected"])]
        rows.append(row)
    mean, count = ["mean"], ["failed"]
    for write in WRITES:
        column = [found[task, write] for task in tasks]
        deviation = sqrt(sum(cell["standard_deviation"] ** 2 for cell in column)) / len(column)
        spread = mean_and_deviation(fmean(cell["mean"] for cell in column), deviation)
        mean += [spread, rounded(fmean(cell["selected"] for cell in column))]
        count += ["", str(sum(failed(cell["selected"]) for cell in column))]
    header = [text for write in WRITES for text in (f"{write}: mean ± sd", "selected")]
    return Sheet("", ("task", *header), tuple(map(tuple, [*rows, mean, count])), summary=2)


def main() -> None:
    if len(sys.argv) == 2:
        cells = json.loads((Path(sys.argv[1]) / "cells.json").read_text())
        write_records([{key: short(value) for key, value in cell.items()} for cell in cells], KEPT)
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    show(to_markdown(writes_sheet(json.loads(KEPT.read_text()))), PAGE)


if __name__ == "__main__":
    main()
