"""Bring the table and the pictures of docs/controllers.md up to date.

    python -m scripts.controllers_page [NETWORK REPORT]

With memn2n or writing_memory and the folder of a `babi-report ... inspect=true`, what that says of when its networks
answered is first taken into results/controllers/, rounded and without the places of its runs. Table and pictures are
drawn from what is kept there.
"""

from __future__ import annotations

import json
import sys
from itertools import chain
from pathlib import Path
from typing import Any

from babi_memnet.tables.sheet import to_markdown
from babi_memnet.tables.stopping_figure import stopping_figure
from babi_memnet.tables.stopping_sheet import stopping_sheet
from babi_memnet.tables.style import rendered
from scripts.attention_page import ROOT, keep, show

NETWORKS = ("memn2n", "writing_memory")
KEPT = {
    network: {name: ROOT / "results" / "controllers" / network / f"{name}.json" for name in ("steps", "steps_allowed")}
    for network in NETWORKS
}
PAGE = ROOT / "docs" / "controllers.md"


def kept(network: str) -> list[list[dict[str, Any]]]:
    """What is kept of a network: hops taken, and the error by hops allowed."""
    return [json.loads(path.read_text()) for path in KEPT[network].values()]


def table() -> str:
    """When all networks answered, as Markdown."""
    hops, allowed = ([*chain(*parts)] for parts in zip(*map(kept, NETWORKS), strict=True))
    return to_markdown(stopping_sheet(hops, allowed, ""))


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] in NETWORKS:
        keep(Path(sys.argv[2]), KEPT[sys.argv[1]])
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    show(table(), PAGE)
    for network in NETWORKS:
        hops, allowed = kept(network)
        for label in dict.fromkeys(record["label"] for record in hops):
            of_one = [[record for record in records if record["label"] == label] for records in (hops, allowed)]
            controller = label.partition("model.controller=")[2].partition(",")[0]
            name = "_".join(part for part in ("steps", network if network != "memn2n" else "", controller) if part)
            picture = ROOT / "docs" / "images" / f"{name}.png"
            picture.write_bytes(rendered(stopping_figure(*of_one), "png"))


if __name__ == "__main__":
    main()
