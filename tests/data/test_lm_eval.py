"""Tasks for the lm-evaluation-harness: what its loader reads there are the questions of the source."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from babi_memnet.data.generated import questions
from babi_memnet.data.lm_eval import write_tasks
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import RequestError

SETTINGS = GeneratedData(size=30, test_questions=20)


@pytest.fixture
def written(own_cache: Path, tmp_path: Path) -> Path:
    return write_tasks(SETTINGS, tmp_path / "lm", [1, 8])


def test_every_task_names_its_files(written: Path):
    group = yaml.safe_load((written / "babi_memnet.yaml").read_text())
    assert group["task"] == ["babi_memnet_task_01", "babi_memnet_task_08"]
    for task, name in zip((1, 8), group["task"], strict=True):
        said = yaml.safe_load((written / f"{name}.yaml").read_text())
        assert said["task"] == name
        for split, file in said["dataset_kwargs"]["data_files"].items():
            assert Path(file).is_absolute()
            rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
            expected = list(questions(SETTINGS, task, split))
            assert [row["story"].split("\n") for row in rows] == [list(record.story) for record in expected]
            assert [(row["question"], row["answer"]) for row in rows] == [
                (record.question, record.answer) for record in expected
            ]
        assert said["doc_to_text"] == "{{story}}\n{{question}}\nAnswer:"


@pytest.mark.parametrize("said", ["kitchen", " kitchen", " kitchen.", "kitchen. \n"])
def test_an_answer_is_taken_without_what_is_around_it(written: Path, said: str):
    task = yaml.safe_load((written / "babi_memnet_task_01.yaml").read_text())
    (answer, first) = task["filter_list"][0]["filter"]
    assert first == {"function": "take_first"}
    assert re.findall(answer["regex_pattern"], said)[0] == "kitchen"  # as the harness applies it


def test_what_exists_is_kept(written: Path):
    before = {path: path.read_bytes() for path in written.iterdir()}
    with pytest.raises(RequestError, match="exists already"):
        write_tasks(GeneratedData(size=40, test_questions=20), written, [1])
    assert {path: path.read_bytes() for path in written.iterdir()} == before
    write_tasks(GeneratedData(size=40, test_questions=20), written, [1], overwrite=True)
    assert len((written / "babi_memnet_task_01_train.jsonl").read_text().splitlines()) == 40
