"""Fixtures for the whole test tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def official_root() -> Path:
    """The folder ``tasks_1-20_v1-2`` below what ``BABI_DATA`` names; the test is skipped when it is not set."""
    given = os.environ.get("BABI_DATA")
    if not given:
        pytest.skip("BABI_DATA does not name the official data")
    root = Path(given)
    return root / "tasks_1-20_v1-2" if (root / "tasks_1-20_v1-2").is_dir() else root
