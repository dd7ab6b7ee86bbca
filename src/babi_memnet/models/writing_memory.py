"""A memory network whose controller writes: the statements of a story read each other and rewrite themselves.

Each statement is a slot of the memory. Writing, every slot reads the slots told before it and adds what it makes of
that to itself, several times over with the same weights. Then the question reads the written memory over several hops.
Slots are read by two kinds of heads: content heads (softmax over the slots) and recency heads, which walk back through
the memory and stop at the first slot that matches, so that "the last time somebody took the apple" is one step.

Legend: B stories, T statements, Q questions, J words of the longest sentence, V words; d dimension, H heads of e
dimensions each; N readers, which are the T slots while writing and the Q questions while reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.network import Batch, Network, Shape, Step, StoryBatch, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings


@dataclass
class Settings(NetworkSettings):
    """A memory network that writes.

    Attributes:
        dimension: d, the size of a slot.
        writes: how often the slots rewrite themselves; 0 leaves them as they were told.
        hops: how often a question reads the memory.
        content_heads: heads that read by a softmax over the slots.
        recency_heads: heads that walk back from the latest slot and stop at the first that matches.
        head_dimension: e, the size of what a head compares, and of what it reads.
        hidden: neurons between what is read and what is written.
        birth: how heads begin: ``plain`` (all values independent), ``twin`` (a query is its key, and what is read is
            put back where it was taken from: a memory addressed by content), ``half`` of the heads so, or ``either``
            plain or twin, which each restart draws.
        memory_size: how many of the latest statements are remembered; ``null`` means all.
    """

    name: str = "writing_memory"
    dimension: int = 64
    writes: int = 3
    hops: int = 3
    content_heads: int = 2
    recency_heads: int = 4
    head_dimension: int = 16
    hidden: int = 128
    birth: str = "either"
    memory_size: int | None = None
    sees: str = "past"
    ahead: int = 0
    quiet: float = 0.3
    writer_twin: bool = True
    blank: bool = True
    joint: bool = False
    bag: float = 0.0
    sharp: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "hops", "head_dimension", "hidden")
        self.expect_at_least(0, "writes", "content_heads", "recency_heads")
        self.expect_at_least(1, "heads")
        self.expect_one_of("birth", ("plain", "twin", "half", "either"))

    @property
    def heads(self) -> int:
        """H."""
        return self.content_heads + self.recency_heads + self.ahead

    @property
    def passes(self) -> int:
        """Ten times the arithmetic of a hop of MemN2N, which has no hidden layer and small vectors."""
        return 10 * (self.writes + self.hops)


_UNWILLING = -2.0
"""Of the bias of a recency head at birth: it passes most slots, sigmoid(-2) = 12 % stop."""


class Reading(nn.Module):
    """One hop: readers [B, N, d] read slots and rewrite themselves; its weights serve all hops of its kind.

    s <- s + O r + W2 relu(W1 [z; r]), where z = LN(s + h) with a vector h for each hop, and r is what all heads read.
    """

    def __init__(self, settings: Settings, hops: int) -> None:
        super().__init__()
        self.settings, self.hops = settings, hops
        d, width = settings.dimension, settings.heads * settings.head_dimension
        self.hop = nn.Parameter(torch.zeros(hops, d))
        self.norm = nn.LayerNorm(d)
        self.query, self.key, self.value = (nn.Linear(d, width) for _ in range(3))
        self.output = nn.Linear(width, d, bias=False)
        self.bias = nn.Parameter(torch.zeros(settings.recency_heads + settings.ahead))
        self.inner, self.outer = nn.Linear(d + width, settings.hidden), nn.Linear(settings.hidden, d)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator, twins: Tensor) -> None:
        """Draw the weights; ``twins`` [H] says which heads are born as memories addressed by content."""
        self.hop.zero_()
        self.bias.fill_(_UNWILLING)
        for layer in (self.query, self.key, self.value, self.output, self.inner, self.outer):
            spread = 1 / math.sqrt(layer.weight.shape[1])
            layer.weight.copy_(_uniform(generator, layer.weight, spread))
            if layer.bias is not None:
                layer.bias.copy_(_uniform(generator, layer.bias, spread))
        self.output.weight.mul_(0.3)
        rows = twins.repeat_interleave(self.settings.head_dimension)
        spread = 1 / math.sqrt(self.settings.dimension)
        for layer in (self.query, self.value):
            sharp = self.settings.sharp if layer is self.query else 1.0
            layer.weight[rows] = (_normal(generator, layer.weight) * spread * sharp)[rows]
        self.key.weight[rows] = self.query.weight[rows]
        self.output.weight[:, rows] = self.value.weight[rows].T

    def split(self, values: Tensor) -> Tensor:
        """[B, N, H e] -> [B, H, N, e]."""
        heads = values.unflatten(-1, (self.settings.heads, self.settings.head_dimension))
        return heads.transpose(-2, -3)

    def keys(self, slots: Tensor) -> tuple[Tensor, Tensor]:
        """What slots [B, T, d], normalised, are found by and give: both [B, H, T, e]."""
        return self.split(self.key(slots)), self.split(self.value(slots))

    def forward(self, states: Tensor, found_by: tuple[Tensor, Tensor], seen: Tensor, hop: int, lower: Tensor) -> tuple[Tensor, Tensor]:
        """The readers after a hop, [B, N, d], and what each head gave to each slot, [B, H, N, T].

        ``seen`` [B, N, T] are the slots that each may read.
        """
        z = self.norm(states + self.hop[hop])
        if not found_by:
            found_by = self.keys(z)
        keys, values = found_by
        matches = self.split(self.query(z)) @ keys.transpose(-1, -2) / math.sqrt(self.settings.head_dimension)
        weights = self.weights(matches, seen, lower)
        read = (weights @ values).transpose(-2, -3).flatten(-2)  # r, [B, N, H e]
        inner = torch.relu(self.inner(torch.cat([z, read], dim=-1)))
        return states + self.output(read) + self.outer(inner), weights

    def weights(self, matches: Tensor, seen: Tensor, lower: Tensor) -> Tensor:
        """What share of each slot the heads read, [B, H, N, T], from how well they match."""
        recent = self.settings.recency_heads
        seen = seen.unsqueeze(-3)
        a = self.settings.ahead
        n = recent + a
        stop = matches[:, :n] + self.bias[:, None, None]
        back = walk_back(stop[:, :recent], seen & lower)
        parts = [back]
        if a:
            parts.append(walk_back(stop[:, recent:].flip(-1), (seen & ~lower).flip(-1)).flip(-1))
        parts.append(content(matches[:, n:], seen) if self.settings.blank else torch.softmax(torch.where(seen, matches[:, n:], -1e9), -1) * seen)
        return torch.cat(parts, dim=1)


def walk_back(stop: Tensor, seen: Tensor) -> Tensor:
    """The chance to stop at each slot on a walk back from the latest seen, [..., T]; may sum to less than one.

    p_j = sigmoid(stop_j) prod_{i > j} (1 - sigmoid(stop_i)), over the slots that are seen.
    """
    passing = functional.logsigmoid(-stop) * seen
    total = passing.cumsum(dim=-1)
    later = total[..., -1:] - total  # log chance to pass all later slots
    return torch.exp(functional.logsigmoid(stop) + later) * seen


def content(matches: Tensor, seen: Tensor) -> Tensor:
    """The softmax of the matches [..., T] over the slots that are seen; zeros where none is.

    One more place, whose match is 0, lets a head read nothing.
    """
    blank = torch.zeros_like(matches[..., :1])
    hidden = torch.where(seen, matches, -torch.inf)
    return torch.softmax(torch.cat([blank, hidden], dim=-1), dim=-1)[..., 1:]


class WritingMemory(Network):
    """A memory written by its own slots, and read by the questions."""

    settings: Settings
    whole_stories = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d = settings.dimension
        self.words = nn.Parameter(torch.zeros(shape.words, d))
        self.masks = nn.Parameter(torch.zeros(2, shape.positions, d))
        self.told_norm, self.asked_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.writer = Reading(settings, settings.writes) if settings.writes else None
        self.reader = Reading(settings, settings.hops)
        self.memory_norm, self.answer_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.answer = nn.Linear(d, shape.words)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Words from N(0, 1/4), masks from N(0, 1), all else as usual for linear layers."""
        settings = self.settings
        heads = torch.arange(settings.heads)
        birth = settings.birth
        if birth == "either":
            birth = ("plain", "twin")[generator.integers(2)]
        twins = {"plain": heads < 0, "twin": heads >= 0, "half": heads % 2 == 0}[birth]
        self.words.copy_(0.5 * _normal(generator, self.words))
        self.masks.copy_(_normal(generator, self.masks))
        bag = int(settings.bag * settings.dimension)
        self.masks[..., :bag] = 1
        for part in (self.writer, self.reader):
            if part is not None:
                part.initialise(generator, twins if part is self.reader or settings.writer_twin else heads < 0)
        if self.writer is not None and settings.quiet != 0.3:
            self.writer.output.weight.mul_(settings.quiet)
            self.writer.outer.weight.mul_(settings.quiet)
        spread = 1 / math.sqrt(settings.dimension)
        self.answer.weight.copy_(_uniform(generator, self.answer.weight, spread))
        self.answer.bias.zero_()
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vector of the padding word."""
        tensors["words"][0] = 0

    def embed(self, words: Tensor, mask: Tensor) -> Tensor:
        """sum_j mask_j * E w_j over the last axis of ``words`` [..., J], mask [J, d]: [..., d]."""
        return (functional.embedding(words, self.words) * mask).sum(dim=-2)

    def forward(self, batch: StoryBatch) -> Tensor:
        """The logits of a batch of stories, [B, Q, V]."""
        slots = torch.arange(batch.statements.shape[1], device=batch.told.device)
        memory = self.told_norm(self.embed(batch.statements, self.masks[0]))  # [B, T, d]
        if self.writer is not None:
            lower = slots < slots.unsqueeze(-1)
            if self.settings.sees == "past":
                seen = (slots < slots.unsqueeze(-1)).unsqueeze(0)
            else:
                ask = batch.asked.unsqueeze(1)  # B,1,Q
                until = torch.where(ask > slots[:, None], ask, 10**6).amin(dim=-1)  # B,T
                seen = (slots < until.unsqueeze(-1)) & (slots < batch.told[:, None, None]) & (slots != slots[:, None])
            if self.settings.joint:
                states = self.asked_norm(self.embed(batch.questions, self.masks[1]))  # [B, Q, d]
                told = slots < batch.asked.unsqueeze(-1)  # [B, Q, T]
                for hop in range(self.settings.writes):
                    found_by = self.writer.keys(self.writer.norm(memory + self.writer.hop[hop]))
                    states, _ = self.writer(states, found_by, told, hop, torch.ones((), dtype=torch.bool))
                    memory, _ = self.writer(memory, found_by, seen, hop, lower)
                return no_padding(self.answer(self.answer_norm(states)))
            for write in range(self.settings.writes):
                memory, _ = self.writer(memory, (), seen, write, lower)
        found_by = self.reader.keys(self.memory_norm(memory))
        states = self.asked_norm(self.embed(batch.questions, self.masks[1]))  # [B, Q, d]
        told = slots < batch.asked.unsqueeze(-1)  # [B, Q, T]
        for hop in range(self.settings.hops):
            states, _ = self.reader(states, found_by, told, hop, torch.ones((), dtype=torch.bool))
        return no_padding(self.answer(self.answer_norm(states)))


def _uniform(generator: np.random.Generator, like: Tensor, spread: float) -> Tensor:
    drawn = generator.random(tuple(like.shape), dtype=np.float32)
    return torch.from_numpy((2 * drawn - 1) * np.float32(spread))


def _normal(generator: np.random.Generator, like: Tensor) -> Tensor:
    return torch.from_numpy(generator.standard_normal(tuple(like.shape), dtype=np.float32))
