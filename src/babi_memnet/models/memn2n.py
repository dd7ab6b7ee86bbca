"""End-to-end memory network (Sukhbaatar, Szlam, Weston, Fergus 2015, arXiv 1503.08895), equation by equation.

`kernels.memn2n` computes the same on a CPU much faster.

Legend: B batch, M memory slots, J words of the longest sentence, V words with the time words, d dimension, K hops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.encodings import position_factors
from babi_memnet.models.network import Batch, Network, Shape, Step, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings

_PER_TASK_DIMENSION, _JOINT_DIMENSION = 20, 50


@dataclass
class Settings(NetworkSettings):
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

    linear_start: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "hops")
        self.expect_one_of("encoding", ("position", "bag_of_words"))
        self.expect_one_of("tying", ("adjacent", "layerwise", "untied"))
        self.expect_one_of("nonlinearity", ("none", "relu"))
        self.expect_one_of("empty_slots", ("attended", "masked"))
        self.expect_above_zero("initial_deviation")

    @property
    def passes(self) -> int:
        """Question and answer count as one, and each hop as another."""
        return 1 + self.hops

    def settled(self, joint: bool) -> Self:
        """With the dimension that ``null`` means."""
        if self.dimension is not None:
            return self
        return replace(self, dimension=_JOINT_DIMENSION if joint else _PER_TASK_DIMENSION)

    def described(self) -> str:
        """Such as ``3 hops, dimension 20, position encoding``."""
        hops = f"{self.hops} hop{'' if self.hops == 1 else 's'}"
        return f"{hops}, dimension {self.dimension}, {self.encoding.replace('_', ' ')} encoding"


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


class MemN2N(Network):
    """The parameters are ``tables``, embedding tables [V, d], and with layer-wise tying ``hop_map`` [d, d].

    Word 0 is padding: its vector is zero in every table. The words from ``shape.words`` on are time words, one for each
    memory slot.
    """

    settings: Settings
    position_factor: Tensor
    dimension_factor: Tensor

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        if settings.dimension is None:
            raise ValueError("the dimension of the embeddings must be settled before a network is built")
        self.tying = Tying.of(settings.tying, settings.hops)
        size, d = shape.words + (shape.slots if settings.time_encoding else 0), settings.dimension
        self.tables = nn.ParameterList([torch.zeros(size, d) for _ in range(self.tying.count)])
        self.hop_map = nn.Parameter(torch.zeros(d, d)) if settings.tying == "layerwise" else None
        h, g = position_factors(settings.encoding, d, shape.positions + 1)
        self.register_buffer("dimension_factor", torch.from_numpy(h), persistent=False)
        self.register_buffer("position_factor", torch.from_numpy(g), persistent=False)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Every value is drawn from N(0, initial_deviation^2) (section 4.2)."""
        deviation = np.float32(self.settings.initial_deviation)
        for values in (*self.tables, *([] if self.hop_map is None else [self.hop_map])):
            drawn = generator.standard_normal(tuple(values.shape), dtype=np.float32)
            values.copy_(torch.from_numpy(drawn * deviation))
        self.hold(dict(self.named_parameters()))

    def embed(self, table: int, words: Tensor, weights: Tensor) -> Tensor:
        """sum_j l_j * table[words_j] over the last axis of ``words`` [..., J], weights [J, d]: [..., d]."""
        return (functional.embedding(words, self.tables[table]) * weights).sum(dim=-2)

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a batch."""
        return self.trace(batch).logits

    def trace(self, batch: Batch) -> Trace:
        """The attention of every hop, and the controller state u before the first and after each."""
        told = batch.told
        weights = 1 + self.position_factor[:, None] * self.dimension_factor  # l, [J+1, d]
        # A time word is the last word of its sentence: m_i = sum_j l_j * A x_ij + l_{J+1} * T_A(i) (section 4.1).
        times = self.shape.words + batch.ages if self.settings.time_encoding else torch.zeros_like(batch.ages)
        memories = torch.cat([batch.words, times.unsqueeze(-1)], dim=-1)
        state = start = self.embed(self.tying.question, batch.questions, weights[:-1])  # u = B q, [B, d]
        steps = []
        for hop in range(self.settings.hops):
            inputs = self.embed(self.tying.input[hop], memories, weights) * told.unsqueeze(-1)  # m_i, [B, M, d]
            outputs = self.embed(self.tying.output[hop], memories, weights) * told.unsqueeze(-1)  # c_i
            scores = torch.einsum("bd,bmd->bm", state, inputs)
            attention = self.attention(scores, told)  # p_i = softmax(u . m_i), equation 1
            read = torch.einsum("bm,bmd->bd", attention, outputs)  # o = sum_i p_i c_i, equation 2
            state = self.updated(hop, state, read)
            steps.append(Step(f"hop {hop + 1}", attention, not self.linear, state))
        logits = state @ self.tables[self.tying.answer].T  # a = W u, equation 3
        return Trace(no_padding(logits), tuple(steps), start)

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
        for table in range(self.tying.count):
            tensors[f"tables.{table}"][0] = 0

    def answer_vectors(self) -> Tensor:
        """The rows of W (equation 3)."""
        table: Tensor = self.tables[self.tying.answer]
        return table

    def other_answers(self) -> list[str]:
        """The time words, which the released code scores like all others."""
        return [f"(time word {slot})" for slot in range(1, self.shape.slots + 1) if self.settings.time_encoding]

    def upgrade(self, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Mapping[str, np.ndarray[Any, Any]]:
        """All tables were one tensor [R, T, V, d]."""
        if "tables" not in tensors:
            return tensors
        apart = {f"tables.{table}": tensors["tables"][:, table] for table in range(self.tying.count)}
        return {**apart, **{name: values for name, values in tensors.items() if name != "tables"}}
