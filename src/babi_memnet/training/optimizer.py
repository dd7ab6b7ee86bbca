"""One step of learning for all restarts: their gradients are clipped apart, and torch.optim does the rest.

Parameters have the restarts as first axis, [R, ...]. The optimizers are elementwise, so what they do to a restart is
what they would do to it alone; norms are taken of each restart by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, optim

from babi_memnet.training.settings import TrainingSettings

_STATE = "optimizer"


class Optimizer:
    """An optimizer of torch on stacked parameters."""

    def __init__(self, parameters: Mapping[str, Tensor], settings: TrainingSettings) -> None:
        """``parameters`` are updated in place by `step`."""
        self._parameters, self._settings = dict(parameters), settings

        def is_decayed(values: Tensor) -> bool:
            return settings.weight_decay_on == "all" or values.dim() > 2  # the first axis is that of the restarts

        decayed = [values for values in parameters.values() if is_decayed(values)]
        others = [values for values in parameters.values() if not is_decayed(values)]
        groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
        self._optimizer = _made(settings, [group for group in groups if group["params"]])

    @torch.no_grad()
    def step(self, gradients: Mapping[str, Tensor], rate: float, places: Tensor | None = None) -> None:
        """Clip the gradients, in place, and move against them.

        ``places`` are the restarts that they are of, None for all; the others, and what is kept of them from step to
        step, stay as they are.
        """
        if self._settings.gradient_norm is not None:
            clip(gradients, self._settings.gradient_norm, over_all=self._settings.clip == "over_all")
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if places is None:
            self._move(gradients)
            return
        # Restarts that sit it out have no gradient here, but would be moved by momentum and decay all the same.
        whole = {
            name: torch.zeros_like(values).index_copy_(0, places, gradients[name])
            for name, values in self._parameters.items()
        }
        stacked = self._stacked()
        earlier = [values.clone() for values in stacked]
        self._move(whole)
        for values, before in zip(stacked, earlier, strict=True):
            values.copy_(before.index_copy_(0, places, values[places]))

    def _move(self, gradients: Mapping[str, Tensor]) -> None:
        for name, values in self._parameters.items():
            values.grad = gradients[name]
        self._optimizer.step()

    def _stacked(self) -> list[Tensor]:
        """Parameters and state, without what is one for all restarts: the number of steps."""
        state = [value for value in self.tensors().values() if value.dim() > 0]
        return [*self._parameters.values(), *state]

    def tensors(self) -> dict[str, Tensor]:
        """Its state, such as the moments of Adam, by ``optimizer/KIND/PARAMETER``."""
        return {
            f"{_STATE}/{kind}/{name}": value
            for name, values in self._parameters.items()
            for kind, value in self._optimizer.state.get(values, {}).items()
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to the state that `tensors` gave."""
        for key, value in tensors.items():
            if key.startswith(f"{_STATE}/"):
                _, kind, name = key.split("/", 2)
                values = self._parameters[name]
                # What is one number, the count of steps, stays where torch has it.
                self._optimizer.state[values][kind] = value.clone().to(values.device if value.dim() else "cpu")


def clip(gradients: Mapping[str, Tensor], largest: float, over_all: bool) -> None:
    """Shorten gradients [R, ...] in place so that no norm is larger, per tensor or over all, of each restart."""
    squares = {name: values.reshape(len(values), -1).square().sum(dim=1) for name, values in gradients.items()}
    if over_all:
        squares = dict.fromkeys(squares, torch.stack(list(squares.values())).sum(dim=0))
    for name, values in gradients.items():
        shorter = (largest / squares[name].sqrt()).clamp(max=1)  # [R]
        values.mul_(shorter.view(-1, *[1] * (values.dim() - 1)))


def _made(settings: TrainingSettings, groups: list[dict[str, Any]]) -> optim.Optimizer:
    if settings.optimizer == "sgd":
        return optim.SGD(groups, lr=settings.learning_rate)
    if settings.optimizer == "adagrad":
        return optim.Adagrad(groups, lr=settings.learning_rate, initial_accumulator_value=settings.initial_accumulator)
    kind = optim.AdamW if settings.optimizer == "adamw" else optim.Adam
    return kind(groups, lr=settings.learning_rate, betas=(settings.beta1, settings.beta2))
