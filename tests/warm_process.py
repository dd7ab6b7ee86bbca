"""Commands forked from one process that is warm: it has imported what they need, and has run nothing.

Importing torch, datasets and Hydra takes longer than most of the commands that tests run. The warm process does it
once, and forks for each command a child with its own folder, environment, arguments and standard streams.

A child is not the process that a user starts, and does not do for tests of

* imports: what a command loads, warnings meanwhile, how long it takes to start,
* variables that are read when modules are imported, such as ``HF_HOME`` or ``NUMBA_CACHE_DIR`` (refused here),
* signals at a moment that depends on what it has done: ``kill`` knows the time alone,
* the order of sets: all children hash strings with the seed of the warm process.
"""

from __future__ import annotations

import atexit
import gc
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]

# Not wandb: imported, it makes a folder that every child would remove at its end.
_MODULES = [
    "datasets",
    "matplotlib.figure",
    "optuna",  # of an extra: warmed where it is installed
    *(f"babi_memnet.commands.{name}" for name in ("demo", "export", "generate", "report", "reproduce", "train")),
    "babi_memnet.experiment",
    "babi_memnet.models.kernels.memn2n",
    "babi_memnet.tables.inspection_report",
]
_READ_WHEN_USED = ("BABI_",)
_STREAMS = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY | os.O_CREAT, "stderr": os.O_WRONLY | os.O_CREAT}
_SECONDS = 300


class WarmProcess:
    """Runs commands as forks of a process that is started for the first of them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """``environment``: of the process, and of the commands but for what each changes."""
        # One thread: the lock that another thread holds would stay locked in a fork.
        self._environment = {**environment, "OMP_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
        self._process: subprocess.Popen[str] | None = None

    def run(
        self,
        module: str,
        *words: str,
        folder: Path,
        environ: Mapping[str, str] | None = None,
        stdin: str = "",
        seconds: int = _SECONDS,
        kill: tuple[int, float] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """The function ``main`` of a module with these words as its arguments, run in ``folder`` to its end.

        ``environ`` adds variables. A child that has not ended after ``seconds`` is killed by SIGALRM; ``kill`` is a
        signal that it gets, and after how many seconds.
        """
        environ = environ or {}
        if early := [name for name in environ if not name.startswith(_READ_WHEN_USED)]:
            raise ValueError(f"{early}: modules may have read it already; start a process of its own")
        with tempfile.TemporaryDirectory() as place:
            streams = {name: Path(place, name) for name in _STREAMS}
            streams["stdin"].write_text(stdin, encoding="utf-8", errors="surrogateescape")
            request = {
                "module": module,
                "words": words,
                "folder": str(folder),
                "environment": {**self._environment, **environ},
                "seconds": seconds,
                "kill": kill,
                **{name: str(path) for name, path in streams.items()},
            }
            status = self._ask(json.dumps(request))
            return subprocess.CompletedProcess(
                [module, *words], status, *(streams[name].read_text(errors="replace") for name in ("stdout", "stderr"))
            )

    def _ask(self, line: str) -> int:
        if self._process is None:
            words = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._process = subprocess.Popen(words, cwd=ROOT, env=self._environment, **pipes)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        if not (answer := self._process.stdout.readline()):
            raise RuntimeError("the warm process has ended; its standard error says why")
        return int(answer)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def serve() -> None:
    """Be the warm process: take requests from standard input, a line each, and answer with the exit status of each."""
    for module in _MODULES:
        if module != "optuna" or importlib.util.find_spec(module) is not None:
            importlib.import_module(module)
    assert len(os.listdir("/proc/self/task")) == 1, "a library has started threads when it was imported"
    gc.freeze()  # a collection would make each child copy what it shares with this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the children
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in requests:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            requests.close()
            answers.close()
            _be_command(request)
        if request["kill"]:
            number, seconds = request["kill"]
            time.sleep(seconds)
            os.kill(child, number)  # until it is waited for its number is nobody else's
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)


def _be_command(request: dict[str, Any]) -> NoReturn:
    """In a child: what `WarmProcess.run` was asked for."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.alarm(request["seconds"])
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name in enumerate(_STREAMS):
        os.dup2(os.open(request[name], _STREAMS[name]), number)
    sys.argv[:] = [request["module"], *request["words"]]
    status = 0
    try:
        importlib.import_module(request["module"]).main()
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 1
    # What Python does at the end of a process, but without taking apart its modules, which costs as much as a refusal.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
