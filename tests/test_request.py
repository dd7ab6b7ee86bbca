"""What a run is known by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import known_keys, register, request_of
from babi_memnet.data.export import write_saved
from babi_memnet.data.settings import GeneratedData
from babi_memnet.paths import conf_directory
from babi_memnet.request import Request


@pytest.fixture(autouse=True)
def hydra_ready() -> Iterator[None]:
    register(train=TrainSchema)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        yield


def request(*overrides: str, experiment: str | None = None) -> Request:
    named = [f"experiment={experiment}"] if experiment else []
    return request_of(compose("train", [*named, *overrides]), experiment)


def test_what_cannot_change_a_result_does_not_change_the_directory():
    plain = request("task=2")
    assert str(plain.directory).startswith("outputs/train/task_02-")
    for same in (
        ["training=per_task", "model.hops=3"],
        ["runtime.threads=1", "runtime.engine=autograd", "tracker=none", "training.checkpoint_seconds=1"],
        ["model.dimension=20"],  # what null means for one task
        ["data.size=1000"],
    ):
        assert request("task=2", *same).directory == plain.directory


@pytest.mark.parametrize(
    "change",
    [
        "task=3",
        "model.hops=2",
        "model.tying=layerwise",
        "tokenizer=words_cased",
        "runtime.seed=1",
        "data.seed=1",
        "data.size=2k",
        "training.restarts=3",
        "training.first_restart=1",
        "training=joint",
    ],
)
def test_what_can_change_a_result_changes_the_directory(change: str):
    assert request("task=2", change).signature != request("task=2").signature


def test_an_experiment_file_names_the_folder_but_not_the_signature():
    named, plain = request("task=2", experiment="memn2n_1k/pe_ls_rn"), request("task=2")
    assert named.signature == plain.signature
    assert str(named.directory) == str(plain.directory).replace("train", "memn2n_1k/pe_ls_rn")


def test_joint_means_fifty_dimensions_and_all_tasks():
    joint = request("task=joint", "training=joint")
    assert joint.settings.model.dimension == 50
    assert joint.settings.tasks == list(range(1, 21))
    assert joint.directory.name.startswith("joint-")


@pytest.mark.parametrize(
    "path",
    sorted(str(p.relative_to(conf_directory() / "experiment")) for p in conf_directory().glob("experiment/*/*.yaml")),
)
def test_every_experiment_file_makes_a_request(path: str):
    name = path.removesuffix(".yaml")
    asked = request(experiment=name)
    assert (asked.settings.task == "joint") == name.endswith("joint")


@pytest.mark.parametrize("group", ["data", "tokenizer", "model", "training", "tracker", "runtime", "debug"])
def test_every_choice_of_every_group_makes_a_request(group: str):
    choices = sorted(path.stem for path in (conf_directory() / group).glob("*.yaml"))
    assert choices
    for choice in choices:
        if group != "data" or choice == "generated":  # the other sources need files
            request(f"{group}={choice}")


def test_where_stories_lie_does_not_change_the_directory(tmp_path: Path):
    stories = GeneratedData(size=5, test_questions=3)
    places = [write_saved(stories, tmp_path / name, [2], "parquet", progress=False) for name in ("here", "there")]
    names = {request("task=2", "data=saved", f"data.path={place}").directory.name for place in places}
    assert len(names) == 1
    other = write_saved(stories, tmp_path / "other", [2, 3], "parquet", progress=False)
    assert request("task=2", "data=saved", f"data.path={other}").directory.name not in names


def test_suggestions_know_every_key_of_the_composed_configuration():
    config = compose("train")
    keys = {f"{group}.{key}" for group in ("data", "model", "training", "runtime", "tracker") for key in config[group]}
    assert keys <= set(known_keys())


def test_an_error_that_is_not_about_the_request_is_not_explained():
    assert explain(ValueError("no")) is None
