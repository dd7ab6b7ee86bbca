"""What every network has from its base class: stories without a statement, the default trace, the default loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from babi_memnet.models.network import Batch, Shape, without
from tests.models.examples import Settings, Summing

SHAPE = Shape(words=7, slots=3, positions=2)
# Two stories: three statements told, and one.
BATCH = Batch(
    words=torch.tensor([[[1, 2], [3, 0], [4, 5]], [[6, 0], [0, 0], [0, 0]]]),
    ages=torch.arange(3).expand(2, -1),
    counts=torch.tensor([3, 1]),
    questions=torch.tensor([[2, 0], [5, 6]]),
)


def summing() -> Summing:
    network = Summing(Settings(name=""), SHAPE)
    network.initialise(np.random.default_rng(0))
    return network.requires_grad_(False)


def test_without_a_statement_a_story_closes_up():
    latest = without(BATCH, 0)
    assert latest.words.tolist() == [[[3, 0], [4, 5], [0, 0]], [[0, 0], [0, 0], [0, 0]]]
    assert latest.counts.tolist() == [2, 0]
    middle = without(BATCH, 1)
    assert middle.words.tolist() == [[[1, 2], [4, 5], [0, 0]], [[6, 0], [0, 0], [0, 0]]]
    assert middle.counts.tolist() == [2, 1]
    assert middle.questions.tolist() == BATCH.questions.tolist()


def test_the_default_trace_says_how_far_the_answer_falls_without_each_statement():
    network = summing()
    (step,) = network.trace(BATCH).steps
    assert not step.shares
    assert step.unit == "nats"
    chances = torch.log_softmax(network(BATCH), dim=-1)
    answers = chances.argmax(dim=-1)
    told = {(0, 0): [[3, 0], [4, 5]], (0, 1): [[1, 2], [4, 5]], (0, 2): [[1, 2], [3, 0]], (1, 0): []}
    for (question, slot), words in told.items():
        left = torch.zeros(1, 3, 2, dtype=torch.int64)
        left[0, : len(words)] = torch.tensor(words).view(-1, 2)
        alone = Batch(left, BATCH.ages[:1], torch.tensor([len(words)]), BATCH.questions[question : question + 1])
        less = torch.log_softmax(network(alone), dim=-1)[0, answers[question]]
        expected = (chances[question, answers[question]] - less).item()
        assert step.weights[question, slot].item() == pytest.approx(expected, abs=1e-5)
    assert step.weights[1, 1:].tolist() == [0, 0], "nothing was told there"


def test_the_loss_is_cross_entropy_and_smoothing_spreads_the_target_over_all_answers():
    network, answers = summing(), torch.tensor([3, 1])
    losses, logits = network.loss(BATCH, answers)
    torch.testing.assert_close(losses, torch.nn.functional.cross_entropy(logits, answers, reduction="none"))
    smoothed, _ = network.loss(BATCH, answers, label_smoothing=0.3)
    target = torch.full((2, SHAPE.words - 1), 0.3 / (SHAPE.words - 1))
    target[torch.arange(2), answers - 1] += 0.7
    expected = -(target * torch.log_softmax(logits, dim=-1)[:, 1:]).sum(dim=-1)
    torch.testing.assert_close(smoothed, expected)
