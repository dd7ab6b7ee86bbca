"""The first run on a machine, which compiles, gives the numbers of all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.test_train import read_lines
from tests.running import SMALL, Run


@pytest.mark.integration
def test_the_run_that_compiles_equals_the_next_to_the_last_bit(process: Run, tmp_path: Path):
    losses = []
    for name in ("first", "second"):
        folder = tmp_path / name
        environ = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
        found = process("train", "task=1", *SMALL, f"hydra.run.dir={folder}", environ=environ)
        assert found.returncode == 0, found.stderr
        assert ("compiling" in found.stdout) == (name == "first")
        losses.append([line["train/loss"] for line in read_lines(folder / "metrics.jsonl")])
    assert losses[0] == losses[1]
