"""Symmetries found in the training stories alone, by a statistical test.

Whether a map of words to words that undoes itself (Mary with John, say, or north with south and n with s) is a
symmetry is put to the stories. If it is, each story is as likely as the one it becomes, so that whatever is counted
in stories is counted as often as what the map makes of it. What is counted are *events*: a sentence, two sentences
that follow each other, a question with its answer and the statements that connect their words (`events.py`). In an
event the words that the map moves stand as they are, and so do those of one more class; of any other word only its
class and where it stands first in the event are kept, so that events recur. Beside the counts the answers are
compared: a question and the image of another one that is the same must not have different answers more often than two
questions that are the same (`chance.py`).

First words are put into classes that stand in the same sentences. Then exchanges of two words of a class are tested:
words of which any two can be exchanged are free. In a class of at most four that is not free as a whole, all maps
are tested that undo themselves, alone and together with those of a second such class (north with n, mouse with mice);
they make up groups.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Columns
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.training.chance import p_value
from babi_memnet.training.events import MARKS, Corpus, Events
from babi_memnet.training.symmetry import Free, Group, Symmetry

P_VALUE = 1e-5
"""A map is refused when any of its tests has a smaller p-value; small, as there are thousands of tests of a task."""

FEWEST_STORIES = 20
"""A word that fewer stories have is not exchanged: nothing could be said against it."""

MOST_WORDS = 300
"""Only so many words come into question, those of the most stories, as every word is compared with every other."""

_FEW_WORDS = 4
"""Of larger classes only exchanges of two words are tested."""

_MOST_CLASSES = 8
"""Of so many such classes any two are tested together."""

_MOST_ELEMENTS = 48
"""Larger groups are left out."""

Moves = Mapping[int, int]
"""A map of word numbers that undoes itself; words that it does not name stay."""


@dataclass(frozen=True)
class Verdict:
    """What became of a map of words.

    Attributes:
        moves: the map.
        p: the smallest p-value of its tests; the tests end with the first that refuses it.
        by: the kind of event and the class of words that gave it.
    """

    moves: dict[str, str]
    p: float
    by: str

    @property
    def holds(self) -> bool:
        """Whether it is a symmetry as far as the stories say."""
        return self.p >= P_VALUE


@dataclass(frozen=True)
class Inference:
    """What training stories say about exchanging words.

    Attributes:
        classes: words that stand in the same places of the same sentences.
        symmetry: what may be exchanged.
        verdicts: on each map that was put to the test.
    """

    classes: tuple[tuple[str, ...], ...]
    symmetry: Symmetry
    verdicts: tuple[Verdict, ...]

    def as_json(self) -> dict[str, Any]:
        """The report of a task in symmetry.json."""
        return {
            "p_value": P_VALUE,
            "classes": [list(words) for words in self.classes],
            "symmetry": self.symmetry.as_json(),
            "tests": [{"map": each.moves, "p": each.p, "holds": each.holds, "by": each.by} for each in self.verdicts],
        }


def infer(columns: Columns, places: Sequence[int], vocabulary: Vocabulary) -> Inference:
    """The symmetry of a task.

    Args:
        columns: the questions of the training file.
        places: those to look at, in order.
        vocabulary: makes words of texts.
    """
    return _Search(Corpus(columns, places, vocabulary)).inference()


class _Search:
    """Finds the maps of a corpus that no test refuses."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        often = corpus.stories_with()
        known = [number for number in range(len(MARKS) + 1, len(corpus)) if often[number] >= FEWEST_STORIES]
        self._known = sorted(sorted(known, key=lambda number: -often[number])[:MOST_WORDS])
        sentences = Events(corpus.sentences())
        self._kinds = {"sentence": sentences}
        self._verdicts: dict[tuple[tuple[int, int], ...], Verdict] = {}
        self._classes = self._alike(sentences)
        telling = self._telling()
        self._kinds |= {
            "answer": Events(corpus.answers(telling)),
            "continuation": Events(corpus.continued(telling)),
            "neighbours": Events(corpus.neighbours()),
            "answer beside a statement": Events(corpus.answers_beside(telling)),
        }
        for events in self._kinds.values():
            events.hide(self._class_of(self._classes))

    def _class_of(self, classes: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
        """The number of the class of each word, [V]; below 0 where it is the only one, or a mark."""
        found = np.full(len(self._corpus), -1)
        for number, words in enumerate(classes):
            if len(words) > 1:
                found[list(words)] = number
        return found

    def _alike(self, sentences: Events) -> list[list[int]]:
        """Classes of words that stand in the same sentences, the words of each class hidden: the coarsest stable."""
        classes = [list(self._known)]
        while True:
            sentences.hide(self._class_of(classes))
            finer = [
                part
                for words in classes
                for part in _cliques(words, lambda a, b: self._p(sentences, {a: b, b: a}, ()) >= P_VALUE)
            ]
            if len(finer) == len(classes):
                return finer
            classes = finer

    def _telling(self) -> npt.NDArray[np.bool_]:
        """Words that less than half of the statements have, those of a class together, and that are of a class [V]."""
        statements = [set(words) for story in self._corpus.stories for words in story.statements]
        often = Counter(word for words in statements for word in words)
        telling = np.zeros(len(self._corpus), dtype=bool)
        for words in self._classes:
            if len(words) > 1:
                telling[words] = max(often[word] for word in words) < len(statements) / 2
        return telling

    def _p(self, events: Events, moves: Moves, beside: Sequence[int]) -> float:
        table = np.arange(len(self._corpus))
        table[list(moves)] = list(moves.values())
        shown = np.zeros(len(self._corpus), dtype=bool)
        shown[[*moves, *beside]] = True
        return p_value(events, table, shown, P_VALUE)

    def _holds(self, moves: Moves) -> bool:
        """Whether no test refuses a map."""
        if (key := _key(moves)) not in self._verdicts:
            names = self._corpus.words
            worst = (1.0, "")
            for beside in ((), *(words for words in self._classes if len(words) > 1)):
                for kind, events in self._kinds.items():
                    p = self._p(events, moves, beside)
                    if p < worst[0]:
                        worst = (p, f"{kind}, {' '.join(names[word] for word in beside)}".removesuffix(", "))
                    if p < P_VALUE:
                        break
                if worst[0] < P_VALUE:
                    break
            self._verdicts[key] = Verdict({names[a]: names[b] for a, b in key}, *worst)
        return self._verdicts[key].holds

    def inference(self) -> Inference:
        """What holds, and all that was tested."""
        free: list[list[int]] = []
        unlike: list[list[int]] = []
        for words in self._classes:
            parts = _cliques(words, lambda a, b: self._holds({a: b, b: a}))
            free += [part for part in parts if len(part) > 1]
            if len(parts) > 1 and len(words) <= _FEW_WORDS:
                unlike.append(words)
        groups = self._groups(unlike[:_MOST_CLASSES])
        grouped = {word for group in groups for moves in group for word in moves}
        names = self._corpus.words

        def named(words: Sequence[int]) -> tuple[str, ...]:
            return tuple(names[word] for word in words)

        return Inference(
            tuple(named(words) for words in self._classes if len(words) > 1),
            Symmetry(
                (
                    *(Free((named(words),)) for words in free if not grouped & set(words)),
                    *(Group(tuple({names[a]: names[b] for a, b in map_.items()} for map_ in each)) for each in groups),
                )
            ),
            tuple(self._verdicts.values()),
        )

    def _groups(self, classes: Sequence[Sequence[int]]) -> list[list[dict[int, int]]]:
        """Groups of maps of one or two classes at once."""
        own = {place: list(_involutions(words)) for place, words in enumerate(classes)}
        held = [moves for each in own.values() for moves in each if self._holds(moves)]
        for one, two in itertools.combinations(own, 2):
            for a, b in itertools.product(own[one], own[two]):
                # Two maps that hold each alone hold together, too.
                if not (a in held and b in held) and self._holds({**a, **b}):
                    held.append({**a, **b})
        groups: list[list[dict[int, int]]] = []
        for moves in sorted(held, key=lambda moves: -self._verdicts[_key(moves)].p):
            touched = [group for group in groups if any(set(moves) & set(other) for other in group)]
            elements = _closure([moves, *(other for group in touched for other in group)])
            # What made a group with a map that was refused would be refused with more stories.
            if elements and all(self._holds(each) for each in elements if _undoes_itself(each)):
                groups = [group for group in groups if group not in touched] + [elements]
        return groups


def _cliques(words: Sequence[int], alike: Callable[[int, int], bool]) -> list[list[int]]:
    """Parts of a class whose words are all alike; each word joins the first that takes it."""
    parts: list[list[int]] = []
    for word in words:
        for part in parts:
            if all(alike(other, word) for other in part):
                part.append(word)
                break
        else:
            parts.append([word])
    return parts


def _involutions(words: Sequence[int]) -> Iterator[dict[int, int]]:
    """All maps of up to four words that undo themselves, but for the identity."""
    pairs = list(itertools.combinations(words, 2))
    for a, b in pairs:
        yield {a: b, b: a}
    for (a, b), (c, d) in itertools.combinations(pairs, 2):
        if not {a, b} & {c, d}:
            yield {a: b, b: a, c: d, d: c}


def _key(moves: Moves) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(moves.items()))


def _undoes_itself(moves: Moves) -> bool:
    return all(moves[moves[word]] == word for word in moves)


def _closure(generators: Sequence[dict[int, int]]) -> list[dict[int, int]]:
    """All maps that the generators make up, but for the identity; none where they are too many."""
    words = sorted(set().union(*generators))
    tables = [tuple(moves.get(word, word) for word in words) for moves in generators]
    place = {word: number for number, word in enumerate(words)}
    identity = tuple(words)
    known, waiting = {identity}, [identity]
    while waiting:
        table = waiting.pop()
        for other in tables:
            made = tuple(other[place[word]] for word in table)
            if made not in known:
                known.add(made)
                waiting.append(made)
        if len(known) > _MOST_ELEMENTS:
            return []
    return [{a: b for a, b in zip(words, table, strict=True) if a != b} for table in sorted(known - {identity})]
