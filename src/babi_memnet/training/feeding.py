"""What is put before a network: batches of single questions, or of whole stories, and the answers to them.

Legend: A restarts that are trained, S steps of an epoch, B batch, M memory slots, T statements, Q questions of a story,
J words of a sentence, V words of the vocabulary, N questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.encoding.stories import Stories
from babi_memnet.models.network import AnyBatch, Batch, StoryBatch
from babi_memnet.training.sampling import draw_epoch, draw_stories
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange

_QUESTIONS_AT_ONCE = 100
_STATEMENTS_AT_ONCE = 1000

Generators = Sequence[np.random.Generator]


class Asked(NamedTuple):
    """A batch of each restart, with restarts as first axis, and the right answers; 0 where there is no question."""

    batch: AnyBatch
    answers: Tensor


class Judged(NamedTuple):
    """A batch that all restarts are asked, the right answers, and their places among the questions (-1: none)."""

    batch: AnyBatch
    answers: Tensor
    places: Tensor


class Feed(Protocol):
    """Makes the batches of a training set, and of questions to evaluate."""

    def epoch(self, generators: Generators, epoch: Epoch) -> tuple[int, Iterator[Asked]]:
        """How many steps an epoch has, and its batches; each restart draws from its own generator."""

    def evaluation(self, questions: Questions) -> Iterator[Judged]:
        """All of these questions."""


class QuestionFeed:
    """Every question with what was told before it."""

    def __init__(
        self,
        train: Questions,
        settings: TrainingSettings,
        device: torch.device,
        exchange: Exchange | None,
        supporting: bool = False,
    ) -> None:
        """``supporting`` has the batches of an epoch, and these alone, say which facts are."""
        self._train, self._settings, self._device, self._exchange = train, settings, device, exchange
        self._sent = self._send(train)
        if supporting and train.supporting is not None:
            self._sent["supporting"] = _sent(train.supporting, device)

    def epoch(self, generators: Generators, epoch: Epoch) -> tuple[int, Iterator[Asked]]:
        plans = [draw_epoch(generator, self._train, self._settings, self._exchange) for generator in generators]
        order = _stacked([plan.order for plan in plans], np.int64, self._device)  # [A, S, B]
        ages = _stacked([plan.ages for plan in plans], np.int32, self._device)
        maps = [plan.maps for plan in plans if plan.maps is not None]
        moved = torch.from_numpy(np.stack(maps).astype(np.int32)).to(self._device) if maps else None  # [A, S, B, V]

        def batches() -> Iterator[Asked]:
            for step in range(order.shape[1]):
                batch, answers = self._batch(self._sent, order[:, step], ages[:, step].long())
                if moved is not None:
                    through = moved[:, step].long()
                    words, asked = _through(through, batch.words), _through(through, batch.questions)
                    batch = batch._replace(words=words, questions=asked)
                    answers = _through(through, answers.unsqueeze(-1)).squeeze(-1)
                yield Asked(batch, answers)

        return order.shape[1], batches()

    def evaluation(self, questions: Questions) -> Iterator[Judged]:
        sent = self._send(questions)
        slots = torch.arange(questions.words.shape[1], device=self._device)
        for order in torch.split(torch.arange(len(questions), device=self._device), _QUESTIONS_AT_ONCE):
            batch, right = self._batch(sent, order, slots.expand(len(order), -1))
            yield Judged(batch, right, order)

    def _send(self, questions: Questions) -> dict[str, Tensor]:
        names = ("words", "counts", "questions", "answers")
        return {name: _sent(getattr(questions, name), self._device) for name in names}

    def _batch(self, source: Mapping[str, Tensor], order: Tensor, ages: Tensor) -> tuple[Batch, Tensor]:
        """The questions at ``order`` [..., B] with the ages [..., B, M] of their statements, and their answers."""
        batch = Batch(source["words"][order], ages, source["counts"][order], source["questions"][order])
        if "supporting" in source:
            batch = batch._replace(supporting=source["supporting"][order])
        return batch, source["answers"][order]


class StoryFeed:
    """Every story once for all its questions, beside others of about its length."""

    def __init__(
        self, train: Questions, settings: TrainingSettings, device: torch.device, exchange: Exchange | None
    ) -> None:
        self._settings, self._device, self._exchange = settings, device, exchange
        self._train = Stories.of(train)

    def epoch(self, generators: Generators, epoch: Epoch) -> tuple[int, Iterator[Asked]]:
        plans = [
            draw_stories(generator, self._train, self._settings, epoch, self._exchange) for generator in generators
        ]
        steps = len(plans[0].order)

        def batches() -> Iterator[Asked]:
            for step in range(steps):
                drawn = [
                    _cut(self._train, plan.order[step], plan.told[step], None if plan.maps is None else plan.maps[step])
                    for plan in plans
                ]
                statements, told, questions, asked, answers = (
                    _stacked(_padded(values), np.int64, self._device) for values in zip(*drawn, strict=True)
                )
                yield Asked(StoryBatch(statements, told, questions, asked), answers)

        return steps, batches()

    def evaluation(self, questions: Questions) -> Iterator[Judged]:
        stories = Stories.of(questions)
        order = np.argsort(stories.told, kind="stable")
        start = 0
        while start < len(order):
            # As many stories as have about so many statements together; the next are no shorter.
            count = max(1, int(_STATEMENTS_AT_ONCE // max(1, stories.told[order[start]])))
            chosen = order[start : start + count]
            start += count
            statements, told, asked_words, asked, answers = (
                _sent(values, self._device) for values in _cut(stories, chosen, stories.told[chosen], None)
            )
            places = _sent(stories.places[chosen], self._device)
            yield Judged(StoryBatch(statements, told, asked_words, asked), answers, places)


def _cut(
    stories: Stories,
    order: npt.NDArray[np.integer[Any]],
    told: npt.NDArray[np.integer[Any]],
    maps: npt.NDArray[np.uint16] | None,
) -> tuple[npt.NDArray[Any], ...]:
    """Stories up to a statement each, [B]: statements, how many, questions, when they were asked, and answers.

    Questions that were asked later are left out: their answer is 0. ``maps`` [B, V] exchanges words.
    """
    longest = int(told.max(initial=0))
    statements = stories.statements[order, :longest]
    statements = statements * (np.arange(longest) < told[:, None])[:, :, None].astype(statements.dtype)
    heard = (stories.asked[order] <= told[:, None]) & (stories.places[order] >= 0)
    questions = stories.questions[order] * heard[:, :, None].astype(statements.dtype)
    asked, answers = stories.asked[order] * heard, stories.answers[order] * heard.astype(np.uint32)
    if maps is not None:
        statements, questions, answers = (_moved(maps, values) for values in (statements, questions, answers))
    return statements, told, questions, asked, answers


def _moved(maps: npt.NDArray[np.uint16], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Word numbers [B, ...] through maps [B, V]."""
    flat = values.reshape(len(values), -1).astype(np.int64)
    return np.take_along_axis(maps, flat, axis=1).reshape(values.shape)


def _padded(arrays: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Arrays of one rank with zeros behind the second axis, so that all are as long as the longest."""
    if arrays[0].ndim == 1:
        return list(arrays)
    longest = max(array.shape[1] for array in arrays)
    return [
        np.pad(array, [(0, longest - size if axis == 1 else 0) for axis, size in enumerate(array.shape)])
        for array in arrays
    ]


def _stacked(arrays: Sequence[npt.NDArray[Any]], kind: type, device: torch.device) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(kind)).to(device)


def _sent(values: npt.NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.int64)).to(device)


def _through(maps: Tensor, words: Tensor) -> Tensor:
    """Word numbers [A, B, ...] through maps [A, B, V]."""
    return maps.gather(-1, words.flatten(2)).reshape(words.shape)
