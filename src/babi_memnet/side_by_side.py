"""Many runs side by side on the cores of one machine, each in a process and a record of its own.

Their progress is read from their records: `metrics.jsonl` grows by a line an epoch, whoever trains.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any, cast

from babi_memnet.errors import RequestError
from babi_memnet.logs import to_log_files
from babi_memnet.request import Request

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_ATTEMPTS = 2  # how often a run is begun whose process dies under it

# What the story length adds to the time of an epoch, measured relative to the other tasks; only order and time left
# depend on it.
_LONG_STORIES = {2: 1.7, 3: 2.5, 5: 1.9}
_JOINT_WEIGHT = 100.0


@dataclass(frozen=True, eq=False)
class Job:
    """A run to be trained.

    Attributes:
        request: what to train; it is given the cores of this job.
        on_start: called in the process that trains, before it writes anything else; must be picklable.
        cores: how many cores it keeps busy.
    """

    request: Request
    on_start: Callable[[], None]
    cores: int = 1

    @property
    def directory(self) -> Path:
        """Where it is recorded."""
        return self.request.directory

    @property
    def epochs(self) -> int:
        """How many epochs it has."""
        return self.request.settings.training.linear_start_epochs + self.request.settings.training.epochs

    @property
    def cost(self) -> float:
        """Roughly how long it takes on one core, in units that only serve to compare jobs."""
        settings = self.request.settings
        weight = _JOINT_WEIGHT if settings.task == "joint" else _LONG_STORIES.get(int(settings.task), 1.0)
        return weight * settings.training.restarts * self.epochs * settings.model.passes


Outcome = dict[str, Any] | Exception
"""What a job came to: its result.json, or what went wrong."""

Watch = Callable[[Sequence[Job]], None]
"""Called about twice a second with the jobs that are running."""


def share_cores(jobs: Sequence[Job], cores: int) -> list[Job]:
    """The jobs in the order to begin them in, each with the cores that it should have.

    Joint runs are long and their restarts keep all cores busy, so each gets the whole machine, as does whatever runs
    on another device. The others get one core each, or more when there are fewer of them than cores. The longest
    are begun first, so that none of them is left over at the end.
    """
    narrow = sum(not _is_wide(job) for job in jobs)
    shared = [
        replace(job, cores=min(cores, job.request.settings.training.restarts))
        if _is_wide(job)
        else replace(job, cores=min(max(1, cores // narrow), job.request.settings.training.restarts))
        for job in jobs
    ]
    return sorted(shared, key=lambda job: (not _is_wide(job), -job.cost))


def train_side_by_side(jobs: Sequence[Job], cores: int, watch: Watch) -> Iterator[tuple[Job, Outcome]]:
    """Train the jobs on ``cores`` cores, and yield each as it ends. One that fails does not stop the others.

    An interruption (Ctrl-C) reaches every process that trains, which then saves its last epoch. When this process is
    killed, they end with it. A process that dies is replaced, and its run goes on from its checkpoint.
    """
    waiting, begun = share_cores(jobs, cores), Counter[Path]()
    while waiting:
        died: list[Job] = []
        with _workers(cores) as pool:
            running: dict[Future[dict[str, Any]], Job] = {}
            while (waiting and not died) or running:
                # Strictly in order, so that a wide job is not put off for ever by narrow ones.
                while waiting and not died and waiting[0].cores <= cores - sum(job.cores for job in running.values()):
                    job = waiting.pop(0)
                    begun[job.directory] += 1
                    running[pool.submit(_train, job)] = job
                ended, _ = wait(running, _POLL_SECONDS, FIRST_COMPLETED)
                watch(list(running.values()))
                for future in ended:
                    job = running.pop(future)
                    try:
                        yield job, future.result()
                    except BrokenProcessPool:
                        died.append(job)
                    except Exception as error:
                        yield job, error
        for job in died:
            if begun[job.directory] < _ATTEMPTS:
                log.warning("%s: the process that trained it died; it goes on in a new one", job.request.name)
                waiting.insert(0, job)
            else:
                yield job, ChildProcessError(f"the process that trained it died {_ATTEMPTS} times; out of memory?")


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to train in; an exception inside the block interrupts what they do."""
    # Spawned, not forked: they must not inherit threads, and torch is to be loaded in them alone.
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin_worker) as pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                with suppress(ProcessLookupError):
                    os.kill(cast(int, process.pid), signal.SIGINT)
            pool.shutdown(cancel_futures=True)
            raise


def _is_wide(job: Job) -> bool:
    settings = job.request.settings
    return settings.task == "joint" or not settings.runtime.device.startswith("cpu")


def _train(job: Job) -> dict[str, Any]:
    """In a worker: the result of the job."""
    global _busy
    from babi_memnet.experiment import run

    settings = job.request.settings
    request = replace(job.request, settings=replace(settings, runtime=replace(settings.runtime, threads=job.cores)))
    _busy = True
    try:
        with logged_to(job.directory):
            return run(request, job.directory, job.on_start, bar=False)
    finally:
        _busy = False


@contextmanager
def logged_to(directory: Path) -> Iterator[None]:
    """train.log in a run directory, as babi-train would leave it."""
    directory.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(directory / "train.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    except RequestError as error:
        to_log_files(logging.ERROR, str(error))
        raise
    except Exception as error:
        to_log_files(logging.ERROR, "failed", error)
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


_busy = False
_interrupted = False


def _begin_worker() -> None:
    """Set up a worker: warnings to standard error, at most one interruption and only at work, no life after ours."""
    console = logging.StreamHandler()
    console.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[console])
    signal.signal(signal.SIGINT, _on_interrupt)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _on_interrupt(*_: object) -> None:
    # A terminal sends Ctrl-C to every process, and the driver passes on what only reached it: a second is too many.
    global _interrupted
    if _busy and not _interrupted:
        _interrupted = True
        raise KeyboardInterrupt


def _end_with(sentinel: int) -> None:
    wait_for_end([sentinel])
    os._exit(1)
