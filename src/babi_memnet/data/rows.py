"""Files with one question a row, Parquet or JSON Lines, as people write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from babi_memnet.data.babi_format import one_answer
from babi_memnet.data.records import StoryQuestion
from babi_memnet.errors import RequestError, one_line, quoted
from babi_memnet.tasks import Task

Row = tuple[str, Mapping[str, Any]]
"""Where a row stands, ``FILE:LINE`` or ``FILE: row N``, and what is in it."""

NEEDED = ("story", "question", "answer")
OPTIONAL = ("supporting", "story_id", "task")
_EXPECTED = f"expected {', '.join(NEEDED)}, and if you like {', '.join(OPTIONAL)}"
_LARGEST_ID = 2**31 - 1


def parquet_rows(content: bytes, name: str) -> Iterator[Row]:
    """The rows of a Parquet file; raises ``RequestError`` that names it where it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RequestError(f"{name}: cannot be read ({one_line(error)}); expected a Parquet file") from None
    number = 0
    for batch in table.to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            number += 1
            yield f"{name}: row {number}", row


def json_rows(content: bytes, name: str) -> Iterator[Row]:
    """The rows of a file of JSON objects, one a line; raises ``RequestError`` that names the line that is none."""
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        place = f"{name}:{number}"
        try:
            row = orjson.loads(line)
        except ValueError as error:
            raise RequestError(f"{place}: no JSON ({one_line(error)}); expected one object a line") from None
        if not isinstance(row, dict):
            raise RequestError(f"{place}: expected an object with {', '.join(NEEDED)}")
        yield place, row


def task_in(row: Mapping[str, Any], place: str) -> str | None:
    """The task that a row says it is of, as text; None where it says nothing."""
    task = row.get("task")
    if task is None:
        return None
    if isinstance(task, bool) or not isinstance(task, int | str) or not str(task).strip():
        raise RequestError(f"{place}: task={quoted(str(task))}; expected a name or a number")
    return str(task)


def record_of(row: Mapping[str, Any], place: str, task: Task, story_id: int) -> StoryQuestion:
    """The question in a row; ``story_id`` counts where the row does not say it. Raises ``RequestError``."""
    for key in row:
        if key not in (*NEEDED, *OPTIONAL):
            raise RequestError(f"{place}: {quoted(key)} is unknown; {_EXPECTED}")
    story, question, answer = (row.get(key) for key in NEEDED)
    if not isinstance(story, list) or not story or not all(_is_text(statement) for statement in story):
        raise RequestError(f"{place}: story: expected a list of statements, each a text, at least one")
    for key, value in (("question", question), ("answer", answer)):
        if not _is_text(value):
            raise RequestError(f"{place}: {key}: expected a text; {_EXPECTED}")
    supporting = row.get("supporting")
    supporting = [] if supporting is None else supporting
    if not isinstance(supporting, list) or not all(_is_number(fact, len(story) - 1) for fact in supporting):
        raise RequestError(
            f"{place}: supporting: expected a list of places in the story, from 0 to {len(story) - 1} here"
        )
    own_id = row.get("story_id")
    if own_id is not None and not _is_number(own_id, _LARGEST_ID):
        raise RequestError(f"{place}: story_id: expected a whole number from 0 to {_LARGEST_ID}")
    statements = tuple(statement.strip() for statement in story)
    return StoryQuestion(
        task,
        statements,
        str(question).strip(),
        one_answer(str(answer)),
        tuple(supporting),
        story_id if own_id is None else own_id,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: object, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest
