"""A MemN2N as one usually finds it: ``nn.Embedding`` for every table, one restart at a time.

Written for comparison only. It computes the same network and schedule as the project's own, in the style of most public
ports: embed every word of every statement, weigh, sum, attend; ``torch.optim.SGD``; clip; one model after another.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.encoding.questions import Questions


class PlainMemN2N(nn.Module):
    """Adjacent tying, position encoding, one embedding vector of time per slot and table."""

    def __init__(self, words: int, slots: int, positions: int, dimension: int, hops: int) -> None:
        super().__init__()
        self.hops = hops
        self.tables = nn.ModuleList(nn.Embedding(words, dimension, padding_idx=0) for _ in range(hops + 1))
        self.times = nn.ParameterList(torch.randn(slots, dimension) * 0.1 for _ in range(hops + 1))
        for table in self.tables:
            nn.init.normal_(table.weight, 0, 0.1)
        i = torch.arange(1, dimension + 1).float()
        j = torch.arange(1, positions + 2).float()
        factors = (i - (dimension + 1) / 2)[None] * (j - (positions + 2) / 2)[:, None]
        self.register_buffer("encoding", 1 + 4 * factors / (dimension * (positions + 1)))

    def forward(self, story: Tensor, told: Tensor, question: Tensor, linear: bool) -> Tensor:
        """Logits [B, V] of questions [B, J] after stories [B, M, J]; told [B, M] marks the slots in use."""
        state = (self.tables[0](question) * self.encoding[:-1]).sum(1)
        for hop in range(self.hops):
            inputs = self._memory(hop, story, told)
            outputs = self._memory(hop + 1, story, told)
            scores = (inputs * state.unsqueeze(1)).sum(2)
            attention = scores if linear else functional.softmax(scores, dim=1)
            state = state + (outputs * attention.unsqueeze(2)).sum(1)
        return state @ self.tables[-1].weight.t()

    def _memory(self, table: int, story: Tensor, told: Tensor) -> Tensor:
        sentences = (self.tables[table](story) * self.encoding[:-1]).sum(2)
        return (sentences + self.times[table] * self.encoding[-1]) * told.unsqueeze(2)


class PlainTrainer:
    """Trains one restart."""

    def __init__(self, questions: Questions, words: int, dimension: int = 20, hops: int = 3) -> None:
        self.story = torch.from_numpy(questions.words.astype("int64"))
        self.question = torch.from_numpy(questions.questions.astype("int64"))
        self.answer = torch.from_numpy(questions.answers.astype("int64"))
        slots, positions = self.story.shape[1:]
        counts = torch.from_numpy(questions.counts.astype("int64"))
        self.told = (torch.arange(slots) < counts[:, None]).float()
        self.model = PlainMemN2N(words, slots, positions, dimension, hops)
        self.optimiser = torch.optim.SGD(self.model.parameters(), lr=0.005)

    def train_epoch(self, linear: bool, batch: int = 32) -> float:
        """One epoch; the summed loss."""
        total = 0.0
        for _ in range(len(self.answer) // batch):
            index = torch.randint(len(self.answer), (batch,))
            logits = self.model(self.story[index], self.told[index], self.question[index], linear)
            loss = functional.cross_entropy(logits, self.answer[index], reduction="sum")
            self.optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 40.0)
            self.optimiser.step()
            total += loss.item()
        return total
