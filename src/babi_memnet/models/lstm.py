"""An LSTM without a memory, which reads story and question word by word (Weston et al. 2015, arXiv 1502.05698).

Section 4 of the paper says no more than that. The cell is that of ``nn.LSTM``: Hochreiter & Schmidhuber (1997) with
the forget gate of Gers et al. (2000).

Legend: B batch, M memory slots, J words of the longest sentence, V words, d dimension, L words of the longest text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from babi_memnet.models.drawing import normal, uniform
from babi_memnet.models.network import Batch, Network, Shape, no_padding
from babi_memnet.models.settings import NetworkSettings


@dataclass
class Settings(NetworkSettings):
    """An LSTM (Weston et al. 2015, section 4), which the paper gives no sizes of.

    Attributes:
        dimension: d, the size of a word vector and of the state.
        memory_size: how many of the latest statements are read; ``null`` means all, which takes long stories long.
        initial_deviation: standard deviation of the initial word vectors.
    """

    name: str = "lstm"
    memory_size: int | None = 50
    dimension: int = 50
    initial_deviation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension")
        self.expect_above_zero("initial_deviation")


class LSTM(Network):
    """Reads what was told in the order it was told, then the question; the last state scores the words."""

    settings: Settings
    # torch's own loop over words is several times as fast as one under vmap, and is as long as the longest text only.
    one_by_one = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d = settings.dimension
        self.words = nn.Parameter(torch.zeros(shape.words, d))
        self.lstm = nn.LSTM(d, d, batch_first=True)
        self.output = nn.Linear(d, shape.words)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Normal word vectors; weights from U(-1, 1) / sqrt(d), biases 0.

        The forget gates begin at a bias of 1, so that they begin open (Jozefowicz et al. 2015, section 2.2): gradients
        then reach the beginning of a story.
        """
        d = self.settings.dimension
        self.words.copy_(self.settings.initial_deviation * normal(generator, self.words))
        for name, values in [*self.lstm.named_parameters(), *self.output.named_parameters()]:
            if "bias" in name:
                values.zero_()
            else:
                values.copy_(uniform(generator, values) / math.sqrt(d))
        forget = slice(d, 2 * d)  # gates lie in the order input, forget, cell, output
        self.lstm.get_parameter("bias_ih_l0")[forget] = 1
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vector of the padding word."""
        tensors["words"][0] = 0

    def forward(self, batch: Batch) -> Tensor:
        """The logits [B, V]."""
        words, lengths = in_line(batch)
        states, _ = self.lstm(nn.functional.embedding(words, self.words))  # [B, L, d]
        # Padding comes after all words, so nothing is read of it up to the state after the last one.
        last = (lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, states.shape[-1])
        logits: Tensor = self.output(states.gather(1, last).squeeze(1))
        return no_padding(logits)


def in_line(batch: Batch) -> tuple[Tensor, Tensor]:
    """The words of each story as they were told and then those of its question, [B, L], 0 behind; how many, [B].

    L is at least 1.
    """
    told = (batch.words * batch.told.unsqueeze(-1)).flip(1).flatten(1)  # the latest statement last
    words = torch.cat([told, batch.questions], dim=1)
    lengths = (words > 0).sum(dim=1)
    longest = max(1, int(lengths.max()))
    order = torch.argsort(words == 0, dim=1, stable=True)[:, :longest]  # words before padding
    return words.gather(1, order), lengths
