"""A network that was handed on answers as the run does: to the last bit, and without it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.data.settings import GeneratedData
from babi_memnet.data.sources import load
from babi_memnet.errors import RequestError
from babi_memnet.experiment import run
from babi_memnet.looking.restoring import Trained
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.models.networks import network_files
from babi_memnet.paths import conf_directory
from babi_memnet.runs.exported import write_exported

SMALL = ["task=1", "data.size=60", "data.test_questions=40", "training.restarts=2", "training.epochs=1", "tracker=none"]
VARIANTS = {
    "merged words, one hop": ["tokenizer=merged", "model.hops=1", "model.tying=layerwise"],
    "linear": ["training.epochs=0", "training.linear_start_epochs=1"],
    "decides when": ["model.controller=act"],
    "joint": ["task=joint", "training=joint", "data.size=30", "training.epochs=1"],
}

Train = Callable[..., Path]


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Train:
    """A function that gives the directory of a small run; each is trained once."""
    register(train=TrainSchema)
    root, made = tmp_path_factory.mktemp("runs"), {}

    def of(*words: str) -> Path:
        if words not in made:
            made[words] = root / str(len(made))
            with (
                pytest.MonkeyPatch.context() as patch,
                initialize_config_dir(str(conf_directory()), version_base="1.3"),
            ):
                patch.setenv("BABI_CACHE", str(story_cache))
                request = request_of(compose("train", [*SMALL, "runtime.threads=1", *words]), None)
                run(request, made[words], lambda: None, bar=False)
        return made[words]

    return of


def hand_on(directory: Path, folder: Path, restart: int | None = None) -> Path:
    """A restart of a run in a folder of its own."""
    trained = Trained.of_run(directory)
    folder.mkdir(exist_ok=True)
    write_exported(folder, trained.exported(trained.place(restart), {"tracker", "runtime.outputs"}))
    return folder


@pytest.mark.parametrize("words", [*([f"model={name}"] for name in network_files()), *VARIANTS.values()], ids=" ".join)
def test_probabilities_are_those_of_the_run_to_the_last_bit(
    train: Train, tmp_path: Path, story_cache: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    directory = train(*words)
    expected = TracedNetwork.load(directory, 1)
    folder = hand_on(directory, tmp_path / "network", 1)
    found = TracedNetwork.load_exported(folder)
    assert (found.restart, found.words, found.directory) == (1, expected.words, folder)
    monkeypatch.setenv("BABI_CACHE", str(story_cache))
    tasks = list(range(1, 21)) if expected.settings["task"] == "joint" else [1]
    columns = load(GeneratedData(**expected.settings["data"]), tasks)["test"].to_dict()
    questions = expected.encoder.encode(columns)
    assert len(questions) == 40 * len(tasks)
    for name in ("words", "questions", "answers"):
        assert np.array_equal(getattr(found.encoder.encode(columns), name), getattr(questions, name))
    of_run = expected.answer(questions).probabilities
    assert len(np.unique(of_run, axis=0)) > 1
    assert np.array_equal(found.answer(questions).probabilities, of_run)
    assert next(found.trace(columns)) == next(expected.trace(columns))
    assert "outputs" not in found.settings["runtime"]
    assert "tracker" not in found.settings


def test_the_selected_restart_is_what_is_handed_on_by_itself(train: Train, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    shutil.copytree(train("model=memn2n"), directory)
    result = json.loads((directory / "result.json").read_text())
    for place in (0, 1):
        (directory / "result.json").write_text(json.dumps({**result, "selected": place}))
        assert TracedNetwork.load_exported(hand_on(directory, tmp_path / "network")).restart == place
    with pytest.raises(RequestError, match=r"^restart=2: expected one of 0, 1, those of "):
        Trained.of_run(directory).place(2)


def test_parameters_of_another_shape_are_refused(train: Train, tmp_path: Path) -> None:
    folder = hand_on(train("model=memn2n"), tmp_path / "network")
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["model"]["dimension"] = 7
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        RequestError, match=r"network: expected tables.0 to have the shape \(\d+, 7\), found \(\d+, 20\)$"
    ):
        TracedNetwork.load_exported(folder)
    config["settings"]["model"] = {"name": "lstm"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"network: expected a checkpoint with .*, found none$"):
        TracedNetwork.load_exported(folder)
    del config["settings"]["model"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"config.json: expected what babi-export wrote \(KeyError: 'model'\)$"):
        TracedNetwork.load_exported(folder)


def test_what_is_not_there_is_told(train: Train, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"/nowhere: no such folder; expected one that babi-export wrote, or OWNER"):
        TracedNetwork.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(RequestError, match=r"expected a folder that babi-export wrote, found no config.json in it$"):
        TracedNetwork.load_exported(train("model=memn2n"))
    with pytest.raises(RequestError, match=r"expected a folder that babi-export wrote; it uploads runs, by push=$"):
        TracedNetwork.load(train("model=memn2n")).push_to_hub("me/network")
