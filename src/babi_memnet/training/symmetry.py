"""Words that stories treat alike, and their exchange: one more question that the world might have asked.

A `Symmetry` says which maps of words to words turn every story of a world, its questions and answers into another
story of that world. Each question drawn in training is put through one of them, drawn by the restart's own generator,
so that a network learns what does not depend on the names of things.

Legend: V words of the vocabulary, padding included; N draws; K places of a free exchange.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError
from babi_memnet.tasks import Task, in_order

_MOST_ANSWERS = 10_000
"""Answers of several words multiply under exchange; more than these are no classes any more."""

SEPARATOR = ","
"""What stands between the words of an answer of several words."""

Words = Mapping[str, str]
"""A map of words to words; those that it does not name stay."""


@dataclass(frozen=True)
class Free:
    """Lists of K words each, any permutation of whose places is a symmetry, the same in every list.

    ``(("mary", "john"), ("she", "he"))`` exchanges the names, and the pronouns with them.
    """

    lists: tuple[tuple[str, ...], ...]

    def generators(self) -> Iterator[Words]:
        """Maps that make up all the others: exchanges of neighbours."""
        for place in range(len(self.lists[0]) - 1):
            yield {
                word: other
                for words in self.lists
                for word, other in (words[place : place + 2], words[place : place + 2][::-1])
            }


@dataclass(frozen=True)
class Group:
    """A few maps, one of which is drawn: all elements of a group, such as the turns and mirror images of a compass.

    The identity need not be named.
    """

    maps: tuple[Words, ...]

    def generators(self) -> Iterator[Words]:
        """Maps that make up all the others."""
        yield from self.maps


@dataclass(frozen=True)
class Symmetry:
    """All exchanges of a world, which are drawn independently of each other and share no word."""

    parts: tuple[Free | Group, ...] = ()

    def as_json(self) -> list[dict[str, Any]]:
        """What `from_json` needs."""
        return [
            {"free": [list(words) for words in part.lists]}
            if isinstance(part, Free)
            else {"group": [dict(words) for words in part.maps]}
            for part in self.parts
        ]

    @classmethod
    def from_json(cls, saved: Iterable[Mapping[str, Any]]) -> Self:
        """The symmetry that `as_json` described."""
        return cls(
            tuple(
                Free(tuple(tuple(words) for words in part["free"]))
                if "free" in part
                else Group(tuple(dict(words) for words in part["group"]))
                for part in saved
            )
        )

    def generators(self) -> list[Words]:
        """Maps that make up all the others."""
        return [words for part in self.parts for words in part.generators()]

    def close(self, vocabulary: Vocabulary, answers: Iterable[str]) -> None:
        """Add to the vocabulary every word that an exchange may bring, and every answer of several words.

        Raises:
            RequestError: answers become too many.
        """
        maps = self.generators()
        for words in maps:
            for word in words.values():
                vocabulary.add(word)
        # In order of appearance, as all of a vocabulary: how a word is written changes nothing.
        known = list(dict.fromkeys(answer for answer in answers if SEPARATOR in answer))
        met = set(known)
        for answer in known:  # grows on the way
            for words in maps:
                other = moved(answer, words)
                if other not in met:
                    met.add(other)
                    known.append(other)
            if len(known) > _MOST_ANSWERS:
                raise RequestError(
                    f"training.symmetry: exchanging words makes more than {_MOST_ANSWERS} answers of several words; "
                    "expected fewer, or training.symmetry=none"
                )
        for answer in known:
            vocabulary.add(answer)
            for word in answer.split(SEPARATOR):
                vocabulary.add(word)


def moved(text: str, words: Words) -> str:
    """A word, or an answer of several words, under a map."""
    return SEPARATOR.join(words.get(word, word) for word in text.split(SEPARATOR))


class Exchange:
    """The symmetries of tasks in the numbers of a closed vocabulary (see `Symmetry.close`)."""

    def __init__(self, symmetries: Mapping[Task, Symmetry], vocabulary: Vocabulary) -> None:
        """``symmetries`` by task; of tasks that it does not name nothing is exchanged."""
        self._size = len(vocabulary)
        self._parts = {
            task: [_numbered(part, vocabulary) for part in symmetries[task].parts] for task in in_order(symmetries)
        }
        self._several = _Several(vocabulary)

    def draw(self, generator: np.random.Generator, tasks: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """For questions of these tasks [N] a map each of word numbers to word numbers, [N, V].

        Maps are uniform over the symmetry of the task.
        """
        maps = np.tile(np.arange(self._size), (len(tasks), 1))
        for task, parts in self._parts.items():
            rows = np.flatnonzero(tasks == task)
            for numbers in parts:
                if numbers.ndim == 2:  # lists of words
                    places = generator.random((len(rows), numbers.shape[1])).argsort(axis=1)
                    for words in numbers:
                        maps[rows[:, None], words] = words[places]
                else:  # maps, [G, pair, 2]
                    chosen = numbers[generator.integers(len(numbers), size=len(rows))]
                    maps[rows[:, None], chosen[..., 0]] = chosen[..., 1]
        self._several.follow(maps)
        return maps.astype(np.uint16)


def _numbered(part: Free | Group, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """Lists of words as numbers, [lists, K]; a group as pairs of a word and what it becomes, [G, pairs, 2]."""
    if isinstance(part, Free):
        return np.array([[vocabulary.number(word) for word in words] for words in part.lists], dtype=np.int64)
    number = vocabulary.number
    words = sorted({word for words in part.maps for word in words}, key=number)
    tables = {tuple(number(each.get(word, word)) for word in words) for each in ({}, *part.maps)}
    places = [number(word) for word in words]
    return np.array([list(zip(places, table, strict=True)) for table in sorted(tables)])


class _Several:
    """The answers of several words, which go where their words go."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        split = [(word, word.split(SEPARATOR)) for word in vocabulary.words if SEPARATOR in word]
        known = [(word, parts) for word, parts in split if all(part in vocabulary for part in parts)]
        longest = max((len(parts) for _, parts in known), default=0)
        rows = [[vocabulary.number(part) for part in parts] + [0] * (longest - len(parts)) for _, parts in known]
        self._words = np.array([vocabulary.number(word) for word, _ in known], dtype=np.int64)
        self._parts = np.array(rows, dtype=np.int64).reshape(len(known), longest)
        self._base = len(vocabulary) ** np.arange(longest, dtype=np.int64)
        codes = self._parts @ self._base
        order = codes.argsort()
        self._codes, self._by_code = codes[order], self._words[order]

    def follow(self, maps: npt.NDArray[np.int64]) -> None:
        """Complete maps [N, V] of words, in place. An answer whose image is no class stays."""
        if len(self._words) == 0:
            return
        codes = maps[:, self._parts] @ self._base  # [N, answers]
        places = np.searchsorted(self._codes, codes).clip(max=len(self._codes) - 1)
        images = np.where(self._codes[places] == codes, self._by_code[places], self._words)
        maps[:, self._words] = images
