"""Numbers as text: digits, signs, what stands for nothing, and a zero without a minus."""

from __future__ import annotations

import pytest

from babi_memnet.tables.numbers import counted, interval, mean_and_deviation, percent, rounded, signed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rounded(13.456), "13.5"),
        (rounded(-0.06), "-0.1"),
        (rounded(66.6, 0), "67"),
        (signed(0.36), "+0.4"),
        (signed(-7.25, 2), "-7.25"),
        (percent(0.554), "55 %"),
        (percent(0.0123, 1), "1.2 %"),
        (counted(11), "11"),
        (counted(10.5), "10.5"),
        (mean_and_deviation(5.0, 3.6056), "5.0 ± 3.6"),
        (mean_and_deviation(5.0, None), "5.0"),
        (interval((37.98, 44.06)), "38.0 to 44.1"),
    ],
)
def test_numbers(text: str, expected: str) -> None:
    assert text == expected


def test_what_rounds_to_zero_has_no_minus() -> None:
    assert [rounded(-0.04), rounded(-0.4, 0), rounded(-0.0)] == ["0.0", "0", "0.0"]
    assert [signed(-0.04), signed(-0.0), signed(-0.004, 2)] == ["+0.0", "+0.0", "+0.00"]
    assert [percent(-0.004), percent(-0.0004, 1)] == ["0 %", "0.0 %"]
    assert mean_and_deviation(-0.04, 0.0) == "0.0 ± 0.0"
    assert interval((-0.04, 0.04)) == "0.0 to 0.0"


def test_nothing_is_nothing_or_what_stands_for_it() -> None:
    assert rounded(None) == signed(None) == percent(None) == counted(None) == interval(None) == ""
    assert mean_and_deviation(None, None) == ""
    assert [form(None, missing="–") for form in (rounded, signed, percent, counted)] == ["–"] * 4
