"""End-to-end memory network (Sukhbaatar, Szlam, Weston, Fergus 2015, arXiv 1503.08895), equation by equation.

`kernels.memn2n` computes the same on a CPU much faster. What the paper does not have, memories that are written while
they are read, another output and controllers that decide when to answer, are values of the settings, off by default.

Legend: B batch, M memory slots, J words of the longest sentence, V words with the time words, d dimension, K hops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.controllers import Controller
from babi_memnet.models.encodings import counted, position_factors, summed
from babi_memnet.models.network import Batch, Network, Objective, Shape, Step, Trace, no_padding
from babi_memnet.models.settings import ControlledSettings

_PER_TASK_DIMENSION, _JOINT_DIMENSION = 20, 50


@dataclass
class Settings(ControlledSettings):
    """An end-to-end memory network (Sukhbaatar et al. 2015, arXiv 1503.08895); the defaults are the paper's.

    Attributes:
        dimension: d, the size of every embedding (section 4.2: 20 per task, 50 joint). ``null`` means just that.
        hops: K, how often the memory is read (section 2.2).
        encoding: sentence representation (section 4.1): ``position`` weighs a word by its place, ``bag_of_words`` sums.
        tying: which tables are one (section 2.2): ``adjacent``, ``layerwise`` or ``untied`` (every table its own).
        nonlinearity: after each hop ``none`` or ``relu`` (appendix A, the column marked with a star).
        memory_size: how many of the latest statements are remembered.
        time_encoding: whether a memory also holds a vector for how long ago it was told (section 4.1).
        empty_slots: ``attended`` lets the network attend to nothing, ``masked`` takes empty slots out of the softmax.
        initial_deviation: standard deviation of the initial values.
        write: what slots take up of what was read, at every hop but the last: ``none`` (the paper), ``add``, as much as
            was read of them, or ``gated``, as far as they match it.
        answer: what answers: the ``sum`` of state and what was read (equation 3), or what was read last and the
            question ``concatenated``, through a dense layer.
    """

    name: str = "memn2n"
    dimension: int | None = None
    hops: int = 3
    encoding: str = "position"
    tying: str = "adjacent"
    nonlinearity: str = "none"
    memory_size: int | None = 50
    time_encoding: bool = True
    empty_slots: str = "attended"
    initial_deviation: float = 0.1
    write: str = "none"
    answer: str = "sum"

    linear_start: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "hops")
        self.expect_one_of("encoding", ("position", "bag_of_words"))
        self.expect_one_of("tying", ("adjacent", "layerwise", "untied"))
        self.expect_one_of("nonlinearity", ("none", "relu"))
        self.expect_one_of("empty_slots", ("attended", "masked"))
        self.expect_above_zero("initial_deviation")
        self.expect_one_of("write", ("none", "add", "gated"))
        self.expect_one_of("answer", ("sum", "concatenated"))

    @property
    def passes(self) -> int:
        """Question and answer count as one, and each hop as another."""
        return 1 + self.hops

    def settled(self, joint: bool) -> Self:
        """With the dimension that ``null`` means."""
        settled = super().settled(joint)
        if settled.dimension is not None:
            return settled
        return replace(settled, dimension=_JOINT_DIMENSION if joint else _PER_TASK_DIMENSION)

    def described(self) -> str:
        """Such as ``3 hops, dimension 20, position encoding``."""
        hops = f"{'up to ' if self.controller != 'fixed' else ''}{self.hops} hop{'' if self.hops == 1 else 's'}"
        added = [
            *([f"controller {self.controller}"] if self.controller != "fixed" else []),
            *([f"write {self.write}"] if self.write != "none" else []),
            *([f"answer {self.answer}"] if self.answer != "sum" else []),
        ]
        return ", ".join([hops, f"dimension {self.dimension}", f"{self.encoding.replace('_', ' ')} encoding", *added])


@dataclass(frozen=True)
class Tying:
    """Which embedding table each part of the network reads (section 2.2): tying is two parts naming one table.

    Attributes:
        question: B, embeds the question.
        input: A of each hop, turns statements into memories to be matched.
        output: C of each hop, turns statements into what is read out.
        answer: W, scores the words as answers.
        count: how many tables there are.
    """

    question: int
    input: list[int]
    output: list[int]
    answer: int
    count: int

    @classmethod
    def of(cls, tying: str, hops: int) -> Self:
        """The tables of a network with ``hops`` hops.

        Adjacent: the output table of a hop is the input table of the next, the first also embeds the question and the
        last scores the answers: K + 1 tables. Layer-wise: all hops share one A and one C; B and W are their own.
        """
        if tying == "adjacent":
            chain = list(pairwise(range(hops + 1)))
            return cls(0, [a for a, _ in chain], [c for _, c in chain], hops, hops + 1)
        if tying == "layerwise":
            return cls(0, [1] * hops, [2] * hops, 3, 4)
        inputs = [1 + 2 * hop for hop in range(hops)]
        return cls(0, inputs, [a + 1 for a in inputs], 2 * hops + 1, 2 * hops + 2)


class Walk(NamedTuple):
    """What a batch went through, hop by hop.

    Attributes:
        carried: K + 1 of [B, d], u before the first hop and after each.
        start: [B, d'] before the first hop, in the space of what answers.
        states: K of [B, d'], what would answer after each hop.
        attention: K of [B, M].
        written: of each hop that writes, [B, M] how far each slot took up what was read.
    """

    carried: list[Tensor]
    start: Tensor
    states: list[Tensor]
    attention: list[Tensor]
    written: list[Tensor]


_CLOSED = -2.0
"""Of the bias of the write gates at birth: sigmoid(-2), 12 %, of what was read is taken up where nothing matches."""


class MemN2N(Network):
    """The parameters are ``tables``, embedding tables [V, d], and with layer-wise tying ``hop_map`` [d, d].

    Word 0 is padding: its vector is zero in every table. The words from ``shape.words`` on are time words, one for each
    memory slot.
    """

    settings: Settings
    position_factor: Tensor
    dimension_factor: Tensor
    counting: Tensor
    scales: Tensor

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        if settings.dimension is None:
            raise ValueError("the dimension of the embeddings must be settled before a network is built")
        self.tying = Tying.of(settings.tying, settings.hops)
        size, d = shape.words + (shape.slots if settings.time_encoding else 0), settings.dimension
        concatenated, gated = settings.answer == "concatenated", settings.write == "gated"
        # W comes last; where it is no other table too, a dense layer takes its place.
        count = self.tying.count - (concatenated and settings.tying != "adjacent")
        self.tables = nn.ParameterList([torch.zeros(size, d) for _ in range(count)])
        self.hop_map = nn.Parameter(torch.zeros(d, d)) if settings.tying == "layerwise" else None
        self.dense = nn.Parameter(torch.zeros(shape.words, 2 * d)) if concatenated else None
        self.gate_map = nn.Parameter(torch.zeros(d, d)) if gated else None  # G
        self.gate_bias = nn.Parameter(torch.zeros(1)) if gated else None  # b
        self.controller = Controller.of(settings, 2 * d if concatenated else d)
        self.noise = settings.hops if self.controller is not None and self.controller.rewarded else 0
        h, g = position_factors(settings.encoding, d, shape.positions + 1)
        self.register_buffer("dimension_factor", torch.from_numpy(h), persistent=False)
        self.register_buffer("position_factor", torch.from_numpy(g), persistent=False)
        ones = np.ones((1, d), np.float32)  # l_j = 1 + g_j h
        self.register_buffer("counting", torch.from_numpy(np.stack([np.ones_like(g), g])[:, :-1]), persistent=False)
        self.register_buffer("scales", torch.from_numpy(np.concatenate([ones, h[None]])), persistent=False)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Every value is drawn from N(0, initial_deviation^2) (section 4.2), but for the bias of gates."""
        deviation = np.float32(self.settings.initial_deviation)
        drawn_ones = (*self.tables, self.hop_map, self.dense, self.gate_map)
        for values in (values for values in drawn_ones if values is not None):
            drawn = generator.standard_normal(tuple(values.shape), dtype=np.float32)
            values.copy_(torch.from_numpy(drawn * deviation))
        if self.gate_bias is not None:
            self.gate_bias.fill_(_CLOSED)
        if self.controller is not None:
            self.controller.initialise(generator)
        self.hold(dict(self.named_parameters()))

    def embed(self, table: int, counts: Tensor, ages: Tensor | None = None) -> Tensor:
        """sum_j l_j * table[words_j], [..., d], of words that were `counted` [..., 2, V] (section 4.1).

        A statement has a time word behind them: + l_{J+1} * T(i), of ages i [...].
        """
        rows = self.tables[table]
        embedded = summed(counts, rows[: self.shape.words], self.scales)
        if ages is None or not self.settings.time_encoding:
            return embedded
        last = 1 + self.position_factor[-1] * self.dimension_factor
        return embedded + functional.embedding(self.shape.words + ages, rows) * last

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a batch."""
        walk = self.walk(batch)
        return self.answer_from(self.answered_from(walk, self.shares(walk, batch.noise)))

    def walk(self, batch: Batch) -> Walk:
        """All hops."""
        told = batch.told
        statements, asked = (
            counted(words, self.counting, self.shape.words) for words in (batch.words, batch.questions)
        )
        state = question = self.embed(self.tying.question, asked)  # u = B q, [B, d]
        walk = Walk([state], self.answering(state, torch.zeros_like(state), question), [], [], [])
        # Tables that several hops share embed the statements once.
        used = dict.fromkeys([*self.tying.input, *self.tying.output])
        slots = {table: self.embed(table, statements, batch.ages) * told.unsqueeze(-1) for table in used}
        taken_up: Tensor | float = 0.0  # what slots have taken up so far, [B, M, d]
        for hop in range(self.settings.hops):
            inputs = slots[self.tying.input[hop]] + taken_up  # m_i, [B, M, d]
            outputs = slots[self.tying.output[hop]] + taken_up  # c_i
            scores = torch.einsum("bd,bmd->bm", state, inputs)
            attention = self.attention(scores, told)  # p_i = softmax(u . m_i), equation 1
            read = torch.einsum("bm,bmd->bd", attention, outputs)  # o = sum_i p_i c_i, equation 2
            state = self.updated(hop, state, read)
            walk.carried.append(state)
            walk.attention.append(attention)
            walk.states.append(self.answering(state, read, question))
            # The linear start has no shares by which to write, and what the last hop writes nobody would read.
            if self.settings.write != "none" and not self.linear and hop + 1 < self.settings.hops:
                share = self.written(attention, outputs, read) * told
                taken_up = taken_up + share.unsqueeze(-1) * read.unsqueeze(-2)
                walk.written.append(share)
        return walk

    def answering(self, state: Tensor, read: Tensor, question: Tensor) -> Tensor:
        """What would answer now, [B, d']: the state u + o; for a dense layer what was read and the question, [o; q]."""
        return state if self.dense is None else torch.cat([read, question], dim=-1)

    def written(self, attention: Tensor, outputs: Tensor, read: Tensor) -> Tensor:
        """How far each slot takes up what was read, [B, M]: m_i <- m_i + s_i o, and c_i likewise.

        To add o to all slots alike would be no write: a softmax does not notice it. So it is added as far as a slot was
        read, s_i = p_i, or as a gate decides from slot and o, s_i = sigmoid(c_i G o + b).
        """
        if self.gate_map is None or self.gate_bias is None:
            return attention
        return torch.sigmoid(torch.einsum("bmd,de,be->bm", outputs, self.gate_map, read) + self.gate_bias)

    def answer_from(self, states: Tensor) -> Tensor:
        """a = W u, equation 3, of states [..., d']."""
        return no_padding(states @ self.answer_vectors().T)

    def shares(self, walk: Walk, noise: Tensor | None = None) -> Tensor | None:
        """What share of the answer is from the state after each hop, [B, K]; None for all of it from the last."""
        if self.controller is None or self.linear:
            return None
        return self.controller.shares(self.controller.willing(torch.stack(walk.states, dim=-2)), noise)

    def answered_from(self, walk: Walk, shares: Tensor | None) -> Tensor:
        """The state [B, d'] that answers."""
        if shares is None:
            return walk.states[-1]
        return torch.einsum("bk,bkd->bd", shares, torch.stack(walk.states, dim=-2))

    def loss(self, batch: Batch, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """Cross entropy; with a controller also what that learns from, which the number that is shown leaves out."""
        if self.controller is None or self.linear:
            return super().loss(batch, answers, label_smoothing)
        walk = self.walk(batch)
        states = torch.stack(walk.states, dim=-2)  # [B, K, d']
        willing = self.controller.willing(states)
        shares = self.controller.shares(willing, batch.noise)
        logits = self.answer_from(self.answered_from(walk, shares))
        right = None
        if self.controller.rewarded:
            right = (self.answer_from(states).argmax(dim=-1) == answers.unsqueeze(-1)).to(states.dtype)
        cost = self.controller.cost(willing, shares, right)
        return Objective(self.cross_entropy(logits, answers, label_smoothing) + (cost - cost.detach()), logits)

    def trace(self, batch: Batch) -> Trace:
        """The attention of every hop, and the controller state u before the first and after each."""
        walk = self.walk(batch)
        shares = self.shares(walk)
        steps = []
        for hop, (attention, state) in enumerate(zip(walk.attention, walk.states, strict=True)):
            answers = None if shares is None else shares[:, hop]
            numbers = self.numbers(hop, walk)
            steps.append(Step(f"hop {hop + 1}", attention, not self.linear, state, answers=answers, numbers=numbers))
            if self.gate_map is not None and hop < len(walk.written):
                steps.append(Step(f"write {hop + 1}", walk.written[hop], unit="shares of what was read"))
        return Trace(self.answer_from(self.answered_from(walk, shares)), tuple(steps), walk.start)

    def numbers(self, hop: int, walk: Walk) -> tuple[tuple[str, Tensor], ...]:
        """What else there is to say of a hop, as `Step` has it."""
        return ()

    def updated(self, hop: int, state: Tensor, read: Tensor) -> Tensor:
        """u(k+1) = u(k) + o(k), equation 4, all [B, d]; with H u(k) when layer-wise."""
        kept = state if self.hop_map is None else state @ self.hop_map.T
        return torch.relu(kept + read) if self.settings.nonlinearity == "relu" else kept + read

    def attention(self, scores: Tensor, told: Tensor) -> Tensor:
        """The weights of the slots, [B, M]; in the linear start (section 4.3) they are the scores themselves."""
        if self.linear:
            return scores
        # Differs from the paper, which says nothing of it: in the released code an empty slot is a zero vector that
        # takes part in the softmax, so that the network can attend to nothing. Without it tasks 6, 9 and 10 suffer.
        if self.settings.empty_slots == "masked":
            scores = scores.masked_fill(~told, -torch.inf)
            scores = torch.where(told.any(dim=-1, keepdim=True), scores, 0.0)
        return torch.softmax(scores, dim=-1)

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vector of the padding word, in every table."""
        for table in range(len(self.tables)):
            tensors[f"tables.{table}"][0] = 0

    def answer_vectors(self) -> Tensor:
        """The rows of W (equation 3), or of the dense layer."""
        table: Tensor = self.tables[self.tying.answer] if self.dense is None else self.dense
        return table

    def other_answers(self) -> list[str]:
        """The time words, which the released code scores like all others; a dense layer has none."""
        scored = self.settings.time_encoding and self.dense is None
        return [f"(time word {slot})" for slot in range(1, self.shape.slots + 1) if scored]

    def upgrade(self, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Mapping[str, np.ndarray[Any, Any]]:
        """All tables were one tensor [R, T, V, d]."""
        if "tables" not in tensors:
            return tensors
        apart = {f"tables.{table}": tensors["tables"][:, table] for table in range(self.tying.count)}
        return {**apart, **{name: values for name, values in tensors.items() if name != "tables"}}
