"""Write docs/fidelity.md: how far simulated stories are from the official ones.

python scripts/fidelity.py --root tasks_1-20_v1-2 --seed 0 --out docs/fidelity.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from babi_memnet.errors import RequestError
from babi_memnet.worlds.fidelity import fidelity_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "fidelity.md"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare simulated stories with the official ones and write the page.")
    parser.add_argument("--root", type=Path, required=True, help="tasks_1-20_v1-2, or a folder that holds it")
    parser.add_argument("--seed", type=int, default=0, help="data.seed of the simulated stories (default 0)")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write (default docs/fidelity.md)")
    given = parser.parse_args()
    try:
        page = fidelity_page(given.root, given.seed)
    except RequestError as error:
        sys.exit(f"fidelity.py: {error}")
    given.out.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
