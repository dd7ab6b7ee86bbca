"""The mirror in W&B itself, offline: what its files hold is compared with the record on disk."""

from __future__ import annotations

import json
import math
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from babi_memnet.errors import RunStopped
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.tracking.flatten import epoch_metrics, restart_rows
from babi_memnet.tracking.protocol import TrackedRun
from babi_memnet.tracking.settings import WandbTracker
from babi_memnet.tracking.start import start_tracker
from tests.tracking.wandb_reader import WandbLog, read_log

CONFIG = {"model": {"name": "memn2n", "hops": 3}, "training": {"milestones": [25, 50]}, "task": 1, "size": "1k"}
RESULT: dict[str, Any] = {
    "task": 1,
    "experiment": "memn2n_1k/pe",
    "restarts": [
        {
            "restart": restart,
            "seed": restart,
            "train": {"error_percent": 1.5 - restart, "loss": 0.25},
            "validation": {"error_percent": 3.0},
            "test": {"error_percent": 4.5 + restart},
        }
        for restart in range(2)
    ],
    "selected": 1,
    "test_error_percent": 5.5,
    "mean": 5.0,
    "standard_deviation": 0.7,
    "published": {"error_percent": 5.2, "difference": 0.3, "verdict": "explained"},
    "seconds": 1.5,
}
OWN_KEYS = {"_step", "_runtime", "_timestamp"}


def row(epoch: int) -> dict[str, Any]:
    return {
        "phase": "linear" if epoch < 3 else "full",
        "epoch": epoch,
        "learning_rate": 0.01 / 2**epoch,
        "train/loss": [1 / epoch, math.nan if epoch == 2 else 0.1 * epoch],
        "train/error_percent": [50.0 / epoch, 40.0],
        "validation/error_percent": [30.0, 31.5 + epoch],
        "seconds": 0.125,
    }


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home without W&B settings, which must still be empty afterwards."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("WANDB_", "XDG_", "NETRC"))]:
            patch.delenv(name)
        patch.setenv("HOME", str(folder))
        yield folder
        import wandb

        wandb.teardown()


def record(
    path: Path, epochs: int, settings: WandbTracker | None = None, error: BaseException | None = None, **config: Any
) -> RunDirectory:
    """Record and mirror a run, as the harness does, up to ``epochs`` or the error that comes after them."""
    run = RunDirectory(path)
    tracked = TrackedRun("0123456789", "task 1", path, CONFIG | config, "memn2n_1k/pe", "train", ["task_1", "1k"])
    with (
        run.lock(),
        run.recording("0123456789") as recording,
        start_tracker(settings or WandbTracker(tags=["mine"]), tracked) as tracker,
    ):
        for epoch in range(recording.epoch + 1, epochs + 1):
            recording.record_epoch(row(epoch))
            tracker.log_epoch(row(epoch))
            if epoch == 2:
                recording.save_checkpoint({"weights": np.zeros(3)}, {})
        if error is not None:
            raise error
        recording.finish(RESULT)
        tracker.finish(RESULT)
    return run


def logs(path: Path) -> list[WandbLog]:
    return [read_log(file) for file in sorted(path.glob("wandb/offline-run-*-0123456789*/run-0123456789.wandb"))]


def by_epoch(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    assert [item["_step"] for item in history] == [item["epoch"] for item in history]
    return [{key: value for key, value in item.items() if key not in OWN_KEYS} for item in history]


def as_charted(lines: list[dict[str, Any]]) -> list[Any]:
    return [pytest.approx(epoch_metrics(line), nan_ok=True) for line in lines]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return record(tmp_path_factory.mktemp("finished") / "run", epochs=4)


@pytest.fixture(scope="module")
def log(finished: RunDirectory) -> WandbLog:
    (only,) = logs(finished.path)
    return only


def test_every_metric_of_every_epoch_is_mirrored(finished: RunDirectory, log: WandbLog) -> None:
    lines = finished.metrics()
    lines[1]["train/loss"][1] = math.nan  # null in metrics.jsonl, which has no NaN
    assert by_epoch(log.history) == as_charted(lines)


def test_charts_are_over_epochs(log: WandbLog) -> None:
    assert log.step_metrics == {"epoch": "", "*": "epoch"}


def test_the_run_is_described(log: WandbLog) -> None:
    described = {key: log.run[key] for key in ("id", "name", "project", "group", "job_type", "tags")}
    assert described == {
        "id": "0123456789",
        "name": "task 1",
        "project": "babi_memnet",
        "group": "memn2n_1k/pe",
        "job_type": "train",
        "tags": ["task_1", "1k", "mine"],
    }
    assert {key: value for key, value in log.config.items() if key != "_wandb"} == CONFIG
    assert log.exit_code == 0


def test_the_summary_is_the_result(log: WandbLog) -> None:
    expected = {
        "test_error_percent": 5.5,
        "mean": 5.0,
        "standard_deviation": 0.7,
        "selected": 1,
        "published/error_percent": 5.2,
        "published/difference": 0.3,
        "published/verdict": "explained",
        "restart_00/test/error_percent": 4.5,
        "restart_01/test/error_percent": 5.5,
    }
    assert {key: log.summary[key] for key in expected} == expected


def test_the_table_of_restarts_is_kept(finished: RunDirectory, log: WandbLog) -> None:
    (file,) = finished.path.glob(f"wandb/offline-run-*/files/{log.summary['restarts']['path']}")
    table = json.loads(file.read_text())
    assert (table["columns"], table["data"]) == restart_rows(RESULT)


def test_artifacts_are_the_files_of_the_run_directory(finished: RunDirectory, log: WandbLog) -> None:
    expected = {
        "checkpoint-0123456789": ("model", ["checkpoint.json", "checkpoint.safetensors"]),
        "result-0123456789": ("result", ["metrics.jsonl", "result.json"]),
    }
    for name, (kind, files) in expected.items():
        assert log.artifacts[name].kind == kind
        assert log.artifacts[name].local_paths == {file: str(finished.path / file) for file in files}


def test_wandb_writes_nowhere_but_in_the_run_directory(finished: RunDirectory, log: WandbLog, home: Path) -> None:
    staged = [Path(path) for artifact in log.artifacts.values() for path in artifact.local_paths.values()]
    assert all(path.exists() and path.is_relative_to(finished.path) for path in staged)
    assert list(home.rglob("*")) == []


def test_a_failing_run_has_exit_code_1_and_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        record(tmp_path, epochs=2, error=ZeroDivisionError())
    (failed,) = logs(tmp_path)
    assert failed.exit_code == 1
    assert by_epoch(failed.history) == as_charted([row(1), row(2)])
    assert capfd.readouterr() == ("", "")


def test_a_run_that_was_stopped_on_purpose_has_not_failed(tmp_path: Path) -> None:
    with pytest.raises(RunStopped):
        record(tmp_path, epochs=2, error=RunStopped("pruned after epoch 2"))
    (stopped,) = logs(tmp_path)
    assert stopped.exit_code == 0


def test_two_runs_in_one_process_are_two_runs(tmp_path: Path) -> None:
    for name in ("a", "b"):
        record(tmp_path / name, epochs=1, task=name)
        (one,) = logs(tmp_path / name)
        assert one.config["task"] == name
        assert [item["epoch"] for item in one.history] == [1]
        assert all(
            Path(path).is_relative_to(tmp_path / name)
            for artifact in one.artifacts.values()
            for path in artifact.local_paths.values()
        )


def test_a_continued_run_is_the_same_run_in_a_second_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, epochs=3, error=KeyboardInterrupt())
    run = record(tmp_path, epochs=4)
    first, second = sorted(logs(tmp_path), key=lambda log: log.history[0]["epoch"])
    assert first.run["id"] == second.run["id"]
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert by_epoch(first.history) == as_charted([row(1), row(2), row(3)])
    assert by_epoch(second.history) == as_charted([row(3), row(4)])
    assert [line["epoch"] for line in run.metrics()] == [1, 2, 3, 4]


def test_the_machine_is_kept_out_when_asked(tmp_path: Path, log: WandbLog) -> None:
    assert log.machine["executable"] == sys.executable
    record(tmp_path, epochs=1, settings=WandbTracker(machine_info=False, artifacts=False))
    (private,) = logs(tmp_path)
    assert private.machine == {}
    assert private.run["host"] == "hidden"
    assert not list(tmp_path.rglob("requirements.txt"))


ONLINE = """
import json, logging, os, sys
from pathlib import Path
from babi_memnet.errors import RequestError
from babi_memnet.tracking.settings import WandbTracker
from babi_memnet.tracking.protocol import TrackedRun
from babi_memnet.tracking.start import check_tracker, start_tracker
path = Path(sys.argv[1])
said = []
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("babi_memnet").addHandler(handler)
logging.getLogger("babi_memnet").setLevel("INFO")
settings = WandbTracker(mode="online", timeout=1.0)
for key in (None, "too short"):
    if key is not None:
        os.environ["WANDB_API_KEY"] = key
    try:
        check_tracker(settings)
    except RequestError as error:
        said.append(str(error))
os.environ["WANDB_API_KEY"] = "a" * 40
with start_tracker(settings, TrackedRun("0123456789", "name", path, {})) as tracker:
    tracker.log_epoch({"epoch": 1})
(path / "said.json").write_text(json.dumps(said))
"""


def test_online_without_key_or_network_neither_asks_nor_stops(tmp_path: Path) -> None:
    """In a terminal, where wandb would prompt. Nothing listens at the address of the server."""
    ours, theirs = pty.openpty()
    # The W&B service of this process is not for that one.
    environment = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}
    try:
        subprocess.run(
            [sys.executable, "-c", ONLINE, str(tmp_path)],
            env={**environment, "WANDB_BASE_URL": "http://127.0.0.1:9"},
            check=True,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            timeout=60,
        )
        os.write(theirs, b"end")
        assert os.read(ours, 10_000) == b"end"
    finally:
        os.close(ours)
        os.close(theirs)
    no_key, bad_key, no_network, offline = json.loads((tmp_path / "said.json").read_text())
    assert no_key.startswith("tracker.mode=online: expected a W&B API key in WANDB_API_KEY")
    assert bad_key.startswith("tracker.mode=online: WANDB_API_KEY invalid")
    assert no_network.startswith("W&B could not start online")
    assert offline.startswith("W&B offline: upload it with: wandb sync")
    (mirrored,) = logs(tmp_path)
    assert [item["epoch"] for item in mirrored.history] == [1]
