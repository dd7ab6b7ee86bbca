"""Every experiment file is the definition of one column, and a run finds its column by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.papers.matching import experiment_facts, match
from babi_memnet.papers.published import PublishedColumn, load_table, tables
from babi_memnet.paths import conf_directory
from tests.papers.runs import configuration

COLUMNS = [
    pytest.param(column, id=column.name)
    for table in tables()
    for column in table.columns
    if column.experiment is not None
]
# What follows speaks of the keys of this network, and of the columns of its own paper.
MEMN2N = [
    param
    for param in COLUMNS
    if experiment_facts(param.values[0].experiment)["model.name"] == "memn2n" and param.values[0].has_numbers
]
MODEL = {"dimension", "hops", "encoding", "tying", "nonlinearity", "memory_size", "time_encoding", "empty_slots"}
SCHEDULE = {"epochs", "halve_every", "learning_rate", "linear_start_epochs", "time_noise", "batch_size"}
TRAINING = SCHEDULE | {"gradient_norm", "validation", "validation_fraction"}
REQUIRED = (
    {"task", "data.size", "model.name", "model.initial_deviation"}
    | {f"model.{key}" for key in MODEL}
    | {f"training.{key}" for key in TRAINING}
)


def path_of(column: PublishedColumn) -> Path:
    return conf_directory() / "experiment" / f"{column.experiment}.yaml"


def test_every_experiment_is_a_column_and_stands_in_the_folder_of_its_table() -> None:
    files = [path.relative_to(conf_directory() / "experiment") for path in conf_directory().glob("experiment/*/*.yaml")]
    assert {(path.parent.name, path.with_suffix("").as_posix()) for path in files} == {
        (param.values[0].table, param.values[0].experiment) for param in COLUMNS
    }


@pytest.mark.parametrize("column", COLUMNS)
def test_an_experiment_says_what_every_column_must_say(column: PublishedColumn) -> None:
    facts = experiment_facts(str(column.experiment))
    assert facts["task"] == ("joint" if column.joint else "1..20")
    size = column.protocol.get("train_size", load_table(column.table).dataset["train_size"])
    assert facts["data.size"] == size
    assert facts["model.name"]
    assert {key.partition(".")[0] for key in facts} - {"tokenizer"} == {"task", "data", "model", "training"}


@pytest.mark.parametrize("column", MEMN2N)
def test_an_experiment_sets_exactly_the_keys_that_define_a_column(column: PublishedColumn) -> None:
    facts = experiment_facts(str(column.experiment))
    with_linear_start = {"training.linear_start_learning_rate"} if facts["training.linear_start_epochs"] else set()
    assert set(facts) == REQUIRED | with_linear_start


@pytest.mark.parametrize("column", MEMN2N)
def test_an_experiment_is_what_the_name_of_its_column_says(column: PublishedColumn) -> None:
    facts = experiment_facts(str(column.experiment))
    words = column.label.replace("RN*", "RN").replace("hops", "hop").replace("(", "").split()
    joint = "joint" in words
    assert column.joint == joint
    assert facts["model.encoding"] == ("bag_of_words" if "BoW" in words else "position")
    assert facts["model.hops"] == (int(words[words.index("hop") - 1]) if "hop" in words else 3)
    assert facts["model.tying"] == ("layerwise" if "LW" in words else "adjacent")
    assert facts["model.nonlinearity"] == ("relu" if "ReLU)" in words else "none")
    assert facts["model.dimension"] == (100 if "d=100," in words else 50 if joint else 20)
    assert facts["training.time_noise"] == (0.1 if "RN" in words else 0)
    assert facts["training.linear_start_epochs"] == (0 if "LS" not in words else 30 if joint else 20)
    assert facts["training.learning_rate"] == (0.005 if "LS" in words else 0.01)
    assert facts["training.validation"] == ("random" if joint else "tail")
    schedule = (facts["training.epochs"], facts["training.halve_every"])
    assert schedule == ((100, 25) if not joint else {"1k": (60, 15), "10k": (20, 5)}[facts["data.size"]])


@pytest.mark.parametrize("column", COLUMNS)
def test_the_header_of_an_experiment_says_what_was_published(column: PublishedColumn) -> None:
    header = path_of(column).read_text().split("defaults:")[0].splitlines()
    assert header[0] == "# @package _global_"
    if column.mean is None:  # a network of our own
        assert any("docs/writing-memory.md" in line for line in header)
        return
    assert f"arXiv {load_table(column.table).arxiv}" in header[1]
    failed = "" if column.failed is None else f", {column.failed} of 20 tasks failed"
    assert header[2] == f"# Published: mean error {column.mean:.1f} %{failed}."
    assert header[3].startswith("# Cost: ")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_run_of_an_experiment_finds_its_column(column: PublishedColumn) -> None:
    task = experiment_facts(str(column.experiment))["task"]
    found = match(configuration(str(column.experiment), "joint" if task == "joint" else 7))
    assert found.column is not None
    assert found.column.name == column.name
    assert (found.differences, found.why_not()) == ((), "")


def changed(key: str, value: Any) -> dict[str, Any]:
    settings = configuration("memn2n_1k/pe_ls_rn", 3)
    group, name = key.split(".")
    settings.setdefault(group, {})[name] = value
    return settings


@pytest.mark.parametrize(
    ("key", "value"), [("training.restarts", 3), ("data.source", "generated"), ("data.size", 1000), ("runtime.seed", 7)]
)
def test_what_does_not_define_a_column_may_differ(key: str, value: object) -> None:
    found = match(changed(key, value)).column
    assert found is not None
    assert found.name == "memn2n_1k/pe_ls_rn"


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("model.hops", 2, "model.hops=2 (3)"),
        ("model.empty_slots", "masked", "model.empty_slots=masked (attended)"),
        ("model.time_encoding", False, "model.time_encoding=false (true)"),
        ("model.memory_size", 70, "model.memory_size=70 (50)"),
        ("model.name", "gated", "model.name=gated (memn2n)"),
        ("training.epochs", 5, "training.epochs=5 (100)"),
        ("training.learning_rate", 0.01, "training.learning_rate=0.01 (0.005)"),
        ("data.size", 500, "data.size=500 (1k)"),
        ("data.language", "hn", "data.language=hn (en)"),
        ("data.shift", "names", "data.shift=names (none)"),
        ("tokenizer.lowercase", False, "tokenizer.lowercase=false (true)"),
        ("tokenizer.merge", True, "tokenizer.merge=true (false)"),
        # what no experiment file says is as by default
        ("training.optimizer", "adam", "training.optimizer=adam (sgd)"),
        ("training.loss", "mean", "training.loss=mean (sum)"),
        ("training.schedule", "cosine", "training.schedule=cosine (halving)"),
        ("training.warmup", 0.1, "training.warmup=0.1 (0)"),
        ("training.clip", "over_all", "training.clip=over_all (per_tensor)"),
        ("training.weight_decay", 0.1, "training.weight_decay=0.1 (0)"),
        ("training.label_smoothing", 0.1, "training.label_smoothing=0.1 (0)"),
        ("training.patience", 3, "training.patience=3 (null)"),
        ("training.reported_epoch", "best", "training.reported_epoch=best (last)"),
        ("training.selection", "validation_error", "training.selection=validation_error (train_error)"),
    ],
)
def test_what_defines_a_column_may_not(key: str, value: object, why: str) -> None:
    found = match(changed(key, value), [load_table("memn2n_1k")])
    assert found.column is None
    assert found.why_not() == f"nearest: memn2n_1k/pe_ls_rn, differs in {why}"


@pytest.mark.parametrize(
    ("task", "source", "why"),
    [
        ("mine", "files", "task=mine (1..20)"),
        ("joint", "files", "task=joint of tasks of one's own (1..20)"),
        (21, "official", "task=21 (1..20)"),
    ],
)
def test_tasks_of_ones_own_have_no_column(task: int | str, source: str, why: str) -> None:
    settings = {**changed("data.source", source), "task": task}
    found = match(settings, [load_table("memn2n_1k")])
    assert found.column is None
    assert why in found.why_not()


def test_how_often_it_is_repeated_does_not_define_a_column_that_says_it() -> None:
    settings = configuration("weston_2015/lstm", 3)
    settings["training"]["restarts"] += 1
    found = match(settings).column
    assert found is not None
    assert found.name == "weston_2015/lstm"


def test_without_noise_it_is_the_other_column() -> None:
    found = match(changed("training.time_noise", 0.0)).column
    assert found is not None
    assert found.name == "memn2n_1k/pe_ls"


def test_a_key_that_the_run_lacks_is_a_difference() -> None:
    settings = configuration("memn2n_1k/bow", 1)
    del settings["training"]["gradient_norm"]
    assert match(settings).differences == ("training.gradient_norm missing (40)",)


def test_a_table_without_experiments_has_nothing_to_match() -> None:
    found = match(configuration("memn2n_1k/bow", 1), [load_table("memn2n_1k_reruns")])
    assert (found.column, found.nearest) == (None, None)
    assert found.why_not() == "no published column can be trained with this package"


def test_an_unknown_experiment_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match=r"experiment=memn2n_1k/pe_ls_rm: .*did you mean memn2n_1k/pe_ls_rn"):
        experiment_facts("memn2n_1k/pe_ls_rm")
