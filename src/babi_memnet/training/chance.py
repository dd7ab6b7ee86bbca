"""Whether stories are as likely as their images under a map of words: two randomization tests.

Both sum over pairs of stories, and under the hypothesis each story may be exchanged for its image (Lehmann and Romano,
Testing Statistical Hypotheses, chapter 15), so that the events of one story may depend on each other as they like.

Legend: S stories, E events, L words of an event, P kinds of events.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from scipy.special import chdtrc, ndtr

from babi_memnet.training.events import Events

_SMALL = 0.01
"""Larger p-values are those of a normal distribution; what is smaller is worth the third moment."""

_NOTHING = 1e-9
"""A standard deviation below this is none."""

_ODD = np.uint64(0x9E3779B97F4A7C15)

_Numbers = npt.NDArray[np.uint64]
_Often = npt.NDArray[np.float64]


def p_value(events: Events, moves: npt.NDArray[np.int64], shown: npt.NDArray[np.bool_], enough: float) -> float:
    """How likely so much asymmetry is by chance: the smaller of two p-values.

    Args:
        events: what is counted.
        moves: [V] a map of words that undoes itself.
        shown: [V] which words are told apart.
        enough: the second test is left out when the first gives less than this.
    """
    touched, seen, images = events.under(moves, shown)
    if not touched.any():
        return 1.0
    story, often = events.story[touched], events.often[touched]
    p = _as_often(_digest(seen), _digest(images), story, often)
    if events.answers == seen.shape[1] or p < enough:
        return p
    asked, asked_images = (_digest(rows[:, : events.answers]) for rows in (seen, images))
    answers, answer_images = (_digest(rows[:, events.answers :]) for rows in (seen, images))
    return min(p, _answered_alike(asked, asked_images, answers, answer_images, story, often))


def _as_often(events: _Numbers, images: _Numbers, story: npt.NDArray[np.int64], often: _Often) -> float:
    """How likely it is by chance that counts of events [E] and of their images differ by so much.

    The statistic is Bowker's for the symmetry of a table (A test for symmetry in contingency tables, JASA 43, 1948):
    the sum over pairs of an event e and its image f of (n_e - n_f)² / (n_e + n_f).
    """
    changed = events != images
    if not changed.any():
        return 1.0
    events, images, story, often = events[changed], images[changed], story[changed], often[changed]
    _, pair = np.unique(_either(events, images), return_inverse=True)
    share = np.where(events < images, often, -often) / np.sqrt(np.bincount(pair, often))[pair]
    return tail(_table(share, story, pair), np.ones(pair.max() + 1))


def _answered_alike(
    asked: _Numbers,
    asked_images: _Numbers,
    answers: _Numbers,
    answer_images: _Numbers,
    story: npt.NDArray[np.int64],
    often: _Often,
) -> float:
    """How likely it is by chance that images of questions differ in their answers more than equal questions do [E]."""
    first = asked < asked_images
    still = asked == asked_images
    # Which of both it is; where the question is its own image, the answer says so.
    sign = np.where(first, 1.0, -1.0)
    sign[still] = (answers < answer_images)[still] * 1.0 - (answers > answer_images)[still]
    _, question = np.unique(_either(asked, asked_images), return_inverse=True)
    both = np.where(still, _either(answers, answer_images), np.where(first, answers, answer_images))
    _, answered = np.unique(question.astype(np.uint64) * _ODD ^ both, return_inverse=True)
    share = sign * often / np.sqrt(np.bincount(question, often))[question]
    # Of two equal questions in both tables only those with other answers remain.
    tables = hstack([_table(share, story, answered), _table(share * ~still, story, question)], format="csr")
    return tail(tables, np.repeat([1.0, -1.0], [answered.max() + 1, question.max() + 1]))


def tail(rows: Any, signs: _Often) -> float:
    """How likely ``sum over s < t of e_s e_t K[s, t]`` exceeds its value where all e are 1, for random signs e.

    The probability is that of a gamma distribution with its first three moments.

    Args:
        rows: [S, P], of which ``K = rows diag(signs) rowsᵀ`` is made; its diagonal does not matter.
        signs: [P].
    """
    own = (rows * rows) @ signs  # the diagonal of K
    total = np.asarray(rows.sum(axis=0)) ** 2 @ signs
    weighted = (rows.T @ rows).multiply(signs[None, :]).tocsr()  # its powers have the same traces as those of K
    spread = np.sqrt(max(0.0, float(weighted.multiply(weighted.T).sum() - own @ own) / 2))
    if spread < _NOTHING:
        return 1.0  # no two stories have anything in common
    value = (float(total) - float(own.sum())) / 2 / spread
    p = float(ndtr(-value))
    if p > _SMALL:
        return p
    squared = rows.multiply(signs[None, :]) @ weighted
    of_square = np.asarray(squared.multiply(rows).sum(axis=1)).ravel()  # the diagonal of K²
    cubed = float((weighted @ weighted).multiply(weighted.T).sum())
    skewness = (cubed - 3 * float(own @ of_square) + 2 * float((own**3).sum())) / spread**3
    if skewness <= 0:
        return p
    freedom = 8 / skewness**2
    return float(chdtrc(freedom, freedom + value * np.sqrt(2 * freedom)))


def _either(one: _Numbers, other: _Numbers) -> _Numbers:
    """A number for both, whichever comes first."""
    return one + other + _ODD * (one * other)


def _table(values: _Often, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Any:
    table = csr_array((values, (rows, columns)), shape=(rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    table.sum_duplicates()
    return table


def _digest(rows: npt.NDArray[np.int64]) -> _Numbers:
    """One number for each row."""
    digest = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T.astype(np.uint64):
        digest = (digest ^ column) * _ODD
        digest ^= digest >> np.uint64(29)
    return digest
