"""How a question was answered, as numbers: step by step, of one question or of many.

Legend: N questions, K steps, M memory slots, V answers, d dimension.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a network on its way to the answer, such as a hop.

    Attributes:
        name: what the network calls it.
        weights: of each statement of the story, oldest first; 0 for one that the memory has forgotten.
        shares: whether these and ``empty`` are shares of one; else they are any numbers.
        empty: weight on no statement, as that of all empty memory slots together; None unless the weights are shares.
        nearest: words whose answer vectors have the largest cosine with the state after this step; none where the
            network has no state, or no vectors of answers.
        unit: what the weights are in where they are no shares, to be read after "numbers in", such as ``nats``.
        answers: what share of the answer is given after this step; None where the network does not decide that.
        taken: whether the network got as far as to this step before it had answered.
        numbers: what else the network has to say of the step, by name.
    """

    name: str
    weights: tuple[float, ...]
    shares: bool
    empty: float | None
    nearest: tuple[tuple[str, float], ...]
    unit: str = ""
    answers: float | None = None
    taken: bool = True
    numbers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """How the statements in the memory were rewritten once.

    Attributes:
        name: what the network calls it.
        weights: for each statement of the story, oldest first, what share it read of each; 0 for forgotten ones.
    """

    name: str
    weights: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """How a question was answered.

    Attributes:
        story: the statements, oldest first.
        question: the question.
        asked: words whose answer vectors have the largest cosine with the state before the first step; may be none.
        steps: one after another.
        answers: all that it can answer with the probability, the most probable first.
        forgotten: how many of the oldest statements did not fit into the memory.
        writes: how the memory was written, one after another; none where slots do not read each other.
    """

    story: tuple[str, ...]
    question: str
    asked: tuple[tuple[str, float], ...]
    steps: tuple[Step, ...]
    answers: tuple[tuple[str, float], ...]
    forgotten: int
    writes: tuple[Write, ...] = ()

    @property
    def answer(self) -> str:
        """The most probable word."""
        return self.answers[0][0]

    def as_json(self) -> dict[str, Any]:
        """Plain lists and mappings, for JSON."""
        return {**asdict(self), "answer": self.answer}


class Answers(NamedTuple):
    """What a network says to many questions: probabilities [N, V], of padding 0; float32."""

    probabilities: npt.NDArray[np.float32]

    @property
    def chosen(self) -> npt.NDArray[np.int64]:
        """The number of the most probable answer, [N]."""
        chosen: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return chosen


class Way(NamedTuple):
    """One step with many questions: as `models.network.Step`, with float32 arrays for its tensors.

    weights are [N, M], slot 0 holds the latest statement; state is [N, d]; answers are [N], as all ``numbers`` are;
    ``taken`` [N] says for which questions the network got as far as to this step before it had answered.
    """

    name: str
    weights: npt.NDArray[np.float32]
    shares: bool
    state: npt.NDArray[np.float32] | None
    unit: str
    answers: npt.NDArray[np.float32] | None
    taken: npt.NDArray[np.bool_]
    numbers: Mapping[str, npt.NDArray[np.float32]]

    @property
    def kind(self) -> str:
        """See `kind_of`."""
        return kind_of(self.name)


class Attended(NamedTuple):
    """How a network comes to its answers to many questions: ``start`` [N, d] is its state before the first step.

    ``writes`` are [N, M, M] by the name of the write, where they were asked for: what each slot read of each.
    """

    answers: Answers
    steps: tuple[Way, ...]
    start: npt.NDArray[np.float32] | None
    writes: Mapping[str, npt.NDArray[np.float32]]

    @property
    def attention(self) -> npt.NDArray[np.float32] | None:
        """[N, K, M] the weights of the steps that attend, whose weights are shares of one; None without such steps.

        Those of steps that were not taken are zero.
        """
        attending = [step.weights * step.taken[:, None] for step in self.steps if step.shares]
        return np.stack(attending, axis=1) if attending else None


def kind_of(name: str) -> str:
    """The name of a step without its number: that of ``hop 2`` is ``hop``."""
    return re.sub(r" \d+$", "", name)


def taken(
    kinds: Sequence[str], answers: Sequence[npt.NDArray[np.float32] | None], questions: int
) -> list[npt.NDArray[np.bool_]]:
    """For each step whether a network took it, [N]: whether some of the answer was given after it or later.

    Later steps of its own kind count, such as the hops of one of two memories; of a step that gives no answers, such as
    a write, all later ones do. Where no step gives answers, all are taken.
    """
    if not any(share is not None for share in answers):
        return [np.ones(questions, dtype=bool) for _ in answers]
    found = []
    for place, kind in enumerate(kinds):
        gives = answers[place] is not None
        later = [
            share > 0
            for share, other in zip(answers[place:], kinds[place:], strict=True)
            if share is not None and (other == kind or not gives)
        ]
        found.append(np.logical_or.reduce([*later, np.zeros(questions, dtype=bool)]))
    return found
