"""What a trained network does with a question: where it looks at each hop, what it holds, what it answers.

Everything is read from the network as it is written, with the restored parameters of one restart.

Legend: N questions, M memory slots, V answers, d dimension.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from babi_memnet.data.hub_models import model_folder, push_model
from babi_memnet.encoding.questions import Columns, Questions
from babi_memnet.errors import RequestError
from babi_memnet.looking.answering import Answers, Attended, Step, Trace, Way, Write, kind_of, taken
from babi_memnet.looking.restoring import Trained
from babi_memnet.runs.exported import CONFIG_FILE, FILES
from babi_memnet.tasks import Task

if TYPE_CHECKING:
    from babi_memnet.models.network import Batch
    from babi_memnet.models.network import Trace as NetworkTrace

Result = TypeVar("Result")

_NEAREST = 5
_BATCH = 100
_MOST_PROBLEMS = 5


class TracedNetwork:
    """One restart of a trained run, ready to be asked. May be asked by several threads at once.

    Attributes:
        directory: of the run, or the folder in which it was handed on.
        settings: of the run, as nested plain mappings.
        restart: the number of the restart.
        encoder: from text to arrays, with the words that the network knows.
        words: all it can answer, by number: padding (the empty string), the vocabulary, then what is no word.
        answer_vectors: what scores the words against a state, [words, d]; None where the network has no such vectors.
        learned: what the run was asked to learn, and the fingerprint of its stories; None where that was left behind.
    """

    def __init__(self, trained: Trained, place: int) -> None:
        """The restart at a place of a run, or of what was handed on."""
        network, _ = trained.network(place)
        self.directory, self.settings, self.encoder = trained.origin, trained.settings, trained.encoder
        self.restart, encoder = trained.restarts[place], trained.encoder
        told = trained.result.get("data")
        self.learned: tuple[Task, str] | None = (self.settings["task"], told["fingerprint"]) if told else None
        self._network = network
        self.words = [*encoder.vocabulary.words, *network.other_answers()]
        vectors = network.answer_vectors()
        self.answer_vectors: npt.NDArray[np.float32] | None = None
        if vectors is not None:
            self.answer_vectors = vectors.detach().numpy()[: len(encoder.vocabulary)]

    @property
    def known_words(self) -> list[str]:
        """The words of its vocabulary in alphabetical order."""
        return sorted(word for word in self.encoder.vocabulary.words if word)

    @classmethod
    def load(cls, directory: str | os.PathLike[str], restart: int | None = None) -> TracedNetwork:
        """The network recorded in a run directory; of its restarts the one that was selected, or the one asked for.

        A folder that was handed on has one of them.

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
        trained = Trained.of(directory)
        for restart in restarts:
            yield cls(trained, trained.place(restart))

    @classmethod
    def load_exported(cls, source: str | os.PathLike[str], revision: str | None = None) -> TracedNetwork:
        """The network that `babi-export` has handed on, with the very parameters of the run.

        Args:
            source: the folder, or a repository of the Hugging Face hub, ``OWNER/NAME``, which is looked for in the
                cache of the hub's client where the hub is not to be reached.
            revision: a commit, branch or tag of the repository; None means its main branch.

        Raises:
            RequestError: there is no such folder or repository, or what lies there is damaged or of a later format.
        """
        folder = Path(source) if Path(source).is_dir() else model_folder(os.fspath(source), revision)
        return cls(Trained.of_exported(folder), 0)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str], revision: str | None = None) -> TracedNetwork:
        """As `load_exported`, under the name that users of the hub know."""
        return cls.load_exported(source, revision)

    def push_to_hub(self, repository: str, private: bool = True) -> str:
        """Upload the folder that the network was loaded from; the address of its repository.

        Args:
            repository: ``OWNER/NAME``, made where there is none.
            private: whether one that is made is private.

        Raises:
            RequestError: the network was not loaded from such a folder, or the hub refuses it.
        """
        if not (self.directory / CONFIG_FILE).is_file():
            raise RequestError(f"{self.directory}: expected a folder that babi-export wrote; it uploads runs, by push=")
        return push_model(self.directory, FILES, repository, private)

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
        vocabulary = self.encoder.vocabulary
        try:
            words = len(vocabulary.numbers_of(text))
        except RequestError as error:
            return [f"{name}: {error}"]
        if not 1 <= words <= self.encoder.positions:
            counted = " (a merged word is one)" if vocabulary.merging.pairs else ""
            return [f"{name}: expected 1 to {self.encoder.positions} words{counted}, found {words or 'none'}"]
        return []

    def answer(self, questions: Questions) -> Answers:
        """Answer many encoded questions."""
        parts = self._asked(questions, lambda batch: self._network.answer_alone(batch).softmax(dim=-1).numpy())
        return Answers(np.concatenate(parts))

    def attend(self, questions: Questions, writes: bool = False) -> Attended:
        """Answer many encoded questions, and say how; how the memory was written takes much room, if asked for."""

        def trace(batch: Batch) -> NetworkTrace:
            found = self._network.trace(batch)
            return found if writes else found._replace(writes=())

        traces = self._asked(questions, trace)
        every = list(zip(*(trace.steps for trace in traces), strict=True))  # each step in all parts
        answers = [_joined([step.answers for step in several]) for several in every]
        reached = taken([kind_of(several[0].name) for several in every], answers, len(questions))
        steps = [
            Way(
                name=several[0].name,
                weights=np.concatenate([step.weights.numpy() for step in several]),
                shares=several[0].shares,
                state=_joined([step.state for step in several]),
                unit=several[0].unit,
                answers=share,
                taken=was_taken,
                numbers={
                    parts[0][0]: np.concatenate([values.numpy() for _, values in parts])
                    for parts in zip(*(step.numbers for step in several), strict=True)
                },
            )
            for several, share, was_taken in zip(every, answers, reached, strict=True)
        ]
        probabilities = np.concatenate([trace.logits.softmax(dim=-1).numpy() for trace in traces])
        written = {
            several[0].name: np.concatenate([write.weights.numpy() for write in several])
            for several in zip(*(trace.writes for trace in traces), strict=True)
        }
        return Attended(Answers(probabilities), tuple(steps), _joined([trace.start for trace in traces]), written)

    def answer_from(self, states: npt.NDArray[np.float32]) -> npt.NDArray[np.int64] | None:
        """The numbers of the answers that states [..., d] of steps would give, [...]; None where steps do not say."""
        import torch

        with torch.inference_mode():
            logits = self._network.answer_from(torch.from_numpy(states))
        return None if logits is None else np.asarray(logits.argmax(dim=-1).numpy(), dtype=np.int64)

    def trace(self, columns: Columns) -> Iterator[Trace]:
        """The traces of many questions, in order; words that the network does not know are left out."""
        questions = self.encoder.encode(columns)
        found = self.attend(questions, writes=True)
        start = self._nearest(found.start, len(questions))
        nearest = [self._nearest(step.state, len(questions)) for step in found.steps]
        probabilities = found.answers.probabilities
        ranked = np.argsort(-probabilities, axis=-1, kind="stable")
        for place, (story, question) in enumerate(zip(columns["story"], columns["question"], strict=True)):
            count = int(questions.counts[place])
            forgotten = [0.0] * (len(story) - count)
            steps = []
            for step, words in zip(found.steps, nearest, strict=True):
                told = step.weights[place, :count][::-1].tolist()
                empty = float(step.weights[place, count:].sum()) if step.shares else None
                steps.append(
                    Step(
                        name=step.name,
                        weights=(*forgotten, *told),
                        shares=step.shares,
                        empty=empty,
                        nearest=words[place],
                        unit=step.unit,
                        answers=None if step.answers is None else float(step.answers[place]),
                        taken=bool(step.taken[place]),
                        numbers=tuple((name, float(values[place])) for name, values in step.numbers.items()),
                    )
                )
            answers = tuple(
                (self.words[number], float(probabilities[place, number])) for number in ranked[place] if number
            )
            writes = []
            for name, weights in found.writes.items():
                read = np.zeros((len(story), len(story)), dtype=np.float32)
                read[len(forgotten) :, len(forgotten) :] = weights[place, :count, :count][::-1, ::-1]
                writes.append(Write(name, tuple(map(tuple, read.tolist()))))
            yield Trace(tuple(story), question, start[place], tuple(steps), answers, len(story) - count, tuple(writes))

    def _asked(self, questions: Questions, ask: Callable[[Batch], Result]) -> list[Result]:
        """What ``ask`` makes of the questions, part by part and without gradients."""
        import torch

        from babi_memnet.models.network import Batch

        names = ("words", "counts", "questions")
        arrays = {name: torch.from_numpy(getattr(questions, name).astype(np.int64)) for name in names}
        ages = torch.arange(self.encoder.slots)
        results = []
        with torch.inference_mode():
            for start in range(0, len(questions), _BATCH):
                part = {name: values[start : start + _BATCH] for name, values in arrays.items()}
                results.append(ask(Batch(ages=ages.expand(len(part["counts"]), -1), **part)))
        return results

    def _nearest(self, states: npt.NDArray[np.float32] | None, count: int) -> list[tuple[tuple[str, float], ...]]:
        """For each of ``count`` states [N, d] the words whose answer vectors have the largest cosine with it."""
        if states is None or self.answer_vectors is None:
            return [()] * count
        # the padding word is no answer; its zero vector is near to nothing
        cosines = _directions(states) @ _directions(self.answer_vectors).T  # [N, V]
        closest = np.argsort(-cosines, axis=-1, kind="stable")[:, :_NEAREST]
        return [
            tuple((self.words[number], float(cosines[place, number])) for number in numbers)
            for place, numbers in enumerate(closest)
        ]


def _joined(parts: Sequence[Any]) -> npt.NDArray[np.float32] | None:
    """Tensors of a batch each as one array; None where there are none."""
    return None if parts[0] is None else np.concatenate([part.numpy() for part in parts])


def _directions(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The vectors [N, d] with length one; zero stays zero."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(vectors / lengths)
