"""babi-generate from the outside: what it writes in each format, and how it refuses."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from huggingface_hub import DatasetCard

from babi_memnet.data import fingerprint, load
from babi_memnet.data.export import write_official_layout
from babi_memnet.data.records import features, from_dataset
from babi_memnet.data.settings import GeneratedData, OfficialData, SavedData
from babi_memnet.worlds.simulation import SIMULATOR_VERSION
from tests.running import SMALL, Run

SIZE = SMALL[:2]
STORIES = GeneratedData(size=60, test_questions=40)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_official_layout_is_what_comes_by_itself(command: Run, tmp_path: Path):
    done = command("generate", "out=stories", "tasks=[1,4]", *SIZE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    write_official_layout(STORIES, tmp_path / "expected", [1, 4], progress=False)
    assert contents(tmp_path / "stories") == contents(tmp_path / "expected")
    assert len(contents(tmp_path / "stories")) == 4


@pytest.mark.parametrize("form", ["parquet", "datasets"])
def test_every_source_can_be_saved(
    command: Run, tmp_path: Path, story_cache: Path, form: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BABI_CACHE", str(story_cache))
    write_official_layout(STORIES, tmp_path, [1, 4], progress=False)
    (tmp_path / "tasks_1-20_v1-2" / "en-60").rename(tmp_path / "tasks_1-20_v1-2" / "en")
    source = ["data=official", f"data.root={tmp_path}"] if form == "parquet" else SIZE
    done = command("generate", "out=saved", f"format={form}", "tasks=[4,1]", *source)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    saved = load(SavedData(path=str(tmp_path / "saved"), size=60), [1, 4])
    for expected in (load(STORIES, [1, 4]), load(OfficialData(root=str(tmp_path)), [1, 4])):
        for split in ("train", "test"):
            assert from_dataset(saved[split]) == from_dataset(expected[split])
            assert saved[split].features == expected[split].features == features()


@pytest.mark.parametrize("form", ["parquet", "datasets"])
def test_a_card_says_what_the_files_are_and_how_they_are_made_again(command: Run, tmp_path: Path, form: str) -> None:
    settings = GeneratedData(size=60, test_questions=40, seed=3)
    words = ["tasks=[1,4]", "data.seed=3", *SIZE]
    done = command("generate", "out=saved", f"format={form}", *words)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "saved"
    card = DatasetCard((folder / "README.md").read_text())
    assert (card.data.license, card.data.language, card.data.size_categories) == ("mit", ["en"], ["n<1K"])
    assert card.data.task_categories == ["question-answering"]
    text = " ".join(card.text.split())
    assert "Tasks: 1 single supporting fact, 4 two arg relations" in text
    assert "Questions: 120 to train on, 80 to test" in text
    assert f"Seed: 3, version {SIMULATOR_VERSION} of the simulator" in text
    assert fingerprint(settings, [1, 4]) in text
    for name, kind in {"task": "int32", "story": "list of string", "supporting": "list of int32"}.items():
        assert f"| `{name}` | {kind} | " in text
    assert {line.split("`")[1] for line in card.text.splitlines() if line.startswith("| `")} == set(features())

    # the hub's own reader finds the splits by the card
    read = load_dataset(str(folder), cache_dir=str(tmp_path / "read"))
    (code,) = re.findall(r"```python\n(.*?)```", card.text, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code.replace("PATH", str(folder)), names)
    expected = load(settings, [1, 4])
    for split in ("train", "test"):
        rows = from_dataset(expected[split])
        assert read[split].features == features()
        assert [from_dataset(stories[split]) for stories in (read, names["stories"])] == [rows, rows]

    before = contents(folder)
    (line,) = re.findall(r"^    babi-(generate .*)$", card.text, flags=re.MULTILINE)
    again = command(*shlex.split(line.replace("out=DIR", "out=again")))
    assert again.returncode == 0, again.stderr
    assert contents(tmp_path / "again") == before


@pytest.mark.parametrize(
    ("source", "licence", "language", "told"),
    [
        (["data=official", "data.root=."], "cc-by-3.0", ["en"], "data=official"),
        (["data=saved", "data.path=saved"], None, None, "data=saved"),
    ],
)
def test_the_card_of_stories_of_others_says_so(
    command: Run, tmp_path: Path, source: list[str], licence: str | None, language: list[str] | None, told: str
) -> None:
    write_official_layout(GeneratedData(size="1k", test_questions=40), tmp_path, [1], progress=False)
    assert command("generate", "out=saved", "format=parquet", "tasks=[1]", *SIZE).returncode == 0
    done = command("generate", "out=cards", "format=parquet", "tasks=[1]", *source)
    assert done.returncode == 0, done.stderr
    card = DatasetCard((tmp_path / "cards" / "README.md").read_text())
    assert (card.data.license, card.data.language) == (licence, language)
    assert f"babi-generate out=DIR format=parquet {told} 'tasks=[1]'\n" in card.text
    assert "Where the stories lie is not part of it" in card.text
    assert "Seed" not in card.text
    assert str(tmp_path) not in card.text


@pytest.mark.integration
def test_training_on_saved_stories_is_training_on_the_stories(command: Run, tmp_path: Path):
    assert command("generate", "out=saved", "format=parquet", "tasks=[1,6]", *SIZE).returncode == 0
    quick = ["task=6", *SMALL[2:], "training.restarts=2"]
    for source in (SIZE, ["data=saved", "data.path=saved", "data.size=60"]):
        done = command("train", *quick, *source)
        assert done.returncode == 0, done.stderr
    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")]
    assert sorted(result["data"]["source"] for result in results) == ["generated", "saved"]
    assert results[0]["restarts"] == results[1]["restarts"]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["out=stories", "format=csv"], "babi-generate: format=csv: expected babi, parquet, datasets or lm_eval"),
        (["out=stories", "data=saved", "data.path=."], "data=saved: expected generated; the others are written by"),
        (["out=stories", "format=parquet", "data=saved"], "data.path: needs a value; expected a folder with train"),
        (["format=parquet", "out=other"], "out=other: other/README.md exists already; overwrite=true replaces what"),
        (["format=parquet", "out=there"], "out=there: there/test.parquet exists already, and 1 more; overwrite=true"),
    ],
)
def test_a_wrong_request_gets_one_line_and_leaves_nothing(command: Run, tmp_path: Path, overrides, expected: str):
    (tmp_path / "there").mkdir()
    for name in ("train.parquet", "test.parquet"):
        (tmp_path / "there" / name).write_text("something")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "README.md").write_text("something")
    found = command("generate", *overrides)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr
    names = ("there/train.parquet", "there/test.parquet", "other/README.md")
    assert contents(tmp_path) == dict.fromkeys(names, b"something")
