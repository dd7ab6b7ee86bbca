"""The network against its paper: the equations written plainly, tying, and what a trained network cannot do without."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.errors import RequestError
from babi_memnet.models.encodings import position_factors
from babi_memnet.models.memn2n import MemN2N, Settings, Tying
from babi_memnet.models.network import Batch, Shape


@pytest.mark.parametrize(("dimension", "positions"), [(1, 1), (5, 4), (20, 7)])
def test_position_weights_are_those_of_the_released_code(dimension, positions):
    h, g = position_factors("position", dimension, positions)
    for i in range(1, dimension + 1):
        for j in range(1, positions + 1):
            expected = 1 + 4 * (i - (dimension + 1) / 2) * (j - (positions + 1) / 2) / (dimension * positions)
            assert 1 + h[i - 1] * g[j - 1] == pytest.approx(expected, abs=1e-6)


def test_a_bag_of_words_weighs_all_words_alike():
    h, g = position_factors("bag_of_words", 6, 5)
    np.testing.assert_array_equal(1 + np.outer(h, g), np.ones((6, 5)))


def plain_answer(model: MemN2N, story: list[list[int]], question: list[int], linear: bool) -> np.ndarray:
    """Logits for one question, in loops; ``story`` is latest first."""
    tables = np.stack([table.detach().numpy() for table in model.tables]).astype(float)
    settings, tying = model.settings, model.tying
    d, last = settings.dimension, model.shape.positions + 1

    def weight(i: int, j: int) -> float:
        if settings.encoding == "bag_of_words":
            return 1.0
        return 1 + 4 * (i + 1 - (d + 1) / 2) * (j + 1 - (last + 1) / 2) / (d * last)

    def embed(table: int, words: list[int], time: int | None = None) -> np.ndarray:
        placed = list(enumerate(words)) + ([(last - 1, time)] if time is not None else [])
        return np.array([sum(weight(i, j) * tables[table, word, i] for j, word in placed) for i in range(d)])

    def slot(table: int, m: int) -> np.ndarray:
        if m >= len(story):
            return np.zeros(d)
        return embed(table, story[m], model.shape.words + m if settings.time_encoding else None)

    u = embed(tying.question, question)
    for hop in range(settings.hops):
        scores = np.array([u @ slot(tying.input[hop], m) for m in range(model.shape.slots)])
        if settings.empty_slots == "masked":
            scores = scores[: len(story)]
        p = scores if linear else np.exp(scores) / np.exp(scores).sum()
        o = sum(p[m] * slot(tying.output[hop], m) for m in range(len(p)))
        u = (u if model.hop_map is None else model.hop_map.detach().numpy() @ u) + o
        if settings.nonlinearity == "relu":
            u = np.maximum(u, 0)
    return tables[tying.answer] @ u


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"encoding": "bag_of_words", "hops": 1},
        {"tying": "layerwise", "nonlinearity": "relu"},
        {"tying": "untied", "empty_slots": "masked", "time_encoding": False, "hops": 2},
    ],
)
def test_the_network_computes_the_equations_of_the_paper(options, linear):
    model = MemN2N(Settings(dimension=4, initial_deviation=0.6, **options), Shape(words=8, slots=4, positions=3))
    model.initialise(np.random.default_rng(5))
    story, question = [[1, 2, 3], [4, 5], [6, 1, 7]], [2, 7]
    words = torch.zeros(1, 4, 3, dtype=torch.int64)
    for m, statement in enumerate(story):
        words[0, m, : len(statement)] = torch.tensor(statement)
    model.linear = linear
    logits = model(Batch(words, torch.arange(4)[None], torch.tensor([3]), torch.tensor([[*question, 0]])))
    logits = logits[0].detach().numpy()
    assert logits[0] == -np.inf, "padding is no answer"
    np.testing.assert_allclose(logits[1:], plain_answer(model, story, question, linear)[1:], rtol=1e-4, atol=1e-5)


def test_tying_shares_the_tables_that_the_paper_shares():
    adjacent = Tying.of("adjacent", 3)
    assert adjacent.question == adjacent.input[0]
    assert adjacent.output[:-1] == adjacent.input[1:]
    assert adjacent.answer == adjacent.output[-1]
    assert adjacent.count == 4
    layerwise = Tying.of("layerwise", 3)
    assert len(set(layerwise.input)) == len(set(layerwise.output)) == 1
    assert len({layerwise.question, *layerwise.input, *layerwise.output, layerwise.answer}) == layerwise.count == 4
    untied = Tying.of("untied", 3)
    used = [untied.question, *untied.input, *untied.output, untied.answer]
    assert sorted(used) == list(range(untied.count))


def test_initial_values_follow_the_paper_and_the_padding_word_is_zero():
    model = MemN2N(Settings(dimension=30), Shape(words=60, slots=20, positions=5))
    model.initialise(np.random.default_rng(0))
    drawn = torch.stack([table[1:].detach() for table in model.tables])
    assert drawn.std().item() == pytest.approx(0.1, rel=0.03)
    assert abs(drawn.mean().item()) < 0.003
    assert all((table[0] == 0).all() for table in model.tables)


def test_masked_attention_is_a_distribution_over_statements_and_attended_leaves_room_for_nothing():
    for empty_slots, whole in (("masked", True), ("attended", False)):
        model = MemN2N(Settings(dimension=4, empty_slots=empty_slots), Shape(words=8, slots=5, positions=3))
        model.initialise(np.random.default_rng(1))
        words = torch.randint(1, 8, (6, 5, 3))
        words[:, 2:] = 0
        batch = Batch(words, torch.arange(5).expand(6, -1), torch.full((6,), 2), torch.randint(1, 8, (6, 3)))
        for step in model.trace(batch).steps:
            told = step.weights[:, :2].sum(dim=-1)
            torch.testing.assert_close(step.weights.sum(dim=-1), torch.ones(6))
            assert torch.allclose(told, torch.ones_like(told)) == whole


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hops", 0),
        ("dimension", 0),
        ("memory_size", 0),
        ("encoding", "letters"),
        ("tying", "loose"),
        ("nonlinearity", "tanh"),
        ("empty_slots", "gone"),
        ("initial_deviation", 0.0),
    ],
)
def test_bad_settings_are_refused_by_name(key, value):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
