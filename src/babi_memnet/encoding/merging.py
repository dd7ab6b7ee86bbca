"""Words that always stand together as one word, learned from the text that a network is trained on.

A network that sums the words of a sentence spends vectors on `back`, `to` and `the` of `went back to the kitchen`,
which say nothing that `went` does not. As `went_back_to_the` they are one word, and the sentence has fewer positions.

What is merged is decided by which words stand beside which, never by how they are spelled: texts that differ only in
the names of their words get the same merges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise

LEAST = 8
"""So many times at least a word has to be seen beside another, and never without it, before they are merged."""

JOINT = "_"
"""Between the parts of a merged word. A text whose words are themselves written with it is better left unmerged."""

Pair = tuple[str, str]
"""Two words that are one wherever the first stands right before the second; either may be merged itself."""


class Merging:
    """Pairs that are merged one after another, in the order in which they were learned."""

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self.pairs = tuple(pairs)
        self._ranks: dict[Pair, list[int]] = {}
        self._parts: dict[str, tuple[str, ...]] = {}
        for rank, pair in enumerate(self.pairs):
            # A pair comes twice where a later one makes its words once more: a_b and c are a_b_c, as are a and b_c.
            self._ranks.setdefault(pair, []).append(rank)
            self._parts[JOINT.join(pair)] = self.parts(pair[0]) + self.parts(pair[1])

    def __call__(self, words: Sequence[str]) -> list[str]:
        """The words of one sentence, merged."""
        merged, last = list(words), -1
        # The same as every pair in its turn, without looking for those that are not there.
        while (last := self._next(merged, last)) < len(self.pairs):
            merged = _joined(merged, self.pairs[last])
        return merged

    def parts(self, word: str) -> tuple[str, ...]:
        """The words that a merged word is made of; any other word alone."""
        return self._parts.get(word, (word,))

    def _next(self, words: Sequence[str], last: int) -> int:
        ranks = (rank for pair in pairwise(words) for rank in self._ranks.get(pair, ()) if rank > last)
        return min(ranks, default=len(self.pairs))


def learn(told: Mapping[tuple[str, ...], int], kept: Set[str]) -> Merging:
    """What to merge in a text.

    Two neighbours are one word when one of them never stands without the other: the first is always followed by the
    second, or the second always follows the first, and has been seen `LEAST` times. The start and the end of a sentence
    are neighbours too, so that nothing is merged across them. Of all such pairs the one that stands together most often
    is merged, of equal ones that which the text has first, and then the merged words are counted as the words they are.

    Words that are part of an answer stay as they are. An answer is a word of the vocabulary that statements and answers
    share; were `kitchen` part of `to_the_kitchen`, nothing that was said of the one would be known of the other.

    Args:
        told: the words of each different sentence, and how often it is told, in the order in which the text has them.
        kept: the words that are never merged.
    """
    sentences, times = [list(words) for words in told], list(told.values())
    alone: Counter[str] = Counter()  # how often a word stands anywhere
    together: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)

    def count(place: int, words: Sequence[str], sign: int) -> None:
        for word in words:
            alone[word] += sign * times[place]
        for pair in pairwise(words):
            if kept.isdisjoint(pair):
                together[pair] += sign * times[place]
                (places[pair].add if sign > 0 else places[pair].discard)(place)

    def first_place(pair: Pair) -> tuple[int, int]:
        place = min(places[pair])
        return place, list(pairwise(sentences[place])).index(pair)

    for place, words in enumerate(sentences):
        count(place, words, 1)
    pairs: list[Pair] = []
    while True:
        inseparable = {
            pair: often
            for pair, often in together.items()
            if often >= LEAST and often in (alone[pair[0]], alone[pair[1]])
        }
        if not inseparable:
            return Merging(pairs)
        most = max(inseparable.values())
        pair = min((pair for pair, often in inseparable.items() if often == most), key=first_place)
        pairs.append(pair)
        for place in list(places[pair]):
            count(place, sentences[place], -1)
            sentences[place] = _joined(sentences[place], pair)
            count(place, sentences[place], 1)


def _joined(words: Sequence[str], pair: Pair) -> list[str]:
    """The words with every such pair as one, from left to right."""
    joined: list[str] = []
    rest = iter(range(len(words)))
    for place in rest:
        if tuple(words[place : place + 2]) == pair:
            joined.append(JOINT.join(pair))
            next(rest)
        else:
            joined.append(words[place])
    return joined
