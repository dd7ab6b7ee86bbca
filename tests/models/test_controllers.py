"""Controllers against their equations in loops, and what they do to the networks that they steer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from babi_memnet.errors import RequestError
from babi_memnet.models.controllers import Controller, stop_logs
from babi_memnet.models.memn2n import MemN2N, Settings
from babi_memnet.models.network import Batch, Shape
from babi_memnet.models.settings import ControlledSettings
from babi_memnet.models.writing_memory import Settings as WritingSettings
from babi_memnet.models.writing_memory import WritingMemory

SHAPE = Shape(words=12, slots=5, positions=3)


class Plain(ControlledSettings):
    """Settings of no network."""


def controller(kind: str, **changes: float) -> Controller:
    made = Controller.of(Plain(controller=kind, **changes), 4)
    assert made is not None
    return made


def batch(size: int = 7, seed: int = 3) -> Batch:
    drawn = np.random.default_rng(seed)
    words = torch.from_numpy(drawn.integers(1, SHAPE.words, size=(size, SHAPE.slots, SHAPE.positions)))
    counts = torch.from_numpy(drawn.integers(1, SHAPE.slots + 1, size=size))
    words[torch.arange(SHAPE.slots) >= counts[:, None]] = 0
    questions = torch.from_numpy(drawn.integers(1, SHAPE.words, size=(size, SHAPE.positions)))
    return Batch(words, torch.arange(SHAPE.slots).expand(size, -1), counts, questions)


WILLING = st.lists(st.floats(-6, 6), min_size=1, max_size=6)


@given(WILLING)
@settings(deadline=None)
def test_act_weighs_states_until_the_weights_add_up_to_nearly_one(willing: list[float]):
    """Graves 2016, equations 5 to 10, hop by hop."""
    expected, total = [], 0.0
    for place, logit in enumerate(willing):
        chance = 1 / (1 + np.exp(-logit))
        if total >= 0.99:
            expected.append(0.0)
        elif total + chance >= 0.99 or place == len(willing) - 1:
            expected.append(1 - total)
            total, taken, rest = 1.0, place + 1, 1 - total
        else:
            expected.append(chance)
            total += chance
    logits = torch.tensor(willing, dtype=torch.float64)
    act = controller("act", hop_cost=0.5)
    shares = act.shares(logits, None)
    np.testing.assert_allclose(shares.numpy(), expected, atol=1e-9)
    assert act.cost(logits, shares, None).item() == pytest.approx(0.5 * (taken + rest))


@given(WILLING)
@settings(deadline=None)
def test_the_chances_to_stop_are_those_of_a_walk_that_ends_at_the_last_hop(willing: list[float]):
    expected, passed = [], 1.0
    for place, logit in enumerate(willing):
        chance = 1.0 if place == len(willing) - 1 else 1 / (1 + np.exp(-logit))
        expected.append(passed * chance)
        passed *= 1 - chance
    np.testing.assert_allclose(stop_logs(torch.tensor(willing, dtype=torch.float64)).exp().numpy(), expected, atol=1e-9)


def test_decisions_drawn_come_as_often_as_their_chances_say():
    willing = torch.tensor([-1.0, 0.3, 2.0, -2.0])
    drawn = torch.from_numpy(np.random.default_rng(0).random((40_000, 4)))
    shares = controller("reinforce").shares(willing.expand(40_000, -1), drawn)
    assert (shares.sum(dim=-1) == 1).all()
    np.testing.assert_allclose(shares.mean(dim=0), stop_logs(willing).exp(), atol=0.01)
    assert controller("reinforce").shares(willing, None).tolist() == [0, 1, 0, 0], "the first that is likelier than not"


def test_the_gradient_of_decisions_drawn_is_that_of_the_expected_reward():
    """Over all decisions by their chances, the gradient of what is drawn is that of what is expected."""
    right, costs = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64), 0.1
    made = controller("reinforce", hop_cost=costs, entropy=0.0)
    logits = torch.tensor([-0.5, 0.8, 0.1], dtype=torch.float64, requires_grad=True)
    chances = stop_logs(logits).exp()
    rewards = right - costs * torch.arange(1, 4)
    (expected,) = torch.autograd.grad(-(chances * rewards).sum(), logits)
    each = torch.eye(3, dtype=torch.float64)
    costs_of_each = made.cost(logits.expand(3, -1), each, right.expand(3, -1))
    (found,) = torch.autograd.grad((stop_logs(logits).exp().detach() * costs_of_each).sum(), logits)
    torch.testing.assert_close(found, expected)


def test_undecidedness_is_worth_something():
    even, sure = torch.zeros(2), torch.tensor([9.0, 9.0])
    shares, right = torch.tensor([1.0, 0.0]), torch.ones(2)
    for willing, nats in ((even, np.log(2)), (sure, 0.0)):
        free, valued = (controller("reinforce", hop_cost=0.0, entropy=worth) for worth in (0.0, 1.0))
        gained = free.cost(willing, shares, right) - valued.cost(willing, shares, right)
        assert gained.item() == pytest.approx(nats, abs=2e-3)


@pytest.mark.parametrize("kind", ["act", "reinforce"])
@pytest.mark.parametrize("model", ["memn2n", "writing_memory"])
def test_a_trace_shows_when_it_answered_and_agrees_with_the_answer(kind: str, model: str):
    network = controlled(model, kind)
    asked = batch()
    trace = network.trace(asked)
    torch.testing.assert_close(trace.logits, network.answer_alone(asked))
    hops = [step for step in trace.steps if step.answers is not None]
    memories = 2 if model == "writing_memory" else 1
    assert len(hops) == 3 * memories
    torch.testing.assert_close(sum(step.answers for step in hops), torch.full((7,), float(memories)))
    mixed = sum(step.answers.unsqueeze(-1) * step.state for step in hops)
    torch.testing.assert_close(network.answer_from(mixed), trace.logits)


@pytest.mark.parametrize("kind", ["act", "reinforce"])
@pytest.mark.parametrize("model", ["memn2n", "writing_memory"])
def test_with_the_stop_at_the_last_hop_the_network_is_the_one_without_a_controller(kind: str, model: str):
    network = controlled(model, kind)
    for name, values in network.named_parameters():
        if "controller" in name:
            values.data.fill_(-100.0 if name.endswith("bias") else 0.0)
    fixed = controlled(model, "fixed")
    fixed.load_state_dict({name: values for name, values in network.state_dict().items() if "controller" not in name})
    torch.testing.assert_close(network.answer_alone(batch()), fixed.answer_alone(batch()))


def controlled(model: str, kind: str) -> MemN2N | WritingMemory:
    if model == "memn2n":
        network = MemN2N(Settings(dimension=4, controller=kind, initial_deviation=0.5), SHAPE)
    else:
        small = {"dimension": 8, "head_dimension": 4, "hidden": 16, "hops": 3, "writes": 1}
        network = WritingMemory(WritingSettings(controller=kind, **small), SHAPE)
    network.initialise(np.random.default_rng(1))
    return network.requires_grad_(False)


def test_what_means_nothing_to_a_controller_makes_no_other_request():
    assert Settings(hop_cost=3.0, entropy=2.0).settled(False) == Settings().settled(False)
    assert Settings(controller="act", entropy=2.0).settled(False) == Settings(controller="act").settled(False)
    assert Settings(controller="act", hop_cost=2.0).settled(False) != Settings(controller="act").settled(False)


@pytest.mark.parametrize(("key", "value"), [("controller", "gut"), ("hop_cost", -1.0), ("entropy", -0.1)])
def test_bad_settings_are_refused_by_name(key: str, value: object):
    with pytest.raises(RequestError, match=rf"^model\.{key}={value}: expected "):
        Settings(**{key: value})
