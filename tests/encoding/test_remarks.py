"""What is said about stories before training."""

from __future__ import annotations

from typing import Any

import pytest

from babi_memnet.encoding.questions import MOST_WORDS, build_encoder
from babi_memnet.encoding.remarks import remarks
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import RequestError


def columns(*rows: tuple[list[str], str, str, list[int]]) -> dict[str, list[Any]]:
    stories, questions, answers, supporting = (list(column) for column in zip(*rows, strict=True))
    return {
        "task": [1] * len(rows),
        "story": stories,
        "question": questions,
        "answer": answers,
        "supporting": supporting,
    }


PLAIN = columns((["Ada went to the attic.", "Bo slept."], "Where is Ada?", "attic", [0]))


def said(train: dict[str, Any], test: dict[str, Any], memory_size: int | None = None, **settings: Any) -> list[str]:
    encoder = build_encoder(TokenizerSettings(**settings), train, test, memory_size)
    return list(remarks({"train": train, "test": test}, encoder))


def test_of_plain_stories_nothing_is_said():
    assert said(PLAIN, PLAIN) == []
    other = columns((["ada went to the attic .", "Bo slept"], "Where is Ada ?", "attic", [0]))
    assert said(PLAIN, other) == [], "case, blanks and marks at the end are no difference"


def test_forgotten_facts_are_counted():
    assert said(PLAIN, PLAIN, memory_size=1) == [
        "1 of 1 train questions and 1 of 1 test questions rest on statements that model.memory_size=1 forgets; "
        "the longest story has 2"
    ]
    recent = columns((["Bo slept.", "Ada went to the attic."], "Where is Ada?", "attic", [1]))
    assert said(recent, recent, memory_size=1) == []
    unknown = columns((["Ada went to the attic.", "Bo slept."], "Where is Ada?", "attic", []))
    assert "may rest on statements that model.memory_size=1 forgets" in said(unknown, unknown, memory_size=1)[0]


def test_sentences_that_read_alike_are_named():
    symbols = columns((["A+ is in the attic.", "A- is in the attic."], "Where is A+?", "attic", [0]))
    (line,) = said(symbols, symbols)
    assert line.startswith("1 sentences read like others, such as 'A- is in the attic.' like 'A+ is in the attic.'")
    assert said(symbols, symbols, pattern=r"[\w+-]+") == []


def test_answers_that_training_never_has_are_counted():
    test = columns((["Ada went to the shed."], "Where is Ada?", "shed", [0]), *[(["Bo slept."], "Who?", "attic", [0])])
    assert said(PLAIN, test) == ["1 of 2 test questions have an answer that no training question has: shed"]


def test_a_pattern_without_words_is_refused():
    with pytest.raises(RequestError, match=r"^tokenizer\.pattern=Q: expected a pattern that finds words"):
        said(PLAIN, PLAIN, pattern="Q")


def test_more_words_than_can_be_numbered_are_refused():
    many = columns((["Bo slept.", " ".join(f"w{number}" for number in range(MOST_WORDS))], "Who?", "bo", [0]))
    with pytest.raises(RequestError, match=r"^the stories have \d+ different words; expected at most 65535$"):
        said(many, PLAIN)
