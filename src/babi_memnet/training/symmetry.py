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
        known = {answer for answer in answers if SEPARATOR in answer}
        waiting = sorted(known)
        while waiting:
            answer = waiting.pop()
            for words in maps:
                other = moved(answer, words)
                if other not in known:
                    known.add(other)
                    waiting.append(other)
            if len(known) > _MOST_ANSWERS:
                raise RequestError(
                    f"training.symmetry: exchanging words makes more than {_MOST_ANSWERS} answers of several words; "
                    "expected fewer, or training.symmetry=none"
                )
        for answer in sorted(known):
            vocabulary.add(answer)
            for word in answer.split(SEPARATOR):
                vocabulary.add(word)


def moved(text: str, words: Words) -> str:
    """A word, or an answer of several words, under a map."""
    return SEPARATOR.join(words.get(word, word) for word in text.split(SEPARATOR))


class Exchange:
    """A symmetry in the numbers of a closed vocabulary (see `Symmetry.close`)."""

    def __init__(self, symmetry: Symmetry, vocabulary: Vocabulary) -> None:
        self._size = len(vocabulary)
        self._free = [
            [np.array([vocabulary.number(word) for word in words]) for words in part.lists]
            for part in symmetry.parts
            if isinstance(part, Free)
        ]
        self._groups = [self._tables(part, vocabulary) for part in symmetry.parts if isinstance(part, Group)]
        self._answers, self._parts, self._base = _answers_of_parts(vocabulary)
        codes = self._codes(self._parts)
        order = codes.argsort()
        self._sorted_codes, self._by_code = codes[order], self._answers[order]

    def __bool__(self) -> bool:
        """Whether there is anything to exchange."""
        return bool(self._free or self._groups)

    def draw(self, generator: np.random.Generator, count: int) -> npt.NDArray[np.uint16]:
        """``count`` maps of word numbers to word numbers, [count, V], uniform over the symmetry."""
        maps = np.tile(np.arange(self._size), (count, 1))
        for lists in self._free:
            places = generator.random((count, len(lists[0]))).argsort(axis=1)
            for numbers in lists:
                maps[:, numbers] = numbers[places]
        for tables in self._groups:
            chosen = tables[generator.integers(len(tables), size=count)]
            changed = chosen != np.arange(self._size)
            maps = np.where(changed, chosen, maps)
        if len(self._answers):
            codes = self._codes(maps[:, self._parts])  # [count, answers]
            maps[:, self._answers] = self._by_code[np.searchsorted(self._sorted_codes, codes)]
        return maps.astype(np.uint16)

    def _codes(self, parts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """One number for the words [..., P] of an answer."""
        return np.asarray(parts @ self._base)

    def _tables(self, group: Group, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
        """The maps of a group, [G, V], with the identity."""
        tables = np.tile(np.arange(self._size), (len(group.maps) + 1, 1))
        for table, words in zip(tables[1:], group.maps, strict=True):
            for word, other in words.items():
                table[vocabulary.number(word)] = vocabulary.number(other)
        return np.unique(tables, axis=0)


def _answers_of_parts(
    vocabulary: Vocabulary,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The answers of several words: their numbers [A], those of their words [A, P] (0 pads), and powers of V [P]."""
    several = [
        (vocabulary.number(word), parts)
        for word in vocabulary.words
        if len(parts := word.split(SEPARATOR)) > 1 and all(part in vocabulary for part in parts)
    ]
    longest = max((len(parts) for _, parts in several), default=0)
    numbers = np.array([number for number, _ in several], dtype=np.int64)
    rows = [[vocabulary.number(part) for part in parts] + [0] * (longest - len(parts)) for _, parts in several]
    base = len(vocabulary) ** np.arange(longest, dtype=np.int64)
    return numbers, np.array(rows, dtype=np.int64).reshape(len(several), longest), base

