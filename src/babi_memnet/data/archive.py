"""Unpacking a ``.tar.gz`` that may be damaged or hostile."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from babi_memnet.data.cache import cache_directory, locked, remembered_sha256
from babi_memnet.errors import RequestError

# The official archive unpacks to less than a tenth of this; a small file that grows beyond it is not bAbI data.
_MOST_BYTES = 2 * 1024**3


def unpacked(archive: Path, shelf: str = "archives", check: Callable[[Path], None] | None = None) -> Path:
    """The folder with the content of ``archive``: unpacked once into the cache, found there by its SHA-256 later.

    ``shelf`` is the folder of the cache; archives with another ``check`` (see ``unpack``) need a shelf of their own.
    """
    target = cache_directory() / shelf / remembered_sha256(archive)
    if not target.is_dir():
        with locked(target):
            if not target.is_dir():
                unpack(archive, target, check)
    return target


def unpack(archive: Path, target: Path, check: Callable[[Path], None] | None = None) -> None:
    """Make ``target`` with the content of ``archive``, all or nothing; the caller holds the lock on ``target``.

    ``check`` sees the unpacked folder before it gets its name and raises ``RequestError`` to refuse it. Also raises
    ``RequestError`` when the archive is damaged, or when a member is not a plain file or folder inside ``target``.
    """
    scratch = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        _extract(archive, scratch)
        if check is not None:
            check(scratch)
        os.replace(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    # Files are written one by one instead of by extractall(): the filters that make it safe are missing in the first
    # releases of Python 3.11, and of a data file nothing but its content is wanted (no mode, no owner, no link).
    inside = folder.resolve()
    size = 0
    try:
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as content:
            for member in content:
                if member.isdir():
                    continue
                path = (inside / member.name).resolve()
                if not member.isreg() or not path.is_relative_to(inside):
                    raise RequestError(f"{archive}: refused, {member.name!r} in it is not a plain file inside a folder")
                size += member.size
                if size > _MOST_BYTES:
                    raise RequestError(f"{archive}: refused, it unpacks to more than {_MOST_BYTES} bytes")
                source = content.extractfile(member)
                assert source is not None  # a regular file always has content
                path.parent.mkdir(parents=True, exist_ok=True)
                with source, path.open("wb") as file:
                    shutil.copyfileobj(source, file)
            # Read to the very end: the checksum that betrays a damaged archive is the last thing in it.
            while stream.read(1 << 20):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        raise RequestError(f"{archive}: cannot be unpacked ({error}); expected a complete .tar.gz") from None
