"""Questions by their stories: each story once, and back again to the very questions."""

from __future__ import annotations

import numpy as np
import pytest

from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import to_dataset
from babi_memnet.encoding.questions import Questions, build_encoder
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.encoding.stories import Stories


def encoded(task: int, memory_size: int | None = None) -> Questions:
    columns = to_dataset(list(simulated_records(task, 40, seed=2, split="train")), "any").to_dict()
    return build_encoder(TokenizerSettings(), columns, columns, memory_size).encode(columns)


@pytest.mark.parametrize("memory_size", [None, 3])
@pytest.mark.parametrize("task", [1, 3, 5, 17, 19])
def test_stories_have_every_question_with_what_was_told_before_it(task: int, memory_size: int | None) -> None:
    questions = encoded(task, memory_size)
    stories = Stories.of(questions)
    places = stories.places[stories.places >= 0]
    assert sorted(places.tolist()) == list(range(len(questions)))
    for story, row in enumerate(stories.places):
        for turn, place in enumerate(row):
            if place < 0:
                assert stories.answers[story, turn] == stories.asked[story, turn] == 0
                assert not stories.questions[story, turn].any()
                continue
            count = int(questions.counts[place])
            assert stories.asked[story, turn] == count
            assert stories.answers[story, turn] == questions.answers[place]
            np.testing.assert_array_equal(stories.questions[story, turn], questions.questions[place])
            np.testing.assert_array_equal(stories.statements[story, :count][::-1], questions.words[place, :count])
        assert not stories.statements[story, int(stories.told[story]) :].any()


def test_questions_of_one_story_stand_together_unless_it_outgrows_the_memory() -> None:
    assert len(Stories.of(encoded(1))) == 8, "five questions each"
    assert len(Stories.of(encoded(1, memory_size=3))) > 8
    assert len(Stories.of(encoded(19))) == 40, "one question each"


def test_without_questions_there_are_no_stories() -> None:
    none = encoded(1).select(np.array([], dtype=np.int64))
    assert len(Stories.of(none)) == 0
