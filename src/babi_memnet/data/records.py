"""The record that every data source produces, and its form as a Hugging Face dataset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from babi_memnet.tasks import Task

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class StoryQuestion:
    """One question with everything that was told before it.

    ``task`` is a number, or the name that somebody has given. ``story`` holds the statements, oldest first.
    ``question`` ends with its question mark where the file has one.
    ``answer`` joins several words by commas (``apple,milk``). ``supporting`` are 0-based indices into ``story`` in the
    order in which the file names them, which carries their role. ``story_id`` is 0-based and counts the stories of one
    file; the questions of one story share it, and their ``story`` tuples grow.
    """

    task: Task
    story: tuple[str, ...]
    question: str
    answer: str
    supporting: tuple[int, ...]
    story_id: int


def features(named: bool = False) -> datasets.Features:
    """The columns of every dataset in the package, in the order of the fields of ``StoryQuestion``.

    Tasks are numbers, or where they are ``named``, text.
    """
    from datasets import Features, List, Value

    return Features(
        {
            "task": Value("string" if named else "int32"),
            "story": List(Value("string")),
            "question": Value("string"),
            "answer": Value("string"),
            "supporting": List(Value("int32")),
            "story_id": Value("int32"),
        }
    )


def to_dataset(records: Iterable[StoryQuestion], fingerprint: str, named: bool = False) -> datasets.Dataset:
    """An in-memory dataset, one row per record, in order; ``named`` as of `features`.

    ``fingerprint`` (at most 64 characters, say a hex SHA-256) must change whenever the records change: the datasets
    library keys its caches of later ``map`` and ``filter`` calls on it.
    """
    import pyarrow as pa
    from datasets import Dataset, DatasetInfo

    rows = list(records)
    schema = features(named).arrow_schema

    def column(name: str, values: list[Any]) -> pa.Array:
        return pa.array(values, schema.field(name).type)

    def list_column(name: str, values: list[tuple[Any, ...]]) -> pa.Array:
        # Flat values and offsets: several times faster than a Python list of lists.
        ends = [0]
        for value in values:
            ends.append(ends[-1] + len(value))
        flat = pa.array([item for value in values for item in value], schema.field(name).type.value_type)
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat).cast(schema.field(name).type)

    columns = [
        column("task", [row.task for row in rows]),
        list_column("story", [row.story for row in rows]),
        column("question", [row.question for row in rows]),
        column("answer", [row.answer for row in rows]),
        list_column("supporting", [row.supporting for row in rows]),
        column("story_id", [row.story_id for row in rows]),
    ]
    table = pa.Table.from_arrays(columns, schema=schema)
    return Dataset(table, info=DatasetInfo(features=features(named)), fingerprint=fingerprint)


def from_dataset(dataset: datasets.Dataset) -> list[StoryQuestion]:
    """The records of a dataset that ``to_dataset`` made, also after ``select``, ``filter`` or ``shuffle``."""
    table = dataset.with_format("arrow")[:]
    return [
        StoryQuestion(task, story, question, answer, supporting, story_id)
        for task, story, question, answer, supporting, story_id in zip(
            table["task"].to_pylist(),
            _tuples(table["story"]),
            table["question"].to_pylist(),
            table["answer"].to_pylist(),
            _tuples(table["supporting"]),
            table["story_id"].to_pylist(),
            strict=True,
        )
    ]


def _tuples(column: pa.ChunkedArray) -> list[tuple[Any, ...]]:
    """One tuple per row of an Arrow list column; equal items become one Python object, as they are in parsed files."""
    rows: list[tuple[Any, ...]] = []
    for chunk in column.chunks:
        encoded = chunk.flatten().dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        items = [distinct[index] for index in encoded.indices.to_numpy().tolist()]
        offsets = chunk.offsets.to_numpy().tolist()
        rows.extend(tuple(items[start - offsets[0] : end - offsets[0]]) for start, end in pairwise(offsets))
    return rows
