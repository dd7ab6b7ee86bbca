"""A card says what the record says: to the hub in YAML, to people in words."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard

from babi_memnet.data.settings import GeneratedData, OfficialData, SavedData
from babi_memnet.encoding.questions import Encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.looking.restoring import Trained
from babi_memnet.models.networks import settings_class
from babi_memnet.papers.comparison import compare
from babi_memnet.papers.published import load_table
from babi_memnet.tables.model_card import model_card
from babi_memnet.training.settings import TrainingSettings
from tests.papers.runs import joint_result, task_result

COMMAND = ["babi-train", "task=1", "'tokenizer.pattern=[a-z]+|<x>'"]


def trained(result: dict[str, Any], data: Any, training: TrainingSettings, words: str = "") -> Trained:
    questions = {"train": 900, "validation": 100, "test": result["data"]["questions"]["test"]}
    result = {
        **result,
        "mean": 4.0,
        "standard_deviation": None,
        "parameters": 12345,
        "data": {"source": data.source, "fingerprint": "f" * 64, "questions": questions},
    }
    settings = {
        "task": result["task"],
        "data": asdict(data),
        "tokenizer": asdict(TokenizerSettings()),
        "model": asdict(settings_class("memn2n")()),
        "training": asdict(training),
    }
    encoder = Encoder(Vocabulary(TokenizerSettings(), words.split()), 10, 7)
    restarts = tuple(restart["restart"] for restart in result["restarts"])
    status = {"signature": "0123456789", "versions": {"torch": "2.9", "wandb": None}, "python": "3.11.7"}
    return Trained(Path("run"), settings, encoder, restarts, {}, result, status)


def test_a_published_run_on_official_stories() -> None:
    column = load_table("memn2n_1k").column("pe_ls_rn")
    result = task_result(3, [2.0, 1.0, 3.0, 4.0, 5.0], [41.0, 39.2, 44.0, 43.0, 40.0])
    result["published"] = {
        "column": "memn2n_1k/pe_ls_rn",
        "error_percent": 40.3,
        "difference": -1.1,
        "verdict": "reproduced",
        "notes": ["the published errors were selected among 10 restarts, these among 5"],
    }
    run = trained(result, OfficialData(root="/home/somebody"), TrainingSettings(restarts=5))
    card = ModelCard(model_card(run, 1, COMMAND))
    (error,) = card.data.eval_results
    assert (error.metric_type, error.metric_value, error.task_type) == ("error_percent", 39.2, "question-answering")
    assert (error.dataset_type, error.dataset_split) == ("facebook/babi_qa", "test")
    assert error.dataset_config == "en-qa3"
    assert card.data.datasets == ["facebook/babi_qa"]
    assert card.data.tags == ["babi", "memory-networks", "memn2n"]
    text = " ".join(card.text.split())
    low, high = compare(result, column, 3).interval
    for words in (
        "# memn2n, bAbI task 3",
        f"39.2 % of 1,000 questions, 95 % interval {low:.1f} to {high:.1f}",
        "restart 1 of 5, the one with the lowest train error",
        "Published: 40.3 % (memn2n_1k/pe_ls_rn); that of the selected restart differs by -1.1: reproduced",
        "Note: the published errors were selected among 10 restarts, these among 5",
        "official stories, size 1k, language en; 900 questions to train on, 100 to validate, 1000 to test",
        "10 % of the training questions held out (the last ones); 120 epochs, the last one counts",
        "12,345 parameters, 0 words, 10 statements remembered",
        "Made by: torch 2.9, Python 3.11.7",
        " ".join(COMMAND),  # as it is typed: Markdown has no need of &lt;
        "`data.root=DIR`, or the environment variable `BABI_DATA`",
        'network.ask(["a statement", "another"], "a question")',  # it knows no words of ours
    ):
        assert words in text
    assert "/home/somebody" not in card.content


def test_a_network_of_ones_own_needs_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(task_result(1, [1.0], [2.0]), GeneratedData(), TrainingSettings(restarts=1))
    assert "BABI_PATH" not in model_card(run, 0, COMMAND)
    monkeypatch.setattr("babi_memnet.tables.model_card.code_of_own", lambda name: "a digest")
    assert "its file `memn2n.py` has to lie in `models/` of a folder that `BABI_PATH`" in model_card(run, 0, COMMAND)


def test_a_joint_run_has_every_task_and_their_mean() -> None:
    errors = [{task: float(task) for task in range(1, 21)}, dict.fromkeys(range(1, 21), 0.5)]
    result = joint_result([1.0, 2.0], errors)
    run = trained(result, GeneratedData(seed=5), TrainingSettings(patience=3, validation="random"))
    card = ModelCard(model_card(run, 0, COMMAND))
    values = [error.metric_value for error in card.data.eval_results]
    assert values == [pytest.approx(np.mean(range(1, 21))), *map(float, range(1, 21))]
    assert card.data.eval_results[3].task_name == "task 3, three supporting facts"
    assert [error.dataset_config for error in card.data.eval_results] == ["all", *(f"qa{n}" for n in range(1, 21))]
    assert card.data.datasets is None
    low, high = compare(result, None, 20).interval
    assert f"| 20 | 20.0 | {low:.1f} to {high:.1f} |" in card.text
    text = " ".join(card.text.split())
    assert "Data: generated stories, size 1k, seed 5;" in text
    assert "one network for all tasks" in text
    assert "held out (random ones); up to 120 epochs" in text
    assert "Published: no error that this one is held against" in text


def test_a_restart_that_was_asked_for_says_so_and_shows_a_story_of_its_words() -> None:
    result = task_result(1, [1.0, 2.0], [0.0, 7.0])
    known = "mary john sandra daniel went journeyed moved travelled back to the where is "
    known += "kitchen hallway garden office bathroom bedroom"
    run = trained(result, SavedData(path="here"), TrainingSettings(selection="validation_error"), known)
    text = model_card(replace(run, status={"signature": "0", "versions": {}}), 1, COMMAND)
    assert "restart 1 of 2, asked for by its number; the one with the lowest validation error is 0\n" in text
    assert "7.0 % of 1,000 questions" in text
    assert '    "' in text
    assert "data.path=DIR" in text
    assert "Where the stories lie is not part of it" in text
    assert "path=here" not in text
