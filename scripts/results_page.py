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

Our numbers beside the published ones, on the official data. For MemN2N ten restarts a cell, the restart with the lowest
training error, as in the paper; for [our own network](writing-memory.md) the one with the lowest validation error.
[Published tables](published.md) says how a difference is judged. This page is built from `results/*.json`, the
`table.json` of each command below, by `scripts/results_page.py`; every restart is in there.
"""


def results_page(folder: Path) -> str:
    """docs/results.md for the tables in ``folder``."""
    parts = [_HEAD]
    for path in sorted(folder.glob("*.json")):
        table = json.loads(path.read_text())
        parts += [f"## {table['id']}", f"```console\n$ {table['command']}\n```", _environment(table)]
        parts += [summary(table), f"![Published and our error of every task](images/{table['id']}.png)"]
        parts += [every_task(table)]
        if (remarks := path.with_suffix(".md")).exists():
            parts.append(remarks.read_text())
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def every_task(table: Mapping[str, Any]) -> str:
    """The tasks of all columns as Markdown; of our own columns every restart, and what others have published."""
    if any(column["published"] for column in table["columns"]):
        return to_markdown(compact_table(table["columns"], notes=table["notes"]))
    rows = []
    for column in table["columns"]:
        others = table["beside"]
        header = ["task", "reported", "95 % interval", "all restarts", *(other["label"] for other in others)]
        rows += [
            column["label"],
            "",
            f"| {' | '.join(header)} |",
            "| ---: | ---: | --- | --- |" + " ---: |" * len(others),
        ]
        for task, cell in column["cells"].items():
            low, high = cell["interval"]
            restarts = ", ".join(f"{error:.1f}" for error in cell["restart_errors"]["test"])
            theirs = [f"{other['errors'][task]:.1f}" if task in other["errors"] else "–" for other in others]
            cells = [task, f"{cell['error_percent']:.1f}", f"{low:.1f} to {high:.1f}", restarts, *theirs]
            rows.append(f"| {' | '.join(cells)} |")
        whole = [f"{column['mean']:.2f}", "", f"mean {column['over_restarts']['mean']:.2f}"]
        means = ["–" if other["mean"] is None else f"{other['mean']:.2f}" for other in others]
        failed = ["–" if other["failed"] is None else f"{other['failed']:g}" for other in others]
        rows.append(f"| mean | {' | '.join([*whole, *means])} |")
        rows += [f"| failed | {' | '.join([str(column['failed']), '', '', *failed])} |", ""]
    return "\n".join([*rows, *(f"- {note}" for note in table["notes"])])


def summary(table: Mapping[str, Any]) -> str:
    """A Markdown table with one row a column: mean errors, failed tasks, verdict, minutes of training."""
    if not any(column["published"] for column in table["columns"]):
        rows = ["| column | mean error % | failed tasks | mean of all restarts | their median | minutes of training |"]
        rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
        for column in table["columns"]:
            every = column["over_restarts"]
            errors = f"{column['mean']:.2f} | {column['failed']} | {every['mean']:.2f} | {every['median']:.2f}"
            rows.append(f"| {column['label']} | {errors} | {column['seconds'] / 60:.1f} |")
        return "\n".join(rows)
    rows = ["| column | mean error % | published | chance | failed tasks | published | verdict | minutes of training |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    for column in table["columns"]:
        published, verdict = column["published"], f"{MARKS[column['verdict']]} {column['verdict']}"
        means = f"{column['mean']:.1f} | {published['mean']:.1f} | {100 * column['chance']:.0f} %"
        ours = f"{means} | {column['failed']} | {published['failed']:g}"
        rows.append(f"| {column['label']} | {ours} | {verdict} | {column['seconds'] / 60:.1f} |")
    return "\n".join(rows)


def gains(plain: Mapping[str, Any], exchanging: Mapping[str, Any]) -> str:
    """A Markdown table of what exchanging words gives: MemN2N PE LS RN as in its paper beside our own columns."""
    columns = [next(column for column in plain["columns"] if column["id"] == "pe_ls_rn"), *exchanging["columns"]]
    rows = [f"| task | {' | '.join(column['label'] for column in columns)} |", "| ---: |" + " ---: |" * len(columns)]
    for task in columns[0]["cells"]:
        errors = " | ".join(f"{column['cells'][task]['error_percent']:.1f}" for column in columns)
        rows.append(f"| {task} | {errors} |")
    rows.append(f"| mean | {' | '.join(format(column['mean'], '.1f') for column in columns)} |")
    return "\n".join(rows)


def _environment(table: Mapping[str, Any]) -> str:
    where = table["environment"]
    versions = ", ".join(f"{name} {where['versions'][name]}" for name in ("torch", "numpy", "numba"))
    minutes = table["seconds"]["wall"] / 60
    return f"{minutes:.1f} minutes on two cores ({table['machine']}); Python {where['python']}, {versions}."


def take_in(folder: Path, path: str, command: str, machine: str, seconds: str) -> None:
    """Keep the table.json at ``path`` in ``folder``, with the command that made it, the machine and its seconds."""
    table = json.loads(Path(path).read_text(), parse_float=lambda text: round(float(text), 4))
    table["seconds"]["wall"] = float(seconds)
    table |= {"command": command, "machine": machine, "notes": [_without_folders(note) for note in table["notes"]]}
    for column in table["columns"]:
        column["missing"] = {task: _without_folders(line) for task, line in column["missing"].items()}
        for cell in column["cells"].values():
            cell.pop("run", None)
    folder.mkdir(exist_ok=True)
    (folder / f"{table['id']}.json").write_text(_compact(table))


def main() -> None:
    if len(sys.argv) == 5:
        take_in(ROOT / "results", *sys.argv[1:])
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
