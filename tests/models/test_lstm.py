"""The LSTM against its equations in a loop over words, and what it may not notice: padding and others."""

from __future__ import annotations

import numpy as np
import torch

from babi_memnet.models.lstm import LSTM, Settings, in_line
from babi_memnet.models.network import Batch, Shape, without

SHAPE = Shape(words=12, slots=4, positions=3)


def network() -> LSTM:
    model = LSTM(Settings(dimension=5, initial_deviation=0.8), SHAPE)
    model.initialise(np.random.default_rng(3))
    return model


def batch_of(*asked: tuple[list[list[int]], list[int]], slots: int = 4, positions: int = 3) -> Batch:
    """Stories, the earliest statement first, with a question each."""
    words, questions = np.zeros((len(asked), slots, positions), int), np.zeros((len(asked), positions), int)
    for place, (story, question) in enumerate(asked):
        for slot, statement in enumerate(reversed(story)):
            words[place, slot, : len(statement)] = statement
        questions[place, : len(question)] = question
    counts = torch.tensor([len(story) for story, _ in asked])
    return Batch(
        torch.from_numpy(words), torch.arange(slots).expand(len(asked), -1), counts, torch.from_numpy(questions)
    )


LONG = ([[1, 2, 3], [4], [5, 6], [7, 8, 2]], [9, 10, 11])
SHORT = ([[6, 2]], [3])
NOTHING: tuple[list[list[int]], list[int]] = ([], [4])


def plain_answer(model: LSTM, words: list[int]) -> np.ndarray:
    """Logits after reading the words one by one."""
    values = {name: tensor.detach().numpy().astype(float) for name, tensor in model.named_parameters()}
    d = model.settings.dimension
    bias = values["lstm.bias_ih_l0"] + values["lstm.bias_hh_l0"]
    h = c = np.zeros(d)
    for word in words:
        inner = values["lstm.weight_ih_l0"] @ values["words"][word] + values["lstm.weight_hh_l0"] @ h + bias
        i, f, o = (1 / (1 + np.exp(-inner[place * d : (place + 1) * d])) for place in (0, 1, 3))
        c = f * c + i * np.tanh(inner[2 * d : 3 * d])
        h = o * np.tanh(c)
    return values["output.weight"] @ h + values["output.bias"]


def test_the_story_is_read_as_it_was_told_and_then_the_question():
    words, lengths = in_line(batch_of(LONG, SHORT, NOTHING))
    assert words.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 10, 11], [6, 2, 3, *[0] * 9], [4, *[0] * 11]]
    assert lengths.tolist() == [12, 3, 1]


def test_the_network_computes_the_equations():
    model, asked = network(), (LONG, SHORT, NOTHING)
    logits = model(batch_of(*asked)).detach().numpy()
    for found, (story, question) in zip(logits, asked, strict=True):
        expected = plain_answer(model, [word for sentence in (*story, question) for word in sentence])
        assert found[0] == -np.inf, "padding is no answer"
        np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-4, atol=1e-5)


def test_neither_padding_nor_others_nor_what_lies_in_empty_slots_change_an_answer():
    model = network()
    alone = model(batch_of(SHORT))
    torch.testing.assert_close(model(batch_of(LONG, SHORT))[1:], alone)
    torch.testing.assert_close(model(batch_of(SHORT, slots=6, positions=7)), alone)
    dirty = batch_of(SHORT)
    dirty.words[0, 1:] = 5
    torch.testing.assert_close(model(dirty), alone)
    torch.testing.assert_close(model(batch_of(LONG))[0], model(batch_of(LONG, SHORT))[0])


def test_the_order_of_the_statements_matters():
    model = network()
    swapped = ([*LONG[0][1:], LONG[0][0]], LONG[1])
    assert not torch.allclose(model(batch_of(LONG)), model(batch_of(swapped)))


def test_the_trace_says_what_the_answer_owes_to_each_statement():
    model, batch = network(), batch_of(LONG)
    trace = model.trace(batch)
    torch.testing.assert_close(trace.logits, model(batch))
    chances = [torch.log_softmax(model(one), dim=-1)[0] for one in (batch, without(batch, 1))]
    answer = int(trace.logits.argmax())
    torch.testing.assert_close(trace.steps[0].weights[0, 1], chances[0][answer] - chances[1][answer])


def test_gates_begin_open_and_padding_at_zero():
    model = network()
    assert (model.lstm.bias_ih_l0[5:10] == 1).all()
    assert not model.words[0].any()
