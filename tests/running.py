"""What the tests of whole commands share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]
"""The fixture ``command``: ``command("train", "task=1", environ={...})``."""

SMALL = ["data.size=60", "data.test_questions=40", "debug=quick", "tracker=none"]
"""A run of a second."""


def only_run(folder: Path) -> Path:
    """The one run directory below a folder."""
    (status,) = folder.rglob("status.json")
    return status.parent
