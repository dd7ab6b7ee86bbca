"""Recurrent Entity Network (Henaff, Weston, Szlam, Bordes, LeCun 2017, arXiv 1612.03969), equation by equation.

Each slot of the memory has a key and a content. A story is gone through statement by statement: a gate says how far
each slot takes in what it makes of the statement, and by being brought back to length one it forgets. At the end the
question reads all slots once (section 2):

    s_t  = sum_i f_i * e_i                                     f the mask of statements; of questions q likewise
    g_j  = sigmoid(s_t . h_j + s_t . w_j + a_j)                equation 2
    h'_j = phi(U h_j + V w_j + W s_t + b)                      equation 3
    h_j  = (h_j + g_j h'_j) / |h_j + g_j h'_j|                 equations 4 and 5; h_j = w_j before the story
    p_j  = softmax(q . h_j),  u = sum_j p_j h_j,  y = R phi(q + H u)           equation 6

where phi is x for positive x, and a slope of each dimension times x for others (PReLU).

Legend: B stories, T statements, Q questions, J words of the longest sentence, V words, S slots, d dimension.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.drawing import normal
from babi_memnet.models.entity_memory import Telling, Written, write
from babi_memnet.models.network import Batch, Network, Shape, Step, StoryBatch, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings

_RANKS = ("most", "second", "third")
_UNIT = "openings of write gates (0 shut, 1 open)"


@dataclass
class Settings(NetworkSettings):
    """A Recurrent Entity Network (Henaff et al. 2017, arXiv 1612.03969); the defaults are those of its released code.

    Attributes:
        dimension: d, the size of words, keys and slots.
        keys: what slots are found by: ``free`` vectors of their own, or those of the ``words``, a slot for each.
            Differs from the released code, which has a slot for each word of a list of entities.
        slots: S, how many slots there are where keys are free.
        biases: whether gates and candidates have one, as in the released code; the equations have none.
        memory_size: how many of the latest statements are gone through; ``null`` means all. The released code has 70,
            and 150 for task 3; other tasks have stories beyond 70 for less than one question in a hundred.
        initial_deviation: standard deviation of the initial values.
    """

    name: str = "entnet"
    dimension: int = 100
    keys: str = "free"
    slots: int = 20
    biases: bool = True
    memory_size: int | None = 150
    initial_deviation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "slots")
        self.expect_one_of("keys", ("free", "words"))
        self.expect_above_zero("initial_deviation")

    @property
    def passes(self) -> int:
        """Each slot goes through a matrix at each statement, about as much arithmetic as two hops of MemN2N."""
        return 2 * self.slots

    def settled(self, joint: bool) -> Self:
        """With the default number of slots where words say how many there are, so that equal networks are equal."""
        return replace(self, slots=type(self).slots) if self.keys == "words" else self

    def described(self) -> str:
        """Such as ``entnet, 20 slots, dimension 100``."""
        slots = "a slot for each word" if self.keys == "words" else f"{self.slots} slots"
        return f"entnet, {slots}, dimension {self.dimension}"


class Read(NamedTuple):
    """What questions find in the memory.

    Attributes:
        question: [B, Q, d] q.
        contents: [B, Q, S, d] the slots h when each was asked.
        weights: [B, Q, S] p, shares of one.
        state: [B, Q, d] phi(q + H u), which the words are scored by.
    """

    question: Tensor
    contents: Tensor
    weights: Tensor
    state: Tensor


class EntNet(Network):
    """The parameters are named by what they do; the letters of the equations stand beside them."""

    settings: Settings
    # Differs from the paper: there a batch is 32 questions, each with its story. Here it is as many stories as have
    # about 32 questions, told once for all of theirs, which is what the memory would be anyway: no answer changes, and
    # no gradient of a question. Only which questions make a step together does, and each comes once in an epoch.
    whole_stories = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d, tied = settings.dimension, settings.keys == "words"
        slots = shape.words - 1 if tied else settings.slots
        self.words = nn.Parameter(torch.zeros(shape.words, d))  # e
        self.statement_mask = nn.Parameter(torch.zeros(shape.positions, d))  # f of statements
        self.question_mask = nn.Parameter(torch.zeros(shape.positions, d))  # f of questions
        self.free_keys = None if tied else nn.Parameter(torch.zeros(slots, d))  # w
        self.from_content, self.from_key, self.from_statement = (nn.Parameter(torch.zeros(d, d)) for _ in range(3))
        self.gate_bias = nn.Parameter(torch.zeros(slots)) if settings.biases else None  # a
        self.candidate_bias = nn.Parameter(torch.zeros(d)) if settings.biases else None  # b
        self.slopes = nn.Parameter(torch.zeros(d))  # of phi, which is one in equations 3 and 6
        self.from_memory = nn.Parameter(torch.zeros(d, d))  # H
        self.answers = nn.Parameter(torch.zeros(shape.words, d))  # R

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """All from N(0, initial_deviation^2), but slopes are 1 (section 4.2), and so is the mask of questions.

        Differs from the paper, which says nothing of masks: in the released code that of questions starts at 1, that
        of statements does not.
        """
        for values in self.parameters():
            values.copy_(normal(generator, values) * self.settings.initial_deviation)
        self.slopes.fill_(1)
        self.question_mask.fill_(1)
        self.hold(dict(self.named_parameters()))

    @property
    def keys(self) -> Tensor:
        """w, [S, d]."""
        return self.words[1:] if self.free_keys is None else self.free_keys

    def forward(self, batch: StoryBatch) -> Tensor:
        """The logits of a batch of stories, [B, Q, V]."""
        return self.scored(self.read(batch, self.remember(batch)).state)

    def remember(self, batch: StoryBatch) -> Written:
        """Go through the stories, statement by statement (equations 2 to 5)."""
        words = batch.statements.transpose(0, 1)  # time first, [T, B, J]
        told = torch.arange(len(words), device=words.device).unsqueeze(-1) < batch.told  # [T, B]
        statements = self.embed(words, self.statement_mask)  # s, [T, B, d]
        matches = statements @ self.keys.T  # s_t . w_j, [T, B, S]
        slot_terms = self.keys @ self.from_key.T  # V w_j, [S, d]
        if self.gate_bias is not None and self.candidate_bias is not None:
            matches, slot_terms = matches + self.gate_bias, slot_terms + self.candidate_bias
        return write(
            Telling(
                statements=statements,
                gate_terms=matches,
                candidate_terms=statements @ self.from_statement.T,  # W s_t
                told=told.to(statements.dtype),
                start=self.keys,
                slot_terms=slot_terms,
                from_content=self.from_content,  # U
                slopes=self.slopes,
            )
        )

    def read(self, batch: StoryBatch, written: Written) -> Read:
        """Read the slots as they were when each question was asked (equation 6)."""
        place = batch.asked[..., None, None].expand(-1, -1, *written.contents.shape[-2:])
        contents = written.contents.transpose(0, 1).gather(1, place)  # h, [B, Q, S, d]
        question = self.embed(batch.questions, self.question_mask)  # q, [B, Q, d]
        weights = torch.softmax((contents @ question.unsqueeze(-1)).squeeze(-1), dim=-1)  # p, [B, Q, S]
        found = (weights.unsqueeze(-2) @ contents).squeeze(-2)  # u, [B, Q, d]
        return Read(question, contents, weights, self.state(question, found))

    def embed(self, words: Tensor, mask: Tensor) -> Tensor:
        """sum_i f_i * e_i over the last axis of ``words`` [..., J], mask [J, d]: [..., d] (equation 1)."""
        return (functional.embedding(words, self.words) * mask).sum(dim=-2)

    def phi(self, values: Tensor) -> Tensor:
        """PReLU, with a slope for each dimension."""
        return torch.addcmul(values, self.slopes - 1, values.clamp(max=0))

    def state(self, question: Tensor, found: Tensor) -> Tensor:
        """phi(q + H u), both [..., d]."""
        return self.phi(question + found @ self.from_memory.T)

    def scored(self, state: Tensor) -> Tensor:
        """y, [..., V], of states [..., d]."""
        # Differs from the paper, which says nothing of it: in the released code padding is an answer like others, whose
        # logit is always 0.
        return no_padding(state @ self.answers.T)

    def trace(self, batch: Batch) -> Trace:
        """Which statements opened the slots that the question reads.

        First all slots together, each as far as it is read: sum_j p_j g_j. Then those that are read most, one by one,
        each with the state that would be answered from if it were all that is read. Which slots these are is another
        thing for each question of a batch, so they are called by their rank.
        """
        stories = StoryBatch.of(batch)
        written = self.remember(stories)
        read = self.read(stories, written)
        question, contents, weights = read.question[:, 0], read.contents[:, 0], read.weights[:, 0]
        gates = batch.latest_first(written.gates.permute(1, 2, 0))  # [B, S, M]
        together = torch.einsum("bs,bsm->bm", weights, gates)
        steps = [Step("slots as they are read", together, state=read.state[:, 0], unit=_UNIT)]
        most = weights.topk(min(len(_RANKS), weights.shape[-1]), dim=-1).indices  # [B, up to 3]
        for rank in range(most.shape[-1]):
            slot = most[:, rank, None, None]  # [B, 1, 1]
            gate = gates.gather(1, slot.expand(-1, 1, gates.shape[-1])).squeeze(1)
            content = contents.gather(1, slot.expand(-1, 1, contents.shape[-1])).squeeze(1)
            steps.append(Step(f"slot read {_RANKS[rank]}", gate, state=self.state(question, content), unit=_UNIT))
        return Trace(self.scored(read.state)[:, 0], tuple(steps), self.phi(question))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vectors of the padding word."""
        tensors["words"][0] = 0
        tensors["answers"][0] = 0

    def answer_vectors(self) -> Tensor:
        """The rows of R (equation 6)."""
        return self.answers
