"""The fused kernels compute what the equations say: values and gradients, over shapes, paddings and options."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.kernels import memn2n as fused
from babi_memnet.models.memn2n import Batch, MemN2N
from babi_memnet.models.settings import EMPTY_SLOTS, ENCODINGS, NONLINEARITIES, TYINGS, MemN2NSettings
from babi_memnet.training.engine import fused_networks, fused_stories


def random_questions(generator: np.random.Generator, number: int, slots: int, positions: int, words: int) -> Questions:
    """Questions with stories and sentences of every length, the empty ones included."""
    counts = generator.integers(0, slots + 1, number).astype(np.uint32)
    lengths = generator.integers(0, positions + 1, (number, slots))
    lengths[np.arange(slots) >= counts[:, None]] = 0
    told = generator.integers(1, words, (number, slots, positions))
    told[np.arange(positions) >= lengths[..., None]] = 0
    asked = generator.integers(1, words, (number, positions))
    asked[np.arange(positions) >= generator.integers(0, positions + 1, number)[:, None]] = 0
    return Questions(
        words=told.astype(np.uint16),
        counts=counts,
        questions=asked.astype(np.uint16),
        answers=generator.integers(1, words, number).astype(np.uint32),
        tasks=np.ones(number, dtype=np.int16),
    )


def as_batch(questions: Questions, times: np.ndarray) -> Batch:
    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array.astype(np.int64))[None]

    return Batch(tensor(questions.words), tensor(times), tensor(questions.counts), tensor(questions.questions))


architectures = st.fixed_dictionaries(
    {
        "dimension": st.integers(1, 9),
        "hops": st.integers(1, 4),
        "encoding": st.sampled_from(ENCODINGS),
        "tying": st.sampled_from(TYINGS),
        "nonlinearity": st.sampled_from(NONLINEARITIES),
        "time_encoding": st.booleans(),
        "empty_slots": st.sampled_from(EMPTY_SLOTS),
        "initial_deviation": st.sampled_from([0.1, 0.7]),
    }
)


@settings(max_examples=150, deadline=None)
@given(
    architecture=architectures,
    linear=st.booleans(),
    batch=st.integers(1, 7),
    slots=st.integers(1, 6),
    positions=st.integers(1, 5),
    words=st.integers(2, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_one_step_equals_the_equations(architecture, linear, batch, slots, positions, words, seed):
    generator = np.random.default_rng(seed)
    model = MemN2N(MemN2NSettings(**architecture), 1, words, slots, positions)
    model.initialise(0, generator)
    questions = random_questions(generator, batch, slots, positions, words)
    time_words = model.time_words()
    times = generator.permuted(np.tile(time_words, (batch, 1)), axis=1)
    order = np.arange(batch, dtype=np.uint32)[None]

    answers = model(as_batch(questions, times), linear)
    target = torch.from_numpy(questions.answers.astype(np.int64))
    expected_loss = torch.nn.functional.cross_entropy(answers.logits[0], target, reduction="sum")
    expected_loss.backward()
    before = [values.detach().clone() for values in model.parameters()]
    expected = [values.grad.clone() for values in model.parameters()]
    expected[0][:, :, 0] = 0

    (network,) = fused_networks(model)
    loss, wrong = fused.train_epoch(
        network, fused_stories(questions), order, times[None], linear, np.float32(1), np.float32(1e9)
    )

    assert loss == pytest.approx(expected_loss.item(), rel=1e-4, abs=1e-5)
    for values, start, gradient in zip(model.parameters(), before, expected, strict=True):
        np.testing.assert_allclose(
            (start - values.detach()).numpy(),
            gradient.numpy(),
            rtol=1e-3,
            atol=1e-4 * (1 + gradient.abs().max().item()),
        )
    assert (model.tables[:, :, 0] == 0).all()
    assert 0 <= wrong <= batch


@settings(max_examples=50, deadline=None)
@given(architecture=architectures, linear=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_answers_equal_the_equations_whatever_the_batches(architecture, linear, seed):
    generator = np.random.default_rng(seed)
    model = MemN2N(MemN2NSettings(**architecture), 1, words=11, slots=5, positions=4)
    model.initialise(0, generator)
    questions = random_questions(generator, 13, 5, 4, 11)
    times = np.tile(model.time_words(), (13, 1))
    with torch.no_grad():
        logits = model(as_batch(questions, times), linear).logits[0]
    (network,) = fused_networks(model)
    for batch in (1, 4, 13, 20):
        chosen = fused.answer(network, fused_stories(questions), model.time_words(), linear, batch)
        # Where two words score alike to rounding, either is right.
        best = logits.max(dim=-1).values
        assert torch.allclose(logits[torch.arange(13), torch.from_numpy(chosen.astype(np.int64))], best, atol=1e-5)


def test_adding_padding_changes_nothing():
    generator = np.random.default_rng(3)
    settings_ = MemN2NSettings(dimension=6, empty_slots="masked", encoding="bag_of_words", time_encoding=False)
    small = MemN2N(settings_, 1, words=9, slots=4, positions=3)
    small.initialise(0, generator)
    wide = MemN2N(settings_, 1, words=9, slots=7, positions=5)
    wide.load_state_dict(small.state_dict())
    questions = random_questions(generator, 10, 4, 3, 9)
    padded = Questions(
        words=np.pad(questions.words, ((0, 0), (0, 3), (0, 2))),
        counts=questions.counts,
        questions=np.pad(questions.questions, ((0, 0), (0, 2))),
        answers=questions.answers,
        tasks=questions.tasks,
    )
    with torch.no_grad():
        expected = small(as_batch(questions, np.zeros((10, 4)))).logits
        found = wide(as_batch(padded, np.zeros((10, 7)))).logits
    torch.testing.assert_close(found, expected)
