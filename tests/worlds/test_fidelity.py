"""Simulated stories against numbers measured on the official ones, and against those themselves where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

import pytest

from babi_memnet.data.babi_format import file_name, read_babi
from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import StoryQuestion
from tests.worlds.features import deviations, stories_of, words_of


class Measured(NamedTuple):
    """Means over the official training files with 10,000 questions (1000 for task 3); sizes are exact.

    ``lines`` per story, ``before`` a question the statements told, ``words`` per statement, ``supports`` per question,
    and how far ``back`` these are (1 is the statement just before).
    """

    lines: float
    before: float
    words: float
    vocabulary: int
    answers: int
    supports: float
    back: float


OFFICIAL = {
    1: Measured(15, 6.0, 5.20, 19, 6, 1, 1.97),
    2: Measured(27.0, 15.6, 5.09, 33, 6, 2, 4.01),
    3: Measured(79.0, 50.0, 4.93, 34, 6, 3, 5.44),
    4: Measured(3, 2, 7.00, 14, 6, 1, 1.50),
    5: Measured(32.3, 20.1, 5.24, 39, 7, 1, 2.20),
    6: Measured(15.3, 6.3, 5.12, 35, 2, 1, 2.23),
    7: Measured(18.0, 8.7, 5.25, 43, 4, 2.33, 3.84),
    8: Measured(18.3, 8.8, 5.11, 35, 16, 1.95, 4.00),
    9: Measured(15, 6.0, 5.48, 23, 2, 1, 1.96),
    10: Measured(15, 6.0, 6.10, 24, 3, 1, 1.97),
    11: Measured(15, 6.0, 5.94, 26, 6, 2, 2.32),
    12: Measured(15, 6.0, 7.19, 20, 6, 1, 1.32),
    13: Measured(15, 6.0, 6.95, 26, 6, 2, 1.65),
    14: Measured(16.7, 7.7, 6.87, 25, 6, 2, 3.85),
    15: Measured(12, 8, 4.50, 17, 4, 2, 4.98),
    16: Measured(10, 9, 3.56, 17, 4, 3, 4.50),
    17: Measured(10, 2, 9.17, 18, 2, 2, 1.50),
    18: Measured(11.3, 6.3, 7.16, 18, 2, 2, 3.88),
    19: Measured(6, 5, 7.00, 23, 12, 2, 2.70),
    20: Measured(21.4, 5.9, 4.39, 35, 7, 1, 3.38),
}


@cache
def records_of(task: int, questions: int = 2000) -> tuple[StoryQuestion, ...]:
    return tuple(simulated_records(task, questions, seed=1, split="train"))


def near(story_means: list[float], official: float, rounding: float) -> bool:
    """Whether the mean over stories lies within 4 standard errors (and half a last digit) of the official one."""
    return abs(fmean(story_means) - official) < 4 * stdev(story_means) / sqrt(len(story_means)) + rounding


def near_share(successes: int, trials: int, official: float) -> bool:
    """Whether a share lies within 4 standard errors of the official one."""
    return abs(successes / trials - official) < 4 * sqrt(official * (1 - official) / trials)


@pytest.mark.parametrize("task", OFFICIAL)
def test_means_are_the_official_ones(task: int) -> None:
    records = records_of(task)
    stories = list(stories_of(records))[:-1]
    official = OFFICIAL[task]
    assert near([float(len(story[-1].story) + len(story)) for story in stories], official.lines, 0.05)
    assert near([fmean(len(record.story) for record in story) for story in stories], official.before, 0.05)
    assert near([fmean(len(words_of(line)) for line in story[-1].story) for story in stories], official.words, 0.03)
    assert near([fmean(len(record.supporting) for record in story) for story in stories], official.supports, 0.03)


@pytest.mark.parametrize("task", OFFICIAL)
def test_words_and_answers_are_the_official_ones(task: int) -> None:
    records = records_of(task)
    texts = {text for record in records for text in (*record.story, record.question, record.answer)}
    vocabulary = {word for text in texts for word in words_of(text)}
    answers = {record.answer for record in records}
    assert len(vocabulary) == OFFICIAL[task].vocabulary
    if task == 8:
        # Nothing, and every order of one, two and three things; the rarest of these need not occur in a small file.
        assert {"nothing", "milk", "apple,milk", "milk,apple"} <= answers
        assert len(answers) <= 16
    else:
        assert len(answers) == OFFICIAL[task].answers


@pytest.mark.parametrize("task", OFFICIAL)
def test_supporting_statements_are_as_far_back_as_officially(task: int) -> None:
    stories = list(stories_of(records_of(task)))[:-1]
    back = [[len(record.story) - index for record in story for index in record.supporting] for story in stories]
    # A ratio of sums over stories; its standard error by the usual linear approximation.
    mean = sum(map(sum, back)) / sum(map(len, back))
    per_story = fmean(len(story) for story in back)
    residuals = [(sum(story) - mean * len(story)) / per_story + mean for story in back]
    assert near(residuals, OFFICIAL[task].back, 0.1 if task == 3 else 0.03)


def answers_of(task: int) -> Counter[str]:
    return Counter(record.answer for record in records_of(task, 5000))


def test_answers_are_as_frequent_as_officially() -> None:
    assert near_share(answers_of(9)["no"], 5000, 0.625)
    indefinite = answers_of(10)
    assert near_share(indefinite["no"], 5000, 0.475)
    assert near_share(indefinite["yes"], 5000, 0.375)
    assert near_share(indefinite["maybe"], 5000, 0.147)
    assert near_share(answers_of(6)["yes"], 5000, 0.5)
    assert near_share(answers_of(17)["yes"], 5000, 0.5)


def test_the_first_question_of_a_day_is_as_late_as_officially() -> None:
    first = Counter(len(story[0].story) for story in stories_of(records_of(14, 5000)))
    assert set(first) == {2, 4, 6}
    assert near_share(first[2], 1000, 0.25)
    assert near_share(first[4], 1000, 0.65)


def statements_of(task: int) -> list[str]:
    return [line for story in stories_of(records_of(task, 5000)) for line in story[-1].story]


def test_the_same_room_can_stand_on_both_sides_of_or() -> None:
    rooms = [line.removesuffix(".").split(" either in the ")[1] for line in statements_of(10) if " either " in line]
    same = [pair for pair in rooms if len(set(pair.split(" or the "))) == 1]
    assert near_share(len(same), len(rooms), 839 / 4992)


def test_examples_of_a_colour_can_contradict_each_other() -> None:
    contradicting = against_the_majority = 0
    records = records_of(16, 5000)
    for record in records:
        said = [line.removesuffix(".").split(" is ") for line in record.story]
        kind = {who: what for who, what in said if what.startswith("a ")}
        colour = {who: what for who, what in said if not what.startswith("a ")}
        person = record.question.removesuffix("?").split()[-1]
        others = Counter(colour[who] for who in colour if kind[who] == kind[person])
        assert others.total() in (1, 3, 4)
        contradicting += len(others) > 1
        against_the_majority += others[record.answer] < max(others.values())
    assert near_share(contradicting, len(records), 750 / 10_000)
    assert near_share(against_the_majority, len(records), 238 / 10_000)


def test_questions_repeat_as_often_as_officially() -> None:
    def pairs(records: Iterable[StoryQuestion]) -> list[tuple[tuple[str, ...], str]]:
        return [(record.story, record.question) for record in records]

    train, test = (pairs(simulated_records(4, 10_000, 1, split)) for split in ("train", "test"))
    assert near_share(len(train) - len(set(train)), 10_000, 0.479)
    seen = set(train[:1000])
    assert near_share(sum(pair in seen for pair in test[:1000]), 1000, 0.134)


@pytest.mark.integration
@pytest.mark.parametrize("task", OFFICIAL)
def test_no_feature_of_the_official_stories_stands_out(task: int, official_root: Path) -> None:
    official = read_babi(official_root / "en" / file_name(task, "train"), task)
    found = deviations(official, simulated_records(task, 5000, seed=1, split="train"))
    assert len(found) > 20
    # Were the stories drawn alike, the root mean square would be 1 and the largest of a thousand about 3.5.
    assert sqrt(fmean(value**2 for value in found.values())) < 1.25
    assert max(map(abs, found.values())) < 5


def test_other_stories_would_stand_out() -> None:
    """The measure of the test above is able to fail: answers that are off by a tenth are enough."""
    records = records_of(9, 5000)
    biased = [record for record in records if record.answer == "no" or record.story_id % 10]
    assert max(map(abs, deviations(biased, simulated_records(9, 5000, seed=2, split="train")).values())) > 5
