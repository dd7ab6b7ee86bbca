"""Jobs side by side: how cores are shared, and what a failing or dying process does to the others."""

from __future__ import annotations

import logging
import os
import pickle
import select
import signal
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.callbacks import Callbacks
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig

from babi_memnet.commands.jobs import Common, Composer
from babi_memnet.commands.local_runs import LocalRun, RunsProgress, share_cores
from babi_memnet.commands.side_by_side import Outcome
from babi_memnet.commands.train import train
from babi_memnet.errors import RequestError
from babi_memnet.request import Request
from babi_memnet.runs.directory import RunDirectory

SMALL = ["data.size=60", "data.test_questions=40", "debug=quick", "tracker=none"]


def fail_on_task_4(config: DictConfig) -> object:
    if config.task == 4:
        raise OSError("no space left")
    return train(config)


def die_once_on_task_4(config: DictConfig) -> object:
    return die(config, 1)


def die_twice_on_task_4(config: DictConfig) -> object:
    return die(config, 2)


def die(config: DictConfig, times: int) -> object:
    """Kill the process that trains task 4, the first ``times`` times."""
    deaths = Path(config.runtime.outputs, "deaths")
    deaths.mkdir(parents=True, exist_ok=True)
    number = len(list(deaths.iterdir()))
    if config.task == 4 and number < times:
        (deaths / str(number)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return train(config)


def launch(loader: Any, work: TaskFunction, jobs: Sequence[Sequence[str]], *words: str) -> list[JobReturn]:
    """The jobs, as a sweep with these words would launch them."""
    sweep = loader.load_configuration("train", ["hydra/launcher=cores", *words], run_mode=RunMode.MULTIRUN)
    HydraConfig.instance().set_config(sweep)
    context = HydraContext(config_loader=Composer(loader), callbacks=Callbacks())
    return list(Plugins.instance().instantiate_launcher(context, work, sweep).launch(jobs, initial_job_idx=3))


def runs(loader: Any, tasks: Sequence[int | str], *words: str) -> list[LocalRun]:
    composer = Composer(loader)
    found = []
    for number, task in enumerate(tasks):
        own = (f"task={task}", *SMALL, *words)
        request: Request = composer.request(Common("train", ()), own)
        found.append(LocalRun(number, own, DictConfig({}), request, request.directory))
    return found


def shares(found: Sequence[LocalRun], cores: int) -> list[tuple[int | str, int]]:
    return [(run.request.settings.task, run.cores) for run in share_cores(found, cores)]


def test_joint_runs_have_the_machine_and_the_longest_come_first(loader: Any) -> None:
    found = runs(loader, (1, 3, "joint", 4, 2), "training.restarts=10", "training.validation=random")
    assert shares(found, 2) == [("joint", 2), (3, 1), (2, 1), (1, 1), (4, 1)]
    assert shares(found, 16) == [("joint", 10), (3, 4), (2, 4), (1, 4), (4, 4)]


def test_a_run_gets_no_more_cores_than_restarts(loader: Any) -> None:
    assert shares(runs(loader, [1], "training.restarts=3"), 8) == [(1, 3)]
    assert shares(runs(loader, ["joint"], "training.restarts=1", "training.validation=random"), 8) == [("joint", 1)]


def test_what_does_not_compute_on_the_processor_runs_alone(loader: Any) -> None:
    here = runs(loader, [1], "training.restarts=10")
    elsewhere = runs(loader, [1, 1], "training.restarts=10", "runtime.device=cuda")
    assert shares([*here, *elsewhere], 4) == [(1, 4), (1, 4), (1, 4)]


def test_a_network_that_reads_more_often_costs_more(loader: Any) -> None:
    one, three = runs(loader, [1], "model.hops=1")[0], runs(loader, [1], "model.hops=3")[0]
    assert three.cost == 2 * one.cost


def test_progress_names_what_is_unlike_and_counts_epochs_on_record(
    loader: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("babi_memnet.training.progress._SECONDS_BETWEEN_LINES", 0)
    caplog.set_level(logging.INFO)
    found = runs(loader, [1, 4], "training.linear_start_epochs=0", "training.epochs=4")
    with RunsProgress(found) as progress:
        progress.watch(found)
        assert caplog.messages[-1] == "runs: 0 of 2 done, training task=1, task=4"
        found[1].directory.mkdir(parents=True)
        (found[1].directory / "metrics.jsonl").write_text("{}\n{}\n")
        progress.end(found[0])
        progress.watch(found[1:])
        assert caplog.messages[-1].startswith("runs: 1 of 2 done, training task=4, ")
        assert caplog.messages[-1].endswith(" s left")


def test_a_run_that_fails_leaves_the_others_alone(loader: Any) -> None:
    jobs = [[f"task={task}", *SMALL] for task in (1, 4, 25, 6)]
    first, second, third, fourth = launch(loader, fail_on_task_4, jobs, "runtime.threads=2")
    for job, words in ((first, jobs[0]), (fourth, jobs[3])):
        assert job.overrides == words
        assert job.hydra_cfg is not None
        assert job.cfg is not None
        assert f"task={job.cfg.task}" == words[0]
        assert "hydra" not in job.cfg
        result = RunDirectory(job.hydra_cfg.hydra.runtime.output_dir).result
        assert result is not None
        assert job.return_value == result["restarts"][result["selected"]]["validation"]["error_percent"]
    assert (second.status, third.status) == (JobStatus.FAILED, JobStatus.FAILED)
    assert isinstance(second._return_value, OSError)
    assert isinstance(third._return_value, RequestError)
    assert second.hydra_cfg is not None
    assert "Traceback" in Path(second.hydra_cfg.hydra.runtime.output_dir, "train.log").read_text()


def test_what_a_worker_sends_fits_into_one_write(loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    def call(self: Any, work: Any, *arguments: Any) -> Future[Outcome]:
        ended: Future[Outcome] = Future()
        ended.set_result(work(*pickle.loads(pickle.dumps(arguments))))  # as it would reach another process
        sent.append(len(pickle.dumps(ended.result())))
        return ended

    monkeypatch.setattr(ProcessPoolExecutor, "submit", call)
    (job,) = launch(loader, fail_on_task_4, [["task=4", *SMALL]])
    assert isinstance(job._return_value, OSError)
    assert sent[0] < select.PIPE_BUF


@pytest.mark.integration
@pytest.mark.parametrize(("work", "status"), [(die_once_on_task_4, "COMPLETED"), (die_twice_on_task_4, "FAILED")])
def test_a_process_that_dies_is_replaced_once(
    loader: Any, work: TaskFunction, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    dying, other = launch(loader, work, [[f"task={task}", *SMALL] for task in (4, 1)], "runtime.threads=1")
    assert other.status == JobStatus.COMPLETED
    assert dying.status == JobStatus[status]
    assert "died" in caplog.text
    if dying.status == JobStatus.FAILED:
        assert isinstance(dying._return_value, ChildProcessError)


@pytest.mark.parametrize("cores", ["0", "two"])
def test_a_wrong_number_of_cores_is_refused(loader: Any, cores: str) -> None:
    with pytest.raises(Exception, match="a whole number of at least 1"):
        launch(loader, train, [], f"hydra.launcher.cores={cores}")
