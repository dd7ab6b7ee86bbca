"""Symmetries found in the training stories alone, by a statistical test.

Whether a map of words to words that undoes itself (Mary with John, say, or north with south and n with s) is a
symmetry is put to the stories. If it is, each story is as likely as the one it becomes, so that whatever is counted
in stories is counted as often as what the map makes of it. What is counted are *events*: a sentence, two sentences
that follow each other, a question with its answer and the statements that connect their words. In an event the
words that the map moves stand as they are, and so do those of one more class; of any other word only its class and
where it stands first in the event are kept, so that events recur.

There are two tests. One counts events: ``T = sum over pairs of an event e and its image f of
(n_e - n_f)² / (n_e + n_f)``, Bowker's statistic for the symmetry of a table (JASA 43, 1948). One looks at answers: a
question and the image of another one that is the same must not have different answers more often than two
questions that are the same. Both sum over pairs of stories, and under the hypothesis each story may be exchanged for
its image (randomization test: Lehmann and Romano, Testing Statistical Hypotheses, chapter 15), so that the events of
one story may depend on each other as they like. The p-value is that of the gamma distribution with the first three
moments of the sum over all 2^S choices of stories to exchange.

Legend: S stories, E events, L words of an event, P pairs of events, V words.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from scipy.special import chdtrc, ndtr

from babi_memnet.encoding.questions import Columns
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.training.symmetry import SEPARATOR, Free, Group, Symmetry

P_VALUE = 1e-5
"""A map is refused when any of its tests has a smaller p-value; small, as there are thousands of tests of a task."""

FEWEST_STORIES = 20
"""A word that fewer stories have is not exchanged: nothing could be said against it."""

MOST_STORIES = 1000
"""Only the first so many stories are looked at; more say hardly more, and take longer."""

_FEW_STATEMENTS = 12
"""In stories of up to so many statements every other statement is put beside the question."""

_MOST_ELEMENTS = 48
"""Larger groups are left out; lists whose places are permuted freely are not counted."""

_SMALL = 0.01
"""Larger p-values are those of a normal distribution; what is smaller is worth the third moment."""

_NOTHING = 1e-9

_CHAIN = 3
"""At most so many statements connect a word of the question with one of the answer."""

Moves = Mapping[int, int]
"""A map of word numbers that undoes itself; words that it does not name stay."""

_MARKS = ("statement", "question", "answer")
_STATEMENT, _QUESTION, _ANSWER = range(1, 4)
"""Numbers that stand before a sentence and say what it is; words are numbered after them."""

_ODD = np.uint64(0x9E3779B97F4A7C15)


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
    return _Search(_Corpus(columns, places, vocabulary)).inference()


@dataclass(frozen=True)
class _Asked:
    told: int
    question: tuple[int, ...]
    answer: tuple[int, ...]


@dataclass
class _Story:
    statements: list[tuple[int, ...]] = field(default_factory=list)
    asked: list[_Asked] = field(default_factory=list)


class _Event(NamedTuple):
    """Sentences of a story, and an answer that belongs to them."""

    story: int
    words: tuple[int, ...]
    answer: tuple[int, ...] = ()


class _Corpus:
    """Stories as numbers, given in order of appearance: nothing depends on how a word is written."""

    def __init__(self, columns: Columns, places: Sequence[int], vocabulary: Vocabulary) -> None:
        self._numbers: dict[str, int] = {mark: number for number, mark in enumerate(_MARKS, start=1)}
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
        self.words = ["", *self._numbers]

    def _number(self, tokens: Iterable[str]) -> tuple[int, ...]:
        return tuple(self._numbers.setdefault(token, len(self._numbers) + 1) for token in tokens)

    def __len__(self) -> int:
        return len(self.words)

    def stories_with(self) -> npt.NDArray[np.int64]:
        """How many stories have each word, [V]."""
        often = np.zeros(len(self), dtype=np.int64)
        for story in self.stories:
            sentences = [*story.statements, *(words for each in story.asked for words in (each.question, each.answer))]
            often[list(set().union(*sentences))] += 1
        return often

    def sentences(self) -> Iterator[_Event]:
        """Each sentence, with the number of its story."""
        for number, story in enumerate(self.stories):
            for words in story.statements:
                yield _Event(number, (_STATEMENT, *words))
            for asked in story.asked:
                yield _Event(number, (_QUESTION, *asked.question))
                yield _Event(number, (_ANSWER, *asked.answer))

    def neighbours(self) -> Iterator[_Event]:
        """Each statement with the next."""
        for number, story in enumerate(self.stories):
            for first, second in itertools.pairwise(story.statements):
                yield _Event(number, (_STATEMENT, *first, _STATEMENT, *second))

    def continued(self, telling: npt.NDArray[np.bool_]) -> Iterator[_Event]:
        """Each statement with the next that has one of its ``telling`` [V] words, for each of them."""
        for number, story in enumerate(self.stories):
            last: dict[int, tuple[int, ...]] = {}
            for words in story.statements:
                for word in dict.fromkeys(words):
                    if telling[word]:
                        if word in last:
                            yield _Event(number, (_STATEMENT, *last[word], _STATEMENT, *words))
                        last[word] = words

    def answers(self, telling: npt.NDArray[np.bool_]) -> Iterator[_Event]:
        """Each question with its answer and the statements that connect their words."""
        for number, story in enumerate(self.stories):
            for asked in story.asked:
                yield _answered(number, story, asked, _connection(story, asked, telling))

    def answers_beside(self, telling: npt.NDArray[np.bool_]) -> Iterator[_Event]:
        """The same with one more statement, each of a short story in turn."""
        for number, story in enumerate(self.stories):
            for asked in story.asked:
                if asked.told <= _FEW_STATEMENTS:
                    core = _connection(story, asked, telling)
                    for place in set(range(asked.told)) - core:
                        yield _answered(number, story, asked, core | {place})


def _answered(number: int, story: _Story, asked: _Asked, places: Iterable[int]) -> _Event:
    told = [word for place in sorted(places) for word in (_STATEMENT, *story.statements[place])]
    return _Event(number, (_QUESTION, *asked.question, *told), (_ANSWER, *asked.answer))


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


class _Events:
    """Events of one kind.

    Attributes:
        words: [E, L] numbers, padded with 0.
        first: [E, L] the first place of the same word.
        answers: the place where an answer begins; L where there is none.
        story: [E] which story has it.
        often: [E] how often.
    """

    def __init__(self, found: Iterable[_Event]) -> None:
        counted = Counter(found)
        self.answers = max((len(event.words) for event in counted), default=1)
        length = self.answers + max((len(event.answer) for event in counted), default=0)
        self.words = np.zeros((len(counted), length), dtype=np.int64)
        for row, event in zip(self.words, counted, strict=True):
            row[: len(event.words)] = event.words
            row[self.answers : self.answers + len(event.answer)] = event.answer
        self.story = np.array([event.story for event in counted], dtype=np.int64)
        self.often = np.array(list(counted.values()), dtype=np.float64)
        self.first = (self.words[:, :, None] == self.words[:, None, :]).argmax(axis=2)
        self.hidden = self.words

    def hide(self, classes: npt.NDArray[np.int64]) -> None:
        """Number words anew that are not to be told apart: by class [V] and first place.

        An answer that stands nowhere else stays as it is, or yes and no would be the same.
        """
        size = len(classes)
        stays = (classes[self.words] < 0) | (self.first >= self.answers)
        self.hidden = np.where(stays, self.words, size + classes[self.words] * size + self.first)

    def p_value(self, moves: npt.NDArray[np.int64], shown: npt.NDArray[np.bool_]) -> float:
        """The smaller p-value of both tests, under a map [V] of words, with the words ``shown`` [V]."""
        touched = (moves != np.arange(len(moves)))[self.words].any(axis=1)
        if not touched.any():
            return 1.0
        words = self.words[touched]
        seen = shown[words]
        events = np.where(seen, words, self.hidden[touched])
        images = np.where(seen, moves[words], events)
        story, often = self.story[touched], self.often[touched]
        p = _as_often(_digest(events), _digest(images), story, often)
        if self.answers == self.words.shape[1] or p < P_VALUE:
            return p
        asked, asked_images = (_digest(rows[:, : self.answers]) for rows in (events, images))
        answers, answer_images = (_digest(rows[:, self.answers :]) for rows in (events, images))
        return min(p, _answered_alike(asked, asked_images, answers, answer_images, story, often))


_Numbers = npt.NDArray[np.uint64]
_Often = npt.NDArray[np.float64]


def _as_often(events: _Numbers, images: _Numbers, story: npt.NDArray[np.int64], often: _Often) -> float:
    """How likely it is by chance that counts of events [E] and of their images differ by so much."""
    changed = events != images
    if not changed.any():
        return 1.0
    events, images, story, often = events[changed], images[changed], story[changed], often[changed]
    _, pair = np.unique(_either(events, images), return_inverse=True)
    share = np.where(events < images, often, -often) / np.sqrt(np.bincount(pair, often))[pair]
    return _tail(_table(share, story, pair), np.ones(pair.max() + 1))


def _answered_alike(
    asked: _Numbers,
    asked_images: _Numbers,
    answers: _Numbers,
    answer_images: _Numbers,
    story: npt.NDArray[np.int64],
    often: _Often,
) -> float:
    """How likely it is by chance that images of questions differ in their answers more than equal questions do [E]."""
    first = asked < asked_images
    still = asked == asked_images
    # Which of both it is; where the question is its own image, the answer says so.
    sign = np.where(first, 1.0, -1.0)
    sign[still] = (answers < answer_images)[still] * 1.0 - (answers > answer_images)[still]
    _, question = np.unique(_either(asked, asked_images), return_inverse=True)
    both = np.where(still, _either(answers, answer_images), np.where(first, answers, answer_images))
    _, answered = np.unique(question.astype(np.uint64) * _ODD ^ both, return_inverse=True)
    share = sign * often / np.sqrt(np.bincount(question, often))[question]
    # Of two equal questions in both tables only those with other answers remain.
    tables = hstack([_table(share, story, answered), _table(share * ~still, story, question)], format="csr")
    return _tail(tables, np.repeat([1.0, -1.0], [answered.max() + 1, question.max() + 1]))


def _tail(rows: Any, signs: _Often) -> float:
    """How likely ``sum over s < t of e_s e_t K[s, t]`` exceeds its value where all e are 1, for random signs e.

    Args:
        rows: [S, P], of which ``K = rows diag(signs) rowsᵀ`` is made; its diagonal does not matter.
        signs: [P].
    """
    own = (rows * rows) @ signs  # the diagonal of K
    total = np.asarray(rows.sum(axis=0)) ** 2 @ signs
    weighted = (rows.T @ rows).multiply(signs[None, :]).tocsr()  # its powers have the same traces as those of K
    spread = np.sqrt(max(0.0, float(weighted.multiply(weighted.T).sum() - own @ own) / 2))
    if spread < _NOTHING:
        return 1.0  # no two stories have anything in common
    value = (float(total) - float(own.sum())) / 2 / spread
    p = float(ndtr(-value))
    if p > _SMALL:
        return p
    squared = rows.multiply(signs[None, :]) @ weighted
    of_square = np.asarray(squared.multiply(rows).sum(axis=1)).ravel()  # the diagonal of K²
    cubed = float((weighted @ weighted).multiply(weighted.T).sum())
    skewness = (cubed - 3 * float(own @ of_square) + 2 * float((own**3).sum())) / spread**3
    if skewness <= 0:
        return p
    freedom = 8 / skewness**2
    return float(chdtrc(freedom, freedom + value * np.sqrt(2 * freedom)))


def _either(one: _Numbers, other: _Numbers) -> _Numbers:
    """A number for both, whichever comes first."""
    return one + other + _ODD * (one * other)


def _table(values: _Often, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Any:
    table = csr_array((values, (rows, columns)), shape=(rows.max(initial=0) + 1, columns.max(initial=0) + 1))
    table.sum_duplicates()
    return table


def _digest(rows: npt.NDArray[np.int64]) -> _Numbers:
    """One number for each row."""
    digest = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T.astype(np.uint64):
        digest = (digest ^ column) * _ODD
        digest ^= digest >> np.uint64(29)
    return digest


class _Search:
    """Finds the maps of a corpus that no test refuses."""

    def __init__(self, corpus: _Corpus) -> None:
        self._corpus = corpus
        often = corpus.stories_with()
        self._known = [number for number in range(len(_MARKS) + 1, len(corpus)) if often[number] >= FEWEST_STORIES]
        sentences = _Events(corpus.sentences())
        self._kinds = {"sentence": sentences}
        self._verdicts: dict[tuple[tuple[int, int], ...], Verdict] = {}
        self._classes = self._alike(sentences)
        telling = self._telling()
        self._kinds |= {
            "answer": _Events(corpus.answers(telling)),
            "continuation": _Events(corpus.continued(telling)),
            "neighbours": _Events(corpus.neighbours()),
            "answer beside a statement": _Events(corpus.answers_beside(telling)),
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

    def _alike(self, sentences: _Events) -> list[list[int]]:
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

    def _p(self, events: _Events, moves: Moves, beside: Sequence[int]) -> float:
        table = np.arange(len(self._corpus))
        table[list(moves)] = list(moves.values())
        shown = np.zeros(len(self._corpus), dtype=bool)
        shown[[*moves, *beside]] = True
        return events.p_value(table, shown)

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
        parts: list[Free | Group] = []
        names = self._corpus.words
        units = []
        frees: list[list[int]] = []
        for words in self._classes:
            cliques = _cliques(words, lambda a, b: self._holds({a: b, b: a}))
            frees += [clique for clique in cliques if len(clique) > 1]
            if len(cliques) > 1 and len(words) <= 4:
                units.append(words)
        groups = self._groups(units)
        grouped = {word for group in groups for moves in group for word in moves}
        parts = [Free((tuple(names[word] for word in words),)) for words in frees if not grouped & set(words)]
        parts += [Group(tuple({names[a]: names[b] for a, b in moves.items()} for moves in group)) for group in groups]
        classes = tuple(tuple(names[word] for word in words) for words in self._classes if len(words) > 1)
        return Inference(classes, Symmetry(tuple(parts)), tuple(self._verdicts.values()))

    def _groups(self, units: Sequence[Sequence[int]]) -> list[list[dict[int, int]]]:
        """Groups of maps of one or two classes at once."""
        own = {place: list(_involutions(words)) for place, words in enumerate(units)}
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
