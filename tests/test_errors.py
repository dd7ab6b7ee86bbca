"""Errors as one line."""

from __future__ import annotations

import pytest

from babi_memnet.errors import bad_value, kind_and_line, one_line, quoted, visible


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


def test_a_text_of_a_file_is_quoted_in_a_few_characters() -> None:
    assert quoted("a\x1b[2J'") == repr("a\x1b[2J'")
    assert quoted("x" * 201) == f"'{'x' * 200}' and 1 characters more"


def test_what_would_steer_a_terminal_is_shown() -> None:
    assert visible("red\x1b[31m, \u202eback\n\tand ±, मीना") == "red\\x1b[31m, \\u202eback\n\tand ±, मीना"


def test_a_long_value_is_cut() -> None:
    assert str(bad_value("key", "9" * 201, "less")) == f"key={'9' * 200} and 1 characters more: expected less"
