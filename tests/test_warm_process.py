"""What is forked from the warm process is like a process of its own in all that tests of commands look at."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.warm_process import WarmProcess

# A command that writes down what it finds, changes all of it, and ends as its first word says.
PROBE = """
import atexit, json, logging, os, signal, sys, threading, time
import numpy

def main():
    json.dump({
        "words": sys.argv[1:], "folder": os.getcwd(), "stdin": sys.stdin.read(), "parent": os.getppid(),
        "environment": dict(os.environ), "log level": logging.getLogger().level, "torch": "torch" in sys.modules,
        "handler": signal.getsignal(signal.SIGINT) is signal.default_int_handler, "changed": hasattr(numpy, "changed"),
    }, sys.stdout)
    print("to be read", file=sys.stderr)
    os.environ["BABI_CHANGED"] = "1"
    os.chdir("/")
    logging.getLogger().setLevel(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    numpy.changed = True
    how = sys.argv[1]
    if how == "crash":
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "raise":
        raise ValueError("of the probe")
    if how == "threads":
        atexit.register(print, "then at exit", file=sys.stderr)
        threading.Thread(target=lambda: (time.sleep(0.1), print("first the thread", file=sys.stderr))).start()
    if how != "return":
        sys.exit(int(how) if how.isdigit() else 0)
"""

Probe = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def probe(warm_process: WarmProcess, tmp_path: Path) -> Probe:
    """Runs the probe; the status, what it found and its standard error."""
    (tmp_path / "probe.py").write_text(PROBE)

    def run(*words: str, **options: Any) -> tuple[int, dict[str, Any], str]:
        done = warm_process.run("probe", *words, folder=tmp_path, **options)
        return done.returncode, json.loads(done.stdout), done.stderr

    return run


def test_a_command_has_what_it_is_given(probe: Probe, tmp_path: Path) -> None:
    status, seen, errors = probe("3", "größer=1", stdin="typed\n", environ={"BABI_DATA": "there"})
    assert (status, errors) == (3, "to be read\n")
    assert (seen["words"], seen["folder"], seen["stdin"]) == (["3", "größer=1"], str(tmp_path), "typed\n")
    assert seen["environment"]["BABI_DATA"] == "there"
    assert seen["torch"]
    assert seen["handler"]


def test_a_command_leaves_nothing_to_the_next(probe: Probe) -> None:
    first, second = (probe("0", environ=environ)[1] for environ in ({"BABI_DATA": "there"}, {}))
    assert first.pop("environment") == {**second.pop("environment"), "BABI_DATA": "there"}
    assert first == second
    assert not first["changed"]


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ("return", 0, ""),
        ("raise", 1, "ValueError: of the probe\n"),
        ("crash", -signal.SIGSEGV, ""),
        ("threads", 0, "first the thread\nthen at exit\n"),
    ],
)
def test_a_command_ends_as_a_process_does_and_the_next_is_run(probe: Probe, how: str, status: int, told: str) -> None:
    ended, _, errors = probe(how)
    assert ended == status
    assert errors.startswith("to be read\n")
    assert errors.endswith(told)
    assert probe("7")[0] == 7


def test_variables_that_modules_have_read_are_refused(probe: Probe) -> None:
    with pytest.raises(ValueError, match="HF_HOME"):
        probe("0", environ={"HF_HOME": "/"})
