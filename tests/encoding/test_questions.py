"""Stories as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from babi_memnet.encoding.questions import build_encoder
from babi_memnet.encoding.settings import TokenizerSettings

TRAIN = {
    "task": [1, 1],
    "story": [["Anna sat down."], ["Anna sat down.", "Otto left.", "Otto sat down again."]],
    "question": ["Who sat?", "Who left?"],
    "answer": ["Anna", "Otto"],
}
TEST = {"task": [2], "story": [["Eva left."]], "question": ["Who left the old house?"], "answer": ["Eva,Otto"]}


def words_of(encoder, row):
    return [encoder.vocabulary.words[number] for number in row]


def test_statements_come_latest_first_and_are_padded():
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=50)
    questions = encoder.encode(TRAIN)
    assert (encoder.slots, encoder.positions) == (3, 5)
    assert questions.words.shape == (2, 3, 5)
    assert words_of(encoder, questions.words[1, 0]) == ["otto", "sat", "down", "again", ""]
    assert words_of(encoder, questions.words[1, 2]) == ["anna", "sat", "down", "", ""]
    assert words_of(encoder, questions.questions[1]) == ["who", "left", "", "", ""]
    assert (questions.words[0, 1:] == 0).all()
    assert questions.counts.tolist() == [1, 3]
    assert words_of(encoder, questions.answers) == ["anna", "otto"]
    assert questions.tasks.tolist() == [1, 1]
    assert (questions.forgotten, questions.unknown) == (0, 0)


def test_a_small_memory_keeps_the_latest_statements_and_counts_the_forgotten():
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=2)
    questions = encoder.encode(TRAIN)
    assert words_of(encoder, questions.words[1, :, 0]) == ["otto", "otto"]
    assert questions.counts.tolist() == [1, 2]
    assert questions.forgotten == 1


def test_only_remembered_words_count_as_unknown():
    encoder = build_encoder(TokenizerSettings(vocabulary="train"), TRAIN, TEST, memory_size=1)
    told = {**TEST, "story": [["Zoe slept long.", "Otto left."]]}
    assert encoder.encode(told).unknown == 3  # the, old, house


def test_words_of_the_training_stories_alone():
    encoder = build_encoder(TokenizerSettings(vocabulary="train"), TRAIN, TEST, memory_size=50)
    questions = encoder.encode(TEST)
    assert "eva" not in encoder.vocabulary
    assert encoder.positions == 5, "both splits must have one shape"
    assert words_of(encoder, questions.words[0, 0]) == ["left", "", "", "", ""]
    assert questions.answers.tolist() == [0]
    assert questions.unknown == 1 + 3  # eva; the, old, house


def test_words_are_numbered_as_they_are_told_and_those_of_the_test_stories_last():
    words = build_encoder(TokenizerSettings(), TRAIN, TEST, 50).vocabulary.words
    of_training = ["", "anna", "sat", "down", "who", "otto", "left", "again"]
    assert words == [*of_training, "eva", "the", "old", "house", "eva,otto"]


def test_selecting_keeps_what_belongs_together():
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, 50)
    chosen = encoder.encode(TRAIN).select(np.array([1]))
    assert len(chosen) == 1
    assert chosen.counts.tolist() == [3]
    assert words_of(encoder, chosen.answers) == ["otto"]


@pytest.mark.parametrize("memory_size", [1, 50])
def test_a_question_before_any_statement(memory_size):
    empty = {**TEST, "story": [[]]}
    questions = build_encoder(TokenizerSettings(), TRAIN, empty, memory_size).encode(empty)
    assert questions.counts.tolist() == [0]
    assert (questions.words == 0).all()
