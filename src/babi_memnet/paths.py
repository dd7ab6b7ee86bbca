"""Where the configuration files are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def conf_directory() -> Path:
    """The ``conf/`` folder: beside ``src/`` in a checkout, inside the package when installed from a wheel."""
    shipped = _PACKAGE / "conf"
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / "conf"
