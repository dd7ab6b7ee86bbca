"""One writer per run directory, on one machine or over a shared file system that supports locks."""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babi_memnet.errors import RequestError
from babi_memnet.runs.files import read_json, write_json

logger = logging.getLogger(__name__)

LOCK_FILE = ".lock"
HOLDER_FILE = ".locked_by.json"
_POLL_SECONDS = 0.2


@contextmanager
def hold(directory: Path, timeout: float | None = None) -> Iterator[None]:
    """Hold the lock of ``directory`` (made when missing) while the block runs; wait for another holder first.

    The operating system releases the lock of a process that dies, however it dies.

    Args:
        timeout: seconds to wait at most; None waits as long as it takes.

    Raises:
        RequestError: somebody else still held it after ``timeout`` seconds.
    """
    from filelock import FileLock, Timeout

    directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(directory / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.info("%s: waiting for %s, which works on the same run", directory, _holder(directory))
        try:
            lock.acquire(timeout=-1 if timeout is None else timeout, poll_interval=_POLL_SECONDS)
        except Timeout:
            raise RequestError(
                f"{directory}: {_holder(directory)} still works on this run after {timeout:g} seconds of waiting"
            ) from None
    try:
        holder = {"host": platform.node(), "pid": os.getpid(), "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        write_json(directory / HOLDER_FILE, holder)
        yield
    finally:
        (directory / HOLDER_FILE).unlink(missing_ok=True)
        lock.release()


def _holder(directory: Path) -> str:
    holder = read_json(directory / HOLDER_FILE)
    if holder is None:  # it has the lock but has not said so yet
        return "another process"
    return f"process {holder['pid']} on {holder['host']} (since {holder['since']})"
