"""Maps of words: held against the covariance, and labels against each other."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import RendererAgg

from babi_memnet.looking.word_map import WordMap, place_labels, plane, word_records
from babi_memnet.tables.word_figure import word_figure

VECTORS = np.random.default_rng(0).normal(size=(30, 8)) * [5, 3, 1, 1, 1, 1, 0.5, 0.1] + 7


def word_map(vectors: Any = VECTORS, answers: frozenset[str] = frozenset({"w3", "w4"})) -> WordMap:
    points, explained = plane(vectors)
    words = tuple(f"w{place}" for place in range(len(vectors)))
    return WordMap("train", "outputs/run", None, (1, 2), 4, words, points, explained, answers)


def test_the_plane_is_that_of_the_covariance() -> None:
    points, explained = plane(VECTORS)
    values, directions = np.linalg.eigh(np.cov(VECTORS.T))
    assert explained == pytest.approx(100 * values[:-3:-1] / values.sum())
    for axis in (0, 1):
        along = (VECTORS - VECTORS.mean(axis=0)) @ directions[:, -1 - axis]
        assert np.abs(points[:, axis]) == pytest.approx(np.abs(along))
        assert points[np.abs(points[:, axis]).argmax(), axis] > 0
    assert points.mean(axis=0) == pytest.approx([0, 0])


def test_two_dimensions_lose_no_distance() -> None:
    turned = VECTORS[:, :2] @ np.linalg.qr(np.random.default_rng(1).normal(size=(6, 2)))[0].T
    points, explained = plane(turned)
    assert sum(explained) == pytest.approx(100)
    for one, other in combinations(range(30), 2):
        before = np.linalg.norm(turned[one] - turned[other])
        assert np.linalg.norm(points[one] - points[other]) == pytest.approx(before)


def test_one_dimension_and_no_variance() -> None:
    points, explained = plane(np.array([[1.0], [3.0], [2.0]]))
    assert (explained, points[:, 1].tolist()) == ((100, 0), [0, 0, 0])
    points, explained = plane(np.ones((4, 3)))
    assert (explained, np.abs(points).max()) == ((0, 0), 0)


def overlap(one: Any, other: Any) -> bool:
    return bool(min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1]))


def test_labels_do_not_overlap() -> None:
    draw = np.random.default_rng(3)
    points = [(float(x), float(y)) for x, y in draw.uniform(20, 180, size=(80, 2))]
    first = set(range(40, 50))
    boxes = place_labels(points, [(30, 10)] * 80, (0, 0, 200, 200), 4, first)
    placed = [box for box in boxes if box]
    assert 10 < len(placed) < 80  # there is not room for all
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    for box in placed:
        assert (box[2] - box[0], box[3] - box[1]) == pytest.approx((30, 10))
        assert min(box) >= 0
        assert max(box) <= 200
        assert not any(box[0] < x < box[2] and box[1] < y < box[3] for x, y in points)
    found = [box is not None for box in boxes]
    assert np.mean(found[40:50]) > np.mean(found[:40] + found[50:])


def test_lonely_points_have_their_labels_beside_them() -> None:
    boxes = place_labels([(10, 50), (190, 50)], [(30, 10)] * 2, (0, 0, 200, 100), 4)
    assert boxes == [(14, 45, 44, 55), (156, 45, 186, 55)]  # the second has no room on its right


def test_the_figure_names_the_words() -> None:
    (panel,) = word_figure(word_map()).axes
    texts = {text.get_text(): text for text in panel.texts}
    assert {"w3", "w4"} <= set(texts) <= {f"w{place}" for place in range(30)}
    assert [word for word, text in texts.items() if text.get_fontweight() == "bold"] == ["w3", "w4"]
    assert "tasks 1, 2, restart 4" in panel.get_title(loc="left")
    assert panel.lines[3].get_xdata() == pytest.approx(word_map().points[3:5, 0])


def test_records_are_the_points() -> None:
    records = word_records([word_map()])
    assert [(record["x"], record["y"]) for record in records] == [tuple(point) for point in word_map().points.tolist()]
    assert [record["word"] for record in records if record["is_answer"]] == ["w3", "w4"]


def test_words_are_measured_on_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    start = RendererAgg.__init__

    def counted(self: RendererAgg, *arguments: Any) -> None:
        made.append(arguments)
        start(self, *arguments)

    monkeypatch.setattr(RendererAgg, "__init__", counted)
    word_figure(word_map())
    assert len(made) == 1  # each takes megabytes, and stays as long as its text
