"""The bAbI format as people write it: what cannot be mistaken is read, what is ambiguous is refused.

Beside what `babi_format.OFFICIAL` reads: any end of line; a tab after the number of a line; two or more blanks in the
place of a tab; question marks of other scripts, and none where a tab and an answer follow; commas between the ids of
supporting statements.
"""

from __future__ import annotations

import re

from babi_memnet.data.babi_format import OTHER_MARKS, Asked, LineForm, LineProblem

_FORM = "a question is '<question>?', a tab or two blanks, '<answer>', and the same again before '<ids of statements>'"
_BLANK = r"[^\S\t]"
_GAP = re.compile(rf"{_BLANK}*\t{_BLANK}*|{_BLANK}{{2,}}")
_IDS = re.compile(r"\d+([\s,]+\d+)*")
_NUMBER_AT_END = re.compile(r"\s(\d{1,9})$")
_MARKS = ("?", *sorted(OTHER_MARKS))
_ENDS = (".", "!", "。", "।", "۔", "։", "።")
"""What a statement ends with, in several scripts."""


def _lines(text: str) -> list[str]:
    return re.sub("\r\n?", "\n", text).removesuffix("\n").split("\n")


def _numbered(line: str) -> tuple[str, str]:
    identifier, *rest = line.split(maxsplit=1)
    return identifier, "".join(rest).strip()


def _asked(text: str, before: int) -> Asked | None:
    first, *parts = _GAP.split(text)
    asks, tabbed = first.endswith(_MARKS), "\t" in text
    if not first:
        raise LineProblem("a number without a statement or question after it")
    if not asks and not tabbed:
        _expect_statement(text, bool(parts))
        return None
    if not parts:
        raise LineProblem(f"a question without an answer; {_FORM}")
    answer, ids = parts[0], " ".join(parts[1:])
    if not answer:
        raise LineProblem(f"an empty answer, two tabs in a row; {_FORM}")
    if not asks and answer.endswith(_ENDS):
        raise LineProblem(f"a tab in what ends like a statement; expected no tab there, since {_FORM}")
    if ids and not _IDS.fullmatch(ids):
        raise LineProblem(f"more than an answer and ids of statements after the question; {_FORM}")
    number = _NUMBER_AT_END.search(answer)
    if not ids and number and 0 < int(number[1]) <= before:
        other = "_".join(answer.split())
        raise LineProblem(
            f"an answer that ends with {number[1]}, which may be the id of a supporting statement; expected a tab or "
            f"two blanks before an id, or another spelling of the answer, such as {other}"
        )
    return Asked(first, answer, ids.replace(",", " "))


def _expect_statement(text: str, spaced: bool) -> None:
    """Make sure that a line without tab and without question mark where one belongs is a statement."""
    if any(mark in text for mark in _MARKS):
        raise LineProblem(f"a question mark within a line; {_FORM}, and a statement has no question mark")
    if spaced and not text.endswith(_ENDS):
        raise LineProblem(
            "two blanks in a line without a question mark; expected one blank, or a full stop at the end of a "
            "statement, or a tab before an answer"
        )


OWN = LineForm(_lines, _numbered, _asked)
"""As people write files."""
