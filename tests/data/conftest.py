"""A tiny data set in the official layout, in our own words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from babi_memnet.data.babi_format import file_name
from tests.data.serving import Server


def _tiny_file(task: int, split: str) -> str:
    """Two stories with three questions, different for every task and split."""
    return (
        f"1 Nora walked to room {task}.\n"
        f"2 Otto walked to the {split} station.\n"
        f"3 Where is Nora? \troom{task}\t1\n"
        "4 Nora walked to the lake.\n"
        "5 Where is Nora? \tlake\t4 1\n"
        "1 Otto slept.\n"
        "2 Who slept? \totto\t1\n"
    )


@pytest.fixture
def tiny() -> Callable[[int, str], str]:
    """The function that gives the text of the tiny file of a task and split."""
    return _tiny_file


@pytest.fixture
def write_layout() -> Callable[..., Path]:
    """A function that writes ``tasks`` below ``parent/tasks_1-20_v1-2/folder`` and returns ``tasks_1-20_v1-2``."""

    def write(parent: Path, tasks: Iterable[int] = (1, 2), folder: str = "en") -> Path:
        root = parent / "tasks_1-20_v1-2"
        (root / folder).mkdir(parents=True, exist_ok=True)
        for task in tasks:
            for split in ("train", "test"):
                (root / folder / file_name(task, split)).write_text(_tiny_file(task, split), encoding="utf-8")
        return root

    return write


@pytest.fixture
def server() -> Iterator[Server]:
    """A local server, for as long as the test takes."""
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(autouse=True)
def _in_own_cache(own_cache: Path) -> None:
    """No test here sees the user's cache or data."""
