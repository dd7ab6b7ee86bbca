from __future__ import annotations

import pytest

from babi_memnet.tables.answer_figures import named_tasks


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        ([7], "task 7"),
        (["mine"], "task mine"),
        (["1", "2", "3"], "tasks 1, 2, 3"),
        (range(1, 21), "tasks 1 to 20"),
        ([1, 2, 3, "mine"], "tasks 1, 2, 3, mine"),
        (["a", "b", "c", "d"], "tasks a, b, c, d"),
    ],
)
def test_tasks_in_words(tasks: list[object], words: str) -> None:
    assert named_tasks(tasks) == words
