"""What the README shows of the first run is what the first run shows, on whatever machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.running import Run

ROOT = Path(__file__).parents[2]


def shown(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without how long it took."""
    rows = [line.split() for line in text.splitlines() if re.match(r" *(\d+|mean|failed|pe_ls_rn) +[\d.]+ ", line)]
    return [row[:-1] if row[0] == "pe_ls_rn" else row for row in rows]


@pytest.mark.integration
def test_the_first_run_ends_as_the_readme_says(command: Run) -> None:
    """BABI_FIRST_RUN names a file with what `make run` has said, where that has just been done anyway."""
    if "BABI_FIRST_RUN" in os.environ:
        said = Path(os.environ["BABI_FIRST_RUN"]).read_text()
    else:
        done = command("reproduce", "table=memn2n_1k", "columns=[pe_ls_rn]", "tracker=none")
        assert done.returncode == 0, done.stderr
        said = done.stdout
    first_run = (ROOT / "README.md").read_text().partition("## First run")[2].partition("A column is one")[0]
    assert len(shown(first_run)) == 23
    assert shown(said) == shown(first_run)
