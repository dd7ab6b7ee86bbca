from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from itertools import islice

import pytest

from babi_memnet.data.babi_format import parse_babi, write_babi
from babi_memnet.data.generated import simulated_records
from babi_memnet.tasks import TITLES
from babi_memnet.worlds.house import HouseTask
from babi_memnet.worlds.randomness import Dice
from babi_memnet.worlds.simulation import SIMULATOR_VERSION, simulate
from babi_memnet.worlds.story import SimulatedQuestion, Story
from babi_memnet.worlds.tasks import TASKS
from tests.worlds import pinned


def text_of(task: int, questions: int, seed: int = 0, split: str = "train") -> str:
    file = io.StringIO()
    assert write_babi(simulated_records(task, questions, seed, split), file) == questions
    return file.getvalue()


def test_there_are_twenty_tasks() -> None:
    assert list(TASKS) == list(TITLES) == list(range(1, 21))


@pytest.mark.parametrize("task", TASKS)
def test_the_bytes_of_a_task_belong_to_the_version_of_the_simulator(task: int) -> None:
    digest = hashlib.sha256((text_of(task, 200) + text_of(task, 200, split="test")).encode("ascii")).hexdigest()
    assert (SIMULATOR_VERSION, digest) == (pinned.VERSION, pinned.DIGESTS[task]), (
        "the simulator writes something else than before: raise SIMULATOR_VERSION and pin the new bytes in pinned.py"
    )


@pytest.mark.parametrize("task", TASKS)
def test_what_is_written_reads_back(task: int) -> None:
    records = list(simulated_records(task, 60, 3, "train"))
    assert parse_babi(text_of(task, 60, 3).splitlines(), task, "simulated") == records


@pytest.mark.parametrize("task", [1, 18, 20])
def test_a_long_run_starts_with_a_short_one(task: int) -> None:
    long = list(simulate(task, 101, 5, "train"))
    assert long[:38] == list(simulate(task, 38, 5, "train"))
    assert [record.story_id for record in long] == sorted(record.story_id for record in long)


def test_seeds_splits_and_tasks_are_independent() -> None:
    texts = [text_of(task, 50, seed, split) for task in (2, 8) for seed in (0, 1) for split in ("train", "test")]
    assert len(set(texts)) == 8


def test_questions_are_made_as_they_are_consumed() -> None:
    assert len(list(islice(simulate(3, 10**12, 0, "train"), 3))) == 3
    assert len(list(islice(simulate(3, None, 0, "train"), 3))) == 3


def test_questions_of_a_story_share_its_statements() -> None:
    records = list(simulate(17, 8, 0, "train"))
    assert all(record.story is records[0].story for record in records)


def test_supporting_statements_come_before_their_question() -> None:
    for task in TASKS:
        for record in simulate(task, 100, 0, "test"):
            assert record.supporting
            assert all(0 <= index < len(record.story) for index in record.supporting)


def test_another_world_is_another_value() -> None:
    task = TASKS[2]
    assert isinstance(task, HouseTask)
    strangers = replace(task, people=("Ann", "Ben"), places=("attic", "cellar", "porch"), things=("lamp",), questions=3)
    story = Story()
    asked = list(strangers.play(Dice(0), story))
    assert len(asked) == 3
    assert {question.question for question in asked} == {"Where is the lamp?"}
    assert {question.answer for question in asked} <= {"attic", "cellar", "porch"}
    words = set(" ".join(story.statements).replace(".", "").split())
    assert not words & {"Mary", "John", "Sandra", "Daniel", "kitchen", "garden", "milk", "apple", "football"}


def test_a_question_comes_with_what_was_told_before_it() -> None:
    assert next(simulate(1, 1, 0, "train")) == SimulatedQuestion(
        story=("John went back to the hallway.", "Mary went back to the office."),
        question="Where is John?",
        answer="hallway",
        supporting=(0,),
        story_id=0,
    )
