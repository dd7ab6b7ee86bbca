"""Which networks there are to be asked, and which is best; and the dialogue in a terminal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.demo.networks import Networks, known_facts
from babi_memnet.demo.text import Dialogue
from babi_memnet.errors import RequestError
from babi_memnet.experiment import run
from babi_memnet.paths import conf_directory
from babi_memnet.runs.collection import Row, collect

SMALL = ["data.size=100", "data.test_questions=20", "training.restarts=3", "tracker=none", "runtime.threads=1"]
RUNS = {
    "good": ["task=1", "training.epochs=40"],
    "bad": ["task=1", "training.epochs=1", "model.dimension=5"],
    "other": ["task=6", "training.epochs=2"],
    "joint": ["task=joint", "training=joint", "data.size=20", "training.epochs=1", "training.restarts=1"],
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Iterator[Path]:
    """Four finished runs, of which one knows all tasks."""
    register(train=TrainSchema)
    root = tmp_path_factory.mktemp("outputs")
    with pytest.MonkeyPatch.context() as patch, initialize_config_dir(str(conf_directory()), version_base="1.3"):
        patch.setenv("BABI_CACHE", str(story_cache))
        for name, words in RUNS.items():
            run(request_of(compose("train", [*SMALL, *words]), None), root / name, lambda: None, bar=False)
        yield root


def rows_of(outputs: Path, *names: str) -> list[Row]:
    found, broken = collect([outputs / name for name in names or RUNS])
    assert not broken
    return found


def validation_error(path: Path) -> float:
    result = json.loads((path / "result.json").read_text())
    return float(result["restarts"][result["selected"]]["validation"]["error_percent"])


def test_networks_of_more_tasks_come_first_and_then_the_better_ones(outputs: Path) -> None:
    networks = Networks(rows_of(outputs))
    first, *others = networks.candidates
    assert Path(first).name == "joint"
    errors = [validation_error(Path(other)) for other in others]
    assert errors == sorted(errors)
    assert networks.candidates[first].tasks == tuple(range(1, 21))
    assert networks.candidates[first].restarts == (0,)
    names = [candidate.name for candidate in networks.candidates.values()]
    assert len(set(names)) == len(names)
    assert names[0].startswith("train, 20 tasks, ")
    assert networks.tasks == list(range(1, 21))


def test_the_best_of_a_task_has_the_lowest_validation_error(outputs: Path) -> None:
    networks = Networks(rows_of(outputs))
    for task, among in ((1, ("good", "bad", "joint")), (6, ("other", "joint")), (20, ("joint",))):
        best = min(among, key=lambda name: validation_error(outputs / name))
        assert networks.best(task).directory == str(outputs / best)
    assert validation_error(outputs / "good") < validation_error(outputs / "bad")
    with pytest.raises(RequestError, match="task=3: expected one that a network was trained on: 1, 6"):
        Networks(rows_of(outputs, "good", "other")).best(3)


def test_runs_of_one_name_are_told_apart(outputs: Path, tmp_path: Path) -> None:
    shutil.copytree(outputs / "good", tmp_path / "copy")
    found, _ = collect([outputs / "good", tmp_path])
    names = [candidate.name for candidate in Networks(found).candidates.values()]
    assert sorted(name.rpartition(" ")[2] for name in names) == ["(copy)", "(good)"]


def test_only_finished_runs_can_be_asked(outputs: Path) -> None:
    (row,) = rows_of(outputs, "good")
    with pytest.raises(RequestError, match="expected at least one that is done"):
        Networks([replace(row, test=())])
    with pytest.raises(RequestError, match="run=elsewhere: expected one of"):
        Networks([row]).candidate("elsewhere")


def test_questions_come_from_the_test_set_of_the_run(outputs: Path, tmp_path: Path) -> None:
    networks = Networks(rows_of(outputs, "good"))
    directory = str(outputs / "good")
    asked = networks.question(directory, 1, 20)
    assert asked.supporting
    assert asked.question.endswith("?")
    with pytest.raises(RequestError, match="test question=21: expected 1 to 20, those of task 1"):
        networks.question(directory, 1, 21)
    # of a run on files that are not on this machine, questions are generated, and nothing is fetched
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(outputs / "good", elsewhere)
    status = json.loads((elsewhere / "status.json").read_text())
    for data in ({"source": "official", "root": str(tmp_path / "nowhere")}, {"source": "hub"}):
        status["settings"]["data"] = data
        (elsewhere / "status.json").write_text(json.dumps(status))
        found, _ = collect([elsewhere])
        generated = Networks(found).question(str(elsewhere), 1, 1000)
        assert generated.expected in networks.network(directory).encoder.vocabulary


def test_facts_are_known_of_the_question_that_was_loaded(outputs: Path) -> None:
    networks = Networks(rows_of(outputs, "good"))
    asked = networks.question(str(outputs / "good"), 1, 3)
    network = networks.network(str(outputs / "good"))
    trace = network.ask(asked.story, asked.question)
    assert known_facts(trace, asked) == (asked.supporting, asked.expected)
    assert known_facts(network.ask(asked.story[1:], asked.question), asked) == ((), None)
    assert known_facts(trace, None) == ((), None)


@pytest.fixture
def dialogue(outputs: Path) -> tuple[Dialogue, list[str]]:
    said: list[str] = []
    return Dialogue(Networks(rows_of(outputs, "good", "other")), said.append), said


def test_a_dialogue(dialogue: tuple[Dialogue, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    talk, said = dialogue
    talk.take("Mary went to the kitchen.")
    talk.take("John moved to the garden.")
    talk.take("")
    talk.take("Where is Mary?")
    printed = capsys.readouterr().out
    assert printed.startswith("Where is Mary? ")
    for text in ("Mary went to the kitchen.", "hop 3", "(no statement)", "answers: "):
        assert text in printed
    talk.take(":story")
    assert said == ["1 Mary went to the kitchen.", "2 John moved to the garden."]
    talk.take(":forget")
    talk.take(":story")
    assert len(said) == 2
    talk.take(":task 6 4")
    assert said[-1] == "task 6 yes no questions, test question 4"
    assert "; right: " in capsys.readouterr().out
    talk.take(":restart 1")
    assert "restart 1:" in said[-2]
    talk.take(":words")
    assert "kitchen" in said[-1].split(", ")
    talk.take(":run")
    assert len([line for line in said if line.startswith(("1  ", "2  "))]) == 2
    talk.take(":run 1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Mary went to the kitchn.", "not taken: unknown to this network, .*did you mean kitchen"),
        ("Where is Xerxes?", "question: unknown"),
        (":", ":: expected one of :task, "),
        (":story 1", ":story 1: expected as in :help"),
        (":task 1.5", "task=1.5: expected one that a network was trained on: 1, 6"),
        (":task -1", "task=-1: expected one that"),
        (":tusk 1", ":tusk: expected one of :task, :restart, "),
        (":task one", "task=one: expected one that a network was trained on: 1, 6"),
        (":task 1 two", ":task 1 two: expected as in :help"),
        (":task", ":task: expected as in :help"),
        (":task 3", "task=3: expected one that a network was trained on: 1, 6"),
        (":task 1 99", "test question=99: expected 1 to 20"),
        (":task 6 0", "test question=0: expected 1 to 20"),
        (":restart 7", "restart=7: expected one of 0, 1, 2"),
        (":run 9", "run=9: expected 1 to 2"),
    ],
)
def test_what_a_dialogue_refuses(dialogue: tuple[Dialogue, list[str]], line: str, expected: str) -> None:
    talk, said = dialogue
    with pytest.raises(RequestError, match=expected):
        talk.take(line)
    assert not said  # nothing has changed
