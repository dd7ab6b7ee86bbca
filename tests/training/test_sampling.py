"""Batches and time noise: what is drawn is what the protocol says, by exhaustion and by statistics."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from babi_memnet.encoding.questions import Questions
from babi_memnet.training.sampling import draw_epoch, held_out, restart_generator
from babi_memnet.training.settings import TrainingSettings


def questions_with(counts: list[int], slots: int) -> Questions:
    number = len(counts)
    return Questions(
        words=np.zeros((number, slots, 1), dtype=np.uint16),
        counts=np.array(counts, dtype=np.uint32),
        questions=np.zeros((number, 1), dtype=np.uint16),
        answers=np.ones(number, dtype=np.uint32),
        tasks=np.ones(number, dtype=np.int16),
    )


def test_without_noise_the_latest_statement_has_age_zero():
    settings = TrainingSettings(time_noise=0.0, batch_size=4)
    plan = draw_epoch(np.random.default_rng(0), questions_with([3] * 8, 5), settings)
    assert plan.order.shape == (2, 4)
    assert plan.ages.shape == (2, 4, 5)
    np.testing.assert_array_equal(plan.ages[..., :3], np.broadcast_to([0, 1, 2], (2, 4, 3)))


def test_an_epoch_draws_with_replacement_and_evenly():
    settings = TrainingSettings(batch_size=32)
    generator = np.random.default_rng(5)
    questions = questions_with([1] * 100, 1)
    drawn = np.concatenate([draw_epoch(generator, questions, settings).order.ravel() for _ in range(200)])
    assert drawn.size == 200 * 3 * 32
    assert stats.chisquare(np.bincount(drawn, minlength=100)).pvalue > 1e-3


def test_every_choice_of_blanks_is_equally_likely():
    slots, count, noise = 20, 4, 0.5  # up to 2 blanks
    settings = TrainingSettings(time_noise=noise, batch_size=30_000)
    plan = draw_epoch(np.random.default_rng(2), questions_with([count] * 30_000, slots), settings)
    seen = Counter(tuple(row) for row in (plan.ages[0, :, :count]).tolist())
    # b blanks uniform in 0..2, then each choice of 4 out of 4 + b places alike
    expected = Counter()
    for blanks in range(3):
        choices = list(combinations(range(count + blanks), count))
        for choice in choices:
            expected[choice] += 30_000 / 3 / len(choices)
    assert set(seen) == set(expected)
    assert stats.chisquare([seen[key] for key in expected], list(expected.values())).pvalue > 1e-3


def test_ages_past_the_memory_are_that_of_its_last_slot():
    slots = 6
    settings = TrainingSettings(time_noise=1.0, batch_size=500)
    plan = draw_epoch(np.random.default_rng(3), questions_with([slots] * 500, slots), settings)
    assert plan.ages.max() == slots - 1
    assert (np.diff(plan.ages.astype(int), axis=-1) >= 0).all()


def test_validation_is_the_tail_or_random_and_never_both_sides():
    kept, held = held_out(1000, TrainingSettings(), seed=0)
    np.testing.assert_array_equal(kept, np.arange(900))
    np.testing.assert_array_equal(held, np.arange(900, 1000))
    settings = TrainingSettings(validation="random")
    kept, held = held_out(1000, settings, seed=0)
    assert len(held) == 100
    assert not np.array_equal(held, np.arange(900, 1000))
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(1000))
    np.testing.assert_array_equal(held, held_out(1000, settings, seed=0)[1])
    assert not np.array_equal(held, held_out(1000, settings, seed=1)[1])


def test_all_is_trained_on_where_validation_is_given():
    kept, held = held_out(10, TrainingSettings(validation="given"), seed=0)
    np.testing.assert_array_equal(kept, np.arange(10))
    assert len(held) == 0


@pytest.mark.parametrize("seed", [0, 7])
def test_restarts_draw_different_numbers(seed):
    draws = [restart_generator(seed, restart).random(4).tolist() for restart in range(20)]
    assert len({tuple(draw) for draw in draws}) == 20
    assert restart_generator(seed, 3).random(4).tolist() == draws[3]
