"""Bring the table and the pictures of docs/attention.md up to date.

    python scripts/attention_page.py [REPORT]

With the folder of a `babi-report ... inspect=true`, its attention and errors are first taken into results/attention/,
rounded and without the places of its runs. Table and pictures are drawn from what is kept there.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from babi_memnet.tables.answer_figures import error_figure
from babi_memnet.tables.attention_figures import support_figure
from babi_memnet.tables.attention_sheet import attention_sheet
from babi_memnet.tables.run_report import INSPECTION
from babi_memnet.tables.sheet import to_markdown
from babi_memnet.tables.style import rendered

ROOT = Path(__file__).resolve().parents[1]
KEPT = {
    "attention": ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn.json",
    "errors": ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn_errors.json",
}
PAGE = ROOT / "docs" / "attention.md"
TABLE = re.compile(r"(<!-- (?P<name>[\w ]*?table) -->\n).*?(<!-- end of (?P=name) -->)", flags=re.DOTALL)


def condensed(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records rounded and without the places of the runs, to be kept."""
    return [
        {key: short(value) for key, value in record.items() if key != "run"} | {"run": record["experiment"]}
        for record in records
    ]


def keep(report: Path, kept: Mapping[str, Path]) -> None:
    """Take these records of the report of a `babi-report ... inspect=true`, by their name there, into files."""
    for name, path in kept.items():
        records = condensed(json.loads((report / INSPECTION / f"{name}.json").read_text()))
        write_records(records, path)


def write_records(records: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Keep the records, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")


def show(table: str, page: Path, name: str = "table") -> None:
    """Put the table where the page has its place for it, between two comments with its name."""
    page.write_text(
        TABLE.sub(lambda found: f"{found[1]}{table}{found[3]}" if found["name"] == name else found[0], page.read_text())
    )


def short(value: Any) -> Any:
    """Numbers to four decimals, also those in lists."""
    if isinstance(value, tuple | list):
        return [short(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    if len(sys.argv) == 2:
        keep(Path(sys.argv[1]), KEPT)
    elif len(sys.argv) != 1:
        sys.exit(str(__doc__))
    records, errors = (json.loads(kept.read_text()) for kept in KEPT.values())
    show(to_markdown(attention_sheet(records, "")), PAGE)
    figure = support_figure(records)
    assert figure is not None, "of one experiment"
    for name, picture in {"attention": figure, "errors": error_figure(errors)}.items():
        (ROOT / "docs" / "images" / f"{name}.png").write_bytes(rendered(picture, "png"))


if __name__ == "__main__":
    main()
