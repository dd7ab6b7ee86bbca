"""A trace is what the network computes: held against the equations, and against the errors of the record."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.data.sources import load
from babi_memnet.errors import RequestError
from babi_memnet.experiment import run
from babi_memnet.looking.answering import Trace
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.models.encodings import position_factors
from babi_memnet.paths import conf_directory
from babi_memnet.runs.checkpoint import load_checkpoint

SMALL = ["data.size=200", "data.test_questions=60", "training.restarts=3", "training.epochs=6", "tracker=none"]
VARIANTS = {
    "pe_ls": ["task=1", "training.linear_start_epochs=2"],
    "bow": ["task=2", "model.encoding=bag_of_words", "model.hops=2", "model.memory_size=6"],
    "masked": ["task=1", "model.empty_slots=masked", "model.hops=1"],
    "layerwise": ["task=3", "model.tying=layerwise", "model.nonlinearity=relu"],
    "merged": ["task=1", "tokenizer=merged"],
    "no time": ["task=1", "model.time_encoding=false"],
    "linear": ["task=1", "training.epochs=0", "training.linear_start_epochs=3"],
    "joint": ["task=joint", "training=joint", "data.size=30", "training.epochs=1", "training.restarts=2"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> dict[str, Path]:
    """One trained run of every variant, and the stories they were tested on."""
    register(train=TrainSchema)
    root = tmp_path_factory.mktemp("runs")
    found = {}
    with pytest.MonkeyPatch.context() as patch, initialize_config_dir(str(conf_directory()), version_base="1.3"):
        patch.setenv("BABI_CACHE", str(story_cache))
        for name, words in VARIANTS.items():
            request = request_of(compose("train", [*SMALL, "runtime.threads=1", *words]), None)
            run(request, root / name, lambda: None, bar=False)
            found[name] = root / name
    return found


@pytest.fixture
def columns(runs: dict[str, Path], story_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The test questions of a run."""
    monkeypatch.setenv("BABI_CACHE", str(story_cache))

    def of(directory: Path) -> dict[str, list[Any]]:
        from babi_memnet.data.settings import GeneratedData

        settings = json.loads((directory / "status.json").read_text())["settings"]
        tasks = list(range(1, 21)) if settings["task"] == "joint" else [settings["task"]]
        return load(GeneratedData(**settings["data"]), tasks)["test"].to_dict()  # type: ignore[return-value]

    return of


@pytest.mark.parametrize("name", VARIANTS)
def test_every_restart_makes_the_errors_of_its_record(runs: dict[str, Path], columns: Any, name: str) -> None:
    result = json.loads((runs[name] / "result.json").read_text())
    for restart in result["restarts"]:
        network = TracedNetwork.load(runs[name], restart["restart"])
        questions = network.encoder.encode(columns(runs[name]))
        wrong = network.answer(questions).chosen != questions.answers
        assert 100 * wrong.mean() == pytest.approx(restart["test"]["error_percent"])
    selected = result["restarts"][result["selected"]]["restart"]
    assert TracedNetwork.load(runs[name]).restart == selected


def by_hand(directory: Path, restart: int, story: list[str], question: str) -> tuple[list[Any], Any]:
    """Attention of each hop and probabilities, by equations (1) to (4) in the plainest form; adjacent tying."""
    checkpoint = load_checkpoint(directory)
    assert checkpoint is not None
    settings = json.loads((directory / "status.json").read_text())["settings"]["model"]
    place = checkpoint.state["restarts"].index(restart)
    tables = np.stack([checkpoint.tensors[f"tables.{table}"][place] for table in range(settings["hops"] + 1)])
    tables = tables.astype(np.float64)
    encoder = checkpoint.state["encoder"]
    words, slots, positions = ["", *encoder["vocabulary"]["words"]], encoder["slots"], encoder["positions"]
    h, g = position_factors(settings["encoding"], settings["dimension"], positions + 1)

    def weight(place: int) -> Any:
        return 1 + g[place].astype(np.float64) * h.astype(np.float64)

    def embedded(table: int, text: str, time: int | None) -> Any:
        total = np.zeros(settings["dimension"])
        for place, word in enumerate(text.lower().replace(".", "").replace("?", "").split()):
            total += weight(place) * tables[table, words.index(word)]
        if time is not None and settings["time_encoding"]:
            total += weight(positions) * tables[table, len(words) + time]
        return total

    state = embedded(0, question, None)
    attention = []
    remembered = story[::-1][:slots]
    for hop in range(settings["hops"]):
        # adjacent: A of a hop is C of the one before, B is the first A
        inputs = [embedded(hop, text, slot) for slot, text in enumerate(remembered)]
        outputs = [embedded(hop + 1, text, slot) for slot, text in enumerate(remembered)]
        blank = 0 if settings["empty_slots"] == "masked" else slots - len(remembered)
        weights = np.exp([state @ m for m in inputs] + [0.0] * blank)
        weights /= weights.sum()
        attention.append(weights[: len(remembered)][::-1])
        state = state + sum(p * c for p, c in zip(weights, outputs, strict=False))
    logits = tables[settings["hops"]][1:] @ state
    return attention, np.exp(logits) / np.exp(logits).sum()


@pytest.mark.parametrize("name", ["pe_ls", "bow", "masked", "no time"])
def test_a_trace_is_what_the_equations_say(runs: dict[str, Path], columns: Any, name: str) -> None:
    network = TracedNetwork.load(runs[name])
    asked = columns(runs[name])
    names = [*network.encoder.vocabulary.words[1:], *(f"(time word {slot})" for slot in range(1, 51))]
    for place in (0, 7, 23):
        story, question = asked["story"][place], asked["question"][place]
        trace = network.ask(story, question)
        attention, probabilities = by_hand(runs[name], network.restart, story, question)
        assert len(trace.steps) == len(attention)
        for step, weights in zip(trace.steps, attention, strict=True):
            assert step.weights[-len(weights) :] == pytest.approx(weights, abs=1e-5)
            assert not any(step.weights[: -len(weights)])
            assert step.empty == pytest.approx(1 - weights.sum(), abs=1e-5)
            assert len(step.weights) == len(story)
        ours = dict(trace.answers)
        assert [ours[word] for word, _ in zip(names, probabilities, strict=False)] == pytest.approx(
            probabilities, abs=1e-5
        )
        assert trace.answer == names[int(np.argmax(probabilities))]
        assert trace.forgotten == len(story) - len(attention[0])


def test_asking_is_tracing(runs: dict[str, Path], columns: Any) -> None:
    network = TracedNetwork.load(runs["pe_ls"])
    asked = columns(runs["pe_ls"])
    traces = list(network.trace(asked))
    assert len(traces) == len(asked["question"])
    one = network.ask(asked["story"][11], asked["question"][11])
    assert [one.story, one.question, one.answer] == [traces[11].story, traces[11].question, traces[11].answer]
    assert [step.weights for step in one.steps] == [pytest.approx(step.weights, abs=1e-6) for step in traces[11].steps]


def test_json_keeps_everything(runs: dict[str, Path]) -> None:
    network = TracedNetwork.load(runs["pe_ls"])
    trace = network.ask(["Mary went to the kitchen."], "Where is Mary?")
    plain = json.loads(json.dumps(trace.as_json()))
    assert plain["answer"] == trace.answers[0][0]
    assert plain["steps"][0]["weights"] == list(trace.steps[0].weights)
    assert plain["story"] == ["Mary went to the kitchen."]


def test_without_a_story_all_is_empty(runs: dict[str, Path]) -> None:
    trace = TracedNetwork.load(runs["pe_ls"]).ask([], "Where is Mary?")
    assert [step.weights for step in trace.steps] == [(), (), ()]
    assert [step.empty for step in trace.steps] == [pytest.approx(1)] * 3


@pytest.mark.parametrize(
    ("story", "question", "expected"),
    [
        (
            ["Mary went to the kitchn."],
            "Where is Mary?",
            r"statement 1: unknown .*'kitchn' .did you mean kitchen",
        ),
        ([], "Where is Xerxes?", "question: unknown .* 'xerxes'"),
        ([], " ?", "question: expected 1 to . words, found none"),
        (["Mary went to the kitchen.", ""], "Where is Mary?", "statement 2: expected 1 to . words, found none"),
        (
            ["Mary wnt to the kitchen.", "Mary went to the kitchen."],
            "Were is Mary?",
            r"statement 1: unknown .*'wnt'.*; question: unknown .*'were'",
        ),
        (["Marie."] * 9, "Where is Mary?", r"; and 4 more$"),
        (["Mary " * 9], "Where is Mary?", "statement 1: expected 1 to . words, found 9"),
    ],
)
def test_what_cannot_be_asked(runs: dict[str, Path], story: list[str], question: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        TracedNetwork.load(runs["pe_ls"]).ask(story, question)


def test_what_cannot_be_loaded(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="restart=7: expected one of 0, 1, 2"):
        TracedNetwork.load(runs["pe_ls"], 7)
    with pytest.raises(RequestError, match="expected a run directory"):
        TracedNetwork.load(tmp_path)
    (tmp_path / "status.json").write_text((runs["pe_ls"] / "status.json").read_text().replace('"done"', '"running"'))
    with pytest.raises(RequestError, match="expected a finished run, this one is running"):
        TracedNetwork.load(tmp_path)
    (tmp_path / "result.json").write_bytes((runs["pe_ls"] / "result.json").read_bytes())
    with pytest.raises(RequestError, match="expected its checkpoint, found none; remove the folder"):
        TracedNetwork.load(tmp_path)


def test_several_threads_may_ask(runs: dict[str, Path], columns: Any) -> None:
    network = TracedNetwork.load(runs["pe_ls"])
    asked = columns(runs["pe_ls"])
    expected = [network.ask(*pair) for pair in zip(asked["story"][:8], asked["question"][:8], strict=True)]
    found: dict[int, Trace] = {}

    def ask(place: int) -> None:
        found[place] = network.ask(asked["story"][place], asked["question"][place])

    threads = [Thread(target=ask, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(8)] == expected
