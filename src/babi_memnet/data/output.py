"""Results that appear in a folder together and complete, beside what is there already."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from babi_memnet.errors import RequestError
from babi_memnet.folders import alone_in

_UNFINISHED = ".incomplete-"


def refuse_existing(out: Path, folder: Path, names: Sequence[str]) -> None:
    """Raise ``RequestError`` when one of ``names`` is in ``folder``; ``out`` is what the user asked to write."""
    existing = [folder / name for name in names if (folder / name).exists()]
    if existing:
        others = f", and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise RequestError(f"out={out}: {existing[0]} exists already{others}; overwrite=true replaces what exists")


@contextmanager
def assembled(out: Path, folder: Path, names: Sequence[str], overwrite: bool = True) -> Iterator[Path]:
    """A scratch folder; the files and folders written there under ``names`` move to ``folder`` when the block ends.

    They replace what has these names there; everything else in ``folder`` stays. After an error in the block nothing
    has changed. A kill amid the renames at its end leaves names missing, the last of them in any case, but never old
    beside new. Whoever else writes there waits, so that what a killed process has left half done can be removed first.

    Raises ``RequestError`` that names ``out`` when ``folder`` cannot be written, or has one of ``names`` and is not to
    be overwritten.
    """
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(alone_in(folder))
            for leftover in folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError as error:
            raise _unwritable(out, error) from None
        if not overwrite:
            refuse_existing(out, folder, names)
        with _scratch(out, folder, names) as scratch:
            yield scratch


@contextmanager
def _scratch(out: Path, folder: Path, names: Sequence[str]) -> Iterator[Path]:
    try:
        scratch = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=folder))
    except OSError as error:
        raise _unwritable(out, error) from None
    try:
        yield scratch
        replaced = scratch / "replaced"
        replaced.mkdir()
        for name in reversed(names):
            if (folder / name).exists():
                (folder / name).rename(replaced / name)
        for name in names:
            (scratch / name).rename(folder / name)
    except OSError as error:
        raise _unwritable(out, error) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unwritable(out: Path, error: OSError) -> RequestError:
    return RequestError(f"out={out}: cannot be written ({error.strerror or error})")
