"""End-to-end memory network (Sukhbaatar, Szlam, Weston, Fergus 2015, arXiv 1503.08895), equation by equation.

All restarts are one computation: parameters have a leading axis R and every restart reads its own batch. This is the
form to read, to trace, and to run on an accelerator; `fused` computes the same on a CPU much faster.

Legend: R restarts, B batch, M memory slots, J words of the longest sentence, V words with the time words, d dimension,
K hops.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from babi_memnet.models.encodings import position_factors
from babi_memnet.models.settings import MemN2NSettings, tables_of


class Batch(NamedTuple):
    """What every restart is asked, and what it was told before.

    words [R, B, M, J] (latest statement first, 0 pads), times [R, B, M] (time word of each slot), counts [R, B]
    (statements told), questions [R, B, J]; all int64.
    """

    words: Tensor
    times: Tensor
    counts: Tensor
    questions: Tensor


class Answers(NamedTuple):
    """What a network made of a batch.

    logits [R, B, V]; attention [R, B, K, M], the weight of each slot; states [R, B, K+1, d], the controller state u
    before the first hop and after each.
    """

    logits: Tensor
    attention: Tensor
    states: Tensor


class MemN2N(nn.Module):
    """``restarts`` independent end-to-end memory networks.

    The parameters are ``tables`` [R, T, V, d], the embedding tables of the network as `tables_of` shares them out, and
    with layer-wise tying ``hop_map`` [R, d, d]. Word 0 is padding: its vector is zero in every table. The words from
    ``words`` on are time words, one for each memory slot.
    """

    position_factor: Tensor
    dimension_factor: Tensor

    def __init__(self, settings: MemN2NSettings, restarts: int, words: int, slots: int, positions: int) -> None:
        """A network for ``words`` words (padding included), ``slots`` memory slots and sentences of ``positions``."""
        super().__init__()
        if settings.dimension is None:
            raise ValueError("the dimension of the embeddings must be settled before a network is built")
        self.settings, self.words, self.slots, self.positions = settings, words, slots, positions
        self.tying = tables_of(settings.tying, settings.hops)
        dimension = settings.dimension
        size = words + slots if settings.time_encoding else words
        self.tables = nn.Parameter(torch.zeros(restarts, self.tying.count, size, dimension))
        self.hop_map: nn.Parameter | None = None
        if settings.tying == "layerwise":
            self.hop_map = nn.Parameter(torch.zeros(restarts, dimension, dimension))
        h, g = position_factors(settings.encoding, dimension, positions + 1)
        self.register_buffer("dimension_factor", torch.from_numpy(h), persistent=False)
        self.register_buffer("position_factor", torch.from_numpy(g), persistent=False)

    @torch.no_grad()
    def initialise(self, restart: int, generator: np.random.Generator) -> None:
        """Draw the parameters of one restart from N(0, initial_deviation^2) (section 4.2)."""
        for values in self.parameters():
            drawn = generator.standard_normal(values.shape[1:], dtype=np.float32)
            values[restart] = torch.from_numpy(drawn * np.float32(self.settings.initial_deviation))
        self.hold_padding()

    @torch.no_grad()
    def hold_padding(self) -> None:
        """Put the vector of the padding word back to zero in every table."""
        self.tables[:, :, 0] = 0

    def time_words(self) -> npt.NDArray[np.uint16]:
        """The time word of each slot when no time is left out, [M]; padding without time encoding."""
        if not self.settings.time_encoding:
            return np.zeros(self.slots, dtype=np.uint16)
        return np.arange(self.words, self.words + self.slots, dtype=np.uint16)

    def embed(self, table: int, words: Tensor, weights: Tensor) -> Tensor:
        """sum_j l_j * table[words_j] over the last axis of ``words`` [R, ..., J], weights [J, d]: [R, ..., d]."""
        restarts = words.shape[0]
        rows = torch.arange(restarts, device=words.device).view(restarts, *[1] * (words.dim() - 1))
        return (self.tables[rows, table, words] * weights).sum(dim=-2)

    def forward(self, batch: Batch, linear: bool = False) -> Answers:
        """Answer a batch; ``linear`` leaves the softmax out of the attention (linear start, section 4.3)."""
        weights = 1 + self.position_factor[:, None] * self.dimension_factor  # l, [J+1, d]
        # A time word is the last word of its sentence: m_i = sum_j l_j * A x_ij + l_{J+1} * T_A(i) (section 4.1).
        memories = torch.cat([batch.words, batch.times.unsqueeze(-1)], dim=-1)
        told = torch.arange(self.slots, device=batch.counts.device) < batch.counts.unsqueeze(-1)  # [R, B, M]
        state = self.embed(self.tying.question, batch.questions, weights[:-1])  # u = B q, [R, B, d]
        states, attentions = [state], []
        for hop in range(self.settings.hops):
            inputs = self.embed(self.tying.input[hop], memories, weights) * told.unsqueeze(-1)  # m_i, [R, B, M, d]
            outputs = self.embed(self.tying.output[hop], memories, weights) * told.unsqueeze(-1)  # c_i
            scores = torch.einsum("rbd,rbmd->rbm", state, inputs)
            attention = self._attention(scores, told, linear)  # p_i = softmax(u . m_i), equation 1
            read = torch.einsum("rbm,rbmd->rbd", attention, outputs)  # o = sum_i p_i c_i, equation 2
            if self.hop_map is not None:
                state = torch.einsum("rij,rbj->rbi", self.hop_map, state)
            state = state + read  # u(k+1) = u(k) + o(k), equation 4; with H u(k) when layer-wise
            if self.settings.nonlinearity == "relu":
                state = torch.relu(state)
            states.append(state)
            attentions.append(attention)
        logits = torch.einsum("rbd,rvd->rbv", state, self.tables[:, self.tying.answer])  # a = W u, equation 3
        logits = torch.cat([torch.full_like(logits[..., :1], -torch.inf), logits[..., 1:]], dim=-1)
        return Answers(logits, torch.stack(attentions, dim=2), torch.stack(states, dim=2))

    def _attention(self, scores: Tensor, told: Tensor, linear: bool) -> Tensor:
        if linear:
            return scores
        # Differs from the paper, which says nothing of it: in the released code an empty slot is a zero vector that
        # takes part in the softmax, so that the network can attend to nothing. Without it tasks 6, 9 and 10 suffer.
        if self.settings.empty_slots == "masked":
            scores = scores.masked_fill(~told, -torch.inf)
            scores = torch.where(told.any(dim=-1, keepdim=True), scores, 0.0)
        return torch.softmax(scores, dim=-1)
