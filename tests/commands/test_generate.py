"""babi-generate from the outside: what it writes in each format, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from babi_memnet.data import load
from babi_memnet.data.export import write_official_layout
from babi_memnet.data.records import features, from_dataset
from babi_memnet.data.settings import GeneratedData, OfficialData, SavedData
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
        (["format=parquet", "out=there"], "out=there: there/test.parquet exists already, and 1 more; overwrite=true"),
    ],
)
def test_a_wrong_request_gets_one_line_and_leaves_nothing(command: Run, tmp_path: Path, overrides, expected: str):
    (tmp_path / "there").mkdir()
    for name in ("train.parquet", "test.parquet"):
        (tmp_path / "there" / name).write_text("something")
    found = command("generate", *overrides)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr
    assert contents(tmp_path) == {f"there/{name}.parquet": b"something" for name in ("train", "test")}
