"""The launchers that many runs are tried under, each where what it needs is there."""

from __future__ import annotations

import importlib.util
import os
from shutil import which
from typing import Any

import pytest

no_slurm = pytest.mark.skipif(not (which("sinfo") and os.environ.get("SLURM_CONF")), reason="no Slurm to be used here")
no_ray = pytest.mark.skipif(
    not importlib.util.find_spec("hydra_plugins.hydra_ray_launcher"), reason="the extra ray is not installed"
)
_SETTINGS: dict[str, list[str]] = {
    "submitit_slurm": ["hydra.launcher.mem_gb=1", "hydra.launcher.cpus_per_task=1"],
}
_MARKS: dict[str, Any] = {"submitit_slurm": no_slurm, "ray": no_ray}


def words_of(launcher: str) -> list[str]:
    """The overrides that choose a launcher."""
    return [f"hydra/launcher={launcher}", *_SETTINGS.get(launcher, [])]


def launchers_but(usual: str) -> list[Any]:
    """All of them as parameters of a test, without the one that the others are held against."""
    names = ("basic", "cores", "joblib", "submitit_local", "submitit_slurm", "ray")
    return [pytest.param(name, marks=_MARKS.get(name, ())) for name in names if name != usual]
