"""When networks answer that decide so themselves: counts and errors against loops over single questions."""

from __future__ import annotations

import numpy as np
import pytest

from babi_memnet.looking.answering import Answers, Attended, Way, taken
from babi_memnet.looking.stopping import Stopped, allowed_records, deciding, error_within, hop_records, steps_taken
from babi_memnet.tables.stopping_figure import stopping_figure
from babi_memnet.tables.stopping_sheet import stopping_sheet


class Largest:
    """Answers with the place of the largest value of a state."""

    def answer_from(self, states: np.ndarray) -> np.ndarray:
        return states.argmax(axis=-1)


SHARES = np.array([[1, 0, 0], [0, 1, 0], [0.25, 0.5, 0.25]], dtype=np.float32)  # [N, K]
STATES = np.random.default_rng(0).random((3, 3, 4), dtype=np.float32)  # [K, N, d]


def attended() -> Attended:
    names = ["hop 1", "write 1", "hop 2", "hop 3"]
    answers = [SHARES[:, 0], None, SHARES[:, 1], SHARES[:, 2]]
    reached = taken(["hop", "write", "hop", "hop"], answers, 3)
    states = [STATES[0], None, STATES[1], STATES[2]]
    ways = [
        Way(name, np.full((3, 2), 0.5, np.float32), name != "write 1", state, "", share, was, {})
        for name, state, share, was in zip(names, states, answers, reached, strict=True)
    ]
    return Attended(Answers(np.zeros((3, 4), np.float32)), tuple(ways), None, {})


def test_a_step_is_taken_when_some_of_the_answer_is_given_then_or_later():
    found = attended()
    assert [step.taken.tolist() for step in found.steps] == [
        [True, True, True],
        [False, True, True],  # a write is for the hops after it
        [False, True, True],
        [False, False, True],
    ]
    assert steps_taken(deciding(found)).tolist() == [1, 2, 3]
    assert [step.kind for step in found.steps] == ["hop", "write", "hop", "hop"]
    none = taken(["hop", "hop"], [None, None], 2)
    assert all(step.all() for step in none), "those that do not decide take all"


def test_each_of_two_memories_has_an_end_of_its_own():
    shares = [np.array([1.0]), np.array([0.0]), np.array([0.0]), np.array([1.0])]
    found = taken(["twin hop", "twin hop", "plain hop", "plain hop"], shares, 1)
    assert [step.item() for step in found] == [True, False, True, True]


def test_weights_of_steps_that_were_not_taken_are_no_attention():
    attention = attended().attention
    assert attention.shape == (3, 3, 2)
    assert attention[0].sum(axis=-1).tolist() == [1, 0, 0]


def test_with_fewer_steps_allowed_the_last_gives_what_is_left_of_the_answer():
    right = np.array([0, 1, 2])
    expected = []
    for allowed in (1, 2, 3):
        wrong = 0
        for question in range(3):
            shares = SHARES[question].copy()
            shares[allowed - 1] = shares[allowed - 1 :].sum()
            state = sum(shares[step] * STATES[step, question] for step in range(allowed))
            wrong += state.argmax() != right[question]
        expected.append(100 * wrong / 3)
    found = error_within(Largest(), deciding(attended()), right)
    np.testing.assert_allclose(found, expected)


def test_records_have_means_over_restarts_with_their_intervals():
    counts = np.array([[1, 1, 3], [1, 2, 3], [1, 3, 3]])  # [R, N]
    within = np.array([[50.0, 0.0], [60.0, 0.0], [70.0, 3.0]])
    stopped = Stopped("mine", "run", None, 2, 0, np.array([1, 1, 2]), counts, 3, within)
    one, two = hop_records([stopped])
    assert (one["facts"], one["questions"], one["restarts"], one["mean"]) == ("1", 2, 3, 1.5)
    assert one["high"] - one["mean"] == pytest.approx(4.302653 * 0.5 / np.sqrt(3), rel=1e-4)
    assert (two["facts"], two["mean"], two["low"], two["high"], two["selected"]) == ("2", 3.0, 3.0, 3.0, 3.0)
    allowed = allowed_records([stopped])
    assert [(record["allowed"], record["mean"], record["selected"]) for record in allowed] == [(1, 60, 50), (2, 1, 0)]
    (row,) = stopping_sheet([one, two], allowed, "").rows
    assert row == ("mine", "2", "1: 1.5 ± 0.5; 2: 3.0 ± 0.0", "3", "33 %", "60.0 1.0")
    axes = stopping_figure([one, two], allowed).axes
    assert [text.get_text() for text in axes[0].get_xticklabels()] == ["1", "2"]
