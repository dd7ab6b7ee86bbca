from __future__ import annotations

import pytest
from datasets import List, Value

from babi_memnet.data.records import StoryQuestion, features, from_dataset, to_dataset

RECORDS = [
    StoryQuestion(2, ("A.", "B."), "X?", "x", (1, 0), 0),
    StoryQuestion(2, ("A.", "B.", "C."), "Y?", "y,z", (), 0),
    StoryQuestion(19, ("A.",), "Z?", "z", (0,), 5),
]


def test_a_row_is_a_record() -> None:
    dataset = to_dataset(RECORDS, "0" * 64)
    assert dataset.features == features()
    assert dataset.features["story"] == List(Value("string"))
    assert dataset.features["supporting"] == List(Value("int32"))
    assert dataset[1] == {
        "task": 2,
        "story": ["A.", "B.", "C."],
        "question": "Y?",
        "answer": "y,z",
        "supporting": [],
        "story_id": 0,
    }
    assert dataset["supporting"][:] == [[1, 0], [], [0]]


def test_a_dataset_gives_its_records_back() -> None:
    assert from_dataset(to_dataset(RECORDS, "0")) == RECORDS
    assert from_dataset(to_dataset([], "0")) == []


def test_records_come_back_from_a_part_of_a_dataset() -> None:
    dataset = to_dataset(RECORDS, "0")
    assert from_dataset(dataset.select([1, 2])) == RECORDS[1:]
    assert from_dataset(dataset.select([2, 0])) == [RECORDS[2], RECORDS[0]]
    assert from_dataset(dataset.filter(lambda row: row["task"] == 19)) == RECORDS[2:]


def test_the_dataset_lies_in_memory_under_the_given_fingerprint() -> None:
    dataset = to_dataset(RECORDS, "f" * 64)
    assert dataset._fingerprint == "f" * 64
    assert dataset.cache_files == []


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RECORDS[0].answer = "y"  # type: ignore[misc]
