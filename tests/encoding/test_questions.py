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


def test_tasks_may_have_names():
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=50)
    tasks = encoder.encode({**TRAIN, "task": ["b", "long name"]}).tasks
    assert tasks.tolist() == ["b", "long name"]
    assert (tasks == "b").tolist() == [True, False]


def test_validation_questions_count_as_those_of_the_test_do():
    told = {**TEST, "story": [["Zoe left very late.", "A.", "B.", "C."]], "question": ["Who is the one who left then?"]}
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, 50, told)
    assert (encoder.slots, encoder.positions) == (4, 7)
    assert "zoe" in encoder.vocabulary
    plain = build_encoder(TokenizerSettings(), TRAIN, TEST, 50).vocabulary.words
    assert encoder.vocabulary.words[: len(plain)] == plain
    unlearned = build_encoder(TokenizerSettings(vocabulary="train"), TRAIN, TEST, 50, told)
    assert (unlearned.positions, "zoe" in unlearned.vocabulary) == (7, False)


def test_a_small_memory_keeps_the_latest_statements_and_counts_the_forgotten():
    encoder = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=2)
    questions = encoder.encode(TRAIN)
    assert words_of(encoder, questions.words[1, :, 0]) == ["otto", "otto"]
    assert questions.counts.tolist() == [1, 2]
    assert questions.forgotten == 1


def test_supporting_facts_are_slots_in_their_order_without_the_forgotten_ones():
    told = {**TRAIN, "supporting": [[0], [2, 0, 1]]}
    whole = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=50).encode(told)
    assert whole.supporting.tolist() == [[0, -1, -1], [0, 2, 1]]
    assert whole.select(np.array([1])).supporting.tolist() == [[0, 2, 1]]
    short = build_encoder(TokenizerSettings(), TRAIN, TEST, memory_size=2)
    assert short.encode(told).supporting.tolist() == [[0, -1], [0, 1]]
    assert short.encode(TRAIN).supporting is None


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


def columns(*told):
    """Questions from (statements, question, answer)."""
    stories, questions, answers = zip(*told, strict=True)
    return {"task": [1] * len(told), "story": list(stories), "question": list(questions), "answer": list(answers)}


def grown(times):
    """Stories of two questions each, which hold what the other statements of the text do not."""
    first, second = "Anna went to the hall.", "Otto went to the yard."
    return columns(*[([first], "Where is Anna?", "hall"), ([first, second], "Where is Otto?", "yard")] * times)


MERGE = TokenizerSettings(merge=True, vocabulary="train")


def test_words_that_always_stand_together_are_one():
    encoder = build_encoder(MERGE, grown(8), grown(1), 50)
    assert encoder.vocabulary.words == ["", "anna", "went_to_the", "hall", "where_is", "otto", "yard"]
    assert encoder.positions == 3
    assert words_of(encoder, encoder.encode(grown(1)).words[1, 0]) == ["otto", "went_to_the", "yard"]


def test_a_statement_counts_once_in_a_story_and_again_in_the_next():
    # "went to the" is told 2 * 4 times by the 4 stories, and each question is asked 4 times
    merging = build_encoder(MERGE, grown(4), grown(1), 50).vocabulary.merging
    assert set(merging.pairs) == {("went", "to"), ("went_to", "the"), ("where", "is")}
    assert build_encoder(MERGE, grown(3), grown(1), 50).vocabulary.merging.pairs == ()


def test_words_of_answers_stay_as_they_are():
    story = [
        f"{who} {did} the {what}."
        for who in ("Anna", "Otto")
        for did in ("took", "saw")
        for what in ("apple", "old hat")
    ]
    told = [(story, "Where is it?", "apple,old hat"), ([*story, "Anna left."], "Where is it?", "yes")] * 8
    words = build_encoder(MERGE, columns(*told), columns(*told), 50).vocabulary.words
    assert {"apple", "old", "hat", "took_the", "saw_the"} <= set(words)


def test_nothing_is_merged_for_the_sake_of_test_questions():
    test = columns(*[([f"Anna went home {word}."], "Where is Anna?", "hall") for word in "abcdefghij"])
    merging = build_encoder(TokenizerSettings(merge=True), grown(4), test, 50).vocabulary.merging
    assert ("went", "to") in merging.pairs
    assert all("home" not in pair for pair in merging.pairs)


def test_what_training_shows_only_merged_is_unknown_alone():
    test = columns((["Anna went home.", "Otto went to the hall."], "Where is Otto?", "hall"))
    encoder = build_encoder(MERGE, grown(8), test, 50)
    questions = encoder.encode(test)
    assert questions.unknown == 2  # went, home
    assert words_of(encoder, questions.words[0, 1]) == ["anna", "", ""]
    assert words_of(encoder, questions.words[0, 0]) == ["otto", "went_to_the", "hall"]
    with_test_words = build_encoder(TokenizerSettings(merge=True), grown(8), test, 50).vocabulary.words
    assert with_test_words[-2:] == ["went", "home"]


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
