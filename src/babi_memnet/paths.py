"""Where the configuration files are: in a checkout, in an installed wheel, and in folders of the user's own."""

from __future__ import annotations

import os
from pathlib import Path

from babi_memnet.errors import RequestError, bad_value

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


def conf_files(group: str, directory: Path | None = None) -> dict[str, Path]:
    """The files of a folder of conf/ by their names without ``.yaml``, such as ``memn2n_1k/pe``; sorted.

    ``directory`` stands for that folder; by default it is looked for in all `conf_directories`, of which the first
    that has a file counts.

    Raises:
        RequestError: as `own_folders`.
    """
    folders = [directory] if directory else [folder / group for folder in conf_directories()]
    files: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*.yaml"):
            files.setdefault(path.relative_to(folder).with_suffix("").as_posix(), path)
    return dict(sorted(files.items()))


def symmetry_path(name: str) -> Path:
    """The YAML file of declared symmetries that ``training.symmetry_file`` names: in conf/symmetry, or anywhere.

    Raises:
        RequestError: there is none.
    """
    path, known = Path(name), conf_files("symmetry")
    if path.is_file():
        return path
    if name not in known:
        raise bad_value("training.symmetry_file", name, f"a YAML file, or one of {', '.join(known)}")
    return known[name]
