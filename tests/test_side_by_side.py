"""Runs side by side: how cores are shared, and what a failing or dying process does to the others."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from babi_memnet.data.settings import GeneratedData
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.models.networks import settings_class
from babi_memnet.request import settle
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.side_by_side import Job, share_cores, train_side_by_side
from babi_memnet.tracking.settings import NoTracker
from babi_memnet.training.settings import TrainingSettings


def nothing() -> None:
    pass


def fail() -> None:
    raise OSError("no space left")


def die(marker: Path, times: int) -> None:
    """Kill the process that trains, the first ``times`` times."""
    deaths = len(list(marker.parent.glob(f"{marker.name}*")))
    if deaths < times:
        marker.with_name(f"{marker.name}{deaths}").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def job(outputs: Path, task: int | str, on_start: Callable[[], None] = nothing, restarts: int = 2, **model: int) -> Job:
    """A run of a second."""
    settings = Settings(
        task=task,
        data=GeneratedData(size=60, test_questions=40),
        tokenizer=TokenizerSettings(),
        model=settings_class("memn2n")(**model),
        training=TrainingSettings(restarts=restarts, epochs=2, linear_start_epochs=0),
        tracker=NoTracker(),
        runtime=RuntimeSettings(outputs=str(outputs)),
    )
    return Job(settle(settings), on_start)


def shares(jobs: list[Job], cores: int) -> list[tuple[int | str, int]]:
    return [(job.request.settings.task, job.cores) for job in share_cores(jobs, cores)]


def test_joint_runs_have_the_machine_and_the_longest_come_first(tmp_path: Path):
    jobs = [job(tmp_path, task, restarts=10) for task in (1, 3, "joint", 4, 2)]
    assert shares(jobs, 2) == [("joint", 2), (3, 1), (2, 1), (1, 1), (4, 1)]
    assert shares(jobs, 16) == [("joint", 10), (3, 4), (2, 4), (1, 4), (4, 4)]


def test_a_run_gets_no_more_cores_than_restarts(tmp_path: Path):
    assert shares([job(tmp_path, 1, restarts=3)], 8) == [(1, 3)]
    assert shares([job(tmp_path, "joint", restarts=1)], 8) == [("joint", 1)]


def test_what_does_not_compute_on_the_processor_runs_alone(tmp_path: Path):
    on_cpu = job(tmp_path, 1, restarts=10)
    settings = on_cpu.request.settings
    elsewhere = replace(settings, runtime=replace(settings.runtime, device="cuda"))
    on_gpu = Job(replace(on_cpu.request, settings=elsewhere), nothing)
    assert shares([on_cpu, on_gpu, on_gpu], 4) == [(1, 4), (1, 4), (1, 4)]


def test_a_run_that_fails_leaves_the_others_alone(tmp_path: Path):
    jobs = [job(tmp_path, 1), job(tmp_path, 4, fail), job(tmp_path, 6)]
    watched: list[int] = []
    outcomes = dict(train_side_by_side(jobs, 2, lambda running: watched.append(len(running))))
    by_task = {job.request.settings.task: outcome for job, outcome in outcomes.items()}
    assert by_task[1] == RunDirectory(jobs[0].directory).result
    assert by_task[6] == RunDirectory(jobs[2].directory).result
    assert isinstance(by_task[4], OSError)
    assert "Traceback" in (jobs[1].directory / "train.log").read_text()
    assert max(watched) <= 2


@pytest.mark.integration
@pytest.mark.parametrize("deaths", [1, 2])
def test_a_process_that_dies_is_replaced_once(tmp_path: Path, deaths: int, caplog: pytest.LogCaptureFixture):
    jobs = [job(tmp_path, 1, partial(die, tmp_path / "death", deaths)), job(tmp_path, 4)]
    outcomes = {
        job.request.settings.task: outcome for job, outcome in train_side_by_side(jobs, 1, lambda running: None)
    }
    assert outcomes[4] == RunDirectory(jobs[1].directory).result
    assert "died" in caplog.text
    if deaths == 1:
        assert outcomes[1] == RunDirectory(jobs[0].directory).result
    else:
        assert isinstance(outcomes[1], ChildProcessError)
