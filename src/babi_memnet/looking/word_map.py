"""Words as points: the two directions in which the answer vectors of a network differ most.

Legend: V words, d dimension.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from babi_memnet.tasks import Task


@dataclass(frozen=True, slots=True)
class WordMap:
    """The answer vectors of the selected restart of a run in the plane of their first two principal components.

    The vectors are the rows of the answer table W (equation 3); with adjacent tying that is C of the last hop. All
    words of the vocabulary are in it, padding and the words for the time of a slot are not.

    Attributes:
        label: of the run, as in `answers.Answered`; with ``tasks`` no two of a report are alike.
        run, experiment: as in a row of `runs.collection`.
        tasks: of the run.
        restart: its number.
        words: the vocabulary.
        points [V, 2]: where they are; the mean of all is the origin.
        explained: percent of the variance of the vectors along the two axes.
        answers: words that are the answer of a test question.
    """

    label: str
    run: str
    experiment: str | None
    tasks: tuple[Task, ...]
    restart: int
    words: tuple[str, ...]
    points: npt.NDArray[np.float64]
    explained: tuple[float, float]
    answers: frozenset[str]


def plane(vectors: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Principal components of ``vectors`` [V, d]: coordinates [V, 2], and percent of the variance along each.

    Their signs mean nothing; each axis points to where its longest coordinate is, so that a network has one map. A
    second component that is not there, as with one dimension, is 0.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    count = min(2, len(lengths))
    points[:, :count] = left[:, :count] * lengths[:count]
    longest = points[np.abs(points).argmax(axis=0), [0, 1]]
    points *= np.where(longest < 0, -1.0, 1.0)
    variance = lengths**2
    shares = np.zeros(2)
    shares[:count] = 100 * variance[:count] / max(float(variance.sum()), np.finfo(np.float64).tiny)
    return points, (float(shares[0]), float(shares[1]))


def word_records(maps: Sequence[WordMap]) -> list[dict[str, Any]]:
    """One record per run and word: ``x``, ``y``, and whether it ``answers`` a test question."""
    return [
        {
            "label": one.label,
            "experiment": one.experiment,
            "tasks": " ".join(map(str, one.tasks)),
            "restart": one.restart,
            "word": word,
            "x": x,
            "y": y,
            "is_answer": word in one.answers,
            "run": one.run,
        }
        for one in maps
        for word, (x, y) in zip(one.words, one.points.tolist(), strict=True)
    ]


Box = tuple[float, float, float, float]
"""Left, lower, right and upper end."""

_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_DISTANCES = (1, 3, 6)
"""Of a label from its point, in gaps; the nearest that is free is taken."""


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    inside: Box,
    gap: float,
    first: Collection[int] = (),
) -> list[Box | None]:
    """Where a label of each size may stand beside its point, so that it covers no label and no other point.

    Points ``first`` choose before the others; what finds no room within ``inside`` is None. All in one unit, such as
    pixels; ``gap`` is between a point and its label, or more where it is crowded.
    """
    found: list[Box | None] = [None] * len(points)
    around = 0.75 * gap
    taken = [(x - around, y - around, x + around, y + around) for x, y in points]
    for place in sorted(range(len(points)), key=lambda place: (place not in first, place)):
        (x, y), (wide, high) = points[place], sizes[place]
        for distance, (across, up) in product(_DISTANCES, _DIRECTIONS):
            away = distance * gap
            left = x + (away if across > 0 else -away - wide if across < 0 else -wide / 2)
            lower = y + (away if up > 0 else -away - high if up < 0 else -high / 2)
            box = left, lower, left + wide, lower + high
            if _within(box, inside) and not any(_overlap(box, other) for other in taken):
                found[place] = box
                taken.append((box[0] - gap / 2, box[1], box[2] + gap / 2, box[3]))
                break
    return found


def _within(box: Box, inside: Box) -> bool:
    return box[0] >= inside[0] and box[1] >= inside[1] and box[2] <= inside[2] and box[3] <= inside[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
