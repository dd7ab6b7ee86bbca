"""The running mean of parameters, which is measured in place of them (Polyak & Juditsky 1992, with forgetting)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_PREFIX = "average"


class Average:
    """A mean over the steps of training, of each restart by itself.

    Attributes:
        values: the mean of every parameter, [R, ...].
    """

    def __init__(self, parameters: Mapping[str, Tensor], kept: float) -> None:
        """``kept`` is the share of the mean that each step keeps, once there have been 1 / (1 - kept) steps."""
        self._parameters, self._kept = parameters, kept
        self.values = {name: values.clone() for name, values in parameters.items()}
        restarts = len(next(iter(parameters.values())))
        self._steps = torch.zeros(restarts, dtype=torch.float64)

    @torch.no_grad()
    def step(self, places: Tensor | None = None) -> None:
        """The parameters of the restarts at ``places``, None for all, have made a step."""
        moved = torch.zeros_like(self._steps, dtype=torch.bool)
        moved[slice(None) if places is None else places.cpu()] = True
        self._steps += moved
        # Before there have been many steps it is the plain mean of all.
        share = torch.clamp(1 / self._steps.clamp(min=1), min=1 - self._kept) * moved
        for name, mean in self.values.items():
            values = self._parameters[name]
            mean.lerp_(values, share.to(values).reshape(-1, *[1] * (values.dim() - 1)))

    @torch.no_grad()
    def take_over(self) -> None:
        """Put the parameters to their mean, in place."""
        for name, mean in self.values.items():
            self._parameters[name].copy_(mean)

    def tensors(self) -> dict[str, Tensor]:
        """All that `restore` needs."""
        return {f"{_PREFIX}/{name}": values for name, values in self.values.items()} | {f"{_PREFIX}/": self._steps}

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> bool:
        """Go back to what `tensors` gave; whether it is there."""
        if f"{_PREFIX}/" not in tensors:
            return False
        for name, mean in self.values.items():
            mean.copy_(tensors[f"{_PREFIX}/{name}"])
        self._steps.copy_(tensors[f"{_PREFIX}/"])
        return True
