"""Gated end-to-end memory network (Liu, Perez 2016, arXiv 1610.04211): MemN2N whose hops may leave the state alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from babi_memnet.models.drawing import normal
from babi_memnet.models.memn2n import MemN2N, Walk
from babi_memnet.models.network import Shape
from babi_memnet.models.networks import settings_class


@dataclass
class Settings(settings_class("memn2n")):  # type: ignore[misc]
    """A gated end-to-end memory network (Liu, Perez 2016, arXiv 1610.04211); all but its gates is MemN2N's.

    Attributes:
        gates: whether each hop has a gate of its own (``per_hop``) or all have one (``shared``).
    """

    name: str = "gated_memn2n"
    gates: str = "per_hop"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_one_of("gates", ("per_hop", "shared"))

    def described(self) -> str:
        """As of MemN2N, with the gates."""
        return f"{super().described()}, gates {self.gates.replace('_', ' ')}"


class GatedMemN2N(MemN2N):
    """Besides the parameters of MemN2N ``gate_weights``, W_T [d, d] of each gate, and ``gate_biases``, b_T [d]."""

    settings: Settings

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d, count = settings.dimension, settings.hops if settings.gates == "per_hop" else 1
        self.gate_weights = nn.ParameterList([torch.zeros(d, d) for _ in range(count)])
        self.gate_biases = nn.ParameterList([torch.zeros(d) for _ in range(count)])

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """All but the biases of the gates, which are zero, from N(0, initial_deviation^2)."""
        super().initialise(generator)
        for values in self.gate_weights:
            values.copy_(normal(generator, values) * self.settings.initial_deviation)

    def updated(self, hop: int, state: Tensor, read: Tensor) -> Tensor:
        """u(k+1) = o(k) * T(u(k)) + u(k) * (1 - T(u(k))) (section 3); layer-wise with H u(k) for what is kept."""
        gate = self.gate(hop, state)
        kept = state if self.hop_map is None else state @ self.hop_map.T
        updated = read * gate + kept * (1 - gate)
        return torch.relu(updated) if self.settings.nonlinearity == "relu" else updated

    def gate(self, hop: int, state: Tensor) -> Tensor:
        """T(u) = sigmoid(W_T u + b_T), [B, d]: what share of the new state is what was read."""
        place = hop if self.settings.gates == "per_hop" else 0
        return torch.sigmoid(state @ self.gate_weights[place].T + self.gate_biases[place])

    def numbers(self, hop: int, walk: Walk) -> tuple[tuple[str, Tensor], ...]:
        """How far the gate was open; a dense layer answers from what was read last, whatever the gate says."""
        if self.dense is not None and hop + 1 == self.settings.hops:
            return ()
        return (
            ("share of the state that is taken from what was read", self.gate(hop, walk.carried[hop]).mean(dim=-1)),
        )
