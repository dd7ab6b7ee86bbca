"""The page of our own results, built from the table.json files that are kept in ``results/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babi_memnet.papers.view import MARKS, compact_table, to_markdown

_HEAD = """# Results

Our numbers beside the published ones, on the official data: ten restarts a cell, the restart with the lowest training
error, as in the paper. [Published tables](published.md) says how a difference is judged. This page is built from
`results/*.json`, the `table.json` of each command below, by `scripts/results_page.py`; every restart is in there.
"""


def results_page(folder: Path) -> str:
    """docs/results.md for the tables in ``folder``."""
    parts = [_HEAD]
    for path in sorted(folder.glob("*.json")):
        table = json.loads(path.read_text())
        parts += [f"## {table['id']}", f"```console\n$ {table['command']}\n```", _environment(table)]
        parts += [summary(table), f"![Published and our error of every task](images/{table['id']}.png)"]
        parts += [to_markdown(compact_table(table["columns"], notes=table["notes"]))]
        if (remarks := path.with_suffix(".md")).exists():
            parts.append(remarks.read_text())
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def summary(table: Mapping[str, Any]) -> str:
    """A Markdown table with one row a column: mean errors, failed tasks, verdict, minutes of training."""
    rows = ["| column | mean error % | published | chance | failed tasks | published | verdict | minutes of training |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for column in table["columns"]:
        published, verdict = column["published"], f"{MARKS[column['verdict']]} {column['verdict']}"
        means = f"{column['mean']:.1f} | {published['mean']:.1f} | {100 * column['chance']:.0f} %"
        ours = f"{means} | {column['failed']} | {published['failed']:g}"
        rows.append(f"| {column['label']} | {ours} | {verdict} | {column['seconds'] / 60:.1f} |")
    return "\n".join(rows)


def _environment(table: Mapping[str, Any]) -> str:
    where = table["environment"]
    versions = ", ".join(f"{name} {where['versions'][name]}" for name in ("torch", "numpy", "numba"))
    minutes = table["seconds"]["wall"] / 60
    return f"{minutes:.1f} minutes on two cores ({table['machine']}); Python {where['python']}, {versions}."
