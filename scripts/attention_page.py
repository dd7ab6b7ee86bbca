"""Bring the table and the pictures of docs/attention.md up to date.

    python scripts/attention_page.py [REPORT]

With the folder of a `babi-report ... inspect=true`, its attention is first taken into results/attention/, rounded and
without the places of its runs, and its picture of errors is copied. Table and picture of attention are drawn from what
is kept there.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

from babi_memnet.inspect.attention_figures import support_figure
from babi_memnet.inspect.attention_report import attention_sheet, condensed
from babi_memnet.inspect.style import rendered
from babi_memnet.papers.view import to_markdown

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn.json"
PAGE = ROOT / "docs" / "attention.md"
TABLE = re.compile(r"(<!-- table -->\n).*?(<!-- end of table -->)", flags=re.DOTALL)


def main() -> None:
    if len(sys.argv) == 2:
        report = Path(sys.argv[1])
        records = condensed(json.loads((report / "attention.json").read_text()))
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")
        shutil.copy(report / "figures" / "errors.png", ROOT / "docs" / "images" / "errors.png")
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    records = json.loads(KEPT.read_text())
    table = to_markdown(attention_sheet(records, ""))
    PAGE.write_text(TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", PAGE.read_text()))
    figure = support_figure(records)
    assert figure is not None, "of one experiment"
    (ROOT / "docs" / "images" / "attention.png").write_bytes(rendered(figure, "png"))


if __name__ == "__main__":
    main()
