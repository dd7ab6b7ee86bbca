"""Universal Transformer (Dehghani, Gouws, Vinyals, Uszkoreit, Kaiser 2018, arXiv 1807.03819), its encoder.

Statements and question are places of one sequence, each a vector, as in the Recurrent Entity Network (section 3.1).
All of them read each other and rewrite themselves, step after step with the same weights:

    h_i  = sum_j f_j * e_ij                                        f the mask of positions, which starts with 1
    x_i  = h_i + P_i + P_t                                         equations 6 and 7: where in the story, which step
    a_i  = LN(x_i + O concat_k(sum_j softmax_j(q_ki . k_kj / sqrt(d / H)) v_kj))      equations 1 to 3, 5
    h_i  = LN(a_i + W2 relu(W1 a_i + b1) + b2)                     equation 4

A place halts where it is willing enough (adaptive computation time of each place, section 2.2 and appendix C), or goes
through all steps. The answer is scored by the mean of all places.

"The released code" is that of tensor2tensor, with what the authors' bAbI-T2T adds for statements. What is not stated in
the paper and taken from there: the mean that answers (there over padding, too), masks that start with 1, the other
initial values. Not stated: which transition bAbI has; taken: the fully connected one.

Legend: B batch, M memory slots, N = M + 1 places: the slots, the latest first, then the question; J words of the
longest sentence, V words, d dimension, H heads, T steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.errors import bad_value
from babi_memnet.models.drawing import glorot, normal
from babi_memnet.models.network import Batch, Network, Objective, Shape, Step, Trace, Write, no_padding
from babi_memnet.models.settings import NetworkSettings

_HALTED = 0.99
"""A place halts where its willingness adds up to more: 1 - epsilon."""

_WILLING = 1.0
"""Of the bias at birth: sigmoid(1), 73 %, so that most places halt after two steps. As in the released code."""

_LONGEST_WAVE = 10_000.0
"""Of the waves that say where a place is, in places over two pi (equations 6 and 7)."""


@dataclass
class Settings(NetworkSettings):
    """A Universal Transformer (Dehghani et al. 2018, arXiv 1807.03819); the defaults are those known of its bAbI runs.

    Attributes:
        dimension: d, the size of words and places; even, and a multiple of ``heads``.
        heads: H, heads of attention.
        hidden: neurons of the transition function.
        steps: T, how often all places rewrite themselves at most.
        adaptive: whether each place decides when to halt; else all go through all steps.
        ponder_cost: what each step of a place costs, in nats of the loss for the mean over places.
        dropout: share of what is added to a place that is left out while training.
        memory_size: how many of the latest statements are remembered.
    """

    name: str = "universal_transformer"
    dimension: int = 128
    heads: int = 4
    hidden: int = 512
    steps: int = 8
    adaptive: bool = True
    ponder_cost: float = 0.01
    dropout: float = 0.1
    memory_size: int | None = 130

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "heads", "hidden", "steps")
        self.expect_at_least_zero("ponder_cost")
        if not 0 <= self.dropout < 1:
            raise bad_value("model.dropout", self.dropout, "a share from 0 to below 1")
        if self.dimension % (2 * self.heads):
            raise bad_value("model.dimension", self.dimension, f"a multiple of twice the heads, {2 * self.heads}")

    @property
    def passes(self) -> int:
        """Each step is at least twenty times the arithmetic of a hop of MemN2N for every statement."""
        return 20 * self.steps

    def settled(self, joint: bool) -> Self:
        """With the default of what means nothing where no place decides."""
        return self if self.adaptive else replace(self, ponder_cost=type(self).ponder_cost)


class Walk(NamedTuple):
    """How the places of a batch rewrote themselves; lists have one entry a step.

    Attributes:
        attention: [B, H, N, N] what share of each place (last axis) heads of every place read; none if nobody looks.
        states: [B, d] the mean over places of what they are after it.
        running: [B] what share of the places has not halted before it.
        ponder: [B] steps and remainders, the mean over places (appendix C).
    """

    attention: list[Tensor]
    states: list[Tensor]
    running: list[Tensor]
    ponder: Tensor


class UniversalTransformer(Network):
    """The parameters are named by what they do; the letters of the equations stand beside them."""

    settings: Settings

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d = settings.dimension
        self.words = nn.Parameter(torch.zeros(shape.words, d))  # e
        # Differs from the released code, which has a mask of its own for questions; the paper says "in the same way".
        self.mask = nn.Parameter(torch.zeros(shape.positions, d))  # f
        self.query, self.key, self.value, self.output = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.read_norm, self.step_norm = nn.LayerNorm(d), nn.LayerNorm(d)
        self.inner, self.outer = nn.Linear(d, settings.hidden), nn.Linear(settings.hidden, d)
        self.halting = nn.Linear(d, 1) if settings.adaptive else None
        self.answer = nn.Linear(d, shape.words)
        self.noise = (1 + 2 * settings.steps) * d if settings.dropout else 0

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Words from N(0, 1/d), masks 1, matrices uniformly as of Glorot & Bengio (2010), biases 0 but that of halting.

        Not stated; taken from the released code.
        """
        self.words.copy_(normal(generator, self.words) / math.sqrt(self.settings.dimension))
        self.mask.fill_(1)
        for layer in (self.query, self.key, self.value, self.output, self.inner, self.outer, self.halting, self.answer):
            if layer is not None:
                layer.weight.copy_(glorot(generator, layer.weight))
                if layer.bias is not None:
                    layer.bias.fill_(_WILLING if layer is self.halting else 0)
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vector of the padding word."""
        tensors["words"][0] = 0

    def answer_vectors(self) -> Tensor:
        """The rows that score the words, [V, d]."""
        return self.answer.weight

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a batch."""
        return self.scored(self.walk(batch))

    def loss(self, batch: Batch, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """Cross entropy, and what the steps cost."""
        walk = self.walk(batch)
        logits = self.scored(walk)
        cost = self.cross_entropy(logits, answers, label_smoothing)
        return Objective(cost + self.settings.ponder_cost * walk.ponder if self.settings.adaptive else cost, logits)

    def scored(self, walk: Walk) -> Tensor:
        """The logits [B, V] of the mean of all places."""
        return no_padding(self.answer(walk.states[-1]))

    def walk(self, batch: Batch, visible: bool = False) -> Walk:
        """All steps of all places; what they read of each other if ``visible``, which takes much room.

        Halting is as in the listing of appendix C. A place's willingness is read before each step. Differs from section
        2.2, where a place that has halted is copied: it goes on being read by others as if it went on. What it is in
        the end is h <- w h_t + (1 - w) h, with w its willingness, or what is left of 1 at its last step, or 0 after
        that. Who is not willing by the last step gets nothing left over.
        """
        there = functional.pad(batch.told, (0, 1), value=True)  # [B, N]
        weight = there / there.sum(dim=-1, keepdim=True)  # of a place in the mean
        kept = self._kept(batch)
        place = self._places(batch)
        state = self._embed(batch) * kept[0]
        final, halted, ponder = torch.zeros_like(state), torch.zeros_like(weight), torch.zeros_like(weight)
        walk = Walk([], [], [], ponder)
        for step in range(self.settings.steps):
            running, taken, cost = self._halted(state, halted)
            halted, ponder = halted + taken, ponder + cost
            state, attention = self._rewritten(state + place + self._wave(step + 1.0, state), there, kept, step)
            final = final + taken.unsqueeze(-1) * (state - final)
            if visible:
                walk.attention.append(attention)
            walk.states.append((final * weight.unsqueeze(-1)).sum(dim=1))
            walk.running.append((running * weight).sum(dim=-1))
        return walk._replace(ponder=(ponder * weight).sum(dim=-1))

    def trace(self, batch: Batch) -> Trace:
        """What the question reads, and what all statements read of each other, step by step: the means over the heads.

        What a question reads of itself lies on no statement. The state after a step is the mean of what all places
        have taken over so far, from which a network that ended there would answer.
        """
        walk = self.walk(batch, visible=True)
        steps, writes = [], []
        for number, (attention, state, running) in enumerate(
            zip(walk.attention, walk.states, walk.running, strict=True), start=1
        ):
            read = attention.mean(dim=1)  # [B, N, N]
            thinking = (("share of statements and question that have not halted", running),) if self.halting else ()
            steps.append(Step(f"step {number}", read[:, -1], shares=True, state=state, numbers=thinking))
            told = batch.told.unsqueeze(-1)
            writes.append(Write(f"step {number}", torch.where(told, read[:, :-1, :-1], 0.0)))
        return Trace(self.scored(walk), tuple(steps), writes=tuple(writes))

    def _embed(self, batch: Batch) -> Tensor:
        """h of statements and question, [B, N, d]."""
        words = torch.cat([batch.words, batch.questions.unsqueeze(1)], dim=1)  # [B, N, J]
        # Not stated: by how much words are scaled; taken: the root of d, as in the released code.
        return math.sqrt(self.settings.dimension) * (functional.embedding(words, self.words) * self.mask).sum(dim=-2)

    def _places(self, batch: Batch) -> Tensor:
        """P_i, [B, N, d]: the earliest statement is at 1, the question comes after the latest."""
        count = batch.counts.unsqueeze(-1)  # [B, 1]
        return self._wave(torch.cat([count - batch.ages, count + 1], dim=-1).to(self.words.dtype), self.words)

    def _wave(self, at: Tensor | float, like: Tensor) -> Tensor:
        """sin and cos of ``at`` [...] at d / 2 frequencies, side by side: [..., d] (equations 6 and 7).

        Differs from the paper, which has them in turns: with learned matrices behind them that is the same.
        """
        half = self.settings.dimension // 2
        rates = _LONGEST_WAVE ** -(torch.arange(half, dtype=like.dtype, device=like.device) / half)
        angles = at.unsqueeze(-1) * rates if isinstance(at, Tensor) else at * rates
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def _kept(self, batch: Batch) -> Tensor:
        """What each dimension of what is added is multiplied by, [1 + 2 T, B or 1, 1, d].

        Not stated. Differs from the released code, which leaves out single numbers: here the same dimensions of all
        places of a question, at each step others, of what is read and of the transition, and at first of the words.
        """
        if batch.noise is None or not self.settings.dropout:
            return self.words.new_ones(1 + 2 * self.settings.steps, 1, 1, self.settings.dimension)
        drawn = torch.unflatten(batch.noise, -1, (-1, self.settings.dimension)).transpose(0, 1)  # [1 + 2 T, B, d]
        kept: Tensor = (drawn >= self.settings.dropout) / (1 - self.settings.dropout)
        return kept.unsqueeze(2)

    def _halted(self, state: Tensor, halted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which places take the next step, what share of it they take over, and what it costs them; all [B, N].

        ``halted`` [B, N] is what their willingness adds up to so far. Where no place decides, all take all of it.
        """
        if self.halting is None:
            return torch.ones_like(halted), torch.ones_like(halted), torch.zeros_like(halted)
        willing = torch.sigmoid(self.halting(state)).squeeze(-1)
        running = halted < _HALTED
        ends = running & (halted + willing > _HALTED)
        taken = torch.where(ends, 1 - halted, willing * running)
        # The number of steps cannot be differentiated, what is left over can (Graves 2016, equations 8 to 10).
        return running, taken, running + torch.where(ends, taken, 0.0)

    def _rewritten(self, x: Tensor, there: Tensor, kept: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The places [B, N, d] after a step, and what their heads read, [B, H, N, N]."""
        heads = (self.settings.heads, self.settings.dimension // self.settings.heads)
        query, key, value = (
            layer(x).unflatten(-1, heads).transpose(-2, -3) for layer in (self.query, self.key, self.value)
        )  # [B, H, N, d / H]
        matches = query @ key.transpose(-1, -2) / math.sqrt(heads[1])
        attention = torch.softmax(matches.masked_fill(~there[:, None, None, :], -torch.inf), dim=-1)
        read = self.output((attention @ value).transpose(-2, -3).flatten(-2))
        a = self.read_norm(x + kept[1 + 2 * step] * read)
        changed = self.outer(torch.relu(self.inner(a)))
        return self.step_norm(a + kept[2 + 2 * step] * changed), attention
