"""Symmetries inferred from training stories: they hold in the worlds, and nothing else decides on them."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import StoryQuestion, to_dataset
from babi_memnet.encoding.questions import build_encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.training.chance import tail
from babi_memnet.training.declared import fitted
from babi_memnet.training.exchanging import find_exchanges
from babi_memnet.training.inferred import FEWEST_STORIES, P_VALUE, Inference, infer
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Free, Symmetry, Words
from tests.training.test_symmetry import BABI, Teller, drawn_map
from tests.worlds.test_solver_agrees import check


def learn(records: list[StoryQuestion], merge: bool = True) -> tuple[Inference, Vocabulary]:
    columns = to_dataset(records, "any").to_dict()
    vocabulary = build_encoder(TokenizerSettings(merge=merge), columns, columns, None).vocabulary
    return infer(columns, range(len(records)), vocabulary), vocabulary


def simulated(task: int, questions: int = 900, seed: int = 21) -> list[StoryQuestion]:
    return list(simulated_records(task, questions, seed=seed, split="train"))


def elements(symmetry: Symmetry) -> set[frozenset[tuple[str, str]]]:
    """Maps that make up all others, whichever way the symmetry is told."""
    return {frozenset((a, b) for a, b in words.items() if a != b) for words in symmetry.generators()}


def orbits(symmetry: Symmetry) -> set[frozenset[str]]:
    """Words that some map takes to each other."""
    found: list[set[str]] = []
    for words in symmetry.generators():
        for a, b in words.items():
            met = [orbit for orbit in found if {a, b} & orbit]
            found = [orbit for orbit in found if orbit not in met] + [set().union({a, b}, *met)]
    return {frozenset(orbit) for orbit in found if len(orbit) > 1}


QUICK = (1, 15, 17, 19)


@pytest.mark.parametrize(
    "task",
    [task if task in QUICK else pytest.param(task, marks=pytest.mark.integration) for task in range(1, 21)],
)
def test_what_is_inferred_holds_in_the_world(task: int) -> None:
    """A solver that knows nothing of symmetries derives the very answers that the exchange gives, in other stories."""
    records = simulated(task)
    inference, _ = learn(records)
    others, generator, teller = simulated(task, 200, seed=22), random.Random(task), Teller(records)
    exchanged = [teller.moved(record, drawn_map(inference.symmetry, generator)) for record in others]
    changed = sum(one != other for one, other in zip(others, exchanged, strict=True))
    assert changed > 150, "most stories are others"
    check(task, exchanged)


@pytest.mark.parametrize("task", [1, 4, 16, pytest.param(2, marks=pytest.mark.integration)])
def test_it_is_what_a_person_would_list(task: int) -> None:
    inference, vocabulary = learn(simulated(task))
    listed = fitted(BABI[str(task)], vocabulary)
    assert orbits(inference.symmetry) == orbits(listed) - ({frozenset()})
    assert all(verdict.holds == (verdict.p >= P_VALUE) for verdict in inference.verdicts)


def test_the_compass_turns_with_the_letters_of_the_answers() -> None:
    inference, vocabulary = learn(simulated(19))
    (compass,) = (part for part in inference.symmetry.parts if not isinstance(part, Free))
    (listed,) = (part for part in fitted(BABI["19"], vocabulary).parts if not isinstance(part, Free))
    assert {frozenset(words.items()) for words in map(moving, compass.maps)} == {
        frozenset(words.items()) for words in map(moving, listed.maps)
    }


def moving(words: Words) -> Words:
    return {a: b for a, b in words.items() if a != b}


def shuffled_letters(seed: int) -> Callable[[str], str]:
    letters = list(string.ascii_lowercase)
    others = random.Random(seed).sample(letters, len(letters))
    table = str.maketrans("".join(letters) + "".join(letters).upper(), "".join(others) + "".join(others).upper())
    return lambda text: text.translate(table)


def respelled(records: list[StoryQuestion], spell: Callable[[str], str]) -> list[StoryQuestion]:
    return [
        StoryQuestion(
            record.task,
            tuple(map(spell, record.story)),
            spell(record.question),
            spell(record.answer),
            record.supporting,
            record.story_id,
        )
        for record in records
    ]


@pytest.mark.parametrize("task", [17, 19])
def test_nothing_rests_on_how_words_are_written(task: int) -> None:
    records, spell = simulated(task, 500), shuffled_letters(task)
    plain, vocabulary = learn(records)
    other, other_vocabulary = learn(respelled(records, spell))
    assert other_vocabulary.words == [spell(word) for word in vocabulary.words]
    assert [[spell(word) for word in words] for words in plain.classes] == [list(words) for words in other.classes]
    assert other.symmetry == Symmetry.from_json(spell_json(plain.symmetry.as_json(), spell))
    assert [verdict.p for verdict in plain.verdicts] == [verdict.p for verdict in other.verdicts]


def spell_json(value: Any, spell: Callable[[str], str], key: bool = False) -> Any:
    """Respells words, but not the keys ``free`` and ``group``."""
    if isinstance(value, Mapping):
        return {
            name if name in ("free", "group") else spell(name): spell_json(each, spell) for name, each in value.items()
        }
    return [spell_json(each, spell) for each in value] if isinstance(value, list) else spell(value)


def test_numbers_of_a_vocabulary_do_not_rest_on_spelling_either() -> None:
    records, spell = simulated(19, 400), shuffled_letters(3)
    drawn = []
    for told in (records, respelled(records, spell)):
        columns = to_dataset(told, "any").to_dict()
        vocabulary = build_encoder(TokenizerSettings(merge=True), columns, columns, None).vocabulary
        found = find_exchanges(TrainingSettings(symmetry="inferred"), columns, range(400), vocabulary)
        assert found.draws is not None
        assert found.report["19"]["symmetry"]
        drawn.append(found.draws.draw(np.random.default_rng(0), np.full(50, 19, dtype=np.int16)))
    np.testing.assert_array_equal(*drawn)


def told(rows: list[tuple[list[str], str, str]]) -> tuple[dict[str, list[Any]], Vocabulary]:
    stories, questions, answers = zip(*rows, strict=True)
    columns = {"task": [1] * len(rows), "story": list(stories), "question": list(questions), "answer": list(answers)}
    return columns, Vocabulary(TokenizerSettings())


def kitchen_or_garden(generator: random.Random, people: list[str]) -> tuple[list[str], str, str]:
    person, place, asked = generator.choice(people), generator.choice(["cellar", "attic"]), generator.choice(people)
    return [f"{person} is in the {place}"], f"is {asked} in the {place}", "yes" if person == asked else "no"


def test_a_world_of_ones_own() -> None:
    """People and places are exchanged there, yes and no are not."""
    generator = random.Random(0)
    rows = [kitchen_or_garden(generator, ["anna", "bela", "cleo"]) for _ in range(400)]
    assert orbits(infer(*told_places(rows)).symmetry) == {
        frozenset(("anna", "bela", "cleo")),
        frozenset(("cellar", "attic")),
    }


def told_places(rows: list[tuple[list[str], str, str]]) -> tuple[dict[str, list[Any]], range, Vocabulary]:
    columns, vocabulary = told(rows)
    return columns, range(len(rows)), vocabulary


def test_words_of_few_stories_stay() -> None:
    generator = random.Random(0)
    rows = [kitchen_or_garden(generator, ["anna", "bela"]) for _ in range(300)]
    rare = [(["dora is in the attic"], "is dora in the attic", "yes")] * (FEWEST_STORIES - 1)
    assert not any("dora" in orbit for orbit in orbits(infer(*told_places(rows + rare)).symmetry))


def test_a_word_that_names_a_mark_is_a_word() -> None:
    generator = random.Random(0)
    rows = [kitchen_or_garden(generator, ["statement", "question", "answer"]) for _ in range(400)]
    assert frozenset(("statement", "question", "answer")) in orbits(infer(*told_places(rows)).symmetry)


@pytest.mark.parametrize(("columns", "negative"), [(3, False), (30, True), (200, False)])
def test_the_tail_is_that_of_random_signs(columns: int, negative: bool) -> None:
    """A sum that 3 in 1,000 random choices of stories to exchange exceed has a p-value of about 0.003."""
    generator = np.random.default_rng(columns)
    rows = generator.normal(size=(60, columns)) * (generator.random((60, columns)) < 0.3)
    signs = np.where(generator.random(columns) < 0.5, 1.0, -1.0) if negative else np.ones(columns)
    products = (rows * signs) @ rows.T
    np.fill_diagonal(products, 0)
    chosen = generator.choice([-1.0, 1.0], size=(100_000, 60))
    rare = chosen[((chosen @ products) * chosen).sum(axis=1).argsort()[-300]]
    assert 0.002 < tail(csr_array(rows * rare[:, None]), signs) < 0.0045
