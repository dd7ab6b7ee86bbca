"""Words and their numbers."""

from __future__ import annotations

import json

import pytest

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


def test_a_pattern_that_is_no_regular_expression_is_refused():
    with pytest.raises(RequestError, match=r"tokenizer\.pattern=\(: expected a regular expression"):
        TokenizerSettings(pattern="(")
