"""Stories and tables in Python are those of the commands."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import babi_memnet as bm
from babi_memnet.data.generated import questions
from babi_memnet.data.records import from_dataset
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import RequestError
from babi_memnet.papers.published import load_table
from tests.running import Run


def test_stories_are_those_of_the_source(place: Path):
    settings = GeneratedData(size=30, seed=5, test_questions=20)
    told = bm.stories(task=3, size=30, seed=5, test_questions=20)
    for split in ("train", "test"):
        assert from_dataset(told[split]) == list(questions(settings, 3, split))
    both = bm.stories(task=[2, 1], size=10, test_questions=10)
    assert both["train"]["task"] == [2] * 10 + [1] * 10
    assert set(bm.stories(size=4, test_questions=4)["test"]["task"]) == set(range(1, 21))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"task": 21}, "task=21: expected 1 to 20, or joint"),
        ({"data": "oficial"}, "data=oficial: expected one of generated, hub, official, saved, files"),
        ({"sise": 3}, "stories=sise: expected a key of data=generated: size, seed,"),
        ({"size": "many"}, "data.size=many: expected 1k, 10k or a number"),
    ],
)
def test_wrong_stories_are_one_line(arguments: dict[str, object], line: str):
    with pytest.raises(RequestError) as caught:
        bm.stories(**arguments)
    assert str(caught.value).startswith(line)


def test_a_published_table_is_that_of_the_paper():
    frame, published = bm.table("memn2n_1k"), load_table("memn2n_1k")
    for column in published.columns:
        assert frame.loc["mean", column.id] == column.mean
        assert {task: frame.loc[task, column.id] for task in column.errors} == column.errors
    with pytest.raises(RequestError, match="memn2n_2k"):
        bm.table("memn2n_2k")


def test_a_reproduced_table_is_its_folder(tmp_path: Path, command: Run, place: Path):
    words = ["debug=quick", "tracker=none", "data.size=60", "data.test_questions=40", "tasks=[1,4]"]
    done = command("reproduce", "table=memn2n_1k", "columns=[pe]", *words)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.rglob("table.csv")
    rows = list(csv.DictReader(file.read_text().splitlines()))
    frame = bm.table(file.parent)
    assert [str(value) for value in frame["task"]] == [row["task"] for row in rows] == ["1", "4", "mean"]
    assert frame["error_percent"].tolist() == [float(row["error_percent"]) for row in rows]
    (file.parent / "table.json").write_text(json.dumps({"columns": 3}))
    with pytest.raises(RequestError, match=r"table\.json: expected a table as babi-reproduce writes it"):
        bm.table(file.parent)


def test_a_report_is_the_tidy_table(trained: bm.Run, place: Path, tmp_path: Path):
    bm.train("task=1", "model.hops=1", *trained_words(trained))
    frame = bm.report("outputs", where={"model.hops": 1, "task": 1})
    assert frame["restarts"].tolist() == [3]
    everything = bm.report(["outputs"])
    row = everything[everything["run"] == str(trained.directory)].iloc[0]
    assert row["test_error_percent"] == trained.error
    with pytest.raises(RequestError, match="found no run to read"):
        bm.report(tmp_path)
    with pytest.raises(RequestError, match=r"where=model\.hop: expected"):
        bm.report("outputs", where={"model.hop": 3})


def trained_words(run: bm.Run) -> list[str]:
    """What the overrides of a run were, but for its task."""
    import yaml

    words: list[str] = yaml.safe_load((run.directory / ".hydra/overrides.yaml").read_text())
    return [word for word in words if not word.startswith("task=")]


def test_stories_of_ones_own_are_read_and_trained_on(place: Path, tmp_path: Path):
    told = "1 Ada walked to the {}.\n2 Where is Ada?\t{}\t1\n"
    for split in ("train", "test"):
        lines = [told.format(room, room) for room in ("attic", "cellar") for _ in range(10)]
        (tmp_path / f"rooms_{split}.txt").write_text("".join(lines))
    where = {"train": str(tmp_path / "rooms_train.txt"), "test": str(tmp_path / "rooms_test.txt")}
    assert bm.stories(data="files", **where)["train"]["task"] == ["rooms"] * 20
    words = [f"data.{split}={path}" for split, path in where.items()]
    run = bm.train("data=files", *words, "training.epochs=2", "tracker=none", "runtime.threads=1")
    assert run.task == "rooms"
    assert run.trace(20).expected == "cellar"
    assert set(run.predictions["task"]) == {"rooms"}


def test_stories_that_have_changed_are_not_taken_for_those_of_a_run(place: Path, tmp_path: Path):
    told = "1 Ada walked to the {0}.\n2 Where is Ada?\t{0}\t1\n"
    where = {split: tmp_path / f"changing_{split}.txt" for split in ("train", "test")}
    words = [f"data.{split}={path}" for split, path in where.items()]
    words += ["data=files", "training.epochs=2", "tracker=none", "runtime.threads=1"]
    for path in where.values():
        path.write_text(told.format("attic") * 10 + told.format("cellar") * 10)
    first = bm.train(*words)
    assert len(first.predictions) == 20 * 11
    where["test"].write_text(told.format("cellar") * 5)
    second = bm.train(*words)
    assert second.directory != first.directory
    assert second.trace(1).expected == "cellar"
    assert len(second.predictions) == 5 * 11
    for ask in (lambda: first.trace(1), lambda: bm.load(first.directory).predictions):
        with pytest.raises(
            RequestError,
            match=r"changing_train\.txt, or the test questions with it, have changed since the run was trained",
        ):
            ask()
    rows = bm.report("outputs", where={"task": "changing"})
    assert rows["data.fingerprint"].nunique() == 2
