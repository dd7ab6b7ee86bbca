from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babi_memnet.errors import RequestError
from babi_memnet.tasks import (
    LONGEST_NAME,
    Task,
    as_task,
    column_label,
    file_label,
    in_order,
    is_name,
    name_like,
    texts_in_order,
    title,
)


@pytest.mark.parametrize(
    ("value", "task"), [(3, 3), ("3", 3), ("03", 3), ("21", 21), ("qa1_single", "qa1_single"), ("Küche.v2", "Küche.v2")]
)
def test_a_task_is_a_number_or_a_name(value: object, task: Task) -> None:
    assert as_task(value) == task
    assert type(as_task(value)) is type(task)
    assert as_task(str(task)) == task


@pytest.mark.parametrize(
    "value", [0, -1, 1.5, "", "1a", "a b", "a/b", "..", ".hidden", "joint", "all", "pooled", "x" * 51, "12345", "²"]
)
def test_what_is_no_task_is_refused(value: object) -> None:
    with pytest.raises(RequestError, match=r"^task=.*: expected a number from 1, or a name of letters"):
        as_task(value)


def test_numbers_come_before_names() -> None:
    tasks: list[Task] = ["b", 10, "B", 2, "a"]
    assert in_order(tasks) == [2, 10, "B", "a", "b"]
    assert texts_in_order(["b", "10", "2"]) == ["2", "10", "b"]


def test_a_task_has_its_name_in_files_metrics_and_for_people() -> None:
    labels = [file_label(task) for task in (1, 20, 21, "joint", "mine")]
    assert labels == ["task_01", "task_20", "task_21", "joint", "mine"]
    assert [column_label(task) for task in (1, 21, "mine", "restart_00")] == [
        "task_01",
        "task_21",
        "task_mine",
        "task_restart_00",
    ]
    assert [title(task) for task in (1, 21, "mine")] == ["1 single supporting fact", "21", "mine"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("qa1_single", "qa1_single"),
        ("my stories (2)", "my_stories_2"),
        ("2024", "task_2024"),
        ("joint", "task_joint"),
        ("…", "task"),
        ("_x_", "x"),
    ],
)
def test_the_name_most_like_a_text(text: str, name: str) -> None:
    assert name_like(text) == name


@given(st.text())
def test_what_is_like_a_text_is_a_name(text: str) -> None:
    name = name_like(text)
    assert is_name(name)
    assert len(name) <= LONGEST_NAME
    assert as_task(name) == name
    if is_name(text):
        assert name == text.rstrip("_.-")
