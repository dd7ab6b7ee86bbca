"""A run's directory: the record that everything else reads, and the only place where it is written."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.errors import RequestError, RunStopped, kind_and_line, one_line
from babi_memnet.reading import file_sha256
from babi_memnet.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from babi_memnet.runs.environment import describe_environment
from babi_memnet.runs.files import Reserve, read_json, remove_leftovers, write_json
from babi_memnet.runs.lock import hold
from babi_memnet.runs.metrics import METRICS_FILE, MetricsLog, cut_after, read_metrics

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)

STATUS_FILE = "status.json"
RESULT_FILE = "result.json"
REQUEST_FOLDER = ".hydra"


class RunDirectory:
    """One run's directory. Making this object reads and writes nothing; every property reads the disk afresh.

    To write, hold the ``lock`` and open a ``recording``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._locked = False

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @property
    def status(self) -> dict[str, Any] | None:
        """``status.json``, or None when no run was ever started here.

        ``state`` is running, done, stopped (on purpose, before its last epoch) or failed. A run that was killed still
        says running, as nobody was left to say otherwise; the same request continues it.
        """
        status = read_json(self.path / STATUS_FILE)
        if status is None:
            return None
        if "state" not in status:
            raise RequestError(f"{self.path / STATUS_FILE}: expected the status of a run, found no state in it")
        return settled(status, self.path)

    @property
    def is_done(self) -> bool:
        """Whether the run came to its end, so that it need not run again."""
        return self.status is not None and (self.path / RESULT_FILE).is_file()

    @property
    def result(self) -> dict[str, Any] | None:
        """``result.json`` of a finished run, else None."""
        return read_json(self.path / RESULT_FILE) if self.is_done else None

    def metrics(self) -> list[dict[str, Any]]:
        """One row per epoch, also while the run goes on. NaN and infinity are None."""
        return read_metrics(self.path / METRICS_FILE)

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint, or None."""
        return load_checkpoint(self.path)

    def expect(self, signature: str) -> None:
        """Make sure that this directory is free or holds the request with this signature.

        Raises:
            RequestError: it holds the record of another request.
        """
        status = self.status
        if status is not None and status.get("signature") != signature:
            raise RequestError(
                f"{self.path}: holds another run (signature {status.get('signature')}, not {signature}); "
                "expected a new directory, or the request that this one was made by"
            )

    @contextmanager
    def lock(self, timeout: float | None = None) -> Iterator[None]:
        """Hold the directory against other processes; whoever comes second waits, and then looks at ``is_done``.

        Raises:
            RequestError: it was still held after ``timeout`` seconds (None: no limit).
        """
        with hold(self.path, timeout):
            self._locked = True
            try:
                yield
            finally:
                self._locked = False

    @contextmanager
    def recording(self, signature: str, facts: Mapping[str, object] | None = None) -> Iterator[Recording]:
        """Record a run: ``running`` while the block goes on, then ``done``, ``stopped``, or ``failed`` with the error.

        Continues from the last checkpoint (``Recording.checkpoint``); epochs recorded after it are dropped from
        ``metrics.jsonl`` because they will be run again. A stopped, interrupted or failed run can be recorded again.

        Args:
            signature: what the run is known by.
            facts: joined to ``status.json`` (threads, device).

        Raises:
            RequestError: the directory holds another request, or its checkpoint is damaged.
            RuntimeError: the lock is not held, the run is done already, or the block ended without a result.
        """
        if not self._locked:
            raise RuntimeError(f"{self.path}: recording without holding the lock")
        self.expect(signature)
        if self.is_done:
            raise RuntimeError(f"{self.path}: the run is done already")
        for folder in (self.path, self.path / REQUEST_FOLDER):
            remove_leftovers(folder)
        checkpoint = self._continue_from(signature)
        earlier = self.status or {}
        start = datetime.now().astimezone()
        status: dict[str, Any] = {
            "state": "running",
            "error": None,
            "signature": signature,
            "attempt": earlier.get("attempt", 0) + 1,
            "first_started": earlier.get("first_started", start.isoformat(timespec="seconds")),
            "started": start.isoformat(timespec="seconds"),
            "ended": None,
            "seconds": None,
            **describe_environment(),
            **(facts or {}),
        }

        reserve = Reserve(self.path)

        def end(state: str, error: str | None) -> None:
            reserve.release()
            now = datetime.now().astimezone()
            times = {"ended": now.isoformat(timespec="seconds"), "seconds": round((now - start).total_seconds(), 3)}
            write_json(self.path / STATUS_FILE, status | times | {"state": state, "error": error})

        if (self.path / RESULT_FILE).is_file():  # without a status it is of no run that is known
            (self.path / RESULT_FILE).unlink()
        try:
            write_json(self.path / STATUS_FILE, status)
        except OSError:
            reserve.release()
            raise
        try:
            with MetricsLog(self.path / METRICS_FILE, checkpoint.epoch if checkpoint else 0) as log:
                recording = Recording(self.path, signature, log, checkpoint)
                yield recording
            if not recording.finished:
                raise RuntimeError(f"{self.path}: the run ended without a result")
        except BaseException as error:
            if (self.path / RESULT_FILE).is_file():
                end("done", None)
            else:
                end("stopped" if isinstance(error, RunStopped) else "failed", _why_it_ended(error))
            raise
        end("done", None)

    def _continue_from(self, signature: str) -> Checkpoint | None:
        """The checkpoint to continue from, with ``metrics.jsonl`` cut back to it.

        One that does not belong to this run and to these metrics is as good as none.
        """
        metrics = self.path / METRICS_FILE
        checkpoint = self.checkpoint()
        if checkpoint is not None:
            last = cut_after(metrics, checkpoint.epoch)
            if checkpoint.signature not in (None, signature):
                amiss = f"the checkpoint is of another run (signature {checkpoint.signature})"
            elif last != checkpoint.epoch:
                amiss = f"{METRICS_FILE} ends at epoch {last} and the checkpoint is of epoch {checkpoint.epoch}"
            elif checkpoint.metrics not in (None, file_sha256(metrics)):
                amiss = f"{METRICS_FILE} is not what it was when the checkpoint was made"
            else:
                logger.info("%s: continuing after epoch %d", self.path, checkpoint.epoch)
                return checkpoint
            logger.warning("%s: starting over, since %s", self.path, amiss)
        cut_after(metrics, 0)
        return None

    @classmethod
    def find(cls, root: str | os.PathLike[str]) -> Iterator[RunDirectory]:
        """All run directories at or below ``root``, in the order of their paths; hidden folders are left out.

        Raises:
            RequestError: there is no such folder.
        """
        if not Path(root).is_dir():
            raise RequestError(f"{os.fspath(root)}: expected a folder of runs, found none")
        waiting = [os.fspath(root)]
        while waiting:
            folder = waiting.pop()
            # Asking for one file is far cheaper than listing the folder, and most folders below a root are runs.
            if os.path.exists(os.path.join(folder, STATUS_FILE)):
                yield cls(folder)
                continue
            with os.scandir(folder) as entries:
                below = [entry.path for entry in entries if entry.name[0] != "." and _is_folder(entry)]
            waiting += sorted(below, reverse=True)


class Recording:
    """What a run in progress writes. Made by ``RunDirectory.recording``.

    Attributes:
        checkpoint: where to continue, None to start at the beginning.
        finished: whether the result is written.
    """

    def __init__(self, path: Path, signature: str, log: MetricsLog, checkpoint: Checkpoint | None) -> None:
        self.checkpoint = checkpoint
        self.finished = False
        self._path, self._signature = path, signature
        self._log = log

    @property
    def epoch(self) -> int:
        """The last epoch on record, 0 before the first."""
        return self._log.last_epoch

    def record_epoch(self, row: Mapping[str, Any]) -> None:
        """Append one epoch to ``metrics.jsonl``; ``row["epoch"]`` counts from 1 through all phases.

        Raises:
            ValueError: the epoch is not the one after the last.
        """
        self._log.append(row)

    def save_checkpoint(self, tensors: Mapping[str, np.ndarray[Any, Any]], state: Mapping[str, Any]) -> None:
        """Replace the checkpoint by the state after the last epoch on record (see ``Checkpoint``)."""
        self._log.sync()
        save_checkpoint(self._path, Checkpoint(self.epoch, tensors, state, self._signature, self._log.sha256))

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``. From then on the run is done, whatever happens to the process."""
        write_json(self._path / RESULT_FILE, result)
        self.finished = True


def settled(status: dict[str, Any], path: Path) -> dict[str, Any]:
    """The status of the run at ``path`` as it is: one with a result is done, though it was killed before it said so."""
    if status["state"] != "done" and (path / RESULT_FILE).is_file():
        return {**status, "state": "done", "error": None}
    return status


def load_run(path: str | os.PathLike[str]) -> RunDirectory:
    """The run recorded at ``path``.

    Raises:
        RequestError: no run was ever started there.
    """
    run = RunDirectory(path)
    if run.status is None:
        raise RequestError(f"{os.fspath(path)}: expected a run directory, found no {STATUS_FILE}")
    return run


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)  # links would count runs twice, or never end


def _why_it_ended(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt | SystemExit):  # the latter is how a queue takes a job back
        return "interrupted"
    return one_line(error) if isinstance(error, RequestError | RunStopped) else kind_and_line(error)
