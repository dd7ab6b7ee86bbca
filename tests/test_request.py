"""What a run is known by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.explaining import explain
from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import known_keys, register, request_of, schemas
from babi_memnet.data.export import write_saved
from babi_memnet.data.settings import SOURCES, GeneratedData
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.models.networks import network_files, settings_class
from babi_memnet.models.settings import NetworkSettings
from babi_memnet.paths import conf_directory
from babi_memnet.request import Request, as_plain, known_settings, settle
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.settings_fields import BOOKKEEPING
from babi_memnet.tracking.settings import NoTracker, WandbTracker
from babi_memnet.training.settings import TrainingSettings


@pytest.fixture(autouse=True, scope="module")
def hydra_ready() -> Iterator[None]:
    register(train=TrainSchema)
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        yield


def request(*overrides: str, experiment: str | None = None) -> Request:
    named = [f"experiment={experiment}"] if experiment else []
    return request_of(compose("train", [*named, *overrides]), experiment)


@pytest.mark.parametrize(
    ("overrides", "experiment", "directory"),
    [
        ("task=1", None, "train/task_01-626ed77e07"),
        ("task=2 model.hops=2", None, "train/task_02-eec8b08ba9"),
        ("task=2 model.tying=layerwise training.time_noise=0", None, "train/task_02-2e04a66ed4"),
        ("task=joint training=joint", None, "train/joint-ed1dae1a1b"),
        ("task=2 data.size=2k data.seed=1", None, "train/task_02-e3f79de0fd"),
        ("task=3 data.shift=names", None, "train/task_03-dfb4e3265f"),
        ("task=2 tokenizer=words_cased", None, "train/task_02-d49e2b5ab5"),
        ("task=2 runtime.seed=1 training.restarts=3", None, "train/task_02-ffc6659022"),
        ("task=1 debug=quick", None, "debug/train/task_01-d74456b38a"),
        ("task=3", "memn2n_1k/pe_ls_rn", "memn2n_1k/pe_ls_rn/task_03-0ed9198f8b"),
        ("task=3", "memn2n_1k/bow", "memn2n_1k/bow/task_03-52aa242a36"),
        ("", "memn2n_10k/pe_ls_rn_joint", "memn2n_10k/pe_ls_rn_joint/joint-c515e23c33"),
    ],
)
def test_runs_on_record_are_found_again(overrides: str, experiment: str | None, directory: str):
    """Pinned, so that no change of the code renames the runs that people have."""
    assert request(*overrides.split(), experiment=experiment).directory == Path("outputs") / directory


# Which fields these are is said at the fields themselves; here it is said once more to hold them to it.
WITHOUT_EFFECT = {
    "data.root",
    "data.download",
    "data.mirrors",
    "data.repository",
    "data.revision",
    "data.file",
    "data.path",
    "data.train",
    "data.test",
    "data.valid",
    "training.checkpoint_seconds",
    "training.symmetry_file",
    "tracker",
    "runtime.device",
    "runtime.threads",
    "runtime.engine",
    "runtime.outputs",
    "runtime.debug",
}
PARTS = {
    "data": SOURCES.values(),
    "tokenizer": [TokenizerSettings],
    "model": [settings_class(name) for name in network_files()],
    "training": [TrainingSettings],
    "tracker": [WandbTracker, NoTracker],
    "runtime": [RuntimeSettings],
}
FIELDS = [(group, part, field.name) for group, parts in PARTS.items() for part in parts for field in fields(part)]


# What has no effect beside the defaults has one beside these.
NEEDED = {
    "beta1": ("optimizer", "adam"),
    "beta2": ("optimizer", "adam"),
    "initial_accumulator": ("optimizer", "adagrad"),
    "weight_decay_on": ("weight_decay", 0.1),
    "growing": ("first_statements", 8),
    "valid": ("valid", ["some.txt"]),  # whether there are validation questions is told by training.validation
    "hop_cost": ("controller", "act"),
    "entropy": ("controller", "reinforce"),
}


def settings_of(**parts: Any) -> Settings:
    """The defaults, but for these parts."""
    defaults: dict[str, Any] = {group: next(iter(choices))() for group, choices in PARTS.items()}
    defaults["model"] = settings_class("memn2n")().settled(joint=False)
    return Settings(task=2, **{**defaults, **parts})


@pytest.fixture
def same_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    """All data are the same, and need not be there."""
    monkeypatch.setattr("babi_memnet.request.fingerprint", lambda data, tasks: "ab")
    monkeypatch.setattr("babi_memnet.request.code_of_own", lambda name: None)
    monkeypatch.setattr("babi_memnet.settings.chosen_tasks", lambda data, asked: (asked, [asked]))


@pytest.mark.parametrize(("group", "part", "name"), FIELDS)
@pytest.mark.usefixtures("same_stories")
def test_exactly_what_has_an_effect_changes_the_signature(group: str, part: type, name: str):
    settings = settings_of(**{group: part().settled(joint=False) if group == "model" else part()})
    if name in NEEDED:
        setattr(getattr(settings, group), *NEEDED[name])
    before = settle(settings).signature
    setattr(getattr(settings, group), name, "something else")
    without_effect = bool({group, f"{group}.{name}"} & WITHOUT_EFFECT)
    assert (settle(settings).signature == before) == without_effect


@pytest.mark.usefixtures("same_stories")
@pytest.mark.parametrize(
    "idle", [{"beta1": 0.5}, {"initial_accumulator": 0.1}, {"weight_decay_on": "matrices"}, {"growing": 0.1}]
)
def test_what_has_no_effect_beside_the_rest_makes_no_other_run(idle: dict[str, Any]):
    assert settle(settings_of(training=TrainingSettings(**idle))).signature == settle(settings_of()).signature


@pytest.mark.usefixtures("same_stories")
def test_what_is_fitted_in_one_go_has_one_epoch_and_is_the_same_run_whatever_steps_were_asked_for():
    def fitted(**changes: Any) -> Request:
        return settle(settings_of(model=settings_class("ngram")(), training=TrainingSettings(**changes)))

    plain = fitted()
    assert (plain.settings.training.epochs, plain.settings.training.linear_start_epochs) == (1, 0)
    assert fitted(epochs=7, optimizer="adam", learning_rate=0.5).signature == plain.signature
    assert fitted(validation_fraction=0.3).signature != plain.signature


@pytest.mark.usefixtures("same_stories")
def test_a_tracker_more_or_less_changes_nothing():
    assert settle(settings_of(tracker=NoTracker())).signature == settle(settings_of(tracker=WandbTracker())).signature


def test_bookkeeping_is_what_has_no_effect_and_says_nothing_of_how_it_was_computed():
    execution = {"runtime.device", "runtime.threads", "runtime.engine"}
    choices = {group: {part.__name__: part for part in parts} for group, parts in PARTS.items()}
    assert known_settings(choices).bookkeeping == WITHOUT_EFFECT - execution


@pytest.mark.usefixtures("same_stories")
def test_the_settings_of_another_part_speak_for_themselves():
    @dataclass
    class Elsewhere(NetworkSettings):
        name: str = "elsewhere"
        dimension: int = 20
        width: int = 3
        log: str = field(default="a", metadata=BOOKKEEPING)

    names = {settle(settings_of(model=Elsewhere(log=log))).signature for log in "abc"}
    assert len(names) == 1
    assert settle(settings_of(model=Elsewhere(width=4))).signature not in names
    assert "model.log" in known_settings({"model": {"elsewhere": Elsewhere}}).bookkeeping


def test_a_record_of_an_earlier_version_has_the_defaults_of_what_has_come_since():
    complete = known_settings(schemas()).complete
    now = as_plain(settings_of())
    earlier = {**now, "training": {"epochs": 3}, "model": {"name": "memn2n", "hops": 2}, "task": 4}
    completed = complete(earlier)
    assert completed["training"] == {**now["training"], "epochs": 3}
    assert completed["model"]["hops"] == 2
    assert completed["model"]["tying"] == "adjacent"
    assert completed["task"] == 4
    unknown = {**now, "model": {"name": "gone", "width": 3}}
    assert complete(unknown)["model"] == {"name": "gone", "width": 3}


def test_what_cannot_change_a_result_does_not_change_the_directory():
    plain = request("task=2")
    assert str(plain.directory).startswith("outputs/train/task_02-")
    for same in (
        ["training=per_task", "model.hops=3"],
        ["runtime.threads=1", "runtime.engine=autograd", "tracker=none", "training.checkpoint_seconds=1"],
        ["runtime.debug=true"],
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
        "tokenizer=merged",
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
    assert (asked.settings.task == "joint") == name.endswith(("joint", "multitask"))


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
