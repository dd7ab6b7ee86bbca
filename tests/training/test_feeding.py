"""What networks are asked: whole stories of about one length, told further and further, with words exchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from babi_memnet.encoding.questions import Questions
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.training.feeding import QuestionFeed, StoryFeed
from babi_memnet.training.sampling import draw_stories, restart_generator
from babi_memnet.training.schedule import schedule
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange, Free, Symmetry
from tests.encoding.test_stories import encoded

CPU = torch.device("cpu")


def settings(**changes: Any) -> TrainingSettings:
    return TrainingSettings(**{"epochs": 10, "linear_start_epochs": 0, "batch_size": 10, "time_noise": 0, **changes})


def generators(count: int = 2) -> list[np.random.Generator]:
    return [restart_generator(5, number) for number in range(count)]


def test_an_epoch_has_every_question_once() -> None:
    questions = encoded(2)
    feed = StoryFeed(questions, settings(), CPU, None)
    steps, batches = feed.epoch(generators(), next(iter(schedule(settings()))))
    seen = list(batches)
    assert len(seen) == steps
    for restart in range(2):
        answers = torch.cat([asked.answers[restart].flatten() for asked in seen])
        assert sorted(answers[answers > 0].tolist()) == sorted(questions.answers.tolist())


def test_supporting_facts_are_shown_in_training_alone_and_only_to_networks_that_want_them() -> None:
    questions = encoded(2)
    facts = np.arange(len(questions), dtype=np.int32)[:, None]
    given = replace(questions, supporting=facts)
    for wanted in (True, False):
        feed = QuestionFeed(given, settings(), CPU, None, supporting=wanted)
        (first, *_) = feed.epoch(generators(), next(iter(schedule(settings()))))[1]
        assert (first.batch.supporting is not None) == wanted
        if wanted:
            asked = first.batch.supporting[..., 0]
            assert torch.equal(first.answers, torch.from_numpy(questions.answers.astype(np.int64))[asked])
        assert all(judged.batch.supporting is None for judged in feed.evaluation(given))


def test_many_questions_an_epoch_are_many_rounds() -> None:
    questions = encoded(2)
    feed = StoryFeed(questions, settings(questions_per_epoch=100), CPU, None)
    _, batches = feed.epoch(generators(1), next(iter(schedule(settings()))))
    assert sum(int((asked.answers > 0).sum()) for asked in batches) == 100


def test_stories_are_told_further_and_further() -> None:
    """Never less than to the first question, and whole from half of the epochs on."""
    questions = encoded(3)
    growing = settings(first_statements=4, growing=0.5)
    feed = StoryFeed(questions, growing, CPU, None)
    longest, asked = [], []
    for epoch in schedule(growing):
        batches = list(feed.epoch(generators(1), epoch)[1])
        longest.append(max(int(batch.batch.told.max()) for batch in batches))
        asked.append(sum(int((batch.answers > 0).sum()) for batch in batches))
        for batch in batches:
            assert ((batch.answers > 0).sum(dim=-1) >= 1).all(), "a story without a question teaches nothing"
            assert (batch.batch.asked <= batch.batch.told.unsqueeze(-1)).all()
    assert asked == sorted(asked)
    assert asked[0] < asked[-1]
    whole = int(questions.counts.max())
    assert longest[0] < whole
    assert longest[5:] == [whole] * 5


def test_batches_are_of_about_one_length() -> None:
    from babi_memnet.encoding.stories import Stories

    stories = Stories.of(encoded(3))
    (plan,) = [draw_stories(generators(1)[0], stories, settings(), next(iter(schedule(settings()))))]
    padded = sum(int(told.max()) * len(told) for told in plan.told)
    assert padded < 1.4 * sum(int(told.sum()) for told in plan.told)


def test_a_restart_draws_the_same_whoever_is_beside_it() -> None:
    questions = encoded(2)
    feed = StoryFeed(questions, settings(), CPU, None)
    epoch = next(iter(schedule(settings())))
    together = list(feed.epoch(generators(3), epoch)[1])
    alone = list(feed.epoch(generators(3)[1:2], epoch)[1])
    for one, other in zip(together, alone, strict=True):
        questions_there = other.batch.questions.shape[2]
        assert torch.equal(one.answers[1, :, :questions_there], other.answers[0])


def exchange_of_all(questions: Questions) -> tuple[Exchange, int]:
    """Any two of the words 1 and 2 are exchanged."""
    known = Vocabulary.from_json({"tokenizer": {}, "words": [str(number) for number in range(1, 60)]})
    return Exchange({int(questions.tasks[0]): Symmetry((Free((("1", "2"),)),))}, known), 59


def test_words_are_exchanged_in_story_question_and_answer_alike() -> None:
    questions = encoded(1)
    exchange, _ = exchange_of_all(questions)
    for feed_of in (StoryFeed, QuestionFeed):
        changed = 0
        plain = feed_of(questions, settings(), CPU, None).epoch(generators(1), next(iter(schedule(settings()))))[1]
        moved = feed_of(questions, settings(), CPU, exchange).epoch(generators(1), next(iter(schedule(settings()))))[1]
        for one, other in zip(plain, moved, strict=True):
            pairs = [(one.answers, other.answers), *zip(one.batch[:1], other.batch[:1], strict=True)]
            for before, after in pairs:
                swapped = torch.where(before == 1, 2, torch.where(before == 2, 1, before))
                for story_before, story_after, story_swapped in zip(before[0], after[0], swapped[0], strict=True):
                    assert torch.equal(story_after, story_before) or torch.equal(story_after, story_swapped)
                changed += int((before != after).any())
        assert changed, feed_of.__name__


def test_all_questions_are_evaluated_once() -> None:
    questions = encoded(3)
    for feed_of in (StoryFeed, QuestionFeed):
        feed = feed_of(questions, settings(), CPU, None)
        places, answers = [], []
        for judged in feed.evaluation(questions):
            there = judged.places >= 0
            places += judged.places[there].tolist()
            answers += judged.answers[there].tolist()
        assert sorted(places) == list(range(len(questions)))
        assert answers == questions.answers[places].tolist()
