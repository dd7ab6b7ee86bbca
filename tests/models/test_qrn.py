"""The network against its paper: the recurrence statement by statement, what is nothing to it, what its trace says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from babi_memnet.errors import RequestError
from babi_memnet.models.network import Batch, Shape
from babi_memnet.models.qrn import QueryReduction, Settings

SHAPE = Shape(words=9, slots=5, positions=4)
STORIES = [[[1, 2, 3], [4, 5], [6, 1, 7, 8]], [[3, 8], [2, 2, 1], [5], [7, 1, 4], [6, 2]], [[8, 5, 1]], []]  # as told
QUESTIONS = [[2, 7], [1, 3, 5], [4], [6, 1]]
OPTIONS = [
    {},
    {"layers": 1},
    {"layers": 3, "tied": False},
    {"reset": False},
    {"bidirectional": False},
    {"layers": 3, "answer": "state_and_question", "update_bias": -0.5},
    {"layers": 3, "tied": False, "reset": False, "bidirectional": False},
]


def network(seed: int = 0, **changes: object) -> QueryReduction:
    """A small one whose gates are neither open nor closed."""
    model = QueryReduction(Settings(**{"dimension": 6, "update_bias": 0.5, "initial_deviation": 0.8, **changes}), SHAPE)
    generator = np.random.default_rng(seed)
    model.initialise(generator)
    with torch.no_grad():
        for layer in model.layers:
            for values in (layer.bias, layer.gates, layer.gate_bias):
                values.copy_(torch.from_numpy(generator.standard_normal(tuple(values.shape))))
    return model


def asked(stories: list[list[list[int]]], questions: list[list[int]], slots: int = SHAPE.slots) -> Batch:
    """Stories as they are told, as a batch."""
    words = torch.zeros(len(stories), slots, SHAPE.positions, dtype=torch.int64)
    for place, story in enumerate(stories):
        for slot, statement in enumerate(reversed(story)):
            words[place, slot, : len(statement)] = torch.tensor(statement)
    padded = torch.tensor([question + [0] * (SHAPE.positions - len(question)) for question in questions])
    counts = torch.tensor([len(story) for story in stories])
    return Batch(words, torch.arange(slots).expand(len(stories), -1), counts, padded)


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def plain_answer(model: QueryReduction, story: list[list[int]], question: list[int]) -> np.ndarray:
    """Logits for one question: section 2 of the paper, one statement after another, without any reordering."""
    settings, d, longest = model.settings, model.settings.dimension, SHAPE.positions
    value = {name: values.detach().numpy().astype(float) for name, values in model.named_parameters()}

    def embed(words: list[int]) -> np.ndarray:
        vector = np.zeros(d)
        for j, word in enumerate(words, start=1):
            for k in range(1, d + 1):
                weight = (1 - j / longest) - (k / d) * (1 - 2 * j / longest)
                vector[k - 1] += weight * value["words"][word, k - 1]
        return vector

    x, q = [embed(statement) for statement in story], embed(question)
    queries, state = [q] * len(x), np.zeros(d)
    for layer in range(settings.layers):
        own = {name: value[f"layers.{0 if settings.tied else layer}.{name}"] for name in
               ("statement", "query", "bias", "gates", "gate_bias")}  # fmt: skip
        matched = [own["gates"] @ (x[t] * queries[t]) + own["gate_bias"] for t in range(len(x))]
        z = [sigmoid(match[0] - settings.update_bias) for match in matched]
        c = [np.tanh(own["statement"] @ x[t] + own["query"] @ queries[t] + own["bias"]) for t in range(len(x))]
        state = np.zeros(d)
        for t in range(len(x)):
            state = z[t] * c[t] + (1 - z[t]) * state
        if layer + 1 == settings.layers:
            break
        queries = [np.zeros(d) for _ in x]
        ways = [range(len(x)), reversed(range(len(x)))] if settings.bidirectional else [range(len(x))]
        for direction, way in enumerate(ways, start=1):
            h = np.zeros(d)
            for t in way:
                r = sigmoid(matched[t][direction]) if settings.reset else 1.0
                h = z[t] * r * c[t] + (1 - z[t]) * h
                queries[t] = queries[t] + h
    return value["answers"] @ (np.concatenate([state, q]) if settings.answer == "state_and_question" else state)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_network_computes_the_equations_of_the_paper(options: dict[str, object]):
    model = network(**options)
    logits = model(asked(STORIES, QUESTIONS)).detach().numpy()
    for found, story, question in zip(logits, STORIES, QUESTIONS, strict=True):
        assert found[0] == -np.inf, "padding is no answer"
        np.testing.assert_allclose(found[1:], plain_answer(model, story, question)[1:], rtol=1e-4, atol=1e-5)


def test_gates_that_are_wide_open_or_shut_have_finite_gradients():
    """Where z is 0 or 1 to the last digit, the log of 1 - z must not be taken of what is left of it."""
    model = network()
    for bias in (-1e4, 1e4):
        with torch.no_grad():
            model.layers[0].gate_bias.fill_(bias)
        model.zero_grad()
        model.loss(asked(STORIES, QUESTIONS), torch.tensor([1, 2, 3, 4])).losses.sum().backward()
        for name, values in model.named_parameters():
            assert torch.isfinite(values.grad).all(), name
    state = model.read(asked(STORIES, QUESTIONS)).layers[-1]
    torch.testing.assert_close(state.last()[:3], torch.eye(5)[:1].expand(3, -1), msg="the latest statement is all")


@pytest.mark.parametrize("options", OPTIONS)
def test_empty_slots_and_what_stands_in_them_change_no_answer(options: dict[str, object]):
    model, batch = network(**options), asked(STORIES, QUESTIONS)
    before = model(batch)
    torch.testing.assert_close(model(asked(STORIES, QUESTIONS, slots=9)), before)
    empty = torch.where(batch.told.unsqueeze(-1), batch.words, 3)
    torch.testing.assert_close(model(batch._replace(words=empty)), before)
    torch.testing.assert_close(model(batch._replace(ages=batch.ages + 3)), before, msg="it has no time words")


def test_a_question_without_a_story_is_answered_by_itself_at_most():
    batch = asked([[], []], [[1, 2], [3]])
    silent = network()(batch)
    assert (silent[:, 1:] == 0).all(), "h is 0 before the first statement"
    hearing = network(answer="state_and_question")(batch)
    assert not torch.allclose(hearing[0, 1:], hearing[1, 1:])


def test_order_matters_and_both_directions_do():
    """What is told later can change how an earlier statement is met only if the story is told backwards, too."""
    story = [[1, 2], [3, 4], [5, 6]]
    for bidirectional in (True, False):
        model = network(bidirectional=bidirectional)
        (one,) = model.read(asked([story], [[7]])).heard
        (other,) = model.read(asked([[*story[:2], [8]]], [[7]])).heard
        same = torch.allclose(one[0, 2], other[0, 2]) and torch.allclose(one[0, 2, 1:], other[0, 2, 1:])
        assert same != bidirectional
    model = network()
    assert not torch.allclose(model(asked([story], [[7]])), model(asked([story[::-1]], [[7]])))


def test_initial_values_follow_the_released_code_and_the_padding_word_is_zero():
    model = QueryReduction(Settings(dimension=64, tied=False, layers=3), Shape(words=200, slots=5, positions=5))
    model.initialise(np.random.default_rng(0))
    assert (model.words[0] == 0).all()
    drawn = [(model.words[1:], 1.0), (model.answers, 1 / 8)]
    for layer, gates in zip(model.layers, (3, 3, 1), strict=True):
        assert layer.gates.shape == (gates, 64), "the last layer resets nothing"
        drawn += [(layer.statement, 128**-0.5), (layer.query, 128**-0.5), (layer.gates, 1.0)]
        assert not layer.bias.any()
        assert not layer.gate_bias.any()
    for values, deviation in drawn:
        assert values.std().item() == pytest.approx(deviation, rel=0.02 if values.numel() > 1000 else 0.15)
        assert 0.9 < values.abs().max().item() / (3**0.5 * deviation) <= 1


def test_tied_layers_are_one():
    untied = network(layers=3, tied=False)
    tied = network(layers=3)
    assert len(tied.layers) == 1
    with torch.no_grad():
        for values in (untied.words, untied.answers):
            values.copy_(tied.get_parameter("words" if values is untied.words else "answers"))
        for layer in untied.layers:
            for name, values in layer.named_parameters():
                values.copy_(tied.layers[0].get_parameter(name)[: len(values)])
    batch = asked(STORIES, QUESTIONS)
    torch.testing.assert_close(untied(batch), tied(batch))


@pytest.mark.parametrize("options", OPTIONS)
def test_the_trace_is_the_way_to_the_answer(options: dict[str, object]):
    model, batch = network(**options), asked(STORIES, QUESTIONS)
    trace, layers = model.trace(batch), model.settings.layers
    torch.testing.assert_close(trace.logits, model(batch))
    shares = trace.steps[:layers]
    assert [step.name for step in shares] == [f"layer {number}" for number in range(1, layers + 1)]
    told = torch.nn.functional.pad(batch.told, (0, 1), value=True)  # the last is no statement
    for step in shares:
        torch.testing.assert_close(step.weights.sum(dim=-1), torch.ones(4))
        assert (step.weights >= 0).all()
        assert not step.weights[~told].any()
    torch.testing.assert_close(shares[-1].state @ model.answer_vectors()[1:].T, trace.logits[:, 1:])


def test_the_last_shares_are_how_much_of_each_statement_is_in_the_state():
    """To be seen where each statement makes another candidate: the state is their sum with these weights."""
    model = network(layers=1)
    story, question = STORIES[1], QUESTIONS[1]
    step = model.trace(asked([story], [question])).steps[0]
    (reduction,) = model.read(asked([story], [question])).layers
    shares = [1.0] * len(story)
    for t, z in enumerate(reduction.update[0].flip(0).tolist()):  # as told
        shares = [share * (1 - z) if s < t else share * z if s == t else share for s, share in enumerate(shares)]
    torch.testing.assert_close(step.weights[0, :5].flip(0), torch.tensor(shares))
    assert step.weights[0, 5].item() == pytest.approx(1 - sum(shares), abs=1e-5)


def test_shares_of_the_first_layer_are_of_what_the_second_read():
    """Gates set by hand: statements with word 1 are read by the first layer, those with word 2 by the second."""
    model = network(reset=False)
    story = [[1, 4], [3, 5], [2, 6], [3, 7]]

    def reduction(update: list[float], candidates: Tensor) -> object:
        z = torch.tensor([[*update[::-1], 0.0]])
        return type(model.read(asked([story], [[8]])).layers[0])(candidates, z, torch.log1p(-z), [z, z])

    candidates = torch.randn(1, 5, 6)
    first, second = reduction([0.9, 0, 0, 0], candidates), reduction([0, 0, 0.8, 0.5], candidates)
    heard = first.heard()[0].flip((0, 1))[1:, 1:]  # as told
    expected = torch.tensor([[1.8, 0, 0, 0], [0.9, 0, 0, 0], [0.9, 0, 0, 0], [0.9, 0, 0, 0]])
    torch.testing.assert_close(heard, expected, msg="it is heard twice where it is told, and forwards from then on")
    torch.testing.assert_close(second.last()[0].flip(0)[1:], torch.tensor([0, 0, 0.4, 0.5]))


@pytest.mark.parametrize(
    ("key", "value"),
    [("layers", 0), ("dimension", 0), ("memory_size", 0), ("answer", "nothing"), ("initial_deviation", 0.0)],
)
def test_bad_settings_are_refused_by_name(key: str, value: object):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
