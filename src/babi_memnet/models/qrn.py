"""Query-Reduction Network (Seo, Min, Farhadi, Hajishirzi 2017, arXiv 1606.04582).

A question is reduced, statement by statement and layer by layer, to one that is easier to answer. With the statements
x_t and the question q_t as it stands when x_t is told, each layer has

    z_t = sigmoid(w_z . (x_t o q_t) + b_z - update bias)    update gate: does the statement bear on the question?
    r_t = sigmoid(w_r . (x_t o q_t) + b_r)                  reset gate: 0 where the question is but to be forgotten
    c_t = tanh(W x_t + U q_t + b)                           what the question becomes with the statement
    h_t = z_t r_t c_t + (1 - z_t) h_(t-1)

In the first layer q_t is the question. In the next it is h_t, plus the same of the story told backwards. The answer is
scored by h of the last layer after the last statement. Gates see neither h nor each other, so that all h_t are one
product (section 3):

    h_t = sum over s <= t of z_s r_s c_s, each times (1 - z_u) for all s < u <= t

Legend: B batch, M memory slots, J words of the longest sentence, V words, d dimension, G gates of a layer. Slot 0 holds
the latest statement: a story is told from the last slots to the first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from babi_memnet.models.drawing import uniform
from babi_memnet.models.encodings import counted, summed
from babi_memnet.models.network import Batch, Network, Shape, Step, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings

_UNIT = "openings of gates (0 shut, 1 open)"


@dataclass
class Settings(NetworkSettings):
    """A query-reduction network (Seo et al. 2017, arXiv 1606.04582); the defaults are the paper's "2r".

    Attributes:
        dimension: d, the size of words, statements, questions and states.
        layers: how often the question is reduced, each time going through the whole story.
        tied: whether all layers share their weights.
        reset: whether there are reset gates ("r" in the names of the paper).
        bidirectional: whether the next layer's question also comes from the story told backwards.
        update_bias: what is taken off before the sigmoid of update gates, so that at first a layer lets most
            statements pass by.
        answer: what the answers are scored by: the last ``state``, or ``state_and_question``, both side by side.
        initial_deviation: standard deviation of the initial word vectors and gates. With 1 gates are open or shut from
            the beginning, and restarts differ much: some find what others never do.
        memory_size: how many of the latest statements are remembered.
    """

    name: str = "qrn"
    dimension: int = 50
    layers: int = 2
    tied: bool = True
    reset: bool = True
    bidirectional: bool = True
    update_bias: float = 2.5
    answer: str = "state"
    initial_deviation: float = 1.0
    memory_size: int | None = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "dimension", "layers")
        self.expect_one_of("answer", ("state", "state_and_question"))
        self.expect_above_zero("initial_deviation")

    def settled(self, joint: bool) -> Self:
        """With the defaults of what a single layer, which tells no other its question, has no use for."""
        if self.layers != 1:
            return self
        kind = type(self)
        return replace(self, tied=kind.tied, reset=kind.reset, bidirectional=kind.bidirectional)

    @property
    def directions(self) -> int:
        """In how many directions a layer tells the story to the next."""
        return 2 if self.bidirectional else 1

    @property
    def passes(self) -> int:
        """Each layer compares every statement with all others, and has a hidden layer."""
        return 5 * self.layers

    @property
    def answers_see_question(self) -> bool:
        """Whether the answers are scored by the question, too."""
        return self.answer == "state_and_question"


class Layer(nn.Module):
    """The weights of one layer.

    Attributes:
        statement, query, bias: W [d, d], U [d, d] and b [d] of the candidates.
        gates, gate_bias: w [G, d] and b [G] of the update gate, then of the reset gates, if any: of the story as told,
            and of the story told backwards.
    """

    def __init__(self, dimension: int, gates: int) -> None:
        super().__init__()
        self.statement = nn.Parameter(torch.zeros(dimension, dimension))
        self.query = nn.Parameter(torch.zeros(dimension, dimension))
        self.bias = nn.Parameter(torch.zeros(dimension))
        self.gates = nn.Parameter(torch.zeros(gates, dimension))
        self.gate_bias = nn.Parameter(torch.zeros(gates))


class Reduction(NamedTuple):
    """How one layer reduced a question.

    Attributes:
        candidates: [B, M, d] c.
        update: [B, M] z; 0 in empty slots.
        kept: [B, M] log(1 - z), of how much is left of what was before.
        sent: [B, M] each, z r, what the next layer gets: of the story as told and, if it is, of that told backwards.
    """

    candidates: Tensor
    update: Tensor
    kept: Tensor
    sent: Sequence[Tensor]

    @classmethod
    def of(cls, matches: Tensor, candidates: Tensor, told: Tensor, settings: Settings) -> Self:
        """From what goes into the gates, [B, M, G]."""
        match, *resets = matches.unbind(dim=-1)
        update = torch.sigmoid(match - settings.update_bias) * told
        kept = functional.logsigmoid(settings.update_bias - match) * told  # log(1 - sigmoid(x)) = log sigmoid(-x)
        sent = [update * torch.sigmoid(reset) for reset in resets] or [update] * settings.directions
        return cls(candidates, update, kept, sent)

    def last(self) -> Tensor:
        """[B, M] how much of each candidate is in h after the last statement: z times all later 1 - z."""
        return self.update * (self.kept.cumsum(dim=-1) - self.kept).exp()

    def state(self) -> Tensor:
        """[B, d] h after the last statement, which no reset gate has a part in.

        Differs from the paper, which says nothing of it: so the released code computes h for the answer.
        """
        return torch.einsum("bm,bmd->bd", self.last(), self.candidates)

    def heard(self) -> Tensor:
        """[B, M, M] how much of each candidate (last axis) is in the next question at each statement (second axis).

        It is z r times 1 - z of every statement told after it, up to the one at which the question is heard.
        """
        at = torch.arange(self.kept.shape[-1], device=self.kept.device)
        earlier, later = at >= at[:, None], at <= at[:, None]  # [M, M] what has been told by then: forwards, backwards
        through = self.kept.cumsum(dim=-1)  # log of the product of 1 - z from the latest statement to this one
        before = through - self.kept  # the same without this one
        since = torch.where(
            earlier, before.unsqueeze(-2) - before.unsqueeze(-1), through.unsqueeze(-1) - through.unsqueeze(-2)
        )
        forwards, *backwards = self.sent
        gates = earlier * forwards.unsqueeze(-2)
        for sent in backwards:
            gates = gates + later * sent.unsqueeze(-2)
        return since.exp() * gates


class Reading(NamedTuple):
    """How a batch was read.

    Attributes:
        logits: [B, V].
        question: [B, d] q of the first layer.
        layers: how each layer reduced it.
        heard: of each layer but the last, how much of its statements is in the question of the next, [B, M, M].
    """

    logits: Tensor
    question: Tensor
    layers: Sequence[Reduction]
    heard: Sequence[Tensor]


class QueryReduction(Network):
    """The parameters are ``words`` [V, d], those of the layers, and ``answers`` [V, d], or [V, 2 d] with the question.

    Word 0 is padding: its vector is zero.
    """

    settings: Settings
    factors: Tensor
    scales: Tensor

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        d = settings.dimension
        self.words = nn.Parameter(torch.zeros(shape.words, d))
        resets = settings.directions if settings.reset and settings.layers > 1 else 0
        gates = [1 + resets] if settings.tied else [1 + resets] * (settings.layers - 1) + [1]
        self.layers: Sequence[Layer] = nn.ModuleList(Layer(d, count) for count in gates)  # type: ignore[assignment]
        self.answers = nn.Parameter(torch.zeros(shape.words, 2 * d if settings.answers_see_question else d))
        places = torch.arange(1, shape.positions + 1) / shape.positions  # j / J
        self.register_buffer("factors", torch.stack([1 - places, 2 * places - 1]), persistent=False)
        self.register_buffer("scales", torch.stack([torch.ones(d), torch.arange(1, d + 1) / d]), persistent=False)

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """All weights are drawn uniformly around 0; biases begin with 0.

        Differs from the paper, which has word vectors with a deviation of 1 / sqrt(d) and the rest as of Glorot &
        Bengio 2010. The released code draws words and gates with a deviation of 1, and all else by its inputs.
        """
        d, given = self.settings.dimension, self.settings.initial_deviation
        deviations = [(self.words, given), (self.answers, self.answers.shape[1] ** -0.5)]
        for layer in self.layers:
            deviations += [(layer.statement, (2 * d) ** -0.5), (layer.query, (2 * d) ** -0.5), (layer.gates, given)]
        for values, deviation in deviations:
            values.copy_(uniform(generator, values) * (math.sqrt(3) * deviation))
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The vector of the padding word."""
        tensors["words"][0] = 0

    def answer_vectors(self) -> Tensor:
        """[V, d] or [V, 2 d], the rows that score the answers."""
        return self.answers

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a batch."""
        return self.read(batch).logits

    def read(self, batch: Batch) -> Reading:
        """A batch, and all that happens on the way to its answers."""
        settings, told = self.settings, batch.told
        embedded = self._embed(torch.cat([batch.words, batch.questions.unsqueeze(1)], dim=1))
        statements, question = embedded[:, :-1], embedded[:, -1]  # x_t, [B, M, d], and [B, d]
        query = question.unsqueeze(1)  # q_t, which is the same for all statements at first: [B, 1, d]
        reductions: list[Reduction] = []
        heard: list[Tensor] = []
        for place in range(settings.layers):
            layer = self.layers[0 if settings.tied else place]
            if place > 0:
                heard.append(reductions[-1].heard())
                query = heard[-1] @ reductions[-1].candidates  # h_t, or the sum of both directions: [B, M, d]
            if place == 0 or not settings.tied:  # tied layers all make the same of a statement
                said = statements @ layer.statement.T + layer.bias
            candidates = torch.tanh(said + query @ layer.query.T)
            matches = (statements * query) @ layer.gates.T + layer.gate_bias  # [B, M, G]
            reductions.append(Reduction.of(matches, candidates, told, settings))
        logits = self._judged(reductions[-1].state(), question) @ self.answers.T
        return Reading(no_padding(logits), question, reductions, heard)

    def trace(self, batch: Batch) -> Trace:
        """What share of the answer each statement has through each layer, and how far the gates were open.

        In the last layer that is how much of it is in h at the end. Through the layer before, it is how much of it is
        in the question with which those statements were met, and so on; where the two directions bring more than one
        in all, as shares of what they bring. Reset gates have a part in it. The state after a layer is h at its end,
        from which a network that ended there would answer.
        """
        reading = self.read(batch)
        shares = [reading.layers[-1].last()]
        for heard in reversed(reading.heard):
            heard = heard / heard.sum(dim=-1, keepdim=True).clamp(min=1)
            shares.insert(0, torch.einsum("bt,bts->bs", shares[0], heard))
        steps = []
        for number, (share, layer) in enumerate(zip(shares, reading.layers, strict=True), start=1):
            nowhere = (1 - share.sum(dim=-1, keepdim=True)).clamp(min=0)
            state = self._judged(layer.state(), reading.question)
            steps.append(Step(f"layer {number}", torch.cat([share, nowhere], dim=-1), shares=True, state=state))
        steps += [
            Step(f"update gate {number}", layer.update, unit=_UNIT)
            for number, layer in enumerate(reading.layers, start=1)
        ]
        return Trace(reading.logits, tuple(steps), self._judged(reading.question, reading.question))

    def _embed(self, words: Tensor) -> Tensor:
        """sum_j l_j o E w_j over the last axis of ``words`` [..., J]: [..., d].

        With position weights l_jk = (1 - j/J) + (k/d) (2j/J - 1) (section 4.1 of arXiv 1503.08895).
        """
        return summed(counted(words, self.factors, len(self.words)), self.words, self.scales)

    def _judged(self, state: Tensor, question: Tensor) -> Tensor:
        """What the answers are scored by, [B, d] or [B, 2 d]."""
        return torch.cat([state, question], dim=-1) if self.settings.answers_see_question else state
