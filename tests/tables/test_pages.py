"""Templates: what is put in is escaped, and what is missing is an error."""

from __future__ import annotations

import jinja2
import pytest

from babi_memnet.tables.pages import filled


def test_what_is_put_in_is_escaped() -> None:
    assert "&lt;b&gt; &amp; &#34;" in filled("problem.html", problem='<b> & "')


def test_what_is_missing_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="'problem' is undefined"):
        filled("problem.html")
