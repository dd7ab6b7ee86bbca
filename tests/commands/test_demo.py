"""babi-demo from the outside; its page in a browser is tests/integration/test_demo_page.py."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from babi_memnet.commands.demo import _check_gradio
from babi_memnet.errors import RequestError
from tests.running import SMALL, Run, only_run

FIRST = f"first={['task=1', *SMALL]}"


def test_without_a_run_one_is_trained_and_then_asked(command: Run, tmp_path: Path) -> None:
    lines = "Mary went to the kitchen.\nWhere is Mary?\nWhere is Xerxes?\n:quit\nnever read\n"
    done = command("demo", "--text", FIRST, stdin=lines)
    assert done.returncode == 0, done.stderr
    assert "no finished run in the outputs: training one" in done.stdout
    assert "Where is Mary? " in done.stdout
    assert "question: unknown to this network" in done.stdout
    run = only_run(tmp_path)
    assert (run / "result.json").exists()
    assert (run / ".hydra" / "overrides.yaml").read_text().startswith("- task=1\n")
    written = {path: path.stat().st_mtime_ns for path in run.rglob("*.json")}
    again = command("demo", "--text", stdin=":task 1 2\n")
    assert again.returncode == 0, again.stderr
    assert "training" not in again.stdout
    assert "task 1 single supporting fact, test question 2" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*.json")} == written
    named = command("demo", "--text", f"run={run}")
    assert named.returncode == 0, named.stderr
    assert f"run: {run.name}" in named.stdout


def test_a_network_that_was_handed_on_is_asked_without_its_run(command: Run, tmp_path: Path) -> None:
    assert command("train", "task=1", *SMALL).returncode == 0
    run = only_run(tmp_path)
    assert command("export", f"run={run}", "out=network", "restart=1").returncode == 0
    lines = ":restart 1\nMary went to the kitchen.\nWhere is Mary?\n"
    expected = command("demo", "--text", f"run={run}", stdin=lines)
    (tmp_path / "outputs").rename(tmp_path / "away")
    done = command("demo", "--text", "run=network", stdin=lines.partition("\n")[2])
    assert done.returncode == 0, done.stderr
    assert "run: network" in done.stdout

    def answers(said: str) -> list[str]:
        return [line for line in said.splitlines() if "%" in line][-5:]

    assert answers(done.stdout) == answers(expected.stdout)


def test_what_is_trained_is_the_run_that_train_would_make(command: Run, tmp_path: Path) -> None:
    words = ["experiment=memn2n_1k/pe_ls_rn", "task=1", "training.epochs=1", "data.size=60", "data.test_questions=40"]
    done = command("demo", "--text", f"first={[*words, 'tracker=none']}", "runtime.outputs=here")
    assert done.returncode == 0, done.stderr
    run = only_run(tmp_path / "here" / "memn2n_1k" / "pe_ls_rn")
    trained = command("train", *words, "tracker=none", "runtime.outputs=here")
    assert f"{run.relative_to(tmp_path)} (answered from it" in trained.stdout


def test_a_run_that_is_not_done_is_named(command: Run, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "status.json").write_text('{"state": "failed", "signature": "s", "settings": {"task": 1}}')
    for word, expected in (("run=run", "a run that is done, this one is failed"), ("runs=run", "folders with a run")):
        refused = command("demo", "text=true", word)
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"babi-demo: {word}: expected {expected}")
        assert refused.stderr.count("\n") == 1


def test_what_is_no_text_is_no_word(command: Run) -> None:
    done = command("demo", "--text", FIRST, stdin="\udcff\udcfe\n:\n")  # bytes that are no UTF-8
    assert done.returncode == 0, done.stderr
    assert "not taken: expected 1 to" in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run=nowhere"], "nowhere: expected a run directory, found no status.json"),
        (["runs=nowhere"], "nowhere: expected a folder of runs"),
        (["first=['task=21']"], "task=21: expected 1 to 20, or joint"),
        (["runs=5"], "runs=5: expected"),
        (["port=0"], "port=0: expected 1 to 65535, or null for the first that is free"),
        (["prot=1"], "prot: no such key"),
    ],
)
def test_a_wrong_request_gets_one_line(command: Run, words: list[str], expected: str) -> None:
    refused = command("demo", *words)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"babi-demo: {expected}")
    assert refused.stderr.count("\n") == 1


@pytest.mark.integration
def test_a_port_that_is_taken_is_named(command: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = command("demo", FIRST, f"port={port}")
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.splitlines()[-1].startswith(f"babi-demo: port={port}: expected one that is free")


@pytest.mark.integration
@pytest.mark.parametrize("host", ["203.0.113.7", "nosuchhost.invalid"])
def test_a_host_that_is_not_here_is_named(command: Run, host: str) -> None:
    refused = command("demo", FIRST, f"host={host}")
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr.splitlines()[-1].startswith(f"babi-demo: host={host}: expected an address of this machine")


def test_without_gradio_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(RequestError, match=r"needs gradio; pip install 'babi_memnet\[demo\]', or text=true"):
        _check_gradio()
