"""MemN2N beyond its paper: memories that are written while they are read, and answers through a dense layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.models.kernels import kernel_of
from babi_memnet.models.memn2n import MemN2N, Settings
from babi_memnet.models.network import Batch
from tests.models.test_controllers import SHAPE, batch


def network(**changes: object) -> MemN2N:
    model = MemN2N(Settings(dimension=4, initial_deviation=0.6, **changes), SHAPE)
    model.initialise(np.random.default_rng(2))
    return model.requires_grad_(False)


def plain_logits(model: MemN2N, asked: Batch, place: int) -> np.ndarray:
    """The answer to one question, slot by slot."""
    settings, tying = model.settings, model.tying
    weights = (1 + model.position_factor[:, None] * model.dimension_factor).numpy()
    count = int(asked.counts[place])

    def embed(table: int, words: list[int]) -> np.ndarray:
        rows = model.tables[table].numpy()
        return sum(weights[position] * rows[word] for position, word in words)

    def slot(table: int, m: int) -> np.ndarray:
        words = list(enumerate(asked.words[place, m].tolist()))
        return embed(table, [*words, (SHAPE.positions, SHAPE.words + m)])

    question = u = embed(tying.question, list(enumerate(asked.questions[place].tolist())))
    written = np.zeros((SHAPE.slots, settings.dimension))
    for hop in range(settings.hops):
        told = [m < count for m in range(SHAPE.slots)]
        m_i = [(slot(tying.input[hop], m) + written[m]) * told[m] for m in range(SHAPE.slots)]
        c_i = [(slot(tying.output[hop], m) + written[m]) * told[m] for m in range(SHAPE.slots)]
        scores = np.array([u @ m for m in m_i])
        p = np.exp(scores) / np.exp(scores).sum()
        o = sum(share * c for share, c in zip(p, c_i, strict=True))
        for m in range(count):
            if settings.write == "add":
                written[m] += p[m] * o
            elif settings.write == "gated":
                written[m] += o / (1 + np.exp(-(c_i[m] @ model.gate_map.numpy() @ o + model.gate_bias.item())))
        u = u + o
    if settings.answer == "concatenated":
        return model.dense.numpy() @ np.concatenate([o, question])
    return model.tables[tying.answer].numpy() @ u


@pytest.mark.parametrize("tying", ["adjacent", "untied"])
@pytest.mark.parametrize("answer", ["sum", "concatenated"])
@pytest.mark.parametrize("write", ["none", "add", "gated"])
def test_slots_take_up_what_was_read(write: str, answer: str, tying: str):
    model, asked = network(write=write, answer=answer, tying=tying), batch()
    logits = model(asked).numpy()
    for place in range(len(logits)):
        np.testing.assert_allclose(logits[place, 1:], plain_logits(model, asked, place)[1:], rtol=1e-4, atol=1e-5)


def test_a_write_changes_what_is_read_later_and_the_gates_are_shown():
    asked = batch()
    plain, written = network(), network(write="gated")
    written.load_state_dict(plain.state_dict(), strict=False)
    first, second = plain.trace(asked), written.trace(asked)
    torch.testing.assert_close(first.steps[0].weights, second.steps[0].weights)
    assert [step.name for step in second.steps] == ["hop 1", "write 1", "hop 2", "write 2", "hop 3"]
    assert not torch.allclose(first.steps[1].weights, second.steps[2].weights)
    gates = second.steps[1].weights
    assert ((gates > 0) == asked.told).all()
    assert (gates < 1).all()


def test_nothing_is_written_in_the_linear_start():
    asked, plain, written = batch(), network(), network(write="add")
    written.load_state_dict(plain.state_dict())
    plain.linear = written.linear = True
    torch.testing.assert_close(plain(asked), written(asked))


def test_a_dense_layer_takes_the_place_of_the_answer_table():
    assert len(network(tying="layerwise").tables) - len(network(tying="layerwise", answer="concatenated").tables) == 1
    assert network(answer="concatenated").other_answers() == []
    assert network(answer="concatenated").answer_vectors().shape == (SHAPE.words, 8)


@pytest.mark.parametrize("changes", [{"write": "add"}, {"answer": "concatenated"}, {"controller": "act"}])
def test_kernels_know_none_of_this(changes: dict[str, str]):
    assert kernel_of(network()) is not None
    assert kernel_of(network(**changes)) is None
