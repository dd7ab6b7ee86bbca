"""Optimizers on stacked restarts do to each what torch's own do to it alone; gradients are clipped apart."""

from __future__ import annotations

import pytest
import torch

from babi_memnet.training.optimizer import Optimizer, clip
from babi_memnet.training.settings import TrainingSettings

SHAPES = {"table": (4, 3), "bias": (3,), "scale": ()}


def drawn(restarts: int) -> dict[str, torch.Tensor]:
    return {name: torch.randn(restarts, *shape) for name, shape in SHAPES.items()}


@pytest.mark.parametrize(
    ("changes", "alone"),
    [
        ({}, lambda values: torch.optim.SGD(values, lr=0.1)),
        ({"optimizer": "adam"}, lambda values: torch.optim.Adam(values, lr=0.1)),
        ({"optimizer": "adam", "weight_decay": 0.2}, lambda values: torch.optim.Adam(values, lr=0.1, weight_decay=0.2)),
        (
            {"optimizer": "adamw", "weight_decay": 0.2, "beta1": 0.8, "beta2": 0.9},
            lambda values: torch.optim.AdamW(values, lr=0.1, weight_decay=0.2, betas=(0.8, 0.9)),
        ),
        ({"optimizer": "adagrad"}, lambda values: torch.optim.Adagrad(values, lr=0.1)),
        (
            {"optimizer": "adagrad", "initial_accumulator": 0.5, "weight_decay": 0.2},
            lambda values: torch.optim.Adagrad(values, lr=0.1, initial_accumulator_value=0.5, weight_decay=0.2),
        ),
    ],
)
def test_each_restart_moves_as_it_would_alone(changes, alone):
    torch.manual_seed(0)
    stacked = drawn(3)
    single = [torch.nn.Parameter(values[1].clone()) for values in stacked.values()]
    optimizer, reference = Optimizer(stacked, TrainingSettings(gradient_norm=None, **changes)), alone(single)
    for _ in range(4):
        gradients = drawn(3)
        for parameter, gradient in zip(single, gradients.values(), strict=True):
            parameter.grad = gradient[1].clone()
        optimizer.step(gradients, 0.1)
        reference.step()
    for values, parameter in zip(stacked.values(), single, strict=True):
        torch.testing.assert_close(values[1], parameter.detach())


def test_decay_can_be_for_matrices_alone():
    torch.manual_seed(0)
    stacked = drawn(2)
    before = {name: values.clone() for name, values in stacked.items()}
    settings = TrainingSettings(optimizer="adamw", weight_decay=0.5, weight_decay_on="matrices", gradient_norm=None)
    Optimizer(stacked, settings).step({name: torch.zeros_like(values) for name, values in stacked.items()}, 0.1)
    torch.testing.assert_close(stacked["table"], before["table"] * (1 - 0.1 * 0.5))
    assert torch.equal(stacked["bias"], before["bias"])
    assert torch.equal(stacked["scale"], before["scale"])


def test_norms_are_of_one_restart_and_of_one_tensor_or_all():
    torch.manual_seed(0)
    gradients = drawn(3)
    gradients["table"][1] *= 1000
    whole = {name: values.clone() for name, values in gradients.items()}
    clip(gradients, 1.5, over_all=False)
    for restart in range(3):
        for name, values in gradients.items():
            norm = whole[name][restart].norm()
            torch.testing.assert_close(values[restart], whole[name][restart] * min(1, 1.5 / norm))
    gradients = {name: values.clone() for name, values in whole.items()}
    clip(gradients, 1.5, over_all=True)
    for restart in range(3):
        norm = torch.cat([values[restart].flatten() for values in whole.values()]).norm()
        for name, values in gradients.items():
            torch.testing.assert_close(values[restart], whole[name][restart] * min(1, 1.5 / norm))


def test_a_gradient_of_zero_stays_zero():
    gradients = {"table": torch.zeros(2, 3)}
    clip(gradients, 1.0, over_all=False)
    assert torch.equal(gradients["table"], torch.zeros(2, 3))
