"""The record of a run: written once, continued after trouble, found again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from babi_memnet.errors import RequestError, RunStopped
from babi_memnet.runs.checkpoint import TENSORS_FILE
from babi_memnet.runs.directory import Recording, RunDirectory, load_run
from babi_memnet.runs.metrics import METRICS_FILE
from tests.runs.short_run import row, train

RESULT = {"restarts": [], "test_error_percent": 0.5}


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory(tmp_path / "experiment" / "0123456789")


def epochs(run: RunDirectory) -> list[int]:
    return [line["epoch"] for line in run.metrics()]


def test_looking_at_a_run_that_never_was(run: RunDirectory) -> None:
    assert (run.status, run.result, run.is_done, run.metrics(), run.checkpoint()) == (None, None, False, [], None)
    assert not run.path.exists()
    with pytest.raises(RequestError, match=r"0123456789: expected a run directory, found no status\.json"):
        load_run(run.path)


def test_a_run_from_start_to_end(run: RunDirectory) -> None:
    with run.lock(), run.recording("0123456789", {"threads": 1}) as recording:
        assert recording.checkpoint is None
        status = run.status
        assert status is not None
        assert (status["state"], status["pid"], status["ended"]) == ("running", os.getpid(), None)
        train(recording, 3)
        assert epochs(run) == [1, 2, 3]  # on the disk while the run goes on
        recording.finish({**RESULT, "mean": np.float32(0.5), "loss": float("nan"), "path": run.path})
        assert run.is_done
    again = load_run(run.path)
    assert again.is_done
    assert again.result == {**RESULT, "mean": 0.5, "loss": None, "path": str(run.path)}
    assert again.metrics() == [row(1), row(2), row(3)]
    checkpoint = again.checkpoint()
    assert checkpoint is not None
    assert checkpoint.epoch == 2
    status = again.status
    assert status is not None
    assert (status["state"], status["error"], status["attempt"], status["threads"]) == ("done", None, 1, 1)
    started, ended = (datetime.fromisoformat(status[key]) for key in ("started", "ended"))
    assert started.tzinfo is not None
    assert 0 <= (ended - started).total_seconds() <= status["seconds"] + 1
    assert [path.name for path in sorted(run.path.iterdir()) if path.name != ".lock"] == [
        "checkpoint.json",
        "checkpoint.safetensors",
        "metrics.jsonl",
        "result.json",
        "status.json",
    ]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\nlines"), "ValueError: two lines"),
        (RequestError("data.root=x: expected a folder"), "data.root=x: expected a folder"),
        (KeyboardInterrupt(), "interrupted"),
        (AssertionError(), "AssertionError"),
        (RunStopped("pruned after epoch 3"), "pruned after epoch 3"),
    ],
)
def test_a_failed_run_says_why_and_can_be_continued(run: RunDirectory, error: BaseException, text: str) -> None:
    with pytest.raises(type(error)), run.lock(), run.recording("s") as recording:
        train(recording, 3, error=error)
    status = run.status
    assert status is not None
    state = "stopped" if isinstance(error, RunStopped) else "failed"
    assert (status["state"], status["error"]) == (state, text)
    assert status["seconds"] is not None
    assert not run.is_done
    with run.lock(), run.recording("s") as recording:
        assert recording.checkpoint is not None
        assert (recording.checkpoint.epoch, recording.epoch, epochs(run)) == (2, 2, [1, 2])
        train(recording, 4)
        recording.finish(RESULT)
    continued = run.status
    assert continued is not None
    assert (continued["state"], continued["error"], continued["attempt"]) == ("done", None, 2)
    assert continued["first_started"] == status["first_started"]
    assert epochs(run) == [1, 2, 3, 4]


def test_without_a_checkpoint_a_run_starts_over(run: RunDirectory) -> None:
    with pytest.raises(KeyboardInterrupt), run.lock(), run.recording("s") as recording:
        train(recording, 1, error=KeyboardInterrupt())
    with run.lock(), run.recording("s") as recording:
        assert (recording.checkpoint, recording.epoch, epochs(run)) == (None, 0, [])
        recording.finish(RESULT)


def test_a_block_without_a_result_is_a_failure(run: RunDirectory) -> None:
    with pytest.raises(RuntimeError, match="without a result"), run.lock(), run.recording("s"):
        pass
    assert (run.status or {})["state"] == "failed"


def test_a_finished_run_is_not_recorded_again(run: RunDirectory) -> None:
    with run.lock(), run.recording("s") as recording:
        recording.finish(RESULT)
    before = (run.path / "status.json").read_bytes()
    with run.lock(), pytest.raises(RuntimeError, match="done already"), run.recording("s"):
        pass
    assert (run.path / "status.json").read_bytes() == before
    (run.path / "result.json").unlink()
    assert not run.is_done


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the tracker")])
def test_a_run_with_a_result_is_done_whatever_comes_after(run: RunDirectory, error: BaseException) -> None:
    def finish(recording: Recording) -> None:
        recording.finish(RESULT)
        raise error

    with pytest.raises(type(error)), run.lock(), run.recording("s") as recording:
        finish(recording)
    status = run.status
    assert status is not None
    assert (status["state"], status["error"]) == ("done", None)
    assert run.result == RESULT


def test_a_run_that_was_killed_before_it_said_so_is_done(run: RunDirectory) -> None:
    with run.lock(), run.recording("s") as recording:
        running = (run.path / "status.json").read_bytes()
        train(recording, 3)
        recording.finish(RESULT)
    (run.path / "status.json").write_bytes(running)
    assert run.result == RESULT
    assert run.status is not None
    assert run.status["state"] == "done"
    with run.lock(), pytest.raises(RuntimeError, match="done already"), run.recording("s"):
        pass


def test_a_result_without_a_status_is_of_no_run(run: RunDirectory) -> None:
    with run.lock(), run.recording("s") as recording:
        recording.finish(RESULT)
    (run.path / "status.json").unlink()
    assert not run.is_done
    with pytest.raises(KeyboardInterrupt), run.lock(), run.recording("s") as recording:
        train(recording, 3, error=KeyboardInterrupt())
    assert not run.is_done
    assert (run.status or {})["error"] == "interrupted"


def test_a_status_without_a_state_is_none(run: RunDirectory) -> None:
    run.path.mkdir(parents=True)
    (run.path / "status.json").write_text("{}")
    with pytest.raises(RequestError, match=r"status\.json: expected the status of a run, found no state"):
        _ = run.status


def test_a_directory_belongs_to_one_request(run: RunDirectory) -> None:
    run.expect("s")
    with run.lock(), run.recording("s") as recording:
        recording.finish(RESULT)
    run.expect("s")
    with pytest.raises(RequestError, match=r"holds another run \(signature s, not t\); expected a new directory"):
        run.expect("t")
    with run.lock(), pytest.raises(RequestError, match="another run"), run.recording("t"):
        pass


def test_recording_needs_the_lock(run: RunDirectory) -> None:
    with pytest.raises(RuntimeError, match="without holding the lock"), run.recording("s"):
        pass
    with run.lock():
        pass
    with pytest.raises(RuntimeError, match="without holding the lock"), run.recording("s"):
        pass


def test_epochs_come_one_after_the_other(run: RunDirectory) -> None:
    with run.lock(), run.recording("s") as recording:
        for wrong in (0, 2, None):
            with pytest.raises(ValueError, match=f"epoch {wrong} recorded after epoch 0"):
                recording.record_epoch({"epoch": wrong})
        recording.record_epoch({"epoch": 1, "train/loss": [float("inf"), np.float64(2.0)], "seconds": np.float32(0.5)})
        with pytest.raises(ValueError, match="epoch 1 recorded after epoch 1"):
            recording.record_epoch(row(1))
        recording.finish(RESULT)
    assert run.metrics() == [{"epoch": 1, "train/loss": [None, 2.0], "seconds": 0.5}]


@pytest.mark.parametrize("tail", ['{"epoch": 5', '{"epoch": 5}', "\0\0\0\n", '{"epoch": 3}\n{"epoch": 4}\nx\n{"e', ""])
def test_what_follows_the_checkpoint_is_cut_off(run: RunDirectory, tail: str) -> None:
    with pytest.raises(KeyboardInterrupt), run.lock(), run.recording("s") as recording:
        train(recording, 2, error=KeyboardInterrupt())
    kept = (run.path / "metrics.jsonl").read_bytes()
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write(tail)
    with run.lock(), run.recording("s") as recording:
        assert (run.path / "metrics.jsonl").read_bytes() == kept
        train(recording, 3)
        recording.finish(RESULT)
    assert epochs(run) == [1, 2, 3]


def test_a_checkpoint_newer_than_the_metrics_is_not_continued(
    run: RunDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(KeyboardInterrupt), run.lock(), run.recording("s") as recording:
        train(recording, 2, error=KeyboardInterrupt())
    (run.path / "metrics.jsonl").write_text(json.dumps(row(1)) + "\n")
    with run.lock(), run.recording("s") as recording:
        assert (recording.checkpoint, epochs(run)) == (None, [])
        recording.finish(RESULT)
    assert "starting over, since metrics.jsonl ends at epoch 1 and the checkpoint is of epoch 2" in caplog.text


@pytest.mark.parametrize("what", ["signature", "edited", "doubled", "gapped", "changed"])
def test_only_what_this_run_has_left_is_continued_from(
    run: RunDirectory, tmp_path: Path, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """A checkpoint of another run, or metrics that are not those it was made with: the run starts over."""
    with run.lock(), pytest.raises(KeyboardInterrupt), run.recording("a") as recording:
        train(recording, 4, error=KeyboardInterrupt())
    metrics, lines = run.path / METRICS_FILE, (run.path / METRICS_FILE).read_text().splitlines(keepends=True)
    if what == "signature":
        other = RunDirectory(tmp_path / "other")
        with other.lock(), pytest.raises(KeyboardInterrupt), other.recording("b") as recording:
            train(recording, 4, error=KeyboardInterrupt())
        (run.path / TENSORS_FILE).write_bytes((other.path / TENSORS_FILE).read_bytes())
    elif what == "edited":
        checkpoint = (run.path / TENSORS_FILE).read_bytes()
        (run.path / TENSORS_FILE).write_bytes(checkpoint.replace(b'\\"epoch\\": 4', b'\\"epoch\\": 2'))
    elif what == "doubled":
        metrics.write_text("".join([*lines[:2], *lines[1:]]))
    elif what == "gapped":
        metrics.write_text("".join([lines[0], *lines[2:]]))
    else:
        metrics.write_text("".join(lines).replace("1.0", "9.0"))
    if what == "edited":
        with run.lock(), pytest.raises(RequestError, match="it was edited"), run.recording("a"):
            pass
        return
    with run.lock(), run.recording("a") as recording:
        assert recording.checkpoint is None
        train(recording, 4)
        recording.finish({})
    assert "starting over" in caplog.text
    assert metrics.read_text() == "".join(lines)


def test_a_reader_ignores_a_line_in_the_making_but_not_damage(run: RunDirectory) -> None:
    run.path.mkdir(parents=True)
    metrics = run.path / "metrics.jsonl"
    metrics.write_text('{"epoch": 1}\n{"epo')
    assert epochs(run) == [1]
    for damaged in ("not json", "[1]", '{"phase": "full"}'):
        metrics.write_text(f'{{"epoch": 1}}\n{damaged}\n{{"epoch": 2}}\n')
        with pytest.raises(RequestError, match=r"metrics\.jsonl:2: expected a JSON object with 2 as epoch"):
            run.metrics()
    for damaged, place in (("{\n\n,}", "3"), ("[]", "1"), ("", "1")):
        (run.path / "status.json").write_text(damaged)
        with pytest.raises(RequestError, match=rf"status\.json:{place}: expected"):
            _ = run.status


def start(code: str, path: Path) -> subprocess.Popen[str]:
    """Another process that works on the run at ``path``; it prints a line when it is ready to be looked at."""
    prelude = "import logging, sys\nfrom babi_memnet.runs.directory import RunDirectory\n"
    prelude += "from tests.runs.short_run import train\n"
    prelude += "logging.basicConfig(level='INFO', stream=sys.stdout, format='%(message)s')\n"
    command = [sys.executable, "-c", prelude + code, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


ENDLESS = """
run = RunDirectory(sys.argv[1])
with run.lock(), run.recording("s") as recording:
    print("started", flush=True)
    train(recording, 10**9, checkpoint_every=1)
"""


def test_a_killed_run_is_consistent_whenever_it_was_killed(run: RunDirectory) -> None:
    """kill -9, three times over: each process continues exactly where the last checkpoint was."""
    reached = 0
    for attempt in range(1, 4):
        with start(ENDLESS, run.path) as process:
            assert process.stdout is not None
            while process.stdout.readline() != "started\n":
                assert process.poll() is None
            while (checkpoint := run.checkpoint()) is None or checkpoint.epoch <= reached:
                assert process.poll() is None
                time.sleep(0.01)
            time.sleep(0.007 * attempt)
            process.kill()
        checkpoint = run.checkpoint()
        assert checkpoint is not None
        assert checkpoint.state == {"epoch": checkpoint.epoch}
        assert set(checkpoint.tensors["epoch"]) == {checkpoint.epoch}
        assert checkpoint.epoch > reached
        reached = checkpoint.epoch
        assert epochs(run)[:reached] == list(range(1, reached + 1))
        assert len(epochs(run)) <= reached + 1
        status = run.status
        assert status is not None
        assert (status["state"], status["attempt"]) == ("running", attempt)
    with run.lock(timeout=0), run.recording("s") as recording:
        assert recording.epoch == reached
        recording.finish(RESULT)
    assert epochs(run) == list(range(1, reached + 1))


HOLDING = """
import time
with RunDirectory(sys.argv[1]).lock():
    print("holding", flush=True)
    time.sleep(60)
"""
WAITING = """
run = RunDirectory(sys.argv[1])
with run.lock():
    print("holding, done:", run.is_done, flush=True)
"""


def test_the_second_process_waits_for_the_first_and_finds_it_done(run: RunDirectory) -> None:
    with run.lock(), run.recording("s") as recording:
        second = start(WAITING, run.path)
        assert second.stdout is not None
        waiting = second.stdout.readline()
        assert f"waiting for process {os.getpid()} on " in waiting
        assert str(run.path) in waiting
        recording.finish(RESULT)
    with second:
        assert second.communicate(timeout=20)[0] == "holding, done: True\n"


def test_kill_9_releases_the_lock(run: RunDirectory) -> None:
    with start(HOLDING, run.path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        with (
            pytest.raises(RequestError, match=rf"process {holder.pid} on .* still works on this run after 0.1 seconds"),
            run.lock(timeout=0.1),
        ):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with run.lock(timeout=0):
            pass


def test_runs_are_found_below_a_root(tmp_path: Path) -> None:
    expected = ["a/1", "a/2/deep/3", "b"]
    for name in [*expected, "b/wandb/inside", ".hidden/4"]:
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "status.json").write_text("{}")
    (tmp_path / "c" / "never_started" / ".hydra").mkdir(parents=True)
    (tmp_path / "a" / "latest").symlink_to(tmp_path / "a" / "1")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert [run.path.relative_to(tmp_path).as_posix() for run in RunDirectory.find(tmp_path)] == expected
    assert [run.path for run in RunDirectory.find(tmp_path / "b")] == [tmp_path / "b"]
    with pytest.raises(RequestError, match="nowhere: expected a folder of runs"):
        list(RunDirectory.find(tmp_path / "nowhere"))


def test_runs_themselves_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes ten thousand runs take a fraction of a second: one question per run, and no listing of its files."""
    for number in range(20):
        (tmp_path / "experiment" / str(number) / "wandb").mkdir(parents=True)
        (tmp_path / "experiment" / str(number) / "status.json").touch()
    listed: list[str] = []
    original = os.scandir

    def counted(folder: str) -> Any:
        listed.append(folder)
        return original(folder)

    monkeypatch.setattr(os, "scandir", counted)
    assert sum(1 for _ in RunDirectory.find(tmp_path)) == 20
    assert listed == [str(tmp_path), str(tmp_path / "experiment")]


def test_the_documented_way_to_read_a_run_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()
    example = page.split("```python\n")[1].split("```")[0]
    run = RunDirectory(tmp_path / example.split('load_run("')[1].split('"')[0])
    with run.lock(), run.recording("1c9f0a7b32") as recording:
        train(recording, 3)
        recording.finish(RESULT)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/runs.md", "exec"), {})
    assert capsys.readouterr().out == f"0.5 {row(3)['train/loss']}\n"
