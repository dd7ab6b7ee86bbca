"""A run in Python: its networks answer as its record says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import babi_memnet as bm
from babi_memnet.errors import RequestError
from babi_memnet.looking.trace import TracedNetwork
from tests.interface.conftest import SMALL
from tests.running import Run

STORY = ["Mary went to the kitchen.", "John went to the garden."]


def test_a_run_is_answered_from_its_record(trained: bm.Run):
    before = {path: path.stat().st_mtime_ns for path in trained.directory.rglob("*")}
    again = bm.train("task=1", "training.restarts=3", *SMALL)
    assert again.directory == trained.directory
    assert {path: path.stat().st_mtime_ns for path in trained.directory.rglob("*")} == before


def test_threads_of_torch_are_left_alone(place: Path):
    torch.set_num_threads(2)
    try:
        bm.train("task=4", *SMALL)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_it_trains_in_a_thread(place: Path):
    found: list[bm.Run] = []
    thread = threading.Thread(target=lambda: found.append(bm.train("task=15", *SMALL)))
    thread.start()
    thread.join()
    assert found[0].task == 15


def test_what_it_answers_is_what_its_network_says(trained: bm.Run):
    for restart in (None, *trained.numbers):
        network = TracedNetwork.load(trained.directory, restart)
        expected = network.ask(STORY, "Where is Mary?")
        for story in (STORY, "\n".join(STORY), "1 " + STORY[0] + "\n\n2 " + STORY[1] + "\n"):
            shown = trained.ask(story, "Where is Mary?", restart)
            assert shown.as_json() == expected.as_json()
    with pytest.raises(RequestError, match="maria"):
        trained.ask(STORY, "Where is Maria?")
    with pytest.raises(RequestError, match="restart=9: expected one of 0, 1, 2"):
        trained.ask(STORY, "Where is Mary?", 9)


def test_a_trace_draws_itself(trained: bm.Run):
    (asked,) = bm.stories(task=1, size=60, test_questions=40)["test"].select([6])
    shown = trained.trace(7)
    assert (list(shown.story), shown.question, shown.expected) == (asked["story"], asked["question"], asked["answer"])
    assert list(shown.supporting) == asked["supporting"]
    page = shown._repr_html_()
    assert all(statement in page for statement in asked["story"])
    assert "<script" not in page
    assert "<b>&lt;b&gt;" not in trained.ask(STORY, "Where is Mary?")._repr_html_()
    with pytest.raises(RequestError, match="1 to 40"):
        trained.trace(41)


def test_frames_are_the_record(trained: bm.Run):
    record = json.loads((trained.directory / "result.json").read_text())
    assert trained.error == record["test_error_percent"]
    assert trained.restarts["test/error_percent"].tolist() == [
        one["test"]["error_percent"] for one in record["restarts"]
    ]
    assert trained.restarts["restart"][trained.restarts["selected"]].tolist() == [trained.selected]
    lines = [json.loads(line) for line in (trained.directory / "metrics.jsonl").read_text().splitlines()]
    pivoted = trained.metrics.pivot(index="epoch", columns="restart", values="train/loss")
    assert pivoted.to_numpy().tolist() == [line["train/loss"] for line in lines]
    assert str(trained.error)[:4] in trained._repr_html_()


def test_predictions_have_the_errors_of_the_record(trained: bm.Run):
    frame = trained.predictions
    assert len(frame) == 40 * 4
    errors = 100 * frame.groupby("restart")["wrong"].mean()
    for name, error in zip(trained.restarts["restart"], trained.restarts["test/error_percent"], strict=True):
        assert errors[str(name)] == pytest.approx(error)
    assert (frame["wrong"] == (frame["right"] != frame["given"])).all()
    assert set(frame["restart"][frame["selected"]]) == {str(trained.selected)}
    networks = [TracedNetwork.load(trained.directory, number) for number in trained.numbers]
    for number, rows in list(frame.groupby("question_number"))[:5]:
        asked = trained.trace(number)
        told = [dict(network.ask(asked.story, asked.question).answers) for network in networks]
        mean = {word: np.mean([one[word] for one in told]) for word in told[0]}
        of_all = rows[rows["restart"] == "ensemble"].iloc[0]
        assert of_all["given"] == max(mean, key=mean.__getitem__)
        assert of_all["probability"] == pytest.approx(max(mean.values()), rel=1e-5)
        given = [max(one, key=one.__getitem__) for one in told]
        assert of_all["restarts_agreeing"] == max(map(given.count, given))
        assert of_all["story"].split("\n") == list(asked.story)


def test_a_joint_run_has_its_tasks(place: Path):
    run = bm.train("task=joint", "training=joint", "data.size=4", *SMALL[1:])
    assert run.trace(1, task=20).expected
    with pytest.raises(RequestError, match="task=None: expected one of 1, 2,"):
        run.trace(1)
    assert run.predictions["task"].nunique() == 20


def test_what_is_no_finished_run_is_one_line(place: Path, tmp_path: Path, trained: bm.Run):
    with pytest.raises(RequestError, match=r"expected a run directory, found no status\.json"):
        bm.load(tmp_path)
    status = json.loads((trained.directory / "status.json").read_text())
    (tmp_path / "status.json").write_text(json.dumps({**status, "state": "failed"}))
    with pytest.raises(RequestError, match="expected a finished run, this one is failed"):
        bm.load(tmp_path)


def test_importing_it_waits_for_nothing():
    code = "import sys, babi_memnet as bm; bm.load; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "hydra", "datasets", "matplotlib", "pandas"}.intersection(done.stdout.split())


def test_a_network_that_was_handed_on_answers_as_its_run(trained: bm.Run, tmp_path: Path, command: Run):
    done = command("export", f"run={trained.directory.absolute()}", "out=handed", "restart=1")
    assert done.returncode == 0, done.stderr
    network = bm.load(tmp_path / "handed")
    assert isinstance(network, bm.Network)
    assert network.ask(STORY, "Where is Mary?").as_json() == trained.ask(STORY, "Where is Mary?", 1).as_json()
    assert "<table" in network.ask("\n".join(STORY), "Where is John?")._repr_html_()
    (tmp_path / "handed" / "model.safetensors").unlink()
    with pytest.raises(RequestError, match=r"model\.safetensors: expected the parameters"):
        bm.load(tmp_path / "handed")
