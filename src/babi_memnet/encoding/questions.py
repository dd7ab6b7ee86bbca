"""Story questions as arrays of word numbers.

Legend: N questions, M memory slots, J positions of the longest sentence. Slot 0 holds the latest statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.merging import Merging, learn
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import PADDING, Vocabulary
from babi_memnet.errors import RequestError, bad_value
from babi_memnet.tasks import Task

MOST_WORDS = 2**16
"""Words that a vocabulary can have, padding included."""

Columns = Mapping[str, Sequence[Any]]
"""The columns that matter here: ``task``, ``story``, ``question``, ``answer``, and ``supporting`` where it is known."""


@dataclass(frozen=True)
class Questions:
    """Encoded questions with what was told before each.

    Attributes:
        words: [N, M, J] words of the remembered statements, latest first, padded with 0.
        counts: [N] how many statements are remembered.
        questions: [N, J] words of the questions.
        answers: [N] the answer's number; 0 for an answer that is not in the vocabulary.
        tasks: [N] task; all of them numbers, or all names.
        forgotten: how many statements did not fit into the memory, over all questions.
        unknown: how many words of remembered statements and of questions were left out, having no vector.
        supporting: [N, S] slots of the supporting facts that are remembered, in their order, -1 behind them; None where
            nobody says which they are.
    """

    words: npt.NDArray[np.uint16]
    counts: npt.NDArray[np.uint32]
    questions: npt.NDArray[np.uint16]
    answers: npt.NDArray[np.uint32]
    tasks: npt.NDArray[Any]
    forgotten: int = 0
    unknown: int = 0
    supporting: npt.NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.answers)

    def select(self, index: npt.NDArray[np.integer]) -> Questions:
        """The questions at these places."""
        return Questions(
            np.ascontiguousarray(self.words[index]),
            self.counts[index],
            self.questions[index],
            self.answers[index],
            self.tasks[index],
            self.forgotten,
            self.unknown,
            None if self.supporting is None else self.supporting[index],
        )

    def moved(self, maps: npt.NDArray[np.uint16]) -> Questions:
        """The questions with their words, and those of their stories and answers, put through a map each, [N, V]."""

        def through(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            flat = values.reshape(len(values), -1)
            return np.take_along_axis(maps, flat.astype(np.int64), axis=1).reshape(values.shape).astype(values.dtype)

        return replace(
            self, words=through(self.words), questions=through(self.questions), answers=through(self.answers)
        )


@dataclass(frozen=True)
class Encoder:
    """What fixes the shape of the arrays: the vocabulary, M slots and sentences of J words."""

    vocabulary: Vocabulary
    slots: int
    positions: int

    def encode(self, columns: Columns) -> Questions:
        """Arrays of the questions; words that are not in the vocabulary are left out and counted."""
        numbers = self.vocabulary.number
        unknown_in: dict[str, int] = {}
        rows: dict[str, int] = {}
        table: list[list[int]] = []

        def row_of(text: str) -> int:
            row = rows.get(text)
            if row is None:
                found = [numbers(token) for token in self.vocabulary.tokens(text)]
                known = [number for number in found if number != PADDING]
                unknown_in[text] = len(found) - len(known)
                row = rows[text] = len(table)
                table.append(known[: self.positions] + [PADDING] * (self.positions - len(known)))
            return row

        stories = columns["story"]
        told = [len(story) for story in stories]
        blank = row_of("")
        picked = np.full((len(stories), self.slots), blank, dtype=np.int64)
        for place, story in enumerate(stories):
            latest = [row_of(statement) for statement in story[: -self.slots - 1 : -1]]
            picked[place, : len(latest)] = latest
        asked = [row_of(question) for question in columns["question"]]
        sentences = np.array(table, dtype=np.uint16).reshape(len(table), self.positions)
        unknown = 0
        if any(unknown_in.values()):
            unknown = sum(unknown_in[text] for story in stories for text in story[-self.slots :])
            unknown += sum(unknown_in[text] for text in columns["question"])
        return Questions(
            words=sentences[picked],
            counts=np.minimum(told, self.slots).astype(np.uint32),
            questions=sentences[asked],
            answers=np.array(
                [numbers(self.vocabulary.answer_token(answer)) for answer in columns["answer"]], dtype=np.uint32
            ),
            tasks=_tasks(columns["task"]),
            forgotten=sum(max(0, count - self.slots) for count in told),
            unknown=unknown,
            supporting=None if columns.get("supporting") is None else _slots(columns, self.slots),
        )


def _tasks(tasks: Sequence[Task]) -> npt.NDArray[Any]:
    """Of numbers in little room, of names as they are."""
    return np.array(tasks, dtype=None if any(isinstance(task, str) for task in tasks[:1]) else np.int16)


def _slots(columns: Columns, slots: int) -> npt.NDArray[np.int32]:
    """The slots of the supporting facts that are remembered, [N, S], -1 behind them."""
    places = [
        [place for place in (len(story) - 1 - fact for fact in facts) if place < slots]
        for story, facts in zip(columns["story"], columns["supporting"], strict=True)
    ]
    found = np.full((len(places), max(map(len, places), default=0)), -1, dtype=np.int32)
    for row, own in zip(found, places, strict=True):
        row[: len(own)] = own
    return found


def build_encoder(
    settings: TokenizerSettings,
    train: Columns,
    test: Columns,
    memory_size: int | None,
    validation: Columns | None = None,
) -> Encoder:
    """The encoder for the splits of some data: their words, their longest sentence and longest story.

    Words of ``validation``, where it is no part of the training questions, count as those of ``test`` do.

    A story is as long as ``memory_size`` at most, unless that is None.

    Sentences and stories of all splits count even when only training words do, so that every array has one shape.
    What is merged is learned from the training questions alone; as for the vocabulary, those held out are among them.

    Raises:
        RequestError: no sentence has a word, or all together have more than can be numbered.
    """
    vocabulary = Vocabulary(settings, merging=_learned(settings, train) if settings.merge else None)
    lengths: dict[str, int] = {}
    longest_story = 1
    learns_all = settings.vocabulary == "train_and_test"
    others = [(columns, learns_all) for columns in (test, validation) if columns is not None]
    for columns, learns in ((train, True), *others):
        add: Callable[[str], object] = vocabulary.add if learns else vocabulary.number
        seen: set[str] = set()
        for story, question, answer in zip(columns["story"], columns["question"], columns["answer"], strict=True):
            longest_story = max(longest_story, len(story))
            # A story grows from question to question: only what is new in it needs reading.
            for text in _unseen((*story, question), seen):
                tokens = vocabulary.tokens(text)
                lengths[text] = len(tokens)
                for token in tokens:
                    add(token)
            add(vocabulary.answer_token(answer))
    if not any(lengths.values()):
        raise bad_value("tokenizer.pattern", settings.pattern, "a pattern that finds words in the stories, found none")
    if len(vocabulary) > MOST_WORDS:
        raise RequestError(f"the stories have {len(vocabulary) - 1} different words; expected at most {MOST_WORDS - 1}")
    slots = min(memory_size or longest_story, longest_story)
    return Encoder(vocabulary, slots, max(lengths.values(), default=1))


def _learned(settings: TokenizerSettings, train: Columns) -> Merging:
    """What to merge in the sentences of the training questions, each counted as often as it is told or asked."""
    plain = Vocabulary(settings)
    often: Counter[str] = Counter()
    before: Sequence[str] = ()
    for story, question in zip(train["story"], train["question"], strict=True):
        grown = len(before) <= len(story) and story[: len(before)] == before
        often.update(story[len(before) :] if grown else story)
        often[question] += 1
        before = story
    told: Counter[tuple[str, ...]] = Counter()
    for text, times in often.items():
        told[tuple(plain.tokens(text))] += times
    answers = {word for answer in set(train["answer"]) for part in answer.split(",") for word in plain.tokens(part)}
    return learn(told, answers)


def _unseen(texts: Iterable[str], seen: set[str]) -> Iterable[str]:
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text
