"""What a trained network does with a question: where it looks at each hop, what it holds, what it answers.

Everything is read from the network as it is written (`models.memn2n`), with the restored parameters of one restart.

Legend: N questions, K hops, M memory slots, V words, d dimension.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Columns, Encoder, Questions
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.models.settings import MemN2NSettings
from babi_memnet.runs.directory import load_run

if TYPE_CHECKING:
    from babi_memnet.models.memn2n import MemN2N

_NEAREST = 5
_BATCH = 100
_MOST_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a network on its way to the answer, such as a hop.

    Attributes:
        name: what the network calls it.
        weights: of each statement of the story, oldest first; 0 for one that the memory has forgotten.
        shares: whether these and ``empty`` are shares of one; else they are any numbers.
        empty: weight of all empty memory slots together; None unless the weights are shares.
        nearest: words whose answer vectors have the largest cosine with the state after this step; none where the
            network has no state, or no vectors of answers.
        unit: what the weights are in where they are no shares, to be read after "numbers in", such as ``nats``.
    """

    name: str
    weights: tuple[float, ...]
    shares: bool
    empty: float | None
    nearest: tuple[tuple[str, float], ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """How a question was answered.

    Attributes:
        story: the statements, oldest first.
        question: the question.
        asked: words whose answer vectors have the largest cosine with the state before the first step; may be none.
        steps: one after another.
        answers: all words with their probability, the most probable first; those for the time of a slot among them.
        forgotten: how many of the oldest statements did not fit into the memory.
    """

    story: tuple[str, ...]
    question: str
    asked: tuple[tuple[str, float], ...]
    steps: tuple[Step, ...]
    answers: tuple[tuple[str, float], ...]
    forgotten: int

    @property
    def answer(self) -> str:
        """The most probable word."""
        return self.answers[0][0]

    def as_json(self) -> dict[str, Any]:
        """Plain lists and mappings, for JSON."""
        return {**asdict(self), "answer": self.answer}


class Attended(NamedTuple):
    """Many questions at once, as arrays.

    attention [N, K, M], slot 0 holds the latest statement; states [N, K+1, d]; probabilities [N, V], of padding 0; all
    float32.
    """

    attention: npt.NDArray[np.float32]
    states: npt.NDArray[np.float32]
    probabilities: npt.NDArray[np.float32]

    @property
    def answers(self) -> npt.NDArray[np.int64]:
        """The number of the most probable word, [N]."""
        answers: npt.NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return answers


class TracedNetwork:
    """One restart of a trained run, ready to be asked. May be asked by several threads at once.

    Attributes:
        directory: of the run.
        settings: of the run, as nested plain mappings.
        restart: the number of the restart.
        encoder: from text to arrays, with the words that the network knows.
        words: all it can answer, by number: padding (the empty string), the vocabulary, the time of each slot.
        answer_vectors: the rows of the answer table W, which scores the words, [V, d]; without those of time words.
    """

    def __init__(
        self, directory: Path, settings: dict[str, Any], restart: int, encoder: Encoder, model: MemN2N, linear: bool
    ) -> None:
        self.directory, self.settings, self.restart, self.encoder = directory, settings, restart, encoder
        self._model, self._linear = model, linear
        self.words = [*encoder.vocabulary.words, *(f"(time word {slot})" for slot in range(1, encoder.slots + 1))]
        table = model.tables[0, model.tying.answer].detach().numpy()[: len(encoder.vocabulary)]
        self.answer_vectors: npt.NDArray[np.float32] = table
        # the padding word is no answer; its zero vector is near to nothing
        self._directions = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), np.finfo(np.float32).tiny)

    @property
    def known_words(self) -> list[str]:
        """The words of its vocabulary in alphabetical order."""
        return sorted(word for word in self.encoder.vocabulary.words if word)

    @classmethod
    def load(cls, directory: str | os.PathLike[str], restart: int | None = None) -> TracedNetwork:
        """The network recorded in a run directory; of its restarts the one that was selected, or the one asked for.

        Raises:
            RequestError: there is no run, it is not done, its record is damaged, or it has no such restart.
        """
        (network,) = cls.load_all(directory, [restart])
        return network

    @classmethod
    def load_all(cls, directory: str | os.PathLike[str], restarts: Iterable[int | None]) -> Iterator[TracedNetwork]:
        """As `load`, several restarts one after another; the record is read once.

        Raises:
            RequestError: as of `load`.
        """
        import torch

        from babi_memnet.models.memn2n import MemN2N

        record = load_run(directory)
        status, result, checkpoint = record.status, record.result, record.checkpoint()
        if status is None or result is None:
            state = status and status["state"]
            raise RequestError(f"{record.path}: expected a finished run, this one is {state}; the same command ends it")
        if checkpoint is None:
            raise RequestError(
                f"{record.path}: expected its checkpoint, found none; remove the folder and train it again"
            )
        numbers = checkpoint.state["restarts"]
        settings = status["settings"]
        saved = checkpoint.state["encoder"]
        encoder = Encoder(Vocabulary.from_json(saved["vocabulary"]), saved["slots"], saved["positions"])
        model_settings = MemN2NSettings(**settings["model"])
        for restart in restarts:
            place = result["selected"] if restart is None else numbers.index(restart) if restart in numbers else None
            if place is None:
                raise bad_value("restart", restart, f"one of {', '.join(map(str, numbers))}, those of {record.path}")
            model = MemN2N(model_settings, 1, len(encoder.vocabulary), encoder.slots, encoder.positions)
            tensors = {name: torch.from_numpy(values[place : place + 1]) for name, values in checkpoint.tensors.items()}
            model.load_state_dict(tensors)
            model.requires_grad_(False)
            yield cls(record.path, settings, numbers[place], encoder, model, settings["training"]["epochs"] == 0)

    def ask(self, story: Sequence[str], question: str) -> Trace:
        """Answer a question that a person has typed about a story.

        Raises:
            RequestError: there is no question, or there are words that the network has never met.
        """
        statements = [(f"statement {place}", text) for place, text in enumerate(story, 1)]
        problems = [problem for named in [*statements, ("question", question)] for problem in self.problems(*named)]
        if problems:
            more = f"; and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
            raise RequestError("; ".join(problems[:_MOST_PROBLEMS]) + more)
        (trace,) = self.trace({"task": [0], "story": [list(story)], "question": [question], "answer": [""]})
        return trace

    def problems(self, name: str, text: str) -> list[str]:
        """What keeps the network from reading a text, in lines that call it ``name``."""
        try:
            words = len(self.encoder.vocabulary.numbers_of(text))
        except RequestError as error:
            return [f"{name}: {error}"]
        if not 1 <= words <= self.encoder.positions:
            return [f"{name}: expected 1 to {self.encoder.positions} words, found {words or 'none'}"]
        return []

    def attend(self, questions: Questions) -> Attended:
        """Answer many encoded questions."""
        import torch

        from babi_memnet.models.memn2n import Batch

        times = torch.from_numpy(self._model.time_words().astype(np.int64))
        names = ("words", "counts", "questions")
        arrays = {name: torch.from_numpy(getattr(questions, name).astype(np.int64))[None] for name in names}
        parts = []
        with torch.inference_mode():
            for start in range(0, len(questions), _BATCH):
                some = {name: values[:, start : start + _BATCH] for name, values in arrays.items()}
                spread = times.expand(1, some["counts"].shape[1], -1)
                batch = Batch(some["words"], spread, some["counts"], some["questions"])
                out = self._model(batch, self._linear)
                parts.append((out.attention[0].numpy(), out.states[0].numpy(), out.logits[0].softmax(dim=-1).numpy()))
        attention, states, probabilities = (np.concatenate(some) for some in zip(*parts, strict=True))
        return Attended(attention, states, probabilities)

    def trace(self, columns: Columns) -> Iterator[Trace]:
        """The traces of many questions, in order; words that the network does not know are left out."""
        questions = self.encoder.encode(columns)
        found = self.attend(questions)
        words = self.words
        norms = np.maximum(np.linalg.norm(found.states, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
        cosines = (found.states / norms) @ self._directions.T  # [N, K+1, V]
        closest = np.argsort(-cosines, axis=-1, kind="stable")[..., :_NEAREST]
        ranked = np.argsort(-found.probabilities, axis=-1, kind="stable")
        for place, (story, question) in enumerate(zip(columns["story"], columns["question"], strict=True)):
            count = int(questions.counts[place])
            nearest = [
                tuple((words[number], float(cosines[place, step, number])) for number in closest[place, step])
                for step in range(closest.shape[1])
            ]
            steps = []
            for hop, weights in enumerate(found.attention[place]):
                told = weights[:count][::-1].tolist()
                forgotten = [0.0] * (len(story) - count)
                empty = None if self._linear else float(weights[count:].sum())
                steps.append(Step(f"hop {hop + 1}", (*forgotten, *told), not self._linear, empty, nearest[hop + 1]))
            answers = tuple(
                (words[number], float(found.probabilities[place, number])) for number in ranked[place] if number
            )
            yield Trace(tuple(story), question, nearest[0], tuple(steps), answers, len(story) - count)
