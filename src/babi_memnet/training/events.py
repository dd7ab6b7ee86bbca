"""What can be counted in stories: sentences, statements that follow each other, questions and what answers them.

Words are numbers here, given in order of appearance, so that nothing depends on how a word is written.

Legend: E events, L words of an event, V words.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Columns
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.training.symmetry import SEPARATOR

MOST_STORIES = 1000
"""Only the first so many stories are looked at; more say hardly more, and take longer."""

_FEW_STATEMENTS = 12
"""In stories of up to so many statements every other statement is put beside the question."""

_CHAIN = 3
"""At most so many statements connect a word of the question with one of the answer."""

_AT_ONCE = 1000
"""Of so many events all words are compared with each other at once."""

MARKS = ("statement", "question", "answer")
"""What stands before a sentence and says what it is; numbers 1 to 3, words are numbered after them."""

_STATEMENT, _QUESTION, _ANSWER = range(1, len(MARKS) + 1)


@dataclass(frozen=True)
class _Asked:
    told: int
    question: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass
class _Story:
    statements: list[tuple[int, ...]] = field(default_factory=list)
    asked: list[_Asked] = field(default_factory=list)


class Event(NamedTuple):
    """Sentences of a story, and an answer that belongs to them."""

    story: int
    words: tuple[int, ...]
    answer: tuple[int, ...] = ()


class Corpus:
    """Stories as numbers.

    Attributes:
        words: [V] each word by number, padding and marks included.
        stories: at most `MOST_STORIES`, each with the questions that go on with it.
    """

    def __init__(self, columns: Columns, places: Sequence[int], vocabulary: Vocabulary) -> None:
        """The stories of the questions in these places, in order, split into words by the vocabulary."""
        self._numbers: dict[str, int] = {}
        self.stories: list[_Story] = []
        before: list[str] = []
        for place in places:
            told = list(columns["story"][place])
            if not before or told[: len(before)] != before:
                if len(self.stories) == MOST_STORIES:
                    break
                self.stories.append(_Story())
                before = []
            story = self.stories[-1]
            story.statements += [self._number(vocabulary.tokens(text)) for text in told[len(before) :]]
            before = told
            question = self._number(vocabulary.tokens(columns["question"][place]))
            answer = self._number(vocabulary.answer_token(columns["answer"][place]).split(SEPARATOR))
            story.asked.append(_Asked(len(told), question, answer))
        self.words = ["", *MARKS, *self._numbers]

    def _number(self, tokens: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._numbers.setdefault(token, len(self._numbers) + len(MARKS) + 1) for token in tokens)

    def __len__(self) -> int:
        return len(self.words)

    def stories_with(self) -> npt.NDArray[np.int64]:
        """How many stories have each word, [V]."""
        often = np.zeros(len(self), dtype=np.int64)
        for story in self.stories:
            sentences = [*story.statements, *(words for each in story.asked for words in (each.question, each.answer))]
            often[list(set().union(*sentences))] += 1
        return often

    def sentences(self) -> Iterator[Event]:
        """Each sentence, with the number of its story."""
        for number, story in enumerate(self.stories):
            for words in story.statements:
                yield Event(number, (_STATEMENT, *words))
            for asked in story.asked:
                yield Event(number, (_QUESTION, *asked.question))
                yield Event(number, (_ANSWER, *asked.answer))

    def neighbours(self) -> Iterator[Event]:
        """Each statement with the next."""
        for number, story in enumerate(self.stories):
            for first, second in itertools.pairwise(story.statements):
                yield Event(number, (_STATEMENT, *first, _STATEMENT, *second))

    def continued(self, telling: npt.NDArray[np.bool_]) -> Iterator[Event]:
        """Each statement with the next that has one of its ``telling`` [V] words, for each of them."""
        for number, story in enumerate(self.stories):
            last: dict[int, tuple[int, ...]] = {}
            for words in story.statements:
                for word in dict.fromkeys(words):
                    if telling[word]:
                        if word in last:
                            yield Event(number, (_STATEMENT, *last[word], _STATEMENT, *words))
                        last[word] = words

    def answers(self, telling: npt.NDArray[np.bool_]) -> Iterator[Event]:
        """Each question with its answer and the statements that connect their words."""
        for number, story in enumerate(self.stories):
            for asked in story.asked:
                yield _answered(number, story, asked, _connection(story, asked, telling))

    def answers_beside(self, telling: npt.NDArray[np.bool_]) -> Iterator[Event]:
        """The same with one more statement, each of a short story in turn."""
        for number, story in enumerate(self.stories):
            for asked in story.asked:
                if asked.told <= _FEW_STATEMENTS:
                    core = _connection(story, asked, telling)
                    for place in set(range(asked.told)) - core:
                        yield _answered(number, story, asked, core | {place})


def _answered(number: int, story: _Story, asked: _Asked, places: Iterable[int]) -> Event:
    told = [word for place in sorted(places) for word in (_STATEMENT, *story.statements[place])]
    return Event(number, (_QUESTION, *asked.question, *told), (_ANSWER, *asked.answer))


def _connection(story: _Story, asked: _Asked, telling: npt.NDArray[np.bool_]) -> set[int]:
    """The places of statements that connect the telling words of a question and its answer, the latest that do."""
    told = [{word for word in words if telling[word]} for words in story.statements[: asked.told]]
    ends = [word for word in dict.fromkeys((*asked.question, *asked.answer)) if telling[word]]
    found: set[int] = set()
    for start, end in itertools.combinations(ends, 2):
        found.update(_path(told, start, end))
    for word in dict.fromkeys(asked.question):
        if telling[word] and not any(word in told[place] for place in found):
            found.update([place for place, words in enumerate(told) if word in words][-1:])
    return found


def _path(told: Sequence[set[int]], start: int, end: int) -> list[int]:
    """The fewest statements that lead from one word to another over words that they share, the latest of equals."""
    reached = {start}
    paths: dict[int, list[int]] = {}
    for _ in range(_CHAIN):
        step: dict[int, list[int]] = {}
        for place in range(len(told) - 1, -1, -1):
            if place in paths or not (shared := told[place] & reached):
                continue
            before = next((path for other, path in paths.items() if told[other] & shared), [])
            step[place] = [*before, place]
            if end in told[place]:
                return step[place]
        paths |= step
        reached = reached.union(*(told[place] for place in step))
    return []


class Events:
    """Events of one kind.

    Attributes:
        words: [E, L] numbers, padded with 0.
        first: [E, L] the first place of the same word.
        answers: the place where an answer begins; L where there is none.
        story: [E] which story has it.
        often: [E] how often.
    """

    def __init__(self, found: Iterable[Event]) -> None:
        counted = Counter(found)
        self.answers = max((len(event.words) for event in counted), default=1)
        length = self.answers + max((len(event.answer) for event in counted), default=0)
        self.words = np.zeros((len(counted), length), dtype=np.int64)
        for row, event in zip(self.words, counted, strict=True):
            row[: len(event.words)] = event.words
            row[self.answers : self.answers + len(event.answer)] = event.answer
        self.story = np.array([event.story for event in counted], dtype=np.int64)
        self.often = np.array(list(counted.values()), dtype=np.float64)
        self.first = np.empty_like(self.words)
        for place in range(0, len(self.words), _AT_ONCE):
            part = self.words[place : place + _AT_ONCE]
            self.first[place : place + _AT_ONCE] = (part[:, :, None] == part[:, None, :]).argmax(axis=2)
        self.hidden = self.words

    def hide(self, classes: npt.NDArray[np.int64]) -> None:
        """Number words anew that are not to be told apart: by class [V] and first place.

        An answer that stands nowhere else stays as it is, or yes and no would be the same.
        """
        size = len(classes)
        stays = (classes[self.words] < 0) | (self.first >= self.answers)
        self.hidden = np.where(stays, self.words, size + classes[self.words] * size + self.first)

    def under(
        self, moves: npt.NDArray[np.int64], shown: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which events have words that a map [V] moves, [E], and of those [n, L] the events and their images.

        Words that are not ``shown`` [V] are hidden.
        """
        touched = (moves != np.arange(len(moves)))[self.words].any(axis=1)
        words = self.words[touched]
        seen = shown[words]
        events = np.where(seen, words, self.hidden[touched])
        return touched, events, np.where(seen, moves[words], events)
