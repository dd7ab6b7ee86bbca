"""The Python of the documentation runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import babi_memnet as bm
from babi_memnet.errors import RequestError
from tests.interface.conftest import SMALL

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_first_block_runs(page: str, place: Path, monkeypatch: pytest.MonkeyPatch):
    block = re.search(r"```python\n(import babi_memnet.*?)```", (ROOT / page).read_text(), flags=re.DOTALL)
    assert block
    train = bm.train
    monkeypatch.setattr(bm, "train", lambda *words: train(*words, *SMALL), raising=False)
    names: dict[str, Any] = {}
    exec(block[1], names)
    assert isinstance(names["run"], bm.Run)


def test_the_mistake_on_the_page_is_explained_so(place: Path):
    line = re.search(r"RequestError: (.*)", (ROOT / "docs/python.md").read_text())
    assert line
    with pytest.raises(RequestError) as caught:
        bm.train("model=memn2m")
    assert str(caught.value) == line[1]
