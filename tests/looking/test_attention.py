"""Measures of attention: by hand on small cases, by brute force on random ones, null models by simulation."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from babi_memnet.looking.attention import Support, measure, recency, support_of, uniform


def one(weights: list[list[float]], facts: list[int], count: int) -> tuple[Any, Support]:
    return np.array([weights]), Support([facts], np.array([count]))


def test_supporting_facts_by_slot() -> None:
    stories = [["a", "b", "c"], ["a", "b", "c", "d", "e"]]
    support = support_of(stories, [[0, 2], [4, 0, 4]], slots=4)
    assert support.slots == [[2, 0], [0, -1]]  # the latest is in slot 0; the first of five is forgotten
    assert support.counts.tolist() == [3, 4]


def test_one_question_by_hand() -> None:
    # two statements in four slots; the chain goes from slot 1 to slot 0
    weights, support = one([[0.1, 0.7, 0.1, 0.1], [0.5, 0.25, 0.25, 0.0]], [1, 0], 2)
    found = measure(weights, support)
    assert found.mass == pytest.approx((80, 75))
    assert found.empty == pytest.approx((20, 25))
    assert found.entropy[1] == pytest.approx(1.5)  # 1/2, 1/4, and 1/4 on the empty slots together
    assert (found.found, found.complete, found.in_order) == (100, 100, 100)
    backwards = measure(weights[:, ::-1], support)
    assert (backwards.found, backwards.complete, backwards.in_order) == (100, 100, 0)


def test_what_is_looked_at_is_a_statement() -> None:
    # most of the weight lies on an empty slot, and of the statements slot 1 weighs more
    weights, support = one([[0.1, 0.2, 0.7]], [0], 2)
    found = measure(weights, support)
    assert (found.found, found.complete, found.in_order) == (0, 0, None)
    assert found.empty == pytest.approx((70,))


def test_a_forgotten_fact_is_missed() -> None:
    weights, support = one([[1.0, 0.0]], [0, -1], 2)
    found = measure(weights, support)
    assert (found.found, found.complete) == (50, 0)
    assert found.mass == (100,)


def test_right_and_wrong() -> None:
    weights = np.array([[[0.9, 0.1]], [[0.2, 0.8]], [[0.6, 0.4]]])
    support = Support([[0], [0], [0]], np.array([2, 2, 2]))
    found = measure(weights, support, wrong=np.array([False, True, True]))
    assert found.mass_when_right == pytest.approx(90)
    assert found.mass_when_wrong == pytest.approx(40)
    assert (found.error_when_complete, found.error_when_incomplete) == (50, 100)
    sure = measure(weights, support, wrong=np.zeros(3, dtype=bool))
    assert sure.mass_when_wrong is None
    assert sure.error_when_incomplete == 0


@pytest.fixture
def drawn() -> tuple[Any, Support]:
    """Random attention of 40 questions, 3 hops and 6 slots, with one to three supporting facts."""
    draw = np.random.default_rng(0)
    weights = draw.dirichlet(np.ones(6) / 2, size=(40, 3))
    counts = draw.integers(3, 7, size=40)
    slots = [draw.permutation(count)[: draw.integers(1, 4)].tolist() for count in counts]
    return weights, Support(slots, counts)


def test_measures_by_brute_force(drawn: tuple[Any, Support]) -> None:
    weights, support = drawn
    found = measure(weights, support)
    hits, complete, ordered = [], [], []
    for n in range(40):
        first: dict[int, int] = {}
        for hop in range(3):
            best = max(range(support.counts[n]), key=lambda m: weights[n, hop, m])
            first.setdefault(best, hop)
        facts = support.slots[n]
        hits += [fact in first for fact in facts]
        complete.append(all(fact in first for fact in facts))
        ordered += [first[a] < first[b] for a, b in combinations(facts, 2) if a in first and b in first]
    assert found.found == pytest.approx(100 * np.mean(hits))
    assert found.complete == pytest.approx(100 * np.mean(complete))
    assert found.in_order == pytest.approx(100 * np.mean(ordered))
    for hop in range(3):
        mass = [sum(weights[n, hop, fact] for fact in support.slots[n]) for n in range(40)]
        assert found.mass[hop] == pytest.approx(100 * np.mean(mass))


def test_uniform_is_what_drawing_gives(drawn: tuple[Any, Support]) -> None:
    _, support = drawn
    expected = uniform(support, hops=3, slots=6)
    draw = np.random.default_rng(1)
    results = []
    for _ in range(300):
        weights = np.zeros((40, 3, 6))
        for n in range(40):
            weights[n, np.arange(3), draw.integers(support.counts[n], size=3)] = 1
        results.append(measure(weights, support))
    for name in ("found", "complete", "in_order"):
        values = [getattr(result, name) for result in results]
        error = np.std(values) / np.sqrt(len(values))
        assert abs(np.mean(values) - getattr(expected, name)) < 4 * error
    assert expected.mass[0] == pytest.approx(100 * np.mean([len(facts) / 6 for facts in support.slots]))
    assert expected.empty[0] == pytest.approx(100 * np.mean(1 - support.counts / 6))


def test_without_two_remembered_facts_there_is_no_order() -> None:
    assert uniform(Support([[0, -1], [1]], np.array([2, 2])), hops=2, slots=2).in_order is None
    assert uniform(Support([[0, -1], [1, 0]], np.array([2, 2])), hops=2, slots=2).in_order == 50


def test_recency_goes_backwards() -> None:
    support = Support([[0], [1], [2, 0], [0]], np.array([3, 3, 3, 1]))
    found = recency(support, hops=2, slots=4)
    assert found.mass == pytest.approx((75, 50))  # the only statement of the last is looked at twice
    assert found.found == pytest.approx(80)
    assert found.complete == pytest.approx(75)
    assert found.entropy == (0, 0)


def test_a_story_without_statements_has_nothing_to_find() -> None:
    support = Support([[]], np.array([0]))
    for found in (uniform(support, 2, 3), recency(support, 2, 3)):
        assert found.found is None
        assert found.mass == (0, 0)
