"""A memory network whose controller writes: the statements of a story read each other and rewrite themselves.

Each statement is a slot of the memory. Writing, every slot reads the slots told before it and adds to itself what it
makes of them, several times over with the same weights. A question reads first what was told, and then, hop by hop,
what it has come to mean. Slots are read by two kinds of heads: content heads (a softmax over the slots) and recency
heads, which walk back through the memory and stop at the first slot that matches: so "the last time somebody took the
apple" is one step, and neither time vectors nor a bounded memory are needed.

    m_i^0 = LN(sum_j l_j * E x_ij)          u^0 = LN(sum_j l'_j * E q_j)        slots and question, with masks l, l'
    m_i^w = write(m_i^(w-1), {m_j^(w-1), j < i})                                w = 1 .. writes
    u^1   = read(u^0, {LN m_j^0})
    u^k   = read(u^(k-1), {LN(m_j^0 + m_j^writes)})                             k = 2 .. hops
    a     = softmax(A LN(u^hops) + b)

or after an earlier hop, where a controller decides so (`models.controllers`). Both `write` and `read` are a `Hop`, each
with weights of its own. A network is two such memories (or one), which begin differently, learn apart, and answer
together, as a mixture of experts whose gate is one number:

    p = sigmoid(g) a_1 + (1 - sigmoid(g)) a_2
    loss = -log a_1[answer] - log a_2[answer] - log p[answer]      the last moves g alone

Legend: B stories, T statements, Q questions, J words of the longest sentence, V words; d dimension, H heads of e
dimensions each; N readers, which are the T slots while writing and the Q questions while reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.controllers import Controller
from babi_memnet.models.drawing import normal, uniform
from babi_memnet.models.heads import read_slots, slot_weights
from babi_memnet.models.network import Batch, Network, Objective, Shape, Step, StoryBatch, Trace, Write, no_padding
from babi_memnet.models.settings import ControlledSettings

BIRTHS = ("plain", "twin", "either", "both")


@dataclass
class Settings(ControlledSettings):
    """A memory network that writes.

    Attributes:
        dimension: d, the size of a slot.
        writes: how often the slots rewrite themselves; 0 leaves them as they were told.
        hops: how often a question reads the memory: first as it was told, then as it was written.
        content_heads: heads that read by a softmax over the slots.
        recency_heads: heads that walk back from the latest slot and stop at the first that matches.
        head_dimension: e, the size of what a head compares, and of what it reads.
        hidden: neurons between what is read and what is written.
        birth: how heads begin: ``plain`` (all values independent), ``twin`` (a query is its key, and what is read is
            put back where it was taken from: a memory addressed by content), ``either``, which each restart draws, or
            ``both``: two memories, a twin and a plain one, and a number that says how far each is to be trusted.
        sharpness: how many times as large as usual the matches of twins are at birth.
        orderless: share of the dimensions of a slot in which, at birth, the order of the words does not matter.
        memory_size: how many of the latest statements are remembered; ``null`` means all.
    """

    name: str = "writing_memory"
    dimension: int = 64
    writes: int = 3
    hops: int = 4
    content_heads: int = 2
    recency_heads: int = 4
    head_dimension: int = 16
    hidden: int = 128
    birth: str = "both"
    sharpness: float = 2.25
    orderless: float = 0.5
    memory_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "hops", "head_dimension", "hidden")
        self.expect_at_least(0, "writes", "content_heads", "recency_heads")
        self.expect_at_least(1, "heads")
        self.expect_one_of("birth", BIRTHS)
        self.expect_share("orderless")
        self.expect_above_zero("sharpness")

    @property
    def heads(self) -> int:
        """H."""
        return self.content_heads + self.recency_heads

    @property
    def passes(self) -> int:
        """Ten times the arithmetic of a hop of MemN2N, which has no hidden layer and small vectors."""
        return 10 * (self.writes + self.hops) * (2 if self.birth == "both" else 1)


class Found(NamedTuple):
    """What slots are found by and what they give: both [B, T, H, e]."""

    keys: Tensor
    values: Tensor


_UNWILLING = -2.0
"""Of the bias of a recency head at birth: sigmoid(-2), 12 %, stop at a slot that matches neither well nor badly."""

_QUIET = 0.3
"""How much a plain hop changes its reader at birth, beside what is usual for linear layers."""


class Hop(nn.Module):
    """Readers [B, N, d] read slots and rewrite themselves, ``times`` times with the same weights.

    s <- s + O r + W2 relu(W1 [z; r]), where z = LN(s + h) with a vector h for each time, and r is what all heads read.
    """

    def __init__(self, settings: Settings, times: int) -> None:
        super().__init__()
        self.settings = settings
        d, width = settings.dimension, settings.heads * settings.head_dimension
        self.time = nn.Parameter(torch.zeros(times, d))
        self.norm = nn.LayerNorm(d)
        self.query, self.value = nn.Linear(d, width), nn.Linear(d, width)
        self.key = nn.Linear(d, width, bias=False)  # a softmax would not notice one
        self.output = nn.Linear(width, d, bias=False)
        self.bias = nn.Parameter(torch.zeros(settings.recency_heads))
        self.inner, self.outer = nn.Linear(d + width, settings.hidden), nn.Linear(settings.hidden, d)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator, twins: bool) -> None:
        """Draw the weights: as usual for linear layers, then those of twins."""
        settings = self.settings
        self.time.zero_()
        self.bias.fill_(_UNWILLING)
        for layer in (self.query, self.key, self.value, self.output, self.inner, self.outer):
            _draw(generator, layer)
        self.output.weight.mul_(_QUIET)
        if twins:
            spread = 1 / math.sqrt(settings.dimension)
            self.query.weight.copy_(math.sqrt(settings.sharpness) * spread * normal(generator, self.query.weight))
            self.key.weight.copy_(self.query.weight)
            self.value.weight.copy_(spread * normal(generator, self.value.weight))
            self.output.weight.copy_(self.value.weight.T)

    def find(self, slots: Tensor) -> Found:
        """What slots [B, T, d], normalised, are found by."""
        return Found(self._split(self.key(slots)), self._split(self.value(slots)))

    def forward(
        self, readers: Tensor, time: int, seen: Tensor, found: Found | None = None, visible: bool = False
    ) -> tuple[Tensor, list[Tensor]]:
        """The readers after a hop, [B, N, d], and if ``visible`` what share of each slot heads read, [B, H, N, T].

        Args:
            readers: [B, N, d].
            time: how many hops of its kind were before.
            seen: [B, N] how many of the earliest slots each may read.
            found: what slots are found by; None where the readers themselves are the slots.
            visible: whether the shares are wanted.
        """
        z = self.norm(readers + self.time[time])
        keys, values = found or self.find(z)
        query = self._split(self.query(z))
        read = read_slots(query, keys, values, self.bias, seen).flatten(-2)  # r, [B, N, H e]
        inner = torch.relu(self.inner(torch.cat([z, read], dim=-1)))
        weights = [slot_weights(query, keys, self.bias, seen)] if visible else []
        return readers + self.output(read) + self.outer(inner), weights

    def _split(self, values: Tensor) -> Tensor:
        """[B, N, H e] -> [B, N, H, e]."""
        return torch.unflatten(values, -1, (self.settings.heads, self.settings.head_dimension))


class Read(NamedTuple):
    """How a batch of stories was read.

    Attributes:
        logits: [B, Q, V].
        start: [B, Q, d] the questions before they read.
        states: [B, Q, K, d] what would answer after each hop; after the last alone if nobody looks or decides.
        willing: [B, Q, K] how willing a controller was to answer then; None without one.
        shares: [B, Q, K] what share of the answer is from then; None for all of it from the last hop.
        writes: of each write, [B, H, T, T] what share of each slot the heads of a slot read; none if nobody looks.
        reads: of each hop, [B, H, Q, T] what share of each slot the heads of a question read; none if nobody looks.
    """

    logits: Tensor
    start: Tensor
    states: Tensor
    willing: Tensor | None
    shares: Tensor | None
    writes: tuple[Tensor, ...]
    reads: tuple[Tensor, ...]


class Memory(nn.Module):
    """A memory written by its own slots, and read by the questions."""

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__()
        self.settings = settings
        d = settings.dimension
        self.words = nn.Parameter(torch.zeros(shape.words, d))  # E
        self.masks = nn.Parameter(torch.zeros(2, shape.positions, d))  # l and l'
        self.told_norm, self.asked_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.writer = Hop(settings, settings.writes) if settings.writes else None
        self.reader = Hop(settings, settings.hops)
        self.memory_norm, self.answer_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.answer = nn.Linear(d, shape.words)
        self.controller = Controller.of(settings, d)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator, twins: bool) -> None:
        """Words from N(0, 1/4), masks from N(0, 1) or one, all else as usual for linear layers, or as twins."""
        self.words.copy_(0.5 * normal(generator, self.words))
        self.masks.copy_(normal(generator, self.masks))
        self.masks[..., : round(self.settings.orderless * self.settings.dimension)] = 1
        for hop in (self.writer, self.reader):
            if hop is not None:
                hop.initialise(generator, twins)
        _draw(generator, self.answer)
        self.answer.bias.zero_()
        if self.controller is not None:
            self.controller.initialise(generator)

    def forward(self, batch: StoryBatch, visible: bool = False) -> Read:
        """A batch of stories, and all that happens on the way to its answers; what is read of slots if ``visible``."""
        slots = torch.arange(batch.statements.shape[1], device=batch.told.device)
        before = slots * (slots < batch.told.unsqueeze(-1))  # [B, T] slots told earlier; empty ones see none
        told = self.told_norm(self._embed(batch.statements, self.masks[0]))  # [B, T, d]
        state = start = self.asked_norm(self._embed(batch.questions, self.masks[1]))  # [B, Q, d]
        written = told
        writes: list[Tensor] = []
        states: list[Tensor] = []
        reads: list[Tensor] = []
        if self.writer is not None:
            for write in range(self.settings.writes):
                written, weights = self.writer(written, write, before, visible=visible)
                writes += weights
        for hop in range(self.settings.hops):
            if hop < 2:
                memory = self.reader.find(self.memory_norm(told if hop == 0 else told + written))
            state, weights = self.reader(state, hop, batch.asked, memory, visible)
            states.append(state)
            reads += weights
        answering, willing, shares = self.answer_norm(state), None, None
        alone = self.controller is None and not visible
        earlier = [] if alone else [self.answer_norm(before) for before in states[:-1]]
        kept = torch.stack([*earlier, answering], dim=-2)
        if self.controller is not None:
            willing = self.controller.willing(kept)
            # The questions of a story decide by the same random numbers, each as likely as by its own.
            shares = self.controller.shares(willing, None if batch.noise is None else batch.noise.unsqueeze(1))
            answering = torch.einsum("bqk,bqkd->bqd", shares, kept)
        return Read(self.answer(answering), start, kept, willing, shares, tuple(writes), tuple(reads))

    def controller_cost(self, read: Read, answers: Tensor) -> Tensor | float:
        """What the controller learns from, [B, Q]; answers [B, Q], 0 where there is no question."""
        if self.controller is None or read.willing is None or read.shares is None:
            return 0.0
        right = None
        if self.controller.rewarded:
            said = no_padding(self.answer(read.states)).argmax(dim=-1)  # [B, Q, K]
            right = (said == answers.unsqueeze(-1)).to(read.states.dtype)
        return self.controller.cost(read.willing, read.shares, right) * (answers > 0)

    def _embed(self, words: Tensor, mask: Tensor) -> Tensor:
        """sum_j mask_j * E w_j over the last axis of ``words`` [..., J], mask [J, d]: [..., d]."""
        return (functional.embedding(words, self.words) * mask).sum(dim=-2)


class WritingMemory(Network):
    """One memory, or a mixture of two."""

    settings: Settings
    whole_stories = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        count = 2 if settings.birth == "both" else 1
        self.memories: Sequence[Memory] = nn.ModuleList(Memory(settings, shape) for _ in range(count))  # type: ignore[assignment]
        self.trust = nn.Parameter(torch.zeros(1)) if count == 2 else None  # g
        self.noise = settings.hops if settings.controller == "reinforce" else 0

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Draw the memories one after the other, the twin first."""
        birth = self.settings.birth
        first = bool(generator.integers(2)) if birth == "either" else birth != "plain"
        for memory, twins in zip(self.memories, (first, False), strict=False):
            memory.initialise(generator, twins)
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vectors of the padding word."""
        for number in range(len(self.memories)):
            tensors[f"memories.{number}.words"][0] = 0

    def answer_vectors(self) -> Tensor:
        """[V, 2 d] or [V, d], A of the memories, side by side as their states are."""
        return torch.cat([memory.answer.weight for memory in self.memories], dim=-1)

    def answer_from(self, states: Tensor) -> Tensor:
        """What the memories say together to states [..., 2 d] or [..., d]."""
        d = self.settings.dimension
        return self._together(
            [memory.answer(states[..., at * d : at * d + d]) for at, memory in enumerate(self.memories)]
        )

    def forward(self, batch: StoryBatch) -> Tensor:
        """The logits of a batch of stories, [B, Q, V]."""
        return self._together([memory(batch).logits for memory in self.memories])

    def loss(self, batch: StoryBatch, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """The cost of what the memories say together; what makes each of them learn is the cost of what it says alone.

        Jacobs, Jordan, Nowlan & Hinton (1991), "Adaptive mixtures of local experts", equation 1.2, sums over experts so
        that each learns by itself; equation 1.3 is the mixture, from which here the gate alone learns: an expert that
        is ahead at first would keep the other from learning at all.
        """
        reads = [memory(batch) for memory in self.memories]
        apart = [read.logits for read in reads]
        controlled = sum(
            memory.controller_cost(read, answers) for memory, read in zip(self.memories, reads, strict=True)
        )
        if len(apart) == 1:
            logits = self._together(apart)
            cost = self.cross_entropy(logits, answers, label_smoothing)
            return Objective(_shown(cost, controlled), logits)
        alone = [self.cross_entropy(no_padding(logits), answers, label_smoothing) for logits in apart]
        learned = torch.stack(alone).sum(dim=0) + controlled
        logits = self._together([logits.detach() for logits in apart])
        cost = self.cross_entropy(logits, answers, label_smoothing)
        return Objective(_shown(cost, learned), logits)

    def trace(self, batch: Batch) -> Trace:
        """What slots read of each other, write by write, and a question hop by hop: the means over the heads.

        Each memory has steps of its own, whose states are what it would answer alone.
        """
        found = [memory(StoryBatch.of(batch), visible=True) for memory in self.memories]
        steps, writes, starts = [], [], []
        for place, (memory, read) in enumerate(zip(self.memories, found, strict=True)):
            owner = f"{('twin', 'plain')[place]} " if len(found) > 1 else ""
            starts.append(memory.answer_norm(read.start[:, 0]))
            for hop, weights in enumerate(read.reads):
                shares = batch.latest_first(weights.mean(dim=1)[:, 0])
                nowhere = (1 - shares.sum(dim=-1, keepdim=True)).clamp(min=0)  # of heads that walk past every slot
                own = read.states[:, 0, hop]
                states = [own if number == place else torch.zeros_like(own) for number in range(len(found))]
                shares = torch.cat([shares, nowhere], dim=-1)
                answers = None if read.shares is None else read.shares[:, 0, hop]
                state = torch.cat(states, dim=-1)
                steps.append(Step(f"{owner}hop {hop + 1}", shares, shares=True, state=state, answers=answers))
            for write, weights in enumerate(read.writes, start=1):
                readers_last = batch.latest_first(weights.mean(dim=1)).transpose(-1, -2)
                by_slot = batch.latest_first(readers_last).transpose(-1, -2)
                writes.append(Write(f"{owner}write {write}", by_slot))
        logits = self._together([read.logits for read in found])[:, 0]
        return Trace(logits, tuple(steps), torch.cat(starts, dim=-1), tuple(writes))

    def upgrade(self, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Mapping[str, np.ndarray[Any, Any]]:
        """There was one memory, whose tensors were the network's."""
        today = ("memories.", "trust")
        return {name if name.startswith(today) else f"memories.0.{name}": tensors[name] for name in tensors}

    def _together(self, logits: Sequence[Tensor]) -> Tensor:
        """What the memories say together, [..., V], from the logits of each; of two the logarithms of shares."""
        if self.trust is None:
            return no_padding(logits[0])
        gate = torch.stack([functional.logsigmoid(self.trust), functional.logsigmoid(-self.trust)])  # [2, 1]
        chances = torch.log_softmax(torch.stack(list(logits))[..., 1:], dim=-1)  # [2, ..., V - 1]
        shares = torch.logsumexp(chances + gate.reshape(2, *[1] * (chances.dim() - 1)), dim=0)
        return no_padding(functional.pad(shares, (1, 0)))


def _shown(cost: Tensor, learned: Tensor | float) -> Tensor:
    """The number ``cost`` with the gradient of what is ``learned`` from besides."""
    return cost + learned - learned.detach() if isinstance(learned, Tensor) else cost


def _draw(generator: np.random.Generator, layer: nn.Linear) -> None:
    """Weights and biases from U(-1, 1) / sqrt(inputs), as torch.nn.Linear has them."""
    for values in layer.parameters():
        values.copy_(uniform(generator, values) / math.sqrt(layer.in_features))
