"""Bring the table and the pictures of docs/controllers.md up to date.

    python -m scripts.controllers_page [REPORT]

With the folder of a `babi-report ... inspect=true`, what it says of when networks answered is first taken into
results/controllers/, rounded and without the places of its runs. Table and pictures are drawn from what is kept there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from babi_memnet.tables.sheet import to_markdown
from babi_memnet.tables.stopping_figure import stopping_figure
from babi_memnet.tables.stopping_sheet import stopping_sheet
from babi_memnet.tables.style import rendered
from scripts.attention_page import ROOT, keep, show

KEPT = {name: ROOT / "results" / "controllers" / f"{name}.json" for name in ("steps", "steps_allowed")}
PAGE = ROOT / "docs" / "controllers.md"


def main() -> None:
    if len(sys.argv) == 2:
        keep(Path(sys.argv[1]), KEPT)
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    hops, allowed = (json.loads(kept.read_text()) for kept in KEPT.values())
    show(to_markdown(stopping_sheet(hops, allowed, "")), PAGE)
    for label in dict.fromkeys(record["label"] for record in hops):
        of_one = [[record for record in records if record["label"] == label] for records in (hops, allowed)]
        controller = label.partition("model.controller=")[2].partition(",")[0]
        (ROOT / "docs" / "images" / f"steps_{controller}.png").write_bytes(rendered(stopping_figure(*of_one), "png"))


if __name__ == "__main__":
    main()
