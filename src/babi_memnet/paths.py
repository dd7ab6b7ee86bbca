"""Where configuration files and networks are: those of the project, and those of folders that the user adds."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def conf_directory() -> Path:
    """The ``conf/`` folder: beside ``src/`` in a checkout, inside the package when installed from a wheel."""
    shipped = _PACKAGE / "conf"
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / "conf"


def added_folders() -> list[Path]:
    """The folders named by the environment variable ``BABI_PATH``, as ``PATH`` names its own.

    Each may have ``models/`` with networks and ``conf/`` with configuration files, laid out as those of the project.
    """
    return [Path(folder).absolute() for folder in os.environ.get("BABI_PATH", "").split(os.pathsep) if folder]
