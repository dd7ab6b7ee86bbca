"""Files that are whole or not there: written under a temporary name in the same folder, synced, and renamed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babi_memnet.errors import RequestError
from babi_memnet.reading import read_regular

_UNFINISHED = ".tmp"

_RESERVED = 64 * 1024

LARGEST_DOCUMENT = 64
"""MiB that a JSON document of a record may have; those of a joint run with a hundred restarts have less than one."""


def write_atomically(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` so that a reader, or a kill at any moment, finds the old file or the new one.

    The temporary name is drawn, so that of two processes that write the same file one wins and none fails.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}{_UNFINISHED}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left of files in ``folder``, where nobody else may be writing now."""
    for leftover in folder.glob(f".*{_UNFINISHED}"):
        leftover.unlink(missing_ok=True)


class Reserve:
    """Room on a disk, so that a few words can still be written when it is full.

    Attributes:
        path: the file that takes the room; it goes by a name that `remove_leftovers` removes.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / f".reserve{_UNFINISHED}"
        self.path.write_bytes(bytes(_RESERVED))

    def release(self) -> None:
        """Give the room back; may be called again."""
        self.path.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented JSON, after ``plain``."""
    text = json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object at ``path``, or None when there is no such file.

    Raises:
        RequestError: the file is damaged, too large or no file; the text names file and line.
    """
    try:
        content = read_regular(path, LARGEST_DOCUMENT)
    except FileNotFoundError:
        return None
    try:
        value = json.loads(content)
    except ValueError as error:  # no JSON, no text, or a number of thousands of digits
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise RequestError(f"{path}:{line}: expected JSON ({error})") from None
    except RecursionError:
        raise RequestError(f"{path}:1: expected JSON, found it nested too deeply") from None
    if not isinstance(value, dict):
        raise RequestError(f"{path}:1: expected a JSON object")
    return value


def plain(value: object) -> object:
    """``value`` as strict JSON can hold it: arrays become lists, NaN and infinity null, other mappings dicts.

    A loss that diverged is null in the record; reading it back into ``np.array(losses, dtype=float)`` gives NaN.

    Raises:
        TypeError: something that is none of these (a set, an object).
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # NumPy arrays and scalars
        return plain(value.tolist())
    raise TypeError(f"cannot record {value!r} as JSON")
