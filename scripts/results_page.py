"""Write docs/results.md and its pictures from results/*.json.

    python scripts/results_page.py [TABLE_JSON COMMAND MACHINE SECONDS]

With arguments, a reproduced table is first taken into results/: with the command that made it, the machine, and the
seconds from start to end, since the table.json of a command that was called again tells those of the last call. Where
its stories lay, which is nobody's business, is left out of the notes, and numbers are rounded to four decimals.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babi_memnet.tables.sheet import MARKS, compact_table, to_markdown
from babi_memnet.tables.style import rendered
from babi_memnet.tables.table_figures import against_published

ROOT = Path(__file__).resolve().parents[1]


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


def main() -> None:
    if len(sys.argv) == 5:
        path, command, machine, seconds = sys.argv[1:]
        table = json.loads(Path(path).read_text(), parse_float=lambda text: round(float(text), 4))
        table["seconds"]["wall"] = float(seconds)
        table |= {"command": command, "machine": machine, "notes": [_without_folders(note) for note in table["notes"]]}
        for column in table["columns"]:
            column["missing"] = {task: _without_folders(line) for task, line in column["missing"].items()}
        (ROOT / "results" / f"{table['id']}.json").write_text(_compact(table))
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    (ROOT / "docs" / "results.md").write_text(results_page(ROOT / "results"))
    for path in (ROOT / "results").glob("*.json"):
        picture = against_published(json.loads(path.read_text())["columns"])
        (ROOT / "docs" / "images" / f"{path.stem}.png").write_bytes(rendered(picture, "png"))


def _without_folders(note: str) -> str:
    """``data.root=/home/me/babi: /home/me/babi/tasks_1-20_v1-2/x is missing`` without ``/home/me/babi``."""
    return re.sub(r"data\.root=(\S+): \1/", "", note)


def _compact(table: dict[str, Any]) -> str:
    """JSON with the numbers of a list on one line."""
    text = json.dumps(table, indent=1)
    return re.sub(r"\[[^\[\]{}\"]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text) + "\n"


if __name__ == "__main__":
    main()
