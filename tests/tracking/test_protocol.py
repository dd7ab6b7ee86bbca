"""The mirror of a run without W&B itself: what it is told, and what it does when W&B fails."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.tracking.flatten import epoch_metrics, restart_rows, result_summary
from babi_memnet.tracking.protocol import TrackedRun, Untracked
from babi_memnet.tracking.settings import NoTracker, WandbTracker
from babi_memnet.tracking.start import check_tracker, start_tracker
from babi_memnet.tracking.wandb import WandbMirror, check_credentials

ROW = {
    "phase": "linear start",
    "epoch": 4,
    "learning_rate": 0.005,
    "train/loss": [0.5, 0.25, 4.0, 0.75],
    "train/error_percent": [3.0, math.nan, 1.0],
    "validation/error_percent": [None, None],
    "seconds": None,
}
RESULT: dict[str, Any] = {
    "task": "joint",
    "experiment": None,
    "restarts": [
        {
            "restart": 3,
            "seed": 10,
            "train": {"error_percent": 2.0, "loss": 0.5},
            "validation": {"error_percent": 4.0},
            "test": {"error_percent": 5.0, "per_task": {"1": 4.0, "10": 6.0}},
        },
        {
            "restart": 4,
            "seed": 11,
            "train": {"error_percent": 1.0, "loss": 0.25},
            "test": {"error_percent": 7.0, "per_task": {"1": 6.0, "10": 8.0}},
        },
    ],
    "selected": 1,
    "test_error_percent": 7.0,
    "mean": 6.0,
    "standard_deviation": 1.4,
    "data": {"fingerprint": "ab"},
    "published": {"error_percent": 6.5, "difference": 0.5, "explained": True, "interval": [6.0, 8.0]},
    "seconds": 12.0,
}


def test_an_epoch_is_charted_per_restart_and_by_best_and_median() -> None:
    metrics = epoch_metrics(ROW)
    nan = metrics.pop("restart_01/train/error_percent")
    assert math.isnan(nan)
    assert metrics == {
        "phase": "linear start",
        "epoch": 4,
        "learning_rate": 0.005,
        "train/loss/best": 0.25,
        "train/loss/median": 0.625,
        "restart_00/train/loss": 0.5,
        "restart_01/train/loss": 0.25,
        "restart_02/train/loss": 4.0,
        "restart_03/train/loss": 0.75,
        "train/error_percent/best": 1.0,
        "train/error_percent/median": 3.0,  # the diverged restart is the worst of 1, 3, infinity
        "restart_00/train/error_percent": 3.0,
        "restart_02/train/error_percent": 1.0,
    }


def test_the_summary_has_what_one_sorts_runs_by() -> None:
    assert result_summary(RESULT) == {
        "task": "joint",
        "selected": 1,
        "test_error_percent": 7.0,
        "mean": 6.0,
        "standard_deviation": 1.4,
        "seconds": 12.0,
        "published/error_percent": 6.5,
        "published/difference": 0.5,
        "published/explained": True,
        "restart_03/test/error_percent": 5.0,
        "restart_04/test/error_percent": 7.0,
        "task_01/test/error_percent": 6.0,
        "task_10/test/error_percent": 8.0,
    }
    single = {"task": 1, "restarts": [{"restart": 0, "test": {"error_percent": 1.0}}], "selected": 0, "published": None}
    assert result_summary(single) == {"task": 1, "selected": 0, "restart_00/test/error_percent": 1.0}


def test_named_tasks_are_no_other_metric() -> None:
    test = {"error_percent": 3.0, "per_task": {"restart_00": 2.0, "b": 4.0}}
    named = {"task": "joint", "restarts": [{"restart": 0, "seed": 0, "test": test}], "selected": 0}
    assert result_summary(named) == {
        "task": "joint",
        "selected": 0,
        "restart_00/test/error_percent": 3.0,
        "task_restart_00/test/error_percent": 2.0,
        "task_b/test/error_percent": 4.0,
    }
    columns, rows = restart_rows(named)
    assert columns[-2:] == ["test/task_b", "test/task_restart_00"]
    assert rows[0][-2:] == [4.0, 2.0]


def test_the_table_has_one_row_per_restart() -> None:
    columns, rows = restart_rows(RESULT)
    assert columns == [
        "restart",
        "seed",
        "selected",
        "train/error_percent",
        "train/loss",
        "validation/error_percent",
        "test/error_percent",
        "test/task_01",
        "test/task_10",
    ]
    assert rows == [[3, 10, False, 2.0, 0.5, 4.0, 5.0, 4.0, 6.0], [4, 11, True, 1.0, 0.25, None, 7.0, 6.0, 8.0]]


class FakeRun:
    def __init__(self, directory: str) -> None:
        self.dir = f"{directory}/wandb/run/files"
        self.url = "https://example.org/run"
        self.logged: list[tuple[int, dict[str, Any]]] = []
        self.metrics: list[tuple[str, str | None]] = []
        self.summary: dict[str, Any] = {}
        self.artifacts: list[FakeArtifact] = []
        self.exit_codes: list[int] = []
        self.broken: Exception | None = None

    def log(self, metrics: dict[str, Any], step: int) -> None:
        if self.broken:
            raise self.broken
        self.logged.append((step, metrics))

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        self.metrics.append((name, step_metric))

    def log_artifact(self, artifact: FakeArtifact) -> None:
        self.artifacts.append(artifact)

    def finish(self, exit_code: int) -> None:
        self.exit_codes.append(exit_code)
        if self.broken:
            raise self.broken


class FakeArtifact:
    def __init__(self, name: str, type: str) -> None:
        self.name, self.type = name, type
        self.files: list[str] = []

    def add_file(self, path: str, **options: Any) -> None:
        self.files.append(path)


class FakeWandb:
    """As much of the wandb module as the mirror uses, by wandb's names.

    Args:
        failures: raised by ``init``, one per call.
        credentials: whether ``login`` finds any, or what it raises.
    """

    class errors:
        Error = type("Error", (Exception,), {})
        CommError = type("CommError", (Error,), {})
        AuthenticationError = type("AuthenticationError", (CommError,), {})
        UsageError = type("UsageError", (Error,), {})

    Artifact = FakeArtifact

    def __init__(self, *failures: Exception, credentials: bool | Exception = True) -> None:
        self.failures = list(failures)
        self.credentials = credentials
        self.inits: list[dict[str, Any]] = []
        self.environments: list[dict[str, str]] = []
        self.run = FakeRun("nowhere")

    def login(self, *, prompt: bool, verify: bool) -> bool:
        assert (prompt, verify) == (False, False)
        if isinstance(self.credentials, Exception):
            raise self.credentials
        return self.credentials

    def teardown(self) -> None:
        self.torn_down_after = len(self.inits)

    def init(self, **options: Any) -> FakeRun:
        self.inits.append(options)
        self.environments.append({name: value for name, value in os.environ.items() if name.startswith("WANDB_")})
        if self.failures:
            raise self.failures.pop(0)
        self.run = FakeRun(options["dir"])
        return self.run

    def Settings(self, **options: Any) -> dict[str, Any]:
        return options

    def Table(self, **options: Any) -> SimpleNamespace:
        return SimpleNamespace(**options)


@pytest.fixture(autouse=True)
def _no_variables_of_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def tracked(tmp_path: Path) -> TrackedRun:
    return TrackedRun("0123456789", "task 1", tmp_path / "run", {"model": {"hops": 3}}, "pe_ls", "train", ["task_1"])


def test_the_run_is_described_to_wandb(tracked: TrackedRun) -> None:
    wandb = FakeWandb()
    settings = WandbTracker(entity="lab", tags=["mine", "task_1"], notes="first", save_code=True, timeout=5.0)
    with WandbMirror(settings, tracked, wandb) as mirror:
        mirror.log_epoch({"epoch": 1})
        mirror.log_epoch({"epoch": 2})
    (options,) = wandb.inits
    assert options.pop("settings") == {
        "silent": True,
        "console": "off",
        "reinit": "create_new",
        "save_code": True,
        "init_timeout": 5.0,
        "finish_timeout": 5.0,
    }
    assert options == {
        "mode": "offline",
        "id": "0123456789",
        "resume": None,
        "project": "babi_memnet",
        "entity": "lab",
        "group": "pe_ls",
        "name": "task 1",
        "job_type": "train",
        "tags": ["task_1", "mine"],
        "notes": "first",
        "config": {"model": {"hops": 3}},
        "dir": str(tracked.directory),
    }
    assert wandb.run.metrics == [("epoch", None), ("*", "epoch")]
    assert wandb.run.exit_codes == [0]


def test_settings_come_before_what_the_run_has_by_itself(tracked: TrackedRun) -> None:
    wandb = FakeWandb()
    with WandbMirror(WandbTracker(group="mine", name="my run"), tracked, wandb):
        pass
    assert (wandb.inits[0]["group"], wandb.inits[0]["name"]) == ("mine", "my run")


def test_the_machine_can_be_kept_out(tracked: TrackedRun) -> None:
    wandb = FakeWandb()
    with WandbMirror(WandbTracker(machine_info=False), tracked, wandb):
        pass
    assert wandb.inits[0]["settings"]["host"] == "hidden"


def test_epochs_are_steps_and_the_result_is_summary_table_and_artifacts(tracked: TrackedRun) -> None:
    wandb = FakeWandb()
    tracked.directory.mkdir()
    for name in ("checkpoint.safetensors", "checkpoint.json", "result.json"):
        (tracked.directory / name).touch()
    with WandbMirror(WandbTracker(), tracked, wandb) as mirror:
        mirror.log_epoch(ROW)
        mirror.finish(RESULT)
    ((step, metrics),) = wandb.run.logged
    assert (step, metrics["train/loss/best"]) == (4, 0.25)
    table = wandb.run.summary.pop("restarts")
    assert (table.columns, table.data) == restart_rows(RESULT)
    assert wandb.run.summary == result_summary(RESULT)
    assert [
        (artifact.name, artifact.type, [Path(file).name for file in artifact.files]) for artifact in wandb.run.artifacts
    ] == [
        ("checkpoint-0123456789", "model", ["checkpoint.safetensors", "checkpoint.json"]),
        ("result-0123456789", "result", ["result.json"]),
    ]


@pytest.mark.parametrize("artifacts", [True, False])
def test_artifacts_are_what_there_is_and_wanted(tracked: TrackedRun, artifacts: bool) -> None:
    wandb = FakeWandb()
    tracked.directory.mkdir()
    (tracked.directory / "result.json").touch()
    with WandbMirror(WandbTracker(artifacts=artifacts), tracked, wandb) as mirror:
        mirror.finish(RESULT)
    names = [artifact.name for artifact in wandb.run.artifacts]
    assert names == (["result-0123456789"] if artifacts else [])


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failing_run_is_marked_as_failed(tracked: TrackedRun, error: BaseException) -> None:
    wandb = FakeWandb()
    with pytest.raises(type(error)), WandbMirror(WandbTracker(), tracked, wandb):
        raise error
    assert wandb.run.exit_codes == [1]


def test_trouble_with_wandb_is_one_warning_and_no_more(tracked: TrackedRun, caplog: pytest.LogCaptureFixture) -> None:
    """When wandb-core dies (out of memory), every later call raises ConnectionResetError."""
    wandb = FakeWandb()
    with WandbMirror(WandbTracker(), tracked, wandb) as mirror:
        mirror.log_epoch({"epoch": 1})
        wandb.run.broken = ConnectionResetError("Connection lost")
        for epoch in (2, 3):
            mirror.log_epoch({"epoch": epoch})
        mirror.finish(RESULT)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "W&B failed while logging epoch 2 (Connection lost); the run goes on without it",
        "W&B failed while ending the run (Connection lost)",
    ]
    assert [step for step, _ in wandb.run.logged] == [1]


def test_a_run_that_wandb_cannot_start_goes_on_without_it(
    tracked: TrackedRun, caplog: pytest.LogCaptureFixture
) -> None:
    wandb = FakeWandb(OSError("no space left"))
    with WandbMirror(WandbTracker(), tracked, wandb) as mirror:
        mirror.log_epoch(ROW)
        mirror.finish(RESULT)
    assert "W&B could not start offline (no space left)" in caplog.text


def test_a_server_out_of_reach_means_offline(tracked: TrackedRun, caplog: pytest.LogCaptureFixture) -> None:
    wandb = FakeWandb(FakeWandb.errors.CommError("connection\nrefused"))
    with WandbMirror(WandbTracker(mode="online"), tracked, wandb) as mirror:
        mirror.log_epoch(ROW)
    assert [(options["mode"], options["resume"]) for options in wandb.inits] == [("online", "allow"), ("offline", None)]
    assert wandb.torn_down_after == 1
    assert [step for step, _ in wandb.run.logged] == [4]
    assert "W&B could not start online (connection refused)" in caplog.text


@pytest.mark.parametrize("kind", ["AuthenticationError", "UsageError"])
def test_a_request_that_wandb_refuses_is_a_wrong_request(tracked: TrackedRun, kind: str) -> None:
    wandb = FakeWandb(getattr(FakeWandb.errors, kind)("invalid key"))
    with (
        pytest.raises(RequestError, match=r"^tracker\.mode=online: W&B refused the run: invalid key$"),
        WandbMirror(WandbTracker(mode="online"), tracked, wandb),
    ):
        pass
    assert "WANDB_DATA_DIR" not in os.environ


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (False, "expected a W&B API key in WANDB_API_KEY or from `wandb login`, found none; tracker=wandb_offline"),
        (FakeWandb.errors.AuthenticationError("WANDB_API_KEY invalid: too short"), "WANDB_API_KEY invalid: too short"),
    ],
)
def test_online_without_an_account_is_a_wrong_request(credentials: bool | Exception, message: str) -> None:
    with pytest.raises(RequestError, match=f"^tracker.mode=online: {message}"):
        check_credentials(FakeWandb(credentials=credentials))


def test_wandb_keeps_its_files_in_the_run_directory_unless_told_otherwise(
    tracked: TrackedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_CACHE_DIR", "/mine")
    before = dict(os.environ)
    wandb = FakeWandb()
    with WandbMirror(WandbTracker(), tracked, wandb):
        pass
    assert wandb.environments == [
        {
            "WANDB_DATA_DIR": str(tracked.directory / "wandb" / "data"),
            "WANDB_CACHE_DIR": "/mine",
            "WANDB_SILENT": "true",
            "WANDB_ERROR_REPORTING": "false",
        }
    ]
    assert dict(os.environ) == before


def test_settings_choose_the_tracker(tracked: TrackedRun) -> None:
    assert isinstance(start_tracker(WandbTracker(), tracked), WandbMirror)
    assert isinstance(start_tracker(NoTracker(), tracked), Untracked)


NOTHING_HEAVY = """
import sys
from pathlib import Path
from babi_memnet.runs import directory, signature, environment, lock, metrics
from babi_memnet.tracking.settings import NoTracker, WandbTracker
from babi_memnet.tracking.protocol import TrackedRun
from babi_memnet.tracking.start import check_tracker, start_tracker
run = TrackedRun("0123456789", "name", Path(sys.argv[1]), {})
for settings in (NoTracker(), WandbTracker()):
    check_tracker(settings)
    tracker = start_tracker(settings, run)
with start_tracker(NoTracker(), run) as tracker:
    tracker.log_epoch({"epoch": 1})
    tracker.finish({})
print(sorted({"torch", "wandb", "hydra", "omegaconf", "datasets", "safetensors.torch"} & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", NOTHING_HEAVY, str(tmp_path)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_offline_needs_no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("babi_memnet.tracking.wandb.check_credentials", lambda: pytest.fail("asked W&B"))
    check_tracker(WandbTracker())
    check_tracker(NoTracker())
