"""Small networks that use what MemN2N does not: random numbers, torch's own modules, a loss of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.network import Batch, Network, Objective, Shape, no_padding
from babi_memnet.models.settings import NetworkSettings


@dataclass
class Settings(NetworkSettings):
    """Settings of all of them."""

    dimension: int = 6


class Summing(Network):
    """Sums the words of story and question, some of them dropped while it is trained; scores the words by the sum."""

    keep = 0.75

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        self.noise = shape.slots
        self.words = nn.Parameter(torch.zeros(shape.words, settings.dimension))
        self.bias = nn.Parameter(torch.zeros(shape.words))
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("fixed", torch.zeros(settings.dimension))

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Normal values, in a buffer too."""
        for values in (self.words, self.fixed):
            values.copy_(torch.from_numpy(generator.standard_normal(tuple(values.shape), dtype=np.float32)))

    def forward(self, batch: Batch) -> Tensor:
        """Logits."""
        told = functional.embedding(batch.words, self.words).sum(dim=-2)  # [B, M, d]
        if batch.noise is not None:
            told = told * (batch.noise < self.keep).unsqueeze(-1) / self.keep
        state = told.sum(dim=1) + functional.embedding(batch.questions, self.words).sum(dim=1) + self.fixed
        logits = self.scale * (state @ self.words.T) + self.bias
        return no_padding(logits)

    def hold(self, tensors: dict[str, Tensor]) -> None:
        """Padding."""
        tensors["words"][0] = 0
        tensors["bias"][0] = 0


class Recurrent(Network):
    """Reads story and question word by word with torch's own LSTM and dropout."""

    one_by_one = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        self.embedding = nn.Embedding(shape.words, settings.dimension)
        self.lstm = nn.LSTM(settings.dimension, settings.dimension, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(settings.dimension, shape.words)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Normal values."""
        for values in self.parameters():
            drawn = generator.standard_normal(tuple(values.shape), dtype=np.float32)
            values.copy_(torch.from_numpy(0.3 * drawn))

    def forward(self, batch: Batch) -> Tensor:
        """Logits."""
        story = batch.words.flip(1).flatten(1)
        words = self.embedding(torch.cat([story, batch.questions], dim=1))
        _, (last, _) = self.lstm(self.dropout(words))
        logits = self.output(last[-1])
        return no_padding(logits)


class Penalised(Summing):
    """Makes its own loss: cross entropy and the size of its logits."""

    def loss(self, batch: Batch, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """Cross entropy and a penalty."""
        losses, logits = super().loss(batch, answers, label_smoothing)
        return Objective(losses + 0.01 * logits[:, 1:].square().sum(dim=-1), logits)


class Frozen(Summing):
    """Does not learn its word vectors; a second name of the bias is no second parameter."""

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        self.words.requires_grad_(False)
        self.same_bias = self.bias
