"""What is merged, held against the rule written plainly: looking at every word and its neighbours, again and again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babi_memnet.encoding.merging import LEAST, Merging, learn

# Phrases, so that words do stand together now and then.
SENTENCES = st.lists(st.sampled_from(["ab", "abc", "cd", "d", "e"]), max_size=4).map(lambda some: tuple("".join(some)))
TEXTS = st.dictionaries(SENTENCES, st.integers(1, LEAST), min_size=1, max_size=8)
KEPT = st.sets(st.sampled_from("abcde"), max_size=2)
START, END = "<", ">"


def plainly_merged(words: list[str], first: str, second: str) -> list[str]:
    for place, pair in enumerate(pairwise(words)):
        if pair == (first, second):
            return [*words[:place], f"{first}_{second}", *plainly_merged(words[place + 2 :], first, second)]
    return words


def inseparable(sentences: list[list[str]], kept: set[str]) -> list[tuple[int, tuple[str, str]]]:
    """How often each pair stands together of which one never stands without the other, in order of appearance."""
    neighbours = [pair for words in sentences for pair in pairwise([START, *words, END])]
    found = []
    for first, second in dict.fromkeys(neighbours):
        followers = {after for before, after in neighbours if before == first}
        leaders = {before for before, after in neighbours if after == second}
        often = neighbours.count((first, second))
        if (
            (followers == {second} or leaders == {first})
            and often >= LEAST
            and not {first, second} & {START, END, *kept}
        ):
            found.append((often, (first, second)))
    return found


def learned_plainly(told: dict[tuple[str, ...], int], kept: set[str]) -> list[tuple[str, str]]:
    sentences = [list(words) for words, times in told.items() for _ in range(times)]
    pairs = []
    while found := inseparable(sentences, kept):
        pair = max(found, key=lambda one: one[0])[1]  # the first of the most frequent
        pairs.append(pair)
        sentences = [plainly_merged(words, *pair) for words in sentences]
    return pairs


@given(TEXTS, KEPT)
def test_the_rule(told: dict[tuple[str, ...], int], kept: set[str]):
    merging = learn(told, kept)
    assert list(merging.pairs) == learned_plainly(told, kept)
    for words in told:
        merged = merging(words)
        plainly = list(words)
        for pair in merging.pairs:
            plainly = plainly_merged(plainly, *pair)
        assert merged == plainly
        assert tuple(part for word in merged for part in merging.parts(word)) == words
        assert all(word in merged for word in kept & set(words))


@given(TEXTS, KEPT, st.permutations("abcde"))
def test_other_names_for_words_give_the_same_merges(told: dict[tuple[str, ...], int], kept: set[str], names: list[str]):
    called = dict(zip("abcde", names, strict=True))
    renamed = {tuple(called[word] for word in words): times for words, times in told.items()}

    def rename(word: str) -> str:
        return "_".join(called[part] for part in word.split("_"))

    pairs = learn(told, kept).pairs
    assert learn(renamed, {called[word] for word in kept}).pairs == tuple((rename(a), rename(b)) for a, b in pairs)


def told(*sentences: str, times: int = LEAST) -> dict[tuple[str, ...], int]:
    return {tuple(sentence.split()): times for sentence in sentences}


@pytest.mark.parametrize(
    ("text", "kept", "merged"),
    [
        # `went` is always followed by `to`; `the` always follows it, but precedes two words
        (
            ["anna went to the hall", "anna left", "otto went to the yard", "otto left"],
            "hall yard left",
            "anna went_to_the hall",
        ),
        # `hall` never stands without `the`, unless it is an answer
        (["to the hall", "the hall", "to the yard", "the yard", "to"], "", "to the_hall"),
        (["to the hall", "the hall", "to the yard", "the yard", "to"], "hall yard", "to the hall"),
        (["to the hall", "the hall", "to the yard", "the yard", "to"], "hall", "to the hall"),
        # each stands beside another too
        (["otto sat", "otto left", "anna sat", "anna left"], "", "otto sat"),
        # an answer is merged from neither side
        (["otto sat down", "otto left"], "sat", "otto sat down"),
        # a verb of two words, one of which is a verb as well
        (["went back to", "went to", "ran to"], "", "went_back_to"),
    ],
)
def test_examples(text: list[str], kept: str, merged: str):
    assert " ".join(learn(told(*text), set(kept.split()))(text[0].split())) == merged


def test_what_is_rare_is_not_merged():
    text = told("anna sat down", times=LEAST - 1)
    assert learn(text, set()).pairs == ()
    assert learn({**text, ("otto", "sat", "down"): 1}, set()).pairs == (("sat", "down"),)


def test_a_sentence_ends_what_stands_together():
    text = told("anna sat", "down otto")
    assert learn(text, set()).pairs == (("anna", "sat"), ("down", "otto"))
    # `sat` begins a sentence, `down` ends one
    assert learn({**told("sat", "down", times=1), **told("sat down")}, set()).pairs == ()


def test_of_equally_frequent_pairs_the_first_in_the_text_comes_first():
    assert learn(told("z y x w"), set()).pairs == (("z", "y"), ("z_y", "x"), ("z_y_x", "w"))
    assert learn({("z", "y"): LEAST, ("b", "a"): LEAST + 1}, set()).pairs == (("b", "a"), ("z", "y"))


def test_a_word_that_is_made_in_two_ways_is_one_word():
    merging = Merging([("a", "b"), ("a_b", "c"), ("b", "c"), ("a", "b_c"), ("a_b_c", "d"), ("a_b", "c")])
    assert merging(["a", "b", "c", "d"]) == ["a_b_c_d"]
    assert merging.parts("a_b_c_d") == ("a", "b", "c", "d")
    assert merging(["c", "b", "c"]) == ["c", "b_c"]
    assert merging([]) == []
    assert merging.parts("d") == ("d",)
