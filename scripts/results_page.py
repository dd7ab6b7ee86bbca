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
from pathlib import Path
from typing import Any

from babi_memnet.inspect.style import rendered
from babi_memnet.inspect.table_figures import against_published
from babi_memnet.papers.results_page import results_page

ROOT = Path(__file__).resolve().parents[1]


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
