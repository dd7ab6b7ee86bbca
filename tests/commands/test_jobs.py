"""The composer of jobs makes what Hydra would compose for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cloudpickle
import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobStatus
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from babi_memnet.commands.jobs import Common, Composer, Job, plan
from babi_memnet.commands.sweeping import answered
from babi_memnet.config import request_of
from babi_memnet.errors import RequestError
from babi_memnet.request import Request
from babi_memnet.runs.files import write_json

SMALL = ["data.size=60", "data.test_questions=40"]


@pytest.fixture
def sweep(loader: Any) -> DictConfig:
    """The configuration of a sweep."""
    config: DictConfig = loader.load_configuration("train", [], run_mode=RunMode.MULTIRUN)
    HydraConfig.instance().set_config(config)
    return config


def planned(loader: Any, sweep: DictConfig, jobs: list[list[str]]) -> Iterator[Job]:
    return plan(Composer(loader), Common.of(sweep), jobs)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["task=3", "model.hops=2"],
        ["task=joint", "training=joint"],
        ["experiment=memn2n_1k/pe_ls_rn", "task=2", "training.restarts=3"],
        # values win over groups, wherever they stand
        ["training.restarts=3", "experiment=memn2n_1k/bow", "task=2"],
        ["model={hops: 1}"],
        ["tracker=none", "debug=quick"],
        ["data.shift=longer"],
        ["~experiment"],
        ["+sweep=hops"],
        ["hydra.job.name=other"],
        ["model.dimension=null", "++runtime.seed=7"],
    ],
    ids=" ".join,
)
def test_a_plan_is_what_hydra_composes(loader: Any, sweep: DictConfig, words: list[str]) -> None:
    words = [*SMALL, *words]
    composed = loader.load_sweep_config(sweep, words)
    expected = request_of(composed, composed.hydra.runtime.choices.get("experiment"))
    # the second time uses what the first has composed, and must not have changed it; it goes to other processes
    composer = Composer(loader)
    for one in (composer, composer, cloudpickle.loads(cloudpickle.dumps(composer))):
        assert list(plan(one, Common.of(sweep), [words])) == [Job(tuple(words), expected)]
        made = one.load_sweep_config(sweep, words)
        assert OmegaConf.to_container(made, resolve=False) == OmegaConf.to_container(composed, resolve=False)


def test_values_of_one_job_do_not_reach_the_next(loader: Any, sweep: DictConfig) -> None:
    jobs = list(planned(loader, sweep, [[*SMALL, "model.hops=1"], [*SMALL, "task=2"]]))
    hops = [(job.request.settings.task, job.request.settings.model.hops) for job in jobs]  # type: ignore[union-attr]
    assert hops == [(1, 1), (2, 3)]


def test_a_request_that_cannot_be_met_does_not_stop_the_plan(loader: Any, sweep: DictConfig) -> None:
    wrong, right = planned(loader, sweep, [[*SMALL, "task=25"], SMALL])
    assert isinstance(wrong.request, RequestError)
    assert isinstance(right.request, Request)
    refused, left = answered([wrong, right], own_directories=True)
    assert left == [right]
    assert [(job.overrides, job.status) for job in refused] == [((*SMALL, "task=25"), JobStatus.FAILED)]


@pytest.mark.parametrize("word", ["no_such=1", "model.no_such=1", "model=no_such", "data.size"])
def test_words_that_make_no_configuration_are_refused(loader: Any, sweep: DictConfig, word: str) -> None:
    with pytest.raises(HydraException):
        list(planned(loader, sweep, [[word]]))


def test_only_what_is_not_on_record_is_left_and_each_request_once(loader: Any, sweep: DictConfig) -> None:
    jobs = list(planned(loader, sweep, [[*SMALL, f"model.hops={hops}"] for hops in (1, 2, 3)] + [SMALL]))
    assert jobs[2].require().directory == jobs[3].require().directory  # three hops are the default
    first, second = (job.require() for job in jobs[:2])
    for request, state in ((first, "done"), (second, "failed")):
        request.directory.mkdir(parents=True)
        write_json(request.directory / "status.json", {"state": state, "signature": request.signature})
    write_json(first.directory / "result.json", {})
    assert answered(jobs, own_directories=True) == ([], [jobs[1], jobs[2]])
    # where runs are elsewhere, nobody knows yet
    assert answered(jobs, own_directories=False) == ([], jobs[:3])


def test_a_directory_of_another_run_is_refused(loader: Any, sweep: DictConfig) -> None:
    (job,) = planned(loader, sweep, [SMALL])
    directory = job.require().directory
    directory.mkdir(parents=True)
    write_json(directory / "status.json", {"state": "done", "signature": "another"})
    ((refused,), left) = answered([job], own_directories=True)
    assert not left
    assert "holds another run" in str(refused._return_value)


def test_runs_elsewhere_are_not_looked_for_at_home(loader: Any) -> None:
    from babi_memnet.commands.sweeping import in_own_directories

    def config(*words: str) -> DictConfig:
        return loader.load_configuration("train", list(words), run_mode=RunMode.MULTIRUN)  # type: ignore[no-any-return]

    assert in_own_directories(config())
    assert in_own_directories(config("runtime.outputs=elsewhere", "hydra.sweep.dir=logs"))
    assert not in_own_directories(config("hydra.sweep.subdir=${hydra.job.num}"))
