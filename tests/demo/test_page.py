"""What the page makes of text from data; how it behaves is tried in a browser, in tests/integration."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from babi_memnet.demo.page import as_text


def test_words_that_look_like_markup_are_shown_as_they_are():
    shown = as_text("![x](http://127.0.0.1/md), <img src=x>", "*a* & b")
    assert shown == "![x](http://127.0.0.1/md), &lt;img src=x&gt;<br>*a* &amp; b"
