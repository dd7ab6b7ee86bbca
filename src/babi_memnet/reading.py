"""Reading files that others may have written: regular ones, of a size that a person would give them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from babi_memnet.errors import RequestError

MEBIBYTE = 1 << 20

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of the content of a file; raises ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expect_regular(path: Path, mebibytes: int) -> None:
    """Make sure that a file is a regular one of at most so many MiB, for readers of their own.

    Raises:
        FileNotFoundError: there is none.
        RequestError: it is something else, is larger, or cannot be looked at.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from None
    if not stat.S_ISREG(status.st_mode):
        raise _not_regular(path, status.st_mode)
    if status.st_size > mebibytes * MEBIBYTE:
        raise _too_large(path, mebibytes)


def _too_large(path: Path, mebibytes: int) -> RequestError:
    return RequestError(f"{path}: larger than {mebibytes} MiB; expected a smaller file")


def _not_regular(path: Path, mode: int) -> RequestError:
    return RequestError(f"{path}: expected a regular file, found {_KINDS.get(stat.S_IFMT(mode), 'something else')}")


def read_regular(path: Path, mebibytes: int) -> bytes:
    """The content of a file of at most so many MiB.

    Nothing is read of anything else: a pipe would be waited for, and a file without end fill the memory.

    Raises:
        FileNotFoundError: there is none.
        RequestError: it is no regular file, is larger, or cannot be read.
    """
    try:
        # Opened without waiting for whoever would write into a pipe, and asked what it is once it is open: what has
        # the name may be replaced at any time.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _not_regular(path, status.st_mode)
            content = file.read(mebibytes * MEBIBYTE + 1) if status.st_size <= mebibytes * MEBIBYTE else None
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        raise RequestError(f"{path}: expected a regular file, found a folder") from None
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from None
    if content is None or len(content) > mebibytes * MEBIBYTE:
        raise _too_large(path, mebibytes)
    return content
