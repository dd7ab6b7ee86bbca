"""Unpacking a ``.tar.gz`` that may be damaged or hostile."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from babi_memnet.data.cache import cache_directory, locked, remembered_sha256
from babi_memnet.errors import RequestError, one_line, quoted

# The official archive has 15 MiB and some 500 entries with headers of 512 bytes, and unpacks to less than a tenth of
# what is allowed here; what goes beyond these is not bAbI data.
_MOST_PACKED = 256 * 1024**2
_MOST_BYTES = 2 * 1024**3
_MOST_ENTRIES = 10_000
_LARGEST_HEADER = 64 * 1024


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
    try:
        if (size := archive.stat().st_size) > _MOST_PACKED:
            raise RequestError(f"{archive}: refused, it has {size} bytes; expected at most {_MOST_PACKED}")
        with gzip.open(archive) as unpacking, _Measured(unpacking, archive) as stream:
            with tarfile.open(fileobj=stream, mode="r:") as content:
                for count, member in enumerate(content, start=1):
                    if count > _MOST_ENTRIES:
                        raise RequestError(f"{archive}: refused, it has more than {_MOST_ENTRIES} entries")
                    if not member.isdir():
                        _write(member, content, inside, archive)
            # Read to the very end: the checksum that betrays a damaged archive is the last thing in it.
            while stream.read(_LARGEST_HEADER):
                pass
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, RecursionError) as error:
        reason = quoted(one_line(error))
        raise RequestError(f"{archive}: cannot be unpacked ({reason}); expected a complete .tar.gz") from None


def _write(member: tarfile.TarInfo, content: tarfile.TarFile, inside: Path, archive: Path) -> None:
    """Put a file of an archive below ``inside``; ``RequestError`` when it is none, or would lie elsewhere."""
    path = (inside / member.name).resolve()
    if not member.isreg() or not path.is_relative_to(inside) or path == inside:
        raise RequestError(f"{archive}: refused, {quoted(member.name)} in it is not a plain file inside a folder")
    if member.size > _MOST_BYTES:  # of a file with holes, which are not in the archive
        raise _too_large(archive)
    source = content.extractfile(member)
    assert source is not None  # a regular file always has content
    path.parent.mkdir(parents=True, exist_ok=True)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file, _LARGEST_HEADER)


class _Measured(io.BufferedIOBase):
    """What is read of an archive as it is unpacked: no header that fills the memory, and not more than a data set has.

    ``tarfile`` reads a header as a whole, however long it says that it is.
    """

    def __init__(self, stream: BinaryIO | gzip.GzipFile, archive: Path) -> None:
        self._stream, self._archive = stream, archive

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _LARGEST_HEADER:
            raise RequestError(f"{self._archive}: refused, a header in it is larger than {_LARGEST_HEADER} bytes")
        content = self._stream.read(size)
        if self._stream.tell() > _MOST_BYTES:
            raise _too_large(self._archive)
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if offset > _MOST_BYTES:
            raise _too_large(self._archive)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _too_large(archive: Path) -> RequestError:
    return RequestError(f"{archive}: refused, it unpacks to more than {_MOST_BYTES} bytes")
