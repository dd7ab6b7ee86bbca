"""What a run ran on: host, versions, code. Asked from the system and package metadata; imports nothing heavy."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PACKAGES = (
    "babi-memnet",
    "torch",
    "numpy",
    "numba",
    "scipy",
    "datasets",
    "hydra-core",
    "omegaconf",
    "safetensors",
    "wandb",
)
_THAT_CHANGE_NUMBERS = ("babi-memnet", "torch", "numpy", "numba", "scipy")
_GIT_SECONDS = 10.0
_PACKAGE = Path(__file__).resolve().parents[1]


def describe_environment() -> dict[str, Any]:
    """``host``, ``pid``, ``platform``, ``cores``, ``python``, ``versions`` (package → version or None) and ``git``."""
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {package: version_of(package) for package in PACKAGES},
        "git": describe_checkout(_PACKAGE),
    }


def unlike_versions(made_by: Iterable[object]) -> list[str]:
    """One line where runs that stand beside each other were made by versions that may give other numbers.

    Args:
        made_by: the ``versions`` in status.json of each run; whatever is no mapping tells nothing.
    """
    counts: dict[str, Counter[str]] = {name: Counter() for name in _THAT_CHANGE_NUMBERS}
    for versions in made_by:
        known = versions if isinstance(versions, Mapping) else {}
        for name, count in counts.items():
            count[str(known.get(name) or "unknown")] += 1
    unlike = [
        f"{name} {', '.join(f'{version} (of {runs})' for version, runs in sorted(count.items()))}"
        for name, count in counts.items()
        if len(count) > 1
    ]
    return [f"runs made by different versions, which may change numbers: {'; '.join(unlike)}"] if unlike else []


def describe_checkout(folder: Path) -> dict[str, Any] | None:
    """``commit`` and ``dirty`` (changed or unknown files) of the git checkout that tracks ``folder``.

    None without git, without a commit, or when ``folder`` only lies inside somebody else's checkout, as an installed
    package in a virtual environment does.
    """
    if not _git(folder, "ls-files", "."):
        return None
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    changes = _git(folder, "status", "--porcelain")
    if commit is None or changes is None:
        return None
    return {"commit": commit, "dirty": bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, stripped; None when it fails, is missing or takes too long."""
    # A git hook that runs us sets GIT_DIR and its like, which would point at another repository than the folder's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            env=environment,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


def version_of(package: str) -> str | None:
    """The version of a package that is installed, else None."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
