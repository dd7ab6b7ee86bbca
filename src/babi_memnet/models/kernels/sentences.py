"""The different sentences of many stories: what is told again and again is computed once.

Legend: N questions, M memory slots, J positions of a sentence, S different sentences.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import ref

import numpy as np
import numpy.typing as npt
from numba import njit

from babi_memnet.encoding.questions import Questions

Integers = npt.NDArray[np.integer[Any]]


class Stories(NamedTuple):
    """Questions and the statements they are asked about."""

    sentences: Integers  # [S, J]
    lengths: Integers  # [S] words of each
    told: Integers  # [N, M] the sentence in each slot
    counts: Integers  # [N] statements remembered
    questions: Integers  # [N, J]
    answers: Integers  # [N]


_known: dict[int, tuple[ref[Integers], Integers, tuple[Integers, Integers, Integers]]] = {}
"""What is told in words that are still there, by their identity, and the counts of statements that belong to it."""


def stories_of(questions: Questions) -> Stories:
    """The questions by sentences; those that are asked again and again are looked through once."""
    words, counts, key = questions.words, questions.counts, id(questions.words)
    known = _known.get(key)
    if known is None or known[0]() is not words or known[1] is not counts:
        sentences, told = different_sentences(words, counts)
        found = sentences, np.count_nonzero(sentences, axis=1), told
        known = _known[key] = ref(words, lambda _: _known.pop(key, None)), counts, found
    return Stories(*known[2], counts, questions.questions, questions.answers)


@njit(nogil=True, cache=True, error_model="numpy")
def different_sentences(words, counts):  # type: ignore[no-untyped-def]
    """The sentences [S, J] that are told in words [N, M, J], each once, and which of them each slot holds, [N, M]."""
    questions, slots, positions = words.shape
    size = 16
    while size < 2 * questions * slots:
        size *= 2
    table = np.full(size, -1, np.int32)  # a hash table with open addressing: the number of a sentence
    told = np.zeros((questions, slots), np.int32)
    first = np.zeros((questions * slots, 2), np.int32)  # where each was told first
    count = 0
    for n in range(questions):
        for m in range(counts[n]):
            key = np.uint64(14695981039346656037)  # FNV-1a
            for j in range(positions):
                key = (key ^ np.uint64(words[n, m, j])) * np.uint64(1099511628211)
            place = np.int64(key >> np.uint64(33)) & (size - 1)
            while True:
                s = table[place]
                if s < 0:
                    s = table[place] = count
                    first[count, 0], first[count, 1] = n, m
                    count += 1
                    break
                same = True
                for j in range(positions):
                    if words[first[s, 0], first[s, 1], j] != words[n, m, j]:
                        same = False
                        break
                if same:
                    break
                place = (place + 1) & (size - 1)
            told[n, m] = s
    sentences = np.zeros((count, positions), words.dtype)
    for s in range(count):
        sentences[s] = words[first[s, 0], first[s, 1]]
    return sentences, told
