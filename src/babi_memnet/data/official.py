"""The official bAbI files: where they are, whether they are the known ones, and what is in them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from babi_memnet.data.archive import unpacked
from babi_memnet.data.babi_format import TITLES, file_name, read_babi
from babi_memnet.data.cache import cache_directory, remembered_sha256
from babi_memnet.data.checksums import known_checksums
from babi_memnet.data.download import ARCHIVE_FOLDER, download, downloaded
from babi_memnet.data.records import to_dataset
from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError, bad_value

if TYPE_CHECKING:
    import datasets

SPLITS = ("train", "test")

_FORMS = f"{ARCHIVE_FOLDER}, a folder that holds it, or {ARCHIVE_FOLDER}.tar.gz"


def load(settings: OfficialData, tasks: list[int]) -> datasets.DatasetDict:
    """The splits of ``tasks``, task after task in the given order; only the files of these tasks are touched.

    Raises ``RequestError``: unknown task, data not found and not to be downloaded, file missing or malformed.
    """
    from datasets import DatasetDict

    files = _files(settings, tasks)
    return DatasetDict(
        {
            split: to_dataset(
                (record for task in tasks for record in read_babi(files[task, split], task)),
                _digest(files, tasks, (split,)),
            )
            for split in SPLITS
        }
    )


def fingerprint(settings: OfficialData, tasks: list[int]) -> str:
    """Hex SHA-256 over task, split and content of the files that ``load`` would read, wherever they lie."""
    return _digest(_files(settings, tasks), tasks, SPLITS)


def available(settings: OfficialData) -> list[int]:
    """The tasks whose train and test files are both there."""
    folder, _ = _folder(settings)
    return _present(folder)


def verified(settings: OfficialData, tasks: list[int]) -> bool:
    """Whether every file of ``tasks`` is known to be the published one.

    False when one differs, and also when nothing is known about one: other languages than ``en``, and the train file
    of task 3 with 10k questions.
    """
    known = known_checksums()
    files = _files(settings, tasks).values()
    return all(known.get(f"{settings.folder}/{path.name}") == remembered_sha256(path) for path in files)


def _digest(files: dict[tuple[int, str], Path], tasks: list[int], splits: tuple[str, ...]) -> str:
    content = [f"{task} {split} {remembered_sha256(files[task, split])}" for split in splits for task in tasks]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def _files(settings: OfficialData, tasks: list[int]) -> dict[tuple[int, str], Path]:
    """The path for every task and split; ``RequestError`` when a task is unknown or a file is missing."""
    for task in tasks:
        if task not in TITLES:
            raise bad_value("task", task, f"a number from 1 to {len(TITLES)}")
    folder, given = _folder(settings)
    files = {(task, split): folder / file_name(task, split) for task in tasks for split in SPLITS}
    for path in files.values():
        if not path.is_file():
            raise RequestError(f"{given}: {path} is missing; complete there: {_in_words(_present(folder))}")
    return files


def _folder(settings: OfficialData) -> tuple[Path, str]:
    """The folder with the files of the chosen language and size, and in words for errors what led there."""
    root, given = _root(settings)
    if not root.exists():
        raise RequestError(f"{given}: no such file or folder; expected {_FORMS}")
    if root.is_file():
        root = unpacked(root)
    for base in (root, root / ARCHIVE_FOLDER):
        if (base / settings.folder).is_dir():
            return base / settings.folder, given
    inner = root / ARCHIVE_FOLDER
    names = sorted(path.name for path in (inner if inner.is_dir() else root).iterdir())
    there = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    raise RequestError(
        f"{given}: no folder {settings.folder} in it (there is: {there or 'nothing'}); expected {_FORMS}"
    )


def _root(settings: OfficialData) -> tuple[Path, str]:
    """Where to look, in the order data.root, BABI_DATA, cache, download; and that place in words."""
    if settings.root is not None:
        return Path(settings.root).expanduser(), f"data.root={settings.root}"
    if root := os.environ.get("BABI_DATA"):
        return Path(root).expanduser(), f"BABI_DATA={root}"
    folder = downloaded()
    if folder is None:
        if not settings.download:
            raise RequestError(
                f"the official bAbI data are not in the cache {cache_directory()} and data.download=false; "
                f"set data.root or the environment variable BABI_DATA to {_FORMS}"
            )
        folder = download(settings.mirrors)
    return folder, f"cache {folder}"


def _present(folder: Path) -> list[int]:
    return [task for task in TITLES if all((folder / file_name(task, split)).is_file() for split in SPLITS)]


def _in_words(tasks: list[int]) -> str:
    """``tasks 1-2, 4-20`` for the numbers in between."""
    if not tasks:
        return "no task"
    runs: list[list[int]] = []
    for task in tasks:
        if runs and task == runs[-1][1] + 1:
            runs[-1][1] = task
        else:
            runs.append([task, task])
    return "tasks " + ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
