"""Where the configuration files are: in a checkout, in an installed wheel, and in folders of the user's own."""

from __future__ import annotations

import os
from pathlib import Path

from babi_memnet.errors import RequestError

OWN_FOLDERS = "BABI_PATH"
"""The environment variable that names folders of one's own, each with ``conf/`` or ``models/`` in it."""

_PACKAGE = Path(__file__).resolve().parent


def conf_directory() -> Path:
    """The ``conf/`` folder: beside ``src/`` in a checkout, inside the package when installed from a wheel."""
    shipped = _PACKAGE / "conf"
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / "conf"


def own_folders() -> list[Path]:
    """The folders that ``BABI_PATH`` names, separated as those of ``PATH`` are; in absolute form, in their order.

    Raises:
        RequestError: one of them is not there.
    """
    named = [text for text in os.environ.get(OWN_FOLDERS, "").split(os.pathsep) if text]
    for text in named:
        if not Path(text).is_dir():
            raise RequestError(f"{OWN_FOLDERS}: {text}: no such folder; expected folders, separated by {os.pathsep}")
    return [Path(text).absolute() for text in named]


def conf_directories() -> list[Path]:
    """Every folder of configuration files: `conf_directory`, and then ``conf/`` of each of `own_folders` that has one.

    Raises:
        RequestError: as `own_folders`.
    """
    own = (folder / "conf" for folder in own_folders())
    return [conf_directory(), *(folder for folder in own if folder.is_dir())]
