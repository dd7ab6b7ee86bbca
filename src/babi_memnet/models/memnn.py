"""Memory network that is shown supporting facts while it is trained (Weston, Chopra & Bordes 2014, arXiv 1410.3916).

It picks facts one after another, then a word. What is called 2014 below is that paper; 2015 is Weston et al., arXiv
1502.05698, whose section 4 adds adaptive memories (AM), n-grams (NG) and a nonlinear match (NL).

Legend: B batch, M memory slots (slot 0 the latest statement; M stands for STOP, the fact that ends the chain), H picks
of a chain, J words of the longest sentence, G features of a sentence, F features known, V words, d dimension.
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
from babi_memnet.models.controllers import first_end
from babi_memnet.models.drawing import normal
from babi_memnet.models.grams import grams
from babi_memnet.models.network import Batch, Network, Objective, Shape, Step, Trace, no_padding
from babi_memnet.models.settings import NetworkSettings

_ROLES = ("asked", "picked", "latest", "candidate")


@dataclass
class Settings(NetworkSettings):
    """A memory network that learns which facts to pick (2014); the paper gives no sizes for these tasks.

    Attributes:
        facts: how many facts are picked, at most if ``adaptive``: 10 in 2015, always 2 in the network of 2014.
        adaptive: AM: it learns when to stop.
        ngrams: NG: a sentence is the bag of its 1- to 3-grams, not of its words.
        nonlinear: NL: both sides of a match go through tanh(W tanh(.)).
        dimension: d, the size of an embedding.
        buckets: how many embeddings the 2- and 3-grams share; best a prime number.
        wrong: what a right fact, or word, is ranked against at each step: ``all`` wrong ones, as the sums of equations
            6 to 8 say, or ``drawn``, one in their place, as the paper samples them.
        margin: by how much the right fact, or word, is to be better than a wrong one (2014, section 3.1).
        initial_deviation: standard deviation of the initial embeddings.
    """

    name: str = "memnn"
    facts: int = 10
    adaptive: bool = True
    ngrams: bool = True
    nonlinear: bool = True
    dimension: int = 50
    buckets: int = 2003
    wrong: str = "all"
    margin: float = 0.1
    initial_deviation: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect_at_least(1, "facts", "dimension")
        self.expect_at_least(1, "buckets", most=1_000_000)
        self.expect_above_zero("margin", "initial_deviation")
        self.expect_one_of("wrong", ("all", "drawn"))

    def settled(self, joint: bool) -> Self:
        """With the default number of buckets where there are no n-grams to put into them."""
        return self if self.ngrams else replace(self, buckets=type(self).buckets)

    @property
    def passes(self) -> int:
        """Every pick goes through the story."""
        return 1 + self.facts


class Match(nn.Module):
    """s(x, y) = E(x) . E(y): how well a candidate fits what is asked and what was picked (2014, section 3.1).

    Every feature has an embedding for each part that its sentence plays: it is asked, it was picked, it is the latest
    that was picked, it is a candidate. With NL (2015, section 4) E is tanh(W tanh(.)) of their sum, else the sum.
    # Differs from the paper, which has three: the fact picked last has embeddings of its own. How else their order is
    # known is not stated; without it "Sandra went to the garden. Then she went to the hallway." has two answers.
    """

    def __init__(self, settings: Settings, asked: int, candidates: int) -> None:
        """A match of sentences of so many features with candidates of so many."""
        super().__init__()
        d = settings.dimension
        self.asked = nn.Parameter(torch.zeros(asked, d))
        self.picked = nn.Parameter(torch.zeros(asked, d))
        self.latest = nn.Parameter(torch.zeros(asked, d))
        self.candidate = nn.Parameter(torch.zeros(candidates, d))
        self.mix = nn.Parameter(torch.zeros(d, d)) if settings.nonlinear else None  # W

    def initialise(self, generator: np.random.Generator, deviation: float) -> None:
        """Normal values; those of W keep the size of what they are applied to."""
        for values in (self.asked, self.picked, self.latest, self.candidate):
            values.copy_(normal(generator, values) * deviation)
        if self.mix is not None:
            self.mix.copy_(normal(generator, self.mix) / math.sqrt(len(self.mix)))

    def embed(self, total: Tensor) -> Tensor:
        """E of a sum of embeddings [..., d]."""
        return total if self.mix is None else torch.tanh(torch.tanh(total) @ self.mix.T)


class Chain(NamedTuple):
    """The picks [H] of slots [B], M for STOP; what was asked with the facts before each pick, and at last with all.

    ``states`` [H + 1] of [B, d] are those that answers are matched with.
    """

    picks: list[Tensor]
    states: list[Tensor]


class MemNN(Network):
    """Two matches: of facts, with the time they were told, and of answers.

    # Differs from the paper: an answer of several words is one class, as everywhere in this package; in 2015 AM also
    # says such answers word by word.
    # Differs from the paper: 2- and 3-grams have embeddings by their remainder, so that a few share one.
    """

    settings: Settings
    wants_supporting = True

    def __init__(self, settings: Settings, shape: Shape) -> None:
        super().__init__(settings, shape)
        features = shape.words + (settings.buckets if settings.ngrams else 0)
        self.fact = Match(settings, features, features)  # s_O
        self.answer = Match(settings, features, shape.words)  # s_R
        self.stop = nn.Parameter(torch.zeros(settings.dimension))
        self.time = nn.Parameter(torch.zeros(3, settings.dimension))
        if settings.wrong == "drawn":
            self.noise = settings.facts + settings.adaptive + 1  # a wrong fact for each pick and for STOP, and a word

    @torch.no_grad()
    def initialise(self, generator: np.random.Generator) -> None:
        """Draw both matches, STOP and the three embeddings of time."""
        deviation = self.settings.initial_deviation
        for match in (self.fact, self.answer):
            match.initialise(generator, deviation)
        for values in (self.stop, self.time):
            values.copy_(normal(generator, values) * deviation)
        self.hold(dict(self.named_parameters()))

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """The embeddings of padding."""
        for match in ("fact", "answer"):
            for role in _ROLES:
                tensors[f"{match}.{role}"][0] = 0

    def answer_vectors(self) -> Tensor:
        """[V, d], E of every word."""
        return self.answer.embed(self.answer.candidate)

    def forward(self, batch: Batch) -> Tensor:
        """The scores [B, V] of all words after the facts that it picks itself."""
        return self.answer_from(self._picked(batch).states[-1])

    def loss(self, batch: Batch, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """The margin ranking loss of facts and words (2014, equations 6 to 8, and section 3.4).

        The picks are the supporting facts, whatever the network would pick; the logits are those after them.
        """
        if label_smoothing:
            raise bad_value("training.label_smoothing", label_smoothing, "0 with memnn, which ranks and has no target")
        if batch.supporting is None:
            raise ValueError("MemNN learns from supporting facts")
        right = self._right(batch.supporting)  # [B, H]
        words = self._words_at(batch, right)
        x = self.fact.embed(self._given(batch, words, self.fact)[:, :-1])  # before each pick, [B, H, d]
        losses = self._facts_ranked(batch, x, right)

        facts = ((right >= 0) & (right < self.shape.slots)).sum(dim=1).view(-1, 1, 1)
        given = self._given(batch, words, self.answer)  # [B, H + 1, d]
        state = given.gather(1, facts.expand(-1, 1, given.shape[-1])).squeeze(1)  # after the last fact
        scores = self.answer.embed(state) @ self.answer_vectors().T  # [B, V]
        if self.settings.wrong == "all":
            other = torch.arange(self.shape.words, device=answers.device).expand_as(scores)
            there = (other > 0) & (other != answers.unsqueeze(1))  # all but padding and the answer
        else:
            drawn = 1 + (_random(batch)[:, -1:] * (self.shape.words - 2)).long()
            other = torch.where(drawn >= answers.unsqueeze(1), drawn + 1, drawn).clamp(max=self.shape.words - 1)
            there = torch.ones_like(other, dtype=torch.bool)
        apart = scores.gather(1, answers.unsqueeze(1)) - scores.gather(1, other)
        return Objective(losses + self._short(apart, there).sum(dim=1), no_padding(scores))

    def _given(self, batch: Batch, words: Tensor, match: Match) -> Tensor:
        """The sums of embeddings of what is asked and the facts with these words [B, H, J] so far, [B, H + 1, d]."""
        earlier = functional.pad(self._sum(words, match.picked).cumsum(dim=1), (0, 0, 2, 0))[:, :-1]
        latest = functional.pad(self._sum(words, match.latest), (0, 0, 1, 0))
        return self._sum(batch.questions, match.asked).unsqueeze(1) + earlier + latest

    def _facts_ranked(self, batch: Batch, x: Tensor, right: Tensor) -> Tensor:
        """How far the right facts are from being a margin better than wrong ones (section 3.4), summed, [B].

        ``x`` [B, H, d] are E of what was asked and picked before, ``right`` [B, H] the slots of the right facts.
        """
        stops = self.settings.adaptive
        words = functional.pad(batch.words, (0, 0, 0, 1)) if stops else batch.words
        wrong = every = torch.arange(words.shape[1], device=x.device)
        matches = x @ self._candidate(words, every.expand(len(words), -1)).transpose(1, 2)  # E(x) . E(y), [B, H, M + 1]
        if self.settings.wrong == "all":
            told = functional.pad(batch.told, (0, 1), value=True) if stops else batch.told
            there = told.unsqueeze(1) & (every != right.unsqueeze(2)) & (right >= 0).unsqueeze(2)
            others = matches
        else:
            drawn, both = _another(right, batch.counts, self.shape.slots, stops, _random(batch))
            wrong, there = drawn.unsqueeze(2), both.unsqueeze(2)
            others = matches.gather(2, wrong.clamp(max=len(every) - 1))
        apart = matches.gather(2, right.clamp(min=0).unsqueeze(2)) - others
        time = x @ self.time.T
        latest = functional.pad(right[:, :-1], (1, 0), value=-1).unsqueeze(2)  # picked before; the question at first
        first = apart + self._time(time, latest, right.unsqueeze(2), wrong)  # s(x, y, z), which is to be above 0
        second = self._time(time, latest, wrong, right.unsqueeze(2)) - apart  # s(x, z, y), below
        return (self._short(first, there) + self._short(-second, there)).sum(dim=(1, 2))

    def _short(self, apart: Tensor, there: Tensor) -> Tensor:
        """By how much scores miss the margin, where there is anything to rank."""
        return torch.where(there, (self.settings.margin - apart).clamp(min=0), 0.0)

    def trace(self, batch: Batch) -> Trace:
        """One step for each pick: all weight is on the fact, or behind the statements where it stops and answers."""
        chain = self._picked(batch)
        slots = self.shape.slots
        ends = first_end(torch.stack([pick == slots for pick in chain.picks], dim=-1)).to(self.stop.dtype)  # [B, H]
        steps = []
        for place, (pick, state) in enumerate(zip(chain.picks, chain.states[1:], strict=True)):
            on = functional.one_hot(pick, slots + 1).to(state.dtype)
            answers = ends[:, place] if self.settings.adaptive else None
            steps.append(Step(f"fact {place + 1}", on, shares=True, state=state, answers=answers))
        return Trace(self.answer_from(chain.states[-1]), tuple(steps), chain.states[0])

    def answer_from(self, states: Tensor) -> Tensor:
        """The scores [..., V] of all words, of states [..., d]."""
        return no_padding(states @ self.answer_vectors().T)

    def _picked(self, batch: Batch) -> Chain:
        """Pick facts until STOP or as many as there may be."""
        slots, last = self.shape.slots, torch.full_like(batch.counts, -1)  # the question was told last
        every = torch.arange(slots, device=last.device)
        candidates = self._candidate(batch.words, every.expand_as(batch.told))  # [B, M, d]
        asked, said = self._sum(batch.questions, self.fact.asked), self._sum(batch.questions, self.answer.asked)
        x, picks, states = self.fact.embed(asked), [], [self.answer.embed(said)]
        stopped = torch.zeros_like(last, dtype=torch.bool)
        for _ in range(self.settings.facts):
            matches = (candidates @ x.unsqueeze(-1)).squeeze(-1)  # [B, M]
            pick = _winner(matches, x @ self.time.T, last, batch.told)
            if self.settings.adaptive:
                pick = self._or_stop(pick, matches, x, last)
            pick = torch.where(stopped | (pick < 0), slots, pick)
            stopped = stopped | (pick == slots)
            words = self._words_at(batch, pick.unsqueeze(1)).squeeze(1)
            x = self.fact.embed(asked + self._sum(words, self.fact.latest))
            answering = self.answer.embed(said + self._sum(words, self.answer.latest))
            asked = asked + self._sum(words, self.fact.picked)
            said = said + self._sum(words, self.answer.picked)
            picks.append(pick)
            states.append(torch.where(stopped.unsqueeze(1), states[-1], answering))
            last = pick
        return Chain(picks, states)

    def _or_stop(self, pick: Tensor, matches: Tensor, x: Tensor, last: Tensor) -> Tensor:
        """The winner [B], or STOP where that wins against it."""
        value = matches.gather(1, pick.clamp(min=0).unsqueeze(1)).squeeze(1)
        places = (place.unsqueeze(1) for place in (last, pick, torch.full_like(pick, self.shape.slots)))
        time = self._time(x @ self.time.T, *places).squeeze(1)
        stop = (x * self.fact.embed(self.stop)).sum(dim=-1)
        return torch.where(value - stop + time > 0, pick, self.shape.slots)

    def _right(self, supporting: Tensor) -> Tensor:
        """The chain [B, H] to be learned from supporting facts [B, S]: -1 where there is none.

        With AM it ends with STOP; a question whose facts are not known, or not remembered, teaches the answer alone.
        # Not stated: what a network that always picks two facts learns from one; taken: to pick it again.
        """
        most = self.settings.facts
        if self.settings.adaptive:
            facts = functional.pad(supporting[:, :most], (0, 1), value=-1)
            count = (facts >= 0).sum(dim=1, keepdim=True)
            ends = (torch.arange(facts.shape[1], device=facts.device) == count) & (count > 0)
            return torch.where(ends, self.shape.slots, facts)
        count = (supporting >= 0).sum(dim=1, keepdim=True)
        places = torch.arange(most, device=supporting.device).expand(len(supporting), -1)
        return supporting.gather(1, torch.minimum(places, (count - 1).clamp(min=0)))

    def _words_at(self, batch: Batch, slots: Tensor) -> Tensor:
        """The words [B, H, J] of the statements in these slots [B, H]; none for STOP and -1."""
        there = (slots >= 0) & (slots < self.shape.slots)
        places = torch.where(there, slots, 0).unsqueeze(-1).expand(-1, -1, batch.words.shape[-1])
        return batch.words.gather(1, places) * there.unsqueeze(-1)

    def _candidate(self, words: Tensor, slots: Tensor) -> Tensor:
        """E of candidates [B, H, d] with these words [B, H, J], some of them STOP."""
        total = self._sum(words, self.fact.candidate)
        return self.fact.embed(total + self.stop * (slots == self.shape.slots).unsqueeze(-1))

    def _time(self, time: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """E(x) . U phi_t(x, y, z) of slots, [..., 1 or M + 1]: x is older than y, x than z, y than z (section 3.4).

        ``time`` [..., 3] are E(x) . U.
        # Not stated: how old several sentences in x are; taken: as old as the fact picked last.
        # Not stated: whether STOP has a time; taken: it is neither older nor younger than anything.
        """
        pairs = ((x, y), (x, z), (y, z))
        first, second, third = (((a > b) & (a < self.shape.slots) & (b >= 0)).to(time.dtype) for a, b in pairs)
        return first * time[..., :1] + second * time[..., 1:2] + third * time[..., 2:]

    def _sum(self, words: Tensor, table: Tensor) -> Tensor:
        """The sum of the embeddings of a sentence's features [..., d] from its words [..., J]."""
        if self.settings.ngrams:
            found, V = grams(words, self.shape.words, 3), self.shape.words
            words = torch.where(found < V, found, V + found % self.settings.buckets)
        return functional.embedding(words, table).sum(dim=-2)


def _winner(matches: Tensor, time: Tensor, last: Tensor, told: Tensor) -> Tensor:
    """The slot [B] that is left when each statement is held against the best of those before it, -1 for none (3.4).

    ``matches`` [B, M] are E(x) . E(y), ``time`` [B, 3] E(x) . U of each feature of time, ``last`` [B] the slot of x.
    The best so far, y, is older than the next, z: it stays if s(x, y, z) is above 0.
    """
    x_older = last.unsqueeze(1) > torch.arange(matches.shape[1], device=last.device)  # than each, [B, M]
    as_best = matches + time[:, :1] * x_older
    as_next = matches - time[:, 1:2] * x_older - time[:, 2:]
    winner, value = torch.full_like(last, -1), torch.full_like(matches[:, 0], -torch.inf)
    for slot in reversed(range(matches.shape[1])):
        wins = told[:, slot] & (value <= as_next[:, slot])
        winner, value = torch.where(wins, slot, winner), torch.where(wins, as_best[:, slot], value)
    return winner


def _random(batch: Batch) -> Tensor:
    if batch.noise is None:
        raise ValueError("MemNN with model.wrong=drawn draws by the random numbers of a batch")
    return batch.noise


def _another(right: Tensor, counts: Tensor, slots: int, stops: bool, noise: Tensor) -> tuple[Tensor, Tensor]:
    """A wrong fact for each right one, all [B, H], and where there is both.

    Any other statement told is as probable as any other, and as STOP where it ``stops``.
    """
    counts = counts.unsqueeze(1)
    place = torch.where(right == slots, counts, right)  # among the statements and STOP behind them
    others = counts + stops - 1
    drawn = (noise[:, : right.shape[1]] * others).long()
    wrong = torch.where(drawn >= place, drawn + 1, drawn)
    wrong = torch.where(wrong >= counts, slots, wrong)
    return wrong, (right >= 0) & (others > 0)
