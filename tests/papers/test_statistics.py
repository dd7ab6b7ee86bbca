"""The formulas against brute force, scipy and simulations in which the truth is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from numpy.random import Generator
from scipy import stats

from babi_memnet.papers.statistics import (
    FEWEST_RESTARTS,
    WIDENING,
    Array,
    Repetition,
    question_variance,
    selection_weights,
    student_chance,
    student_quantile,
    wilson_interval,
)


@pytest.mark.parametrize(("wrong", "questions"), [(0, 1000), (1, 1000), (403, 1000), (1000, 1000), (3, 20)])
def test_the_interval_is_that_of_scipy(wrong: int, questions: int) -> None:
    expected = stats.binomtest(wrong, questions).proportion_ci(method="wilson")
    low, high = wilson_interval(100 * wrong / questions, questions)
    assert (low, high) == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-9)


@pytest.mark.parametrize("truth", [0.002, 0.05, 0.2, 0.5, 0.9])
def test_the_interval_covers_the_truth_in_95_percent_of_test_sets(truth: float) -> None:
    wrong = np.arange(1001)
    low, high = wilson_interval(wrong / 10, 1000)
    covered = (low <= 100 * truth) & (100 * truth <= high)
    # exact: every possible test result with its probability
    assert np.sum(stats.binom.pmf(wrong, 1000, truth)[covered]) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("train", [[3.0, 1.0, 2.0, 0.0], [1.0, 0.0, 0.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
@pytest.mark.parametrize("draws", [1, 3, 5])
def test_selection_weights_are_the_shares_of_all_resamples(train: list[float], draws: int) -> None:
    shares = np.zeros(len(train))
    for resample in product(range(len(train)), repeat=draws):
        lowest = [index for index in resample if train[index] == min(train[one] for one in resample)]
        for index in lowest:
            shares[index] += 1 / len(lowest)
    assert selection_weights(np.array(train), draws) == pytest.approx(shares / len(train) ** draws)


def test_the_question_variance_is_that_of_simulated_test_sets() -> None:
    generator = np.random.default_rng(1)
    errors = generator.binomial(1000, 0.2, size=(2, 40000)) / 10
    assert question_variance(20.0, 20.0, 1000) == pytest.approx(np.var(errors[0] - errors[1]), rel=0.03)


def test_the_line_and_the_rest_are_those_of_a_regression() -> None:
    generator = np.random.default_rng(2)
    train, test = generator.uniform(0, 5, (2, 10))
    fit = stats.linregress(train, test)
    repetition = Repetition.of(train, test)
    assert repetition.line == pytest.approx(fit.intercept + fit.slope * train)
    assert repetition.rest == pytest.approx(np.sum((test - fit.intercept - fit.slope * train) ** 2) / 8)
    assert repetition.freedom == 8


def test_equal_training_errors_leave_only_the_rest() -> None:
    test = np.array([1.0, 2.0, 4.0, 7.0, 1.0])
    repetition = Repetition.of(np.zeros(5), test)
    assert repetition.variances()[0] == pytest.approx(np.var(test, ddof=1))
    assert repetition.freedom == 4


def test_too_few_restarts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        Repetition.of(np.arange(FEWEST_RESTARTS - 1), np.arange(FEWEST_RESTARTS - 1))


def independent(generator: Generator, size: tuple[int, int], deviation: float = 2) -> tuple[Array, Array]:
    """The training error says nothing about the test error."""
    return generator.uniform(0, 1, size), 20 + deviation * generator.normal(size=size)


def tied(generator: Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    """The test error follows the training error, so that the selection acts on it."""
    quality = generator.normal(size=size)
    return 12 + 3 * quality, 20 + 4 * quality + 0.7 * generator.normal(size=size)


def skewed(generator: Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    """Most restarts are good, some are far off."""
    quality = generator.exponential(size=size)
    return 3 * quality, 5 + 8 * quality + generator.normal(size=size)


def two_modes(generator: Generator, size: tuple[int, int]) -> tuple[Array, Array]:
    """Half of the restarts solve the task, half do not, and the training error tells which."""
    solved = generator.random(size) < 0.5
    noise = np.abs(generator.normal(size=(2, *size)))
    return np.where(solved, 1, 50) + noise[0], np.where(solved, 2, 52) + noise[1]


def simulated(scenario: object, trials: int = 2000, restarts: int = 10) -> tuple[Array, Array, Array, Array, Array]:
    """Ours and theirs drawn from one truth, each tested on its own 1000 questions: train, test, ours, theirs, noise."""
    generator = np.random.default_rng(3)
    sides = []
    for _ in range(2):
        train, truth = scenario(generator, (trials, restarts))  # type: ignore[operator]
        test = generator.binomial(1000, np.clip(truth / 100, 0, 1)) / 10
        selected = np.take_along_axis(test, train.argmin(axis=-1)[:, None], axis=-1)[:, 0]
        sides.append((train, test, selected))
    (train, test, ours), (_, _, theirs) = sides
    return train, test, ours, theirs, question_variance(ours, theirs, 1000) + 0.1**2 / 12


@pytest.mark.parametrize("scenario", [independent, tied])
def test_the_estimated_spread_is_right_on_average(scenario: object) -> None:
    train, test, ours, _, _ = simulated(scenario)
    estimated, _ = Repetition.of(train, test).variances()
    assert np.mean(estimated) == pytest.approx(np.var(ours), rel=0.15)


@pytest.mark.parametrize("scenario", [independent, tied, skewed, two_modes])
def test_false_alarms_are_about_5_percent_at_most(scenario: object) -> None:
    train, test, ours, theirs, noise = simulated(scenario)
    chance = Repetition.of(train, test, 10).chance(ours - theirs, noise)
    assert np.mean(chance < 0.05) < 0.06


@pytest.mark.parametrize(
    ("scenario", "power"), [(lambda g, s: independent(g, s, 0.5), 0.95), (two_modes, 0.75), (skewed, 0.75)]
)
def test_ten_points_are_noticed(scenario: object, power: float) -> None:
    train, test, ours, theirs, noise = simulated(scenario)
    chance = Repetition.of(train, test, 10).chance(ours - theirs - 10, noise)
    assert np.mean(chance < 0.05) > power


def test_chance_is_that_of_simulated_pairs() -> None:
    generator = np.random.default_rng(4)
    train = np.array([0.0, 0.2, 0.5, 3.0, 9.0, 12.0])
    test = np.array([8.0, 9.0, 7.5, 11.0, 22.0, 24.0])
    repetition = Repetition.of(train, test, published_restarts=10)
    draws = 200_000
    ours = repetition.line[generator.choice(6, draws, p=repetition.ours)]
    theirs = repetition.line[generator.choice(6, draws, p=repetition.theirs)]
    noise = 2 * repetition.rest + 1.5
    freedom = repetition.freedom * (noise / (2 * repetition.rest)) ** 2
    apart = WIDENING * (ours - theirs) + np.sqrt(noise) * generator.standard_t(freedom, draws)
    for difference in (1.0, 4.0, 10.0):
        assert repetition.chance(difference, 1.5) == pytest.approx(np.mean(np.abs(apart) >= difference), abs=0.005)


def test_the_margin_is_where_the_chance_is_5_percent() -> None:
    generator = np.random.default_rng(5)
    repetition = Repetition.of(generator.uniform(0, 5, (7, 10)), generator.uniform(5, 15, (7, 10)))
    margin = repetition.margin(2.0)
    assert margin.shape == (7,)
    assert repetition.chance(margin, 2.0) == pytest.approx(np.full(7, 0.05))


def test_identical_restarts_leave_the_margin_of_the_questions() -> None:
    repetition = Repetition.of(np.zeros(10), np.full(10, 20.0))
    noise = question_variance(20.0, 20.0, 1000)
    assert repetition.margin(noise) == pytest.approx(1.959964 * np.sqrt(noise), rel=1e-5)


def test_the_student_quantile_becomes_the_normal_one() -> None:
    assert student_quantile(8) == pytest.approx(stats.t.ppf(0.975, 8))
    assert student_quantile(float("inf")) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("freedom", [1.0, 8.0, 37.5])
@pytest.mark.parametrize("statistic", [-2.5, 0.0, 0.3, 12.0])
def test_the_student_chance_is_that_of_scipy(statistic: float, freedom: float) -> None:
    assert student_chance(statistic, freedom) == pytest.approx(2 * stats.t.sf(abs(statistic), freedom), rel=1e-9)


def test_the_student_chance_becomes_the_normal_one() -> None:
    assert student_chance(1.96, np.inf) == pytest.approx(2 * stats.norm.sf(1.96), rel=1e-5)


def test_a_chance_is_a_probability_that_falls_to_5_percent_at_the_margin() -> None:
    generator = np.random.default_rng(11)
    train, test = generator.uniform(0, 5, (2, 200, 10))
    repetition = Repetition.of(train, test)
    noise = generator.uniform(0.01, 4, 200)
    margin = repetition.margin(noise)
    assert np.all(repetition.chance(np.zeros(200), noise) <= 1)
    assert np.all(repetition.chance(np.zeros(200), noise) > 1 - 1e-9)
    for difference in generator.uniform(-2, 2, (10, 200)) * margin:
        sure = np.abs(np.abs(difference) - margin) > 1e-6
        chance = repetition.chance(difference, noise)
        assert np.array_equal((chance <= 0.05)[sure], (np.abs(difference) > margin)[sure])


@pytest.mark.parametrize("scenario", [independent, tied, skewed, two_modes])
def test_a_small_chance_is_as_rare_as_it_says(scenario: object) -> None:
    """Pairs from one truth: a chance of at most p comes up with a probability of about p, or less."""
    train, test, ours, theirs, noise = simulated(scenario)
    chance = Repetition.of(train, test).chance(ours - theirs, noise)
    for level in (0.01, 0.05, 0.2):
        assert np.mean(chance <= level) <= 1.35 * level + 0.005
