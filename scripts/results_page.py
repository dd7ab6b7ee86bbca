"""Write docs/results.md from results/*.json.

    python scripts/results_page.py [TABLE_JSON COMMAND MACHINE]

With arguments, a reproduced table is first taken into results/, with the command that made it and the machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from babi_memnet.papers.results_page import results_page

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    if len(sys.argv) == 4:
        path, command, machine = sys.argv[1:]
        table = {**json.loads(Path(path).read_text()), "command": command, "machine": machine}
        (ROOT / "results" / f"{table['id']}.json").write_text(json.dumps(table, indent=1) + "\n")
    (ROOT / "docs" / "results.md").write_text(results_page(ROOT / "results"))


if __name__ == "__main__":
    main()
