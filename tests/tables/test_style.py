"""What all pictures have in common: text stays text, and fonts are whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from babi_memnet.looking.answers import confusion
from babi_memnet.looking.word_map import WordMap
from babi_memnet.tables.answer_figures import confusion_figure
from babi_memnet.tables.story_figure import story_figure
from babi_memnet.tables.style import rendered
from babi_memnet.tables.word_figure import word_figure
from tests.looking.stories import TRACE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEX = r"the $\kitchen$."
STORY = replace(TRACE, story=(TEX, TEX), question=TEX, answers=((TEX, 0.9),))
WORDS = WordMap(TEX, "run", None, (1,), 0, (TEX, "hall"), np.eye(2), (60.0, 40.0), frozenset({TEX}))
DRAWN: dict[str, Callable[[], Figure]] = {
    "story": lambda: story_figure(STORY, (0,), TEX),
    "confusion": lambda: confusion_figure(confusion([TEX, "b"], ["b", TEX], 20), TEX),
    "words": lambda: word_figure(WORDS),
}


@pytest.mark.parametrize("name", DRAWN)
def test_tex_in_a_text_is_text(name: str) -> None:
    figure = DRAWN[name]()
    assert rendered(figure, "png").startswith(b"\x89PNG")
    content = rendered(figure, "pdf")
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content  # which publishers refuse; TrueType is chosen when the file is written
    assert TEX.encode() in rendered(figure, "svg")
    assert rendered(figure, "svg") == rendered(figure, "svg")
