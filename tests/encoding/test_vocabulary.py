"""Words and their numbers."""

from __future__ import annotations

import json

import pytest

from babi_memnet.encoding.merging import Merging
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError


def test_numbers_follow_first_appearance_and_padding_is_zero():
    vocabulary = Vocabulary(TokenizerSettings())
    numbers = [vocabulary.add(word) for word in ("anna", "sat", "anna", "down")]
    assert numbers == [1, 2, 1, 3]
    assert vocabulary.words == ["", "anna", "sat", "down"]
    assert vocabulary.number("nobody") == 0


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        (TokenizerSettings(), ["where", "did", "anna", "go"]),
        (TokenizerSettings(lowercase=False), ["Where", "did", "Anna", "go"]),
        (TokenizerSettings(pattern=r"\w*"), ["where", "did", "anna", "go"]),
        (TokenizerSettings(pattern=r"(\w)(\w*)"), ["where", "did", "anna", "go"]),
        (TokenizerSettings(pattern=r"\S+"), ["where", "did", "anna", "go?"]),
    ],
)
def test_tokenizers_split_as_their_settings_say(settings, tokens):
    assert Vocabulary(settings).tokens("Where did  Anna go?") == tokens


def test_an_answer_of_several_words_is_one_class():
    assert Vocabulary(TokenizerSettings()).answer_token("Apple,milk") == "apple,milk"


def test_unknown_words_are_named_with_what_may_have_been_meant():
    vocabulary = Vocabulary(TokenizerSettings(), ["kitchen", "where", "is", "anna"])
    assert vocabulary.numbers_of("Where is Anna?") == [2, 3, 4]
    with pytest.raises(RequestError, match=r"knows 4 words: 'kitchn' \(did you mean kitchen\?\), 'zebra'$"):
        vocabulary.numbers_of("Where is the kitchn of the zebra?".replace("the ", "").replace("of ", ""))


def test_a_vocabulary_survives_json():
    vocabulary = Vocabulary(TokenizerSettings(lowercase=False), ["Anna", "sat"])
    copy = Vocabulary.from_json(json.loads(json.dumps(vocabulary.as_json())))
    assert copy.words == vocabulary.words
    assert copy.settings == vocabulary.settings


MERGING = Merging([("to", "the"), ("went", "back"), ("went", "to_the"), ("went_back", "to_the")])
MERGED = ["anna", "went_to_the", "went_back_to_the", "kitchen", "where", "is"]


@pytest.fixture
def merged() -> Vocabulary:
    return Vocabulary(TokenizerSettings(merge=True), MERGED, MERGING)


def test_merged_words_are_read_with_blanks_and_as_they_are_shown(merged: Vocabulary):
    assert merged.numbers_of("Anna went back to the kitchen.") == [1, 3, 4]
    assert merged.numbers_of("Anna went_to_the kitchen.") == [1, 2, 4]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("Anna went to a kitchen.", "'a'"),
        ("Anna went kitchen.", "'went' (only within went_to_the, went_back_to_the)"),
        ("Anna to the kitchen.", "'to the' (only within went_to_the, went_back_to_the)"),
        # the words beside it are unknown only because of it
        ("Anna wnt to the kitchen.", "'wnt' (did you mean went?)"),
        ("Anna went bakc to the kitchen.", "'bakc' (did you mean back?)"),
        ("Anna went to the kitchn.", "'kitchn' (did you mean kitchen?)"),
    ],
)
def test_an_unknown_word_beside_merged_ones_is_named_as_it_was_typed(merged: Vocabulary, typed: str, named: str):
    with pytest.raises(RequestError) as error:
        merged.numbers_of(typed)
    assert str(error.value).endswith(f"knows 6 words: {named}")


def test_of_many_merged_words_three_are_named():
    wholes = [("a", second) for second in "bcde"]
    vocabulary = Vocabulary(TokenizerSettings(merge=True), ["a_b", "a_c", "a_d", "a_e"], Merging(wholes))
    with pytest.raises(RequestError, match=r"'a' \(only within a_b, a_c, a_d, \.\.\.\)$"):
        vocabulary.numbers_of("a")


def test_merges_survive_json_and_earlier_records_have_none(merged: Vocabulary):
    saved = json.loads(json.dumps(merged.as_json()))
    copy = Vocabulary.from_json(saved)
    assert copy.numbers_of("Anna went back to the kitchen.") == [1, 3, 4]
    assert copy.settings.merge
    earlier = {"tokenizer": {"pattern": r"\w+", "lowercase": True, "vocabulary": "train"}, "words": ["anna"]}
    assert Vocabulary.from_json(earlier).tokens("Anna went to the") == ["anna", "went", "to", "the"]


def test_a_pattern_that_is_no_regular_expression_is_refused():
    with pytest.raises(RequestError, match=r"tokenizer\.pattern=\(: expected a regular expression"):
        TokenizerSettings(pattern="(")


@pytest.mark.parametrize(
    ("first", "second"),
    [("\u092e\u0940\u0928\u093e", "\u092e\u094b\u0928\u093e"), ("ka\u0301na", "ka\u0300na")],
)
def test_marks_belong_to_words(first: str, second: str):
    """Two names that differ in a vowel sign, or in an accent, are two words, and each is one."""
    vocabulary = Vocabulary(TokenizerSettings())
    (one,), (other,) = vocabulary.tokens(f"{first}."), vocabulary.tokens(f" {second}?")
    assert one != other


def test_a_letter_is_one_however_it_is_put_together():
    vocabulary = Vocabulary(TokenizerSettings())
    assert vocabulary.tokens("Zoe\u0308 went") == vocabulary.tokens("Zo\u00eb went") == ["zo\u00eb", "went"]
    assert vocabulary.answer_token("Zoe\u0308") == vocabulary.answer_token("zo\u00eb")
