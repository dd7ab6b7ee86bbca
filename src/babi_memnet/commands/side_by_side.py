"""hydra/launcher=cores: runs of babi-train side by side on the cores of this machine, each in a process of its own."""

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
from contextlib import chdir, contextmanager, suppress
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any, NamedTuple, cast

from hydra import version
from hydra._internal.callbacks import Callbacks
from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from babi_memnet.commands.application import logged_to
from babi_memnet.commands.local_runs import LocalRun, RunsProgress, share_cores
from babi_memnet.commands.sweeping import failed, in_own_directories
from babi_memnet.config import request_of
from babi_memnet.errors import RequestError

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_ATTEMPTS = 2  # how often a run is begun whose process dies under it

Watch = Callable[[Sequence[LocalRun]], None]
"""Called about twice a second with the runs that are going on."""


def launch(
    work: TaskFunction,
    context: HydraContext,
    common: DictConfig,
    cores: int,
    jobs: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Run jobs of babi-train, and wait for all of them.

    Args:
        work: what to do with the configuration of each; a function of a module, since it goes to other processes.
        context: makes the configurations.
        common: the configuration of the whole sweep.
        cores: how many they share.
        jobs: the words of each.
        first: the number of the first.

    Returns:
        What each came to, in their order. One that fails does not stop the others.
    """
    setup_globals()
    returns: dict[int, JobReturn] = {}
    runs = []
    for number, words in enumerate(jobs, first):
        config = context.config_loader.load_sweep_config(common, list(words))
        try:
            runs.append(_local_run(number, words, config))
        except RequestError as error:
            returns[number] = failed(words, error)
    if runs:
        with RunsProgress(runs) as progress:
            for run, outcome in run_side_by_side(runs, work, context.callbacks, cores, progress.watch):
                progress.end(run)
                returns[run.number] = outcome
    return [returns[number] for number in range(first, first + len(jobs))]


def _local_run(number: int, words: Sequence[str], config: DictConfig) -> LocalRun:
    with open_dict(config):
        config.hydra.job.id, config.hydra.job.num = str(number), number
        # Its schema is of a module that Hydra has loaded a second time, which pickle refuses.
        config.hydra.sweeper = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    request = request_of(config, config.hydra.runtime.choices.get("experiment"))
    # Settled here, since the other process does not know what ${run_directory:} is.
    subdir = str(request.directory.absolute()) if in_own_directories(config) else config.hydra.sweep.subdir
    config.hydra.sweep.subdir = subdir
    return LocalRun(number, tuple(words), config, request, Path(config.hydra.sweep.dir, subdir))


def run_side_by_side(
    runs: Sequence[LocalRun], work: TaskFunction, callbacks: Callbacks, cores: int, watch: Watch
) -> Iterator[tuple[LocalRun, JobReturn]]:
    """Run them on ``cores`` cores, and yield each as it ends.

    An interruption (Ctrl-C) reaches every process that trains, which then saves its last epoch. When this process is
    killed, they end with it. A process that dies is replaced, and its run goes on from its checkpoint.
    """
    waiting, begun = share_cores(runs, cores), Counter[int]()
    while waiting:
        died: list[LocalRun] = []
        with _workers(cores) as pool:
            running: dict[Future[Outcome], LocalRun] = {}
            while (waiting and not died) or running:
                # Strictly in order, so that a wide run is not put off for ever by narrow ones.
                while waiting and not died and waiting[0].cores <= cores - sum(run.cores for run in running.values()):
                    run = waiting.pop(0)
                    begun[run.number] += 1
                    run.config.runtime.threads = run.cores
                    running[pool.submit(_run, work, callbacks, run.config)] = run
                ended, _ = wait(running, _POLL_SECONDS, FIRST_COMPLETED)
                watch(list(running.values()))
                for future in ended:
                    run = running.pop(future)
                    try:
                        yield run, _job_return(run, future.result())
                    except BrokenProcessPool:
                        died.append(run)
                    except Exception as error:
                        yield run, failed(run.words, error)
        for run in died:
            if begun[run.number] < _ATTEMPTS:
                log.warning("%s: the process that trained it died; it goes on in a new one", run.request.name)
                waiting.insert(0, run)
            else:
                death = ChildProcessError(f"the process that trained it died {_ATTEMPTS} times; out of memory?")
                yield run, failed(run.words, death)


@contextmanager
def _workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes to train in; an exception inside the block interrupts what they do."""
    # Spawned, not forked: they must not inherit threads, and torch is to be loaded in them alone.
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin_worker, (version.getbase(),)) as pool:
        try:
            yield pool
        except BaseException:
            for process in multiprocessing.active_children():
                with suppress(ProcessLookupError):
                    os.kill(cast(int, process.pid), signal.SIGINT)
            pool.shutdown(cancel_futures=True)
            raise


class Outcome(NamedTuple):
    """What a worker sends of a run that has ended; its configuration stays, as the driver has it.

    It fits into one write to a pipe, which is done or not. A worker killed in the middle of a longer message would
    leave half of it, and the driver would wait for the other half as long as another worker has the pipe open.
    """

    status: JobStatus
    value: Any


def _job_return(run: LocalRun, outcome: Outcome) -> JobReturn:
    with open_dict(run.config):
        run.config.hydra.runtime.output_dir = str(run.directory.absolute())
    task = run.config.copy()
    with open_dict(task):
        hydra_part = DictConfig({"hydra": task.pop("hydra")})
    return JobReturn(list(run.words), task, hydra_part, os.getcwd(), run.config.hydra.job.name, *outcome)


def _run(work: TaskFunction, callbacks: Callbacks, config: DictConfig) -> Outcome:
    """In a worker: run a job as other launchers do, but for its log, of which the terminal gets warnings alone."""
    global _busy
    setup_globals()
    # Nothing is composed here, and a loader is nothing that pickle takes.
    context = HydraContext(config_loader=cast(ConfigLoader, None), callbacks=callbacks)

    def logged_work(own: DictConfig) -> object:
        runtime = HydraConfig.get().runtime
        with logged_to(Path(runtime.output_dir)), chdir(runtime.cwd):
            return work(own)

    _busy = True
    try:
        ended = run_job(
            logged_work, config, "hydra.sweep.dir", "hydra.sweep.subdir", hydra_context=context, configure_logging=False
        )
        return Outcome(ended.status, ended._return_value)
    finally:
        _busy = False


_busy = False
_interrupted = False


def _begin_worker(hydra_version: Any) -> None:
    """Set up a worker: warnings to standard error, at most one interruption and only at work, no life after ours."""
    version.setbase(str(hydra_version))
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
