"""Tasks of one's own from the outside: trained, swept over, reported and asked."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.running import Run, only_run

QUICK = ["debug=quick", "training.restarts=2", "tracker=none", "runtime.threads=1"]
PLACES = ("harbour", "meadow", "library")


def stories(count: int, seed: int, facts: bool = True) -> str:
    """Stories of two statements and a question about one of them."""
    random, lines = Random(seed), []
    for _ in range(count):
        told = [(who, random.choice(PLACES)) for who in ("Iris", "Omar")]
        lines += [f"{number} {who} cycled to the {where}." for number, (who, where) in enumerate(told, 1)]
        number = random.choice((1, 2))
        who, where = told[number - 1]
        lines.append(f"3 Where is {who}?  {where}" + f"  {number}" * facts)  # as editors save tabs
    return "".join(f"{line}\r\n" for line in lines)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Where stories lie: a pair with validation, and folders of two tasks of unlike sizes."""
    sizes = {"mine_train": 30, "mine_test": 12, "mine_valid": 7, "s/train/b": 24, "s/train/a": 20}
    sizes |= {"s/test/b": 9, "s/test/a": 15, "s/valid/a": 4, "s/valid/b": 6}
    for seed, (name, count) in enumerate(sizes.items()):
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(stories(count, seed), newline="")
    return tmp_path


def record_of(folder: Path, name: str = "result.json") -> dict[str, Any]:
    record: dict[str, Any] = json.loads((only_run(folder) / name).read_text())
    return record


PAIR = ["data=files", "data.train=mine_train.txt", "data.test=mine_test.txt"]
FOLDERS = ["data=files", "data.train=s/train", "data.test=s/test"]


def test_a_pair_of_files_is_a_task(command: Run, own: Path) -> None:
    done = command("train", *PAIR, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "no published column fits" in done.stdout
    assert "task=mine (1..20)" in done.stdout
    result = record_of(own / "outputs")
    assert only_run(own / "outputs").name == f"mine-{result['signature']}"
    assert result["task"] == "mine"
    assert list(result["restarts"][0]["test"]["per_task"]) == ["mine"]
    assert result["data"]["questions"] == {"train": 27, "validation": 3, "test": 12}
    again = command("train", *PAIR, "task=mine", *QUICK)
    assert "answered from it" in again.stdout  # the name that it has without one
    other = command("train", *PAIR, "task=yours", *QUICK)
    assert "outputs/debug/train/yours-" in other.stdout


def test_files_may_give_the_validation(command: Run, own: Path) -> None:
    done = command("train", *PAIR, "data.valid=mine_valid.txt", "training.validation_fraction=0.3", *QUICK)
    assert done.returncode == 0, done.stderr
    assert record_of(own / "outputs")["data"]["questions"] == {"train": 30, "validation": 7, "test": 12}
    training = record_of(own / "outputs", "status.json")["settings"]["training"]
    assert (training["validation"], training["validation_fraction"]) == ("given", 0.1)
    refused = command("train", *PAIR, "training.validation=given", *QUICK)
    assert refused.returncode == 2
    assert "training.validation=given: expected tail or random, or data=files with data.valid" in refused.stderr


def test_one_network_learns_all_that_is_there(command: Run, own: Path) -> None:
    refused = command("train", *FOLDERS, "task=joint", "experiment=memn2n_1k/pe_ls_rn", "data.size=null", *QUICK)
    assert refused.returncode == 2
    assert "training.validation=tail: expected random with task=joint" in refused.stderr
    done = command("train", *FOLDERS, "data.valid=s/valid", "task=joint", "training=joint", *QUICK)
    assert done.returncode == 0, done.stderr
    result = record_of(own / "outputs")
    assert list(result["restarts"][0]["validation"]["per_task"]) == ["a", "b"]
    assert result["data"]["questions"] == {
        "train": 44,
        "validation": 10,
        "test": 24,
        "test_per_task": {"a": 15, "b": 9},
    }
    cells = result["published"]["comparison"]["cells"]
    assert {task: cell["questions"] for task, cell in cells.items()} == {"a": 15, "b": 9}
    assert result["published"]["column"] is None


def test_tasks_are_swept_over_reported_and_asked(command: Run, own: Path) -> None:
    swept = command("train", "-m", *FOLDERS, "task=b,a", *QUICK, "runtime.outputs=outputs")
    assert swept.returncode == 0, swept.stderr
    assert [line.split()[0] for line in swept.stdout.splitlines() if line.startswith((" a ", " b "))] == ["a", "b"]
    report = command("report", "runs=outputs", "rows=task", "inspect=true", "out=report")
    assert report.returncode == 0, report.stderr
    assert {path.name for path in (own / "report/inspect/figures").glob("words*.png")} == {"words-a.png", "words-b.png"}
    story = command("report", "runs=outputs", "where={task:b}", "story=1", "out=report")
    assert story.stdout.startswith("Task b, test question 1\n")
    assert "data=files" in story.stdout
    demo = command("demo", "--text", "runs=outputs", stdin=":task b 2\n:task c\n")
    assert demo.returncode == 0, demo.stderr
    assert "task b, test question 2" in demo.stdout
    assert "task=c: expected one that a network was trained on: a, b" in demo.stdout
    (own / "s/test/b.txt").unlink()
    gone = command("demo", "--text", "runs=outputs", stdin=":task b 2\n")
    assert "data.test: no file of task b" in gone.stdout  # and no other story stands in for it


def test_what_needs_supporting_facts_says_that_there_are_none(command: Run, own: Path) -> None:
    for split in ("train", "test"):
        (own / f"bare_{split}.txt").write_text(stories(20, 3, facts=False))
    bare = ["data=files", "data.train=bare_train.txt", "data.test=bare_test.txt", *QUICK]
    refused = command("train", *bare, "model=memnn", "training=memnn")
    assert refused.returncode == 2
    assert "MemNN learns from supporting facts, and no training question has any" in refused.stderr
    assert command("train", *bare).returncode == 0
    report = command("report", "runs=outputs", "inspect=true", "figures=false")
    assert "the test questions of task bare say no supporting facts" in " ".join(report.stdout.split())


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([*PAIR, "task=7"], "babi-train: task=7: expected a name of letters, "),
        (
            [*PAIR, "data.size=1k"],
            "babi-train: data.size=1k: expected 30, what mine_train.txt has of task mine, or null",
        ),
        ([*FOLDERS, "task=c"], "babi-train: task=c: expected a, b, or joint for all"),
        (["data=files", "data.train=s/train"], "babi-train: data.test: needs a value; expected a file, a folder, "),
        (["task=mine"], "babi-train: task=mine: expected 1 to 20, or joint"),
    ],
)
def test_a_wrong_request_is_one_line(command: Run, own: Path, words: list[str], line: str) -> None:
    done = command("train", *words, *QUICK)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(line)
    assert not list(own.glob("outputs/**/status.json"))


def test_a_higher_number_has_files_in_the_official_layout(command: Run, tmp_path: Path) -> None:
    folder = tmp_path / "official" / "en"
    folder.mkdir(parents=True)
    for seed, split in enumerate(("train", "test")):
        text = stories(20, seed).replace("\r", "").replace("  ", "\t")
        (folder / f"qa21_cycling_{split}.txt").write_text(text)
    done = command("train", "task=21", "data=official", "data.root=official", *QUICK)
    assert done.returncode == 0, done.stderr
    assert only_run(tmp_path / "outputs").name.startswith("task_21-")
    assert "task=21 (1..20)" in done.stdout
    assert command("report", "runs=outputs", "story=1").returncode == 0


def test_no_published_table_is_made_of_own_files(command: Run, own: Path) -> None:
    done = command("reproduce", "columns=[pe]", "tasks=[1]", *PAIR, *QUICK)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("babi-reproduce: data=files: expected official, generated, hub or saved")


def test_own_files_are_not_generated(command: Run, own: Path) -> None:
    done = command("generate", "out=made", "format=parquet", *PAIR)
    assert (done.returncode, done.stderr.startswith("babi-generate: data=files: expected generated")) == (2, True)


def test_a_network_of_own_tasks_is_handed_on(command: Run, own: Path) -> None:
    assert command("train", *PAIR, *QUICK).returncode == 0
    done = command("export", f"run={only_run(own)}", "out=network")
    assert done.returncode == 0, done.stderr
    assert "`data.train=FILE data.test=FILE`" in (own / "network" / "README.md").read_text()
    asked = command("demo", "run=network", "text=true", stdin="Iris cycled to the meadow.\nWhere is Iris?\n:quit\n")
    assert asked.returncode == 0, asked.stderr
    assert "meadow" in asked.stdout
    refused = command("export", f"run={only_run(own / 'outputs')}")
    assert (refused.returncode, refused.stderr) == (2, "babi-export: out: needs a value; add out=...\n")
