"""What a network is to the rest of the harness: one restart of it, from a batch of questions to answers and a trace.

A network is one file in this folder with two classes: ``Settings``, a dataclass, and its subclass of `Network`.
Nothing else knows its name: `networks` finds it by its file, the engine trains any number of restarts of it at once,
and reports, stories and demo show the steps of its trace.

Legend: B batch, M memory slots, J words of the longest sentence, V answers, d dimension of a state; of whole stories
T statements of the longest, Q most questions of one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from babi_memnet.encoding.questions import Encoder


class Batch(NamedTuple):
    """What one restart is asked, and what it was told before; integers are int64.

    Attributes:
        words: [B, M, J] the statements, the latest first; 0 pads.
        ages: [B, M] how long ago each was told, 0 for the latest. Time noise makes them larger, so that some are left
            out; an age past the memory is that of its last slot, M - 1. Means nothing in empty slots.
        counts: [B] how many statements were told, at most M.
        questions: [B, J] the words of the question; 0 pads.
        noise: [B, `Network.noise`] random numbers, uniform from 0 to 1, while training; None otherwise.
        supporting: [B, S] the slots of the supporting facts in the order of the chain of reasoning, -1 behind them;
            those that are not remembered are left out. Only while training, and for networks that want them.
    """

    words: Tensor
    ages: Tensor
    counts: Tensor
    questions: Tensor
    noise: Tensor | None = None
    supporting: Tensor | None = None

    @property
    def told(self) -> Tensor:
        """[B, M] which slots hold a statement."""
        return torch.arange(self.ages.shape[-1], device=self.counts.device) < self.counts.unsqueeze(-1)

    def latest_first(self, weights: Tensor) -> Tensor:
        """Of statements [B, ..., T], the earliest first, in the order of ``words``; 0 where there is none."""
        slots = torch.arange(weights.shape[-1], device=weights.device)
        backwards = self.counts.reshape(-1, *[1] * (weights.dim() - 1)) - 1 - slots
        return weights.gather(-1, backwards.clamp(min=0).expand_as(weights)) * (backwards >= 0)


class StoryBatch(NamedTuple):
    """Whole stories, each told once for all its questions; integers are int64. For `Network.whole_stories`.

    An answer may rest on what was told before its question alone, whatever else is in the batch.

    Attributes:
        statements: [B, T, J] words of the statements, the earliest first; 0 pads.
        told: [B] how many statements there are, at most T.
        questions: [B, Q, J] words of the questions; 0 pads, also where a story has fewer.
        asked: [B, Q] how many statements were told before each question.
        noise: [B, `Network.noise`] random numbers, uniform from 0 to 1, while training; None otherwise.
    """

    statements: Tensor
    told: Tensor
    questions: Tensor
    asked: Tensor
    noise: Tensor | None = None

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Single questions as stories of one question each."""
        last = batch.counts.unsqueeze(-1) - 1
        backwards = (last - torch.arange(batch.words.shape[1], device=last.device)).clamp(min=0)  # [B, M]
        statements = batch.words.gather(1, backwards.unsqueeze(-1).expand_as(batch.words))
        statements = statements * batch.told.unsqueeze(-1)
        counts = batch.counts.unsqueeze(-1)
        return cls(statements, batch.counts, batch.questions.unsqueeze(1), counts, batch.noise)


AnyBatch = Batch | StoryBatch


@dataclass(frozen=True)
class Shape:
    """What the data fix.

    Attributes:
        words: how many words there are, padding (word 0) included.
        slots: M, how many statements are remembered.
        positions: J, the words of the longest sentence.
    """

    words: int
    slots: int
    positions: int

    @classmethod
    def of(cls, encoder: Encoder) -> Shape:
        """That of the questions of an encoder."""
        return cls(len(encoder.vocabulary), encoder.slots, encoder.positions)


class Step(NamedTuple):
    """One step of a network on its way to the answers of a batch.

    Attributes:
        name: for people, such as ``hop 1``.
        weights: [B, M] of each statement, the latest first. What lies on no statement has a place of its own behind
            them, if need be, [B, M + 1].
        shares: whether the weights of a question are shares of one, those on no statement included: attention.
        state: [B, d] what the network holds after the step, in the space of `Network.answer_vectors`; None for none.
        unit: what the weights are, where they are no shares.
        answers: [B] what share of the answer is given after this step, where a network decides when to answer; None
            where it is given after the last step. The shares of steps of one kind (``hop 1``, ``hop 2``) sum to one,
            and the step of the last of them is where it stopped.
        numbers: what else there is to say of the step, by name, such as how far a gate was open: [B] each.
    """

    name: str
    weights: Tensor
    shares: bool = False
    state: Tensor | None = None
    unit: str = ""
    answers: Tensor | None = None
    numbers: tuple[tuple[str, Tensor], ...] = ()


class Write(NamedTuple):
    """How the slots of a memory rewrote themselves once.

    Attributes:
        name: for people, such as ``write 1``.
        weights: [B, M, M] what share of each slot (last axis) every slot (second axis) read.
    """

    name: str
    weights: Tensor


class Trace(NamedTuple):
    """How a batch was answered: logits [B, V], the steps in order, and the state [B, d] before the first, if any.

    ``writes`` say how the memory was written before or while it was read, where slots read each other.
    """

    logits: Tensor
    steps: tuple[Step, ...]
    start: Tensor | None = None
    writes: tuple[Write, ...] = ()


class Objective(NamedTuple):
    """What training makes smaller: losses [B], in nats for cross entropy; and the logits [B, V] they were taken of.

    Of whole stories [B, Q] and [B, Q, V].
    """

    losses: Tensor
    logits: Tensor


class Network(nn.Module, ABC):
    """One restart of a network. Subclasses write `initialise` and `forward`, and override what differs from here.

    All restarts of a run are trained at once: `torch.func.vmap` adds an axis in front of every parameter, buffer and
    batch, of which the code of a network sees nothing. Buffers are constants; training changes parameters alone.

    Attributes:
        one_by_one: class attribute; True has restarts trained in a loop, for code that vmap cannot take, or takes
            slowly (``nn.LSTM``). Only then may a network use random numbers of torch's own.
        whole_stories: class attribute; True has `forward` and `loss` given a `StoryBatch`, and answer [B, Q] questions.
            `trace` is given single questions all the same (`StoryBatch.of` makes stories of them).
        wants_supporting: class attribute; True has `loss` find the supporting facts in ``batch.supporting``; `forward`
            and `trace` never do.
        noise: how many random numbers `forward` wants for each question while training, in ``batch.noise``: they
            come from the restart's own generator, so that a restart does not notice others.
        linear: set from outside: attention goes without its softmax. Only where ``Settings.linear_start`` says so.
    """

    one_by_one: ClassVar[bool] = False
    whole_stories: ClassVar[bool] = False
    wants_supporting: ClassVar[bool] = False
    noise: int = 0
    linear: bool = False

    def __init__(self, settings: Any, shape: Shape) -> None:
        """A network for data of this shape; the values of its parameters come from `initialise`."""
        super().__init__()
        self.settings, self.shape = settings, shape

    @abstractmethod
    def initialise(self, generator: np.random.Generator) -> None:
        """Draw the values of all parameters from ``generator``, and from nothing else."""

    @abstractmethod
    def forward(self, batch: Any) -> Tensor:
        """The logits [B, V] of a batch; -inf for padding, which is no answer. V is at least the number of words.

        Of a `StoryBatch` [B, Q, V].
        """

    def hold(self, tensors: Mapping[str, Tensor]) -> None:
        """Put entries that never learn, such as the vectors of padding, to zero in place.

        ``tensors`` have the names and shapes of the parameters.
        """

    def fit(self, asked: Iterable[tuple[Batch, Tensor]], generator: np.random.Generator) -> None:
        """Find all parameters from all training questions: batches and their answers [B], in the order of the file.

        For networks whose ``Settings.fitted`` says so; they have no gradients. Parameters may get other sizes than
        before, equal ones for all restarts; they are attributes of the network itself.
        """
        raise NotImplementedError(f"{type(self).__name__} is not fitted in one go")

    def loss(self, batch: Any, answers: Tensor, label_smoothing: float = 0.0) -> Objective:
        """Cross entropy of the right answers [B]; override it where more is to be made small.

        ``label_smoothing`` spreads that share of the target over all answers (Szegedy et al. 2016, section 7). Of whole
        stories the answers are [B, Q], 0 where there is no question, which costs nothing.
        """
        logits = self(batch)
        return Objective(self.cross_entropy(logits, answers, label_smoothing), logits)

    def cross_entropy(self, logits: Tensor, answers: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The cost of each answer, as `loss` says."""
        chances = torch.log_softmax(logits, dim=-1)
        losses = -chances.gather(-1, answers.unsqueeze(-1)).squeeze(-1)
        if label_smoothing:
            losses = (1 - label_smoothing) * losses - label_smoothing * chances[..., 1:].mean(dim=-1)
        return torch.where(answers > 0, losses, 0.0) if self.whole_stories else losses

    def answer_vectors(self) -> Tensor | None:
        """[V', d] the vectors that score the first V' answers against a state, if there are any."""
        return None

    def answer_from(self, states: Tensor) -> Tensor | None:
        """The logits [..., V] of states [..., d] as the steps of a trace have them; None where these do not say.

        Where steps share the answer, it is that of the mean of their states with these shares.
        """
        return None

    def other_answers(self) -> list[str]:
        """Names of the answers that are no words of the vocabulary, in their order behind these."""
        return []

    def answer_alone(self, batch: Batch) -> Tensor:
        """The logits [B, V] of single questions, also of a network that goes through whole stories."""
        logits: Tensor = self(StoryBatch.of(batch))[:, 0] if self.whole_stories else self(batch)
        return logits

    def trace(self, batch: Batch) -> Trace:
        """How the network answers; by default one step, which says what the answer owes to each statement.

        That is by how much its log probability falls when a story is told without the statement. A network with steps
        of its own shows those instead.
        """
        logits = self.answer_alone(batch)
        chosen = logits.argmax(dim=-1, keepdim=True)
        known = torch.log_softmax(logits, dim=-1).gather(-1, chosen)
        falls = [
            known - torch.log_softmax(self.answer_alone(without(batch, slot)), dim=-1).gather(-1, chosen)
            for slot in range(self.shape.slots)
        ]
        weights = torch.cat(falls, dim=-1) if falls else torch.zeros_like(batch.ages, dtype=logits.dtype)
        return Trace(logits, (Step("worth of each statement", torch.where(batch.told, weights, 0.0), unit="nats"),))

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over the tensors of one restart by name. What was fitted brings its sizes along."""
        if self.settings.fitted:
            for name, values in self.named_parameters():
                values.data = torch.empty_like(tensors[name])
        self.load_state_dict(dict(tensors), strict=False)

    def upgrade(self, tensors: Mapping[str, np.ndarray[Any, Any]]) -> Mapping[str, np.ndarray[Any, Any]]:
        """Tensors of a checkpoint, restarts first, by the names of today; override it where names have changed."""
        return tensors


def no_padding(logits: Tensor) -> Tensor:
    """The logits [..., V] with -inf for word 0, which is no answer."""
    return torch.cat([torch.full_like(logits[..., :1], -torch.inf), logits[..., 1:]], dim=-1)


def without(batch: Batch, slot: int) -> Batch:
    """The batch of stories in which the statement of a slot was never told; those that have none there stay."""
    later = torch.arange(batch.ages.shape[-1], device=batch.ages.device) >= slot  # told earlier, that is
    moved = later & (slot < batch.counts).unsqueeze(-1)  # [B, M]
    words = torch.cat([batch.words[:, 1:], torch.zeros_like(batch.words[:, :1])], dim=1)
    counts = batch.counts - (slot < batch.counts).long()
    return batch._replace(words=torch.where(moved.unsqueeze(-1), words, batch.words), counts=counts)
