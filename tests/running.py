"""What the tests of whole commands share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., subprocess.CompletedProcess[str]]
"""The fixture ``command``: ``command("train", "task=1", environ={...})``."""

SMALL = ["data.size=60", "data.test_questions=40", "debug=quick", "tracker=none"]
"""A run of a second."""


def only_run(folder: Path) -> Path:
    """The one run directory below a folder."""
    (status,) = folder.rglob("status.json")
    return status.parent


def results(folder: Path) -> dict[str, Any]:
    """Signature to what was found; times differ."""
    found = [json.loads(path.read_text()) for path in folder.rglob("result.json")]
    return {result["signature"]: {**result, "seconds": None} for result in found}


def done_runs(folder: Path) -> list[Path]:
    """The result of every run that is done."""
    return list(folder.rglob("result.json"))


def settings(folder: Path) -> set[tuple[Any, ...]]:
    """Task, hops and state of every run."""
    records = [json.loads(path.read_text()) for path in folder.rglob("status.json")]
    return {(one["settings"]["task"], one["settings"]["model"]["hops"], one["state"]) for one in records}
