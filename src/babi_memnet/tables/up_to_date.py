"""Whether the folder of a table need not be drawn again, as make would ask it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from babi_memnet.errors import RequestError
from babi_memnet.runs.files import plain, read_json


def is_up_to_date(
    table_file: Path, table: Mapping[str, Any], curves_file: Path, curves: Any, views: Sequence[Path]
) -> bool:
    """Whether the files hold this table and these curves, and no view was changed, or the code that draws it, since.

    Args:
        table_file: table.json, which has to be written after all else.
        table: what it should hold; how long the command took may differ.
        curves_file: curves.json.
        curves: what it should hold.
        views: the files that are drawn from both.
    """
    files = [curves_file, *views]
    if not all(path.is_file() for path in (table_file, *files)):
        return False
    code = [path for path in Path(__file__).parent.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    written = table_file.stat().st_mtime_ns
    if any(path.stat().st_mtime_ns > written for path in (*files, *code)):
        return False
    try:
        return _timeless(read_json(table_file)) == _timeless(plain(table)) and read_json(curves_file) == plain(curves)
    except RequestError:
        return False  # damaged: drawing it again mends it


def _timeless(table: Any) -> Any:
    return {**table, "seconds": {**table["seconds"], "wall": None}}
