"""Words that stories treat alike: what is declared holds in the worlds, and an exchange is what it is said to be."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import StoryQuestion, to_dataset
from babi_memnet.encoding.questions import build_encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError
from babi_memnet.paths import symmetry_path
from babi_memnet.training.declared import fitted, read_declared
from babi_memnet.training.exchanging import find_exchanges
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange, Free, Group, Symmetry, moved
from tests.worlds.test_solver_agrees import check

BABI = read_declared(symmetry_path("babi"))


def vocabulary(*words: str) -> Vocabulary:
    known = Vocabulary(TokenizerSettings())
    for word in words:
        known.add(word)
    return known


def drawn_map(symmetry: Symmetry, generator: random.Random) -> dict[str, str]:
    """One map of words to words, drawn part by part."""
    words: dict[str, str] = {}
    for part in symmetry.parts:
        if isinstance(part, Free):
            places = generator.sample(range(len(part.lists[0])), len(part.lists[0]))
            for each in part.lists:
                words |= {word: each[place] for word, place in zip(each, places, strict=True)}
        else:
            words |= generator.choice([{}, *part.maps])
    return words


class Teller:
    """Tells records again in other words, as training with merged words sees them."""

    def __init__(self, records: list[StoryQuestion]) -> None:
        columns = to_dataset(records, "any").to_dict()
        self.vocabulary = build_encoder(TokenizerSettings(merge=True), columns, columns, None).vocabulary
        texts = {text for record in records for text in (*record.story, record.question)}
        # How a word is written within a sentence: names have capitals there.
        self._written = {word.lower(): word for text in texts for word in re.findall(r"\w+", text)[1:]}

    def moved(self, record: StoryQuestion, words: Mapping[str, str]) -> StoryQuestion:
        told = tuple(self._moved(statement, words) + "." for statement in record.story)
        question, answer = self._moved(record.question, words) + "?", moved(record.answer.lower(), words)
        answer = self._written.get(answer, answer)
        return StoryQuestion(record.task, told, question, answer, record.supporting, record.story_id)

    def _moved(self, text: str, words: Mapping[str, str]) -> str:
        tokens = [words.get(token, token) for token in self.vocabulary.tokens(text)]
        said = " ".join(self._written.get(word, word) for token in tokens for word in token.split("_"))
        return said[0].upper() + said[1:]


@pytest.mark.parametrize("task", range(1, 21))
def test_a_story_with_words_exchanged_is_a_story_of_its_world(task: int) -> None:
    """A solver that knows nothing of symmetries derives the very answers that the exchange gives."""
    generator = random.Random(task)
    records = list(simulated_records(task, 200, seed=6, split="train"))
    teller = Teller(records)
    symmetry = fitted(BABI[str(task)], teller.vocabulary)
    exchanged = [teller.moved(record, drawn_map(symmetry, generator)) for record in records]
    changed = sum(one != other for one, other in zip(records, exchanged, strict=True))
    assert changed > 150, "most stories are others"
    check(task, exchanged)


def test_a_map_is_drawn_evenly_and_moves_lists_together() -> None:
    known = vocabulary("mary", "john", "anna", "she", "he", "hers", "stays")
    symmetry = Symmetry((Free((("mary", "john", "anna"), ("she", "he", "hers"))),))
    exchange = Exchange({1: symmetry}, known)
    maps = exchange.draw(np.random.default_rng(0), np.ones(6000, dtype=np.int16))
    numbers = [[known.number(word) for word in words] for words in symmetry.parts[0].lists]  # type: ignore[union-attr]
    assert (maps[:, known.number("stays")] == known.number("stays")).all()
    places = maps[:, numbers[0]] - min(numbers[0])
    np.testing.assert_array_equal(places, maps[:, numbers[1]] - min(numbers[1]))
    _, often = np.unique(places, axis=0, return_counts=True)
    assert len(often) == 6
    assert often.min() > 850


def test_answers_of_several_words_go_where_their_words_go() -> None:
    known = vocabulary("north", "east", "n,e", "n,n")
    turn = {"north": "east", "east": "north", "n": "e", "e": "n"}
    symmetry = Symmetry((Group((turn,)),))
    symmetry.close(known, ["n,e", "n,n"])
    assert all(answer in known for answer in ("e,n", "e,e"))
    exchange = Exchange({19: symmetry}, known)
    maps = exchange.draw(np.random.default_rng(0), np.full(64, 19, dtype=np.int16))
    turned = maps[:, known.number("north")] == known.number("east")
    assert 0 < turned.sum() < 64
    for answer, image in (("n,e", "e,n"), ("n,n", "e,e"), ("e,n", "n,e")):
        np.testing.assert_array_equal(maps[turned, known.number(answer)], known.number(image))
        np.testing.assert_array_equal(maps[~turned, known.number(answer)], known.number(answer))


def test_other_tasks_are_left_as_they_are() -> None:
    known = vocabulary("mary", "john")
    exchange = Exchange({1: Symmetry((Free((("mary", "john"),)),))}, known)
    maps = exchange.draw(np.random.default_rng(0), np.full(20, 2, dtype=np.int16))
    np.testing.assert_array_equal(maps, np.tile(np.arange(len(known)), (20, 1)))


def test_a_symmetry_comes_back_from_json() -> None:
    for symmetry in BABI.values():
        assert Symmetry.from_json(symmetry.as_json()) == symmetry


def test_a_declared_word_moves_the_merged_words_that_it_is_in() -> None:
    known = vocabulary("got_the", "picked_up_the", "went_to_the", "went_back_to_the", "the_box", "box")
    verbs = Symmetry((Free((("got", "picked_up"),)), Free((("went", "went_back"),)), Free((("absent", "box"),))))
    assert fitted(verbs, known) == Symmetry(
        (Free((("got_the", "picked_up_the"),)), Free((("went_to_the", "went_back_to_the"),)))
    )
    left = Symmetry((Group(({"left": "right", "right": "left"},)),))
    known = vocabulary("to_the_left_of", "to_the_right_of", "is")
    assert fitted(left, known) == Symmetry(
        (Group(({"to_the_left_of": "to_the_right_of", "to_the_right_of": "to_the_left_of"},)),)
    )


def test_letters_that_are_only_parts_of_answers_are_known() -> None:
    turn = {"north": "south", "south": "north", "n": "s", "s": "n"}
    known = vocabulary("is_north_of", "is_south_of", "n,s")
    (part,) = fitted(Symmetry((Group((turn,)),)), known).parts
    assert part == Group(({"is_north_of": "is_south_of", "is_south_of": "is_north_of", "n": "s", "s": "n"},))


def test_what_the_held_out_questions_say_is_not_looked_at(tmp_path: Path) -> None:
    """An answer that only they have does not become a class."""
    path = tmp_path / "mine.yaml"
    path.write_text("19:\n- group:\n  - {north: south, south: north, n: s, s: n}\n")
    settings = TrainingSettings(symmetry="declared", symmetry_file=str(path))
    columns = {"task": [19, 19], "story": [[], []], "question": ["how?", "how?"], "answer": ["n,n", "n,n,n"]}
    known = vocabulary("north", "south", "n,n", "n,n,n", "s")
    assert find_exchanges(settings, columns, [0], known).draws is not None
    assert "s,s" in known
    assert "s,s,s" not in known


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("- 1", "expected tasks"),
        ("1: 2", "1: expected tasks"),
        ("1:\n- free: [[a, b], [c]]", "1, entry 1: expected lists of one length, and every word once"),
        ("1:\n- free: [[a, b]]\n- free: [[b, c]]", "1, entry 2: 'b' stands in an earlier entry too; expected it once"),
        ("1:\n- group: [{a: b}]", "1, entry 1: expected maps of words that take each word once"),
        ("1: [", "while parsing"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(tmp_path: Path, content: str, line: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(RequestError) as refused:
        read_declared(path)
    assert str(refused.value).startswith(f"{path}: {line}")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^training\.symmetry_file=no: expected a YAML file, or one of babi$"):
        symmetry_path("no")
