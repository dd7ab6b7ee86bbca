"""The weights of a trace as they are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from babi_memnet.looking.answering import Step
from babi_memnet.tables.step_weights import ShownWeight, about_weights, shown_empty, shown_weights, step_word, strongest
from tests.looking.stories import GATES, LOSS, MIXED, TRACE


def numbers(*weights: float) -> Step:
    return replace(LOSS, weights=weights)


def test_shares_are_percent_and_numbers_have_a_sign() -> None:
    assert shown_weights(TRACE.steps[1]) == [
        ShownWeight("10", True, 0.1, False),
        ShownWeight("85", True, 0.85, False),
    ]
    assert shown_weights(numbers(-3.0, 1.5, 0.0)) == [
        ShownWeight("-3.00", False, 1.0, True),
        ShownWeight("+1.50", False, 0.5, False),
        ShownWeight("+0.00", False, 0.0, False),
    ]


def test_numbers_that_are_all_zero_have_no_shade_and_none_is_strongest() -> None:
    assert [shown.shade for shown in shown_weights(numbers(0.0, -0.0))] == [0.0, 0.0]
    assert [shown.text for shown in shown_weights(numbers(0.0, -0.0))] == ["+0.00", "+0.00"]
    assert strongest(numbers(0.0, 0.0)) is None
    assert strongest(numbers()) is None
    assert strongest(numbers(1.0, -2.0, 0.5)) == 1


def test_empty_slots_are_shown_where_some_step_has_them() -> None:
    assert [shown and shown.text for shown in shown_empty(MIXED)] == ["25", None]
    assert shown_empty(GATES) == []
    # nothing on them is something to show
    assert len(shown_empty(replace(TRACE, steps=(replace(TRACE.steps[0], empty=0.0),)))) == 1


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (("hop 1", "hop 2"), "hop"),
        (("memory read 1",), "memory read"),
        (("hop 1", "loss"), "step"),
        (("hop 1", "read 1"), "step"),
        (("loss",), "step"),
        ((), "step"),
    ],
)
def test_what_a_step_is_called(names: tuple[str, ...], word: str) -> None:
    steps = tuple(replace(LOSS, name=name) for name in names)
    assert step_word(replace(TRACE, steps=steps)) == word


def test_what_the_weights_are() -> None:
    assert about_weights(TRACE) == ["percent of the weight of each hop"]
    assert about_weights(GATES) == ["numbers as the network has them, no shares of one"]
    steps = (*TRACE.steps, *(replace(LOSS, name=f"loss {number}") for number in range(1, 6)))
    assert about_weights(replace(TRACE, steps=steps)) == [
        "hop 1, hop 2: percent of the weight of each step",
        "loss 1 to loss 5: numbers in nats",
    ]
