"""How much a test error may vary: with the questions of the test set, and with the restarts it was selected among.

Everything works on arrays with any leading axes (written ``...``), so that a whole simulation is one call. Letters:
R restarts. Errors are in percent, variances in percent points squared.

The procedure under study is the paper's: train R restarts, report the test error of the one with the lowest training
error. Repeating it gives another number, because another restart is selected. What that number would be is estimated
by a bootstrap over restarts (Efron & Tibshirani 1993, "An Introduction to the Bootstrap"), in closed form instead of
by drawing: `selection_weights` gives the share of all resamples in which each restart is selected.

The plain bootstrap of a minimum is too narrow (Bickel & Freedman 1981, "Some asymptotic theory for the bootstrap",
Annals of Statistics 9, 1196-1217): with ten restarts two thirds of the resamples select the same one. Two things mend
it. First, the test error is split into a straight line through the training error, which the selection acts on, and
the rest around the line, which it does not: the rest has R - 2 degrees of freedom instead of about two. Second, the
distances along the line are widened by `WIDENING`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LEVEL = 0.95
"""Confidence level of every interval and margin."""

FEWEST_RESTARTS = 5
"""With fewer restarts the spread is not estimated: the rest around the line has at most two degrees of freedom."""

WIDENING = 2.0
"""Factor on distances along the line. The variance of the bootstrap over R points is 1 - sum(w²) of what it estimates,
which is a factor of 1.4 at ten restarts, and it rests on 1 / sum(w²), about two, restarts. Two keeps false alarms near
5 % in the simulations of tests/papers/test_statistics.py."""


def wilson_interval(error_percent: ArrayLike, questions: ArrayLike) -> tuple[Array, Array]:
    """95 % interval of an error measured on ``questions`` questions (Wilson 1927, JASA 22, 209-212).

    With p the measured share and z the normal quantile: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike
    p ± z sqrt(p(1-p)/n) it stays within 0..100 and has a width when no question was answered wrong.
    """
    p = np.asarray(error_percent, dtype=float) / 100
    n = np.asarray(questions, dtype=float)
    z = normal_quantile()
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return 100 * np.maximum(centre - half, 0), 100 * np.minimum(centre + half, 1)


def question_variance(first: ArrayLike, second: ArrayLike, questions: ArrayLike) -> Array:
    """Variance of the difference of two errors that were measured on ``questions`` questions each.

    Twice the binomial variance p(1-p)/n, with p the mean of the two errors, as in the two-sample test of equal
    proportions. It takes the two sets of questions as independent. If both were measured on the same questions, as
    with the official test files, the difference varies less: the margin is then too wide rather than too narrow.
    """
    p = (np.asarray(first, dtype=float) + np.asarray(second, dtype=float)) / 200
    return np.asarray(2 * 1e4 * p * (1 - p) / np.asarray(questions, dtype=float))


def selection_weights(train: Array, draws: int) -> Array:
    """Share of resamples in which each restart is selected; (..., R) -> (..., R), adding up to 1.

    A resample takes ``draws`` of the R restarts with replacement and selects the lowest training error. It is restart
    i when all draws are at least as bad as i, but not all are worse: ((G + E)/R)^draws - (G/R)^draws, with G restarts
    worse than i and E equal to it (itself included), shared evenly among the E.
    """
    restarts = train.shape[-1]
    worse = np.sum(train[..., None, :] > train[..., :, None], axis=-1)
    equal = np.sum(train[..., None, :] == train[..., :, None], axis=-1)
    return np.asarray((((worse + equal) / restarts) ** draws - (worse / restarts) ** draws) / equal)


@dataclass(frozen=True, slots=True)
class Repetition:
    """What two repetitions of train-and-select would give: ours, and one among as many restarts as the paper had.

    Attributes:
        line: test error expected at each restart's training error, least squares; (..., R).
        rest: variance around the line; (...).
        freedom: degrees of freedom of ``rest``: R - 2, or R - 1 when all training errors are equal; (...).
        ours: selection weights among our R restarts; (..., R).
        theirs: selection weights among the paper's number of restarts; (..., R).
    """

    line: Array
    rest: Array
    freedom: Array
    ours: Array
    theirs: Array

    @classmethod
    def of(cls, train: ArrayLike, test: ArrayLike, published_restarts: int | None = None) -> Repetition:
        """From the errors of our restarts, both (..., R) with R of at least `FEWEST_RESTARTS`.

        ``published_restarts`` is None where the paper does not say; it is then taken to be R.
        """
        train, test = np.asarray(train, dtype=float), np.asarray(test, dtype=float)
        restarts = train.shape[-1]
        if restarts < FEWEST_RESTARTS:
            raise ValueError(f"{restarts} restarts are too few: expected at least {FEWEST_RESTARTS}")
        x = train - train.mean(axis=-1, keepdims=True)
        y = test - test.mean(axis=-1, keepdims=True)
        sloped = np.ptp(train, axis=-1) > 0
        slope = np.where(sloped, np.sum(x * y, axis=-1) / np.where(sloped, np.sum(x * x, axis=-1), 1), 0)
        line = slope[..., None] * x + test.mean(axis=-1, keepdims=True)
        freedom = np.where(sloped, restarts - 2, restarts - 1).astype(float)
        return cls(
            line=line,
            rest=np.sum((test - line) ** 2, axis=-1) / freedom,
            freedom=freedom,
            ours=selection_weights(train, restarts),
            theirs=selection_weights(train, published_restarts or restarts),
        )

    def variances(self) -> tuple[Array, Array]:
        """Variance of the selected test error, of ours and of theirs; (...) each.

        That of the line, sum(w (line - mean)²) / (1 - sum(w²)), the unbiased variance under weights, plus the rest.
        """
        return self._variance(self.ours), self._variance(self.theirs)

    def _variance(self, weights: Array) -> Array:
        mean = np.sum(weights * self.line, axis=-1, keepdims=True)
        spread = np.sum(weights * (self.line - mean) ** 2, axis=-1)
        return np.asarray(spread / (1 - np.sum(weights**2, axis=-1)) + self.rest)

    def chance(self, difference: ArrayLike, other_variance: ArrayLike) -> Array:
        """Probability that two repetitions differ by at least ``difference`` (either way); (...).

        They select restarts i and j with probability ours_i theirs_j and then differ by WIDENING (line_i - line_j)
        plus noise: twice the rest and ``other_variance`` (that of the questions and of the rounding). The noise is
        Student's, with the degrees of freedom of Welch and Satterthwaite (Satterthwaite 1946, Biometrics Bulletin 2,
        110-114), since only the rest is estimated from few restarts. The answer is the sum over all pairs (i, j).
        """
        from scipy.special import stdtr

        other = np.asarray(other_variance, dtype=float)
        noise = 2 * self.rest + other
        estimated = np.maximum(2 * self.rest, 1e-12)
        freedom = (self.freedom * (noise / estimated) ** 2)[..., None, None]
        scale = np.sqrt(noise)[..., None, None]
        apart = WIDENING * (self.line[..., :, None] - self.line[..., None, :])
        x = np.abs(np.asarray(difference, dtype=float))[..., None, None]
        tails = stdtr(freedom, (apart - x) / scale) + stdtr(freedom, (-apart - x) / scale)
        chance = np.sum(self.ours[..., :, None] * self.theirs[..., None, :] * tails, axis=(-2, -1))
        return np.asarray(np.minimum(chance, 1))  # rounding may lift a sum of shares above it

    def margin(self, other_variance: ArrayLike) -> Array:
        """The difference that two repetitions exceed with a probability of 5 %, found by bisection; (...)."""
        other = np.asarray(other_variance, dtype=float)
        # at this height every pair is beyond its own 5 %: 3.2 is Student's quantile at the fewest restarts
        high = WIDENING * np.ptp(self.line, axis=-1) + 3.2 * np.sqrt(2 * self.rest + other)
        low = np.zeros_like(high)
        for _ in range(30):
            middle = (low + high) / 2
            likely = self.chance(middle, other) > 1 - LEVEL
            low, high = np.where(likely, middle, low), np.where(likely, high, middle)
        return np.asarray((low + high) / 2)


def normal_quantile() -> float:
    """The z of a two-sided interval at `LEVEL`: 1.96."""
    from scipy.special import ndtri

    return float(ndtri((1 + LEVEL) / 2))


def student_quantile(freedom: float) -> float:
    """The t of a two-sided interval at `LEVEL` with ``freedom`` degrees of freedom."""
    from scipy.special import stdtrit

    # beyond this many the quantile is the normal one to six digits
    return float(stdtrit(freedom, (1 + LEVEL) / 2)) if freedom < 1e6 else normal_quantile()


def student_chance(statistic: float, freedom: float) -> float:
    """Probability that Student's t with ``freedom`` degrees of freedom is at least this far from 0, either way."""
    from scipy.special import stdtr

    # scipy knows no infinite freedom; beyond this many it is the normal distribution to six digits
    return float(2 * stdtr(min(freedom, 1e6), -abs(statistic)))
