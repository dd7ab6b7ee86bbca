"""Every answer of every restart, against the networks asked one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.errors import RequestError
from babi_memnet.experiment import run
from babi_memnet.looking.predictions import (
    ENSEMBLE,
    Predicted,
    agreement_record,
    predict_runs,
    predicted,
    prediction_records,
)
from babi_memnet.paths import conf_directory
from babi_memnet.runs.collection import Row, read_rows

SMALL = ["data.size=100", "data.test_questions=30", "training.restarts=3", "training.epochs=3", "tracker=none"]


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Iterator[Row]:
    """A small run of task 8, whose answers are of several words."""
    register(train=TrainSchema)
    folder = tmp_path_factory.mktemp("runs") / "one"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BABI_CACHE", str(story_cache))
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            request = request_of(compose("train", [*SMALL, "task=8", "runtime.threads=1"]), None)
            run(request, folder, lambda: None)
        (row,) = read_rows(folder)
        yield row


@pytest.fixture(scope="module")
def found(row: Row) -> Predicted:
    return predicted(row)


def test_errors_are_those_of_the_record(row: Row, found: Predicted):
    assert found.names == (0, 1, 2, ENSEMBLE)
    assert 100 * found.wrong[:-1].mean(axis=1) == pytest.approx(row.test)
    assert (found.wrong == (found.given != np.array(found.right))).all()


def test_there_is_a_record_for_every_question_and_restart(found: Predicted):
    records = list(prediction_records(found))
    assert len(records) == 30 * 4
    first = records[0]
    asked = found.stories[0]
    assert first["story"].split("\n") == asked["story"]
    assert [int(number) - 1 for number in first["supporting"].split()] == asked["supporting"]
    assert first["right"] == asked["answer"]
    assert sum(record["selected"] for record in records) == 30


def made(found: Predicted, given: list[list[str]], right: list[str]) -> Predicted:
    """The same run with other answers; of its restarts the second is selected."""
    answers = np.array(given)
    return replace(
        found,
        row=replace(found.row, selected=1),
        names=(*range(len(given) - 1), ENSEMBLE),
        right=tuple(right),
        given=answers,
        probability=np.ones(answers.shape, dtype=np.float32),
        wrong=answers != np.array(right),
    )


def test_agreement_is_counted(found: Predicted):
    given = [["a", "b", "c", "c"], ["a", "b", "d", "d"], ["a", "c", "d", "d"], ["a", "b", "d", "d"]]
    one = made(found, given, ["a", "b", "d", "e"])
    assert one.agreeing.tolist() == [3, 2, 2, 2]
    record = agreement_record(one, "x")
    assert (record["error_percent"], record["ensemble"]) == (25, 25)
    assert record["mean"] == pytest.approx(100 * (2 + 1 + 2) / 12)
    assert (record["agreed_percent"], record["agreed_and_wrong_percent"]) == (25, 0)
    together = made(found, [["b"], ["b"], ["b"]], ["a"])
    assert agreement_record(together, "x")["agreed_and_wrong_percent"] == 100


def test_what_cannot_be_asked_is_left_out(row: Row, tmp_path: Path):
    waiting = replace(row, test=(), keys={**row.keys, "state": "running"})
    missing = replace(row, keys={**row.keys, "run": str(tmp_path), "signature": "other"})
    found, left_out = predict_runs([waiting, row, missing])
    assert [one.row for one, _ in found] == [row]
    assert len(left_out) == 1
    assert left_out[0].startswith(f"{tmp_path}: ")
    with pytest.raises(RequestError, match="expected a finished run, this one is running"):
        predicted(waiting)
