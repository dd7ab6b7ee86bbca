"""Errors as one line."""

from __future__ import annotations

import pytest

from babi_memnet.errors import kind_and_line, one_line


@pytest.mark.parametrize(
    ("error", "line", "with_kind"),
    [
        (ValueError("two\n  lines"), "two lines", "ValueError: two lines"),
        (AssertionError(), "AssertionError", "AssertionError"),
        (KeyError("a key"), "'a key'", "KeyError: 'a key'"),
    ],
)
def test_an_error_is_told_in_one_line(error: Exception, line: str, with_kind: str) -> None:
    assert (one_line(error), kind_and_line(error)) == (line, with_kind)
