"""The cache folder, its locks, and checksums of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from babi_memnet.errors import RequestError
from babi_memnet.reading import file_sha256


def cache_directory() -> Path:
    """The folder for downloaded and unpacked data, which need not exist yet.

    ``BABI_CACHE`` when set, else ``babi_memnet`` in the user's cache folder (``XDG_CACHE_HOME``, usually ``~/.cache``).
    """
    given = os.environ.get("BABI_CACHE")
    folder = Path(given) if given else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "babi_memnet"
    return folder.expanduser().absolute()


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock on ``target``, something in the cache; other processes wait here until it is released.

    Raises ``RequestError`` when the cache cannot be written.
    """
    from filelock import FileLock

    lock = FileLock(f"{target}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise cannot_be_written(target.parent, error) from None
    try:
        yield
    finally:
        lock.release()


def cannot_be_written(folder: Path, error: OSError) -> RequestError:
    """The error for a folder of the cache in which nothing can be written."""
    return RequestError(
        f"the cache {folder} cannot be written ({error.strerror or error}); "
        "set the environment variable BABI_CACHE to a folder that can"
    )


def remembered_sha256(path: Path) -> str:
    """As ``file_sha256``, but reads a file again in the same process only when its size or time has changed.

    Raises ``RequestError`` when the file cannot be read.
    """
    try:
        status = path.stat()
        return _remembered(path.absolute(), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from None


@lru_cache(maxsize=4096)
def _remembered(path: Path, size: int, modified: int) -> str:
    return file_sha256(path)
