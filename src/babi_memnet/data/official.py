"""The official bAbI files: where they are, and whether they are the known ones."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from babi_memnet.data.archive import unpacked
from babi_memnet.data.cache import cache_directory, remembered_sha256
from babi_memnet.data.checksums import known_checksums
from babi_memnet.data.download import download, downloaded
from babi_memnet.data.layout import ARCHIVE_FOLDER, TaskFolder, find_task_folder
from babi_memnet.data.settings import OfficialData
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.tasks import TASKS

if TYPE_CHECKING:
    import datasets

_FORMS = f"{ARCHIVE_FOLDER}, a folder that holds it, or {ARCHIVE_FOLDER}.tar.gz"


def check_numbers(tasks: Iterable[int]) -> None:
    """Raises ``RequestError`` for what is no number of a task; files decide which there are beyond the published."""
    for task in tasks:
        if task < 1:
            raise bad_value("task", task, f"a number from 1 to {TASKS[-1]}, or a higher one that has files there")


def load(settings: OfficialData, tasks: list[int], expected: str | None = None) -> datasets.DatasetDict:
    """The splits of ``tasks``, task after task in the given order; only the files of these tasks are touched.

    Raises ``RequestError``: unknown task, data not found and not to be downloaded, file missing or malformed, or what
    was read is not what is ``expected``.
    """
    check_numbers(tasks)
    return _folder(settings).load(tasks, expected)


def fingerprint(settings: OfficialData, tasks: list[int]) -> str:
    """Hex SHA-256 over task, split and content of the files that ``load`` would read, wherever they lie."""
    check_numbers(tasks)
    return _folder(settings).fingerprint(tasks)


def origin(settings: OfficialData, tasks: list[int]) -> str:
    """Where the training questions are, for errors."""
    return _folder(settings).origin_of(tasks)


def available(settings: OfficialData) -> list[int]:
    """The tasks whose train and test files are both there."""
    return _folder(settings).complete()


def verified(settings: OfficialData, tasks: list[int]) -> bool:
    """Whether every file of ``tasks`` is known to be the published one.

    False when one differs, and also when nothing is known about one: other languages than ``en``, and the train file
    of task 3 with 10k questions.
    """
    check_numbers(tasks)
    known = known_checksums()
    files = _folder(settings).files(tasks).values()
    return all(known.get(f"{settings.folder}/{path.name}") == remembered_sha256(path) for path in files)


def _folder(settings: OfficialData) -> TaskFolder:
    """The folder with the files of the chosen language and size."""
    root, given = _root(settings)
    if not root.exists():
        raise RequestError(f"{given}: no such file or folder; expected {_FORMS}")
    if root.is_file():
        root = unpacked(root)
    return find_task_folder(root, settings.folder, given, _FORMS)


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
