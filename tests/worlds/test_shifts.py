"""Shifted worlds differ from those of training in what their name says, and in nothing else."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import pytest

from babi_memnet.data.babi_format import write_babi
from babi_memnet.data.generated import simulated_records
from babi_memnet.data.records import StoryQuestion
from babi_memnet.worlds import UNSHIFTED, wording
from babi_memnet.worlds.shifts import SHIFTS
from babi_memnet.worlds.simulation import SIMULATOR_VERSION, simulate
from babi_memnet.worlds.tasks import TASKS
from tests.worlds import pinned
from tests.worlds.solver import Reading, solve

EVERY = [(shift, task) for shift, tasks in SHIFTS.items() for task in tasks]
RENAMED = {"names": "people", "places": "places", "things": "things"}


def shifted(task: int, shift: str, questions: int = 100) -> list[StoryQuestion]:
    return list(simulated_records(task, questions, 6, "test", shift))


def statements(records: Sequence[StoryQuestion]) -> list[int]:
    return [len(record.story) for record in records]


def back(records: Sequence[StoryQuestion]) -> list[int]:
    """How far back the earliest supporting statement of each question is; 1 is the statement just before it."""
    return [len(record.story) - min(record.supporting) for record in records]


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_bytes_of_a_shift_belong_to_the_version_of_the_simulator(shift: str) -> None:
    file = io.StringIO()
    for task in SHIFTS[shift]:
        write_babi(simulated_records(task, 40, 0, "test", shift), file)
    digest = hashlib.sha256(file.getvalue().encode("ascii")).hexdigest()
    assert (SIMULATOR_VERSION, digest) == (pinned.VERSION, pinned.SHIFTED[shift]), (
        "a shift writes something else than before: raise SIMULATOR_VERSION and pin the new bytes in pinned.py"
    )


@pytest.mark.parametrize(("shift", "task"), EVERY)
def test_the_solver_answers_shifted_questions(shift: str, task: int) -> None:
    for record in shifted(task, shift):
        readings = solve(record.story, record.question)
        assert Reading(record.answer, record.supporting) in readings
        # Of task 5 an older gift than the last can be meant; the longer ago events may be, the more often.
        assert task == 5 or readings[0].answer == record.answer


@pytest.mark.parametrize(("shift", "task"), [pair for pair in EVERY if pair[0] in RENAMED])
def test_a_renamed_story_is_the_same_story_in_other_words(shift: str, task: int) -> None:
    known: Any = TASKS[task]
    unknown: Any = SHIFTS[shift][task]
    field = RENAMED[shift]
    originals = dict(zip(getattr(unknown, field), getattr(known, field), strict=True))
    assert not set(originals) & set(originals.values())
    originals |= {new.lower(): old.lower() for new, old in originals.items()}
    pattern = re.compile("|".join(rf"\b{word}\b" for word in originals))

    def renamed_back(text: str) -> str:
        return pattern.sub(lambda found: originals[found[0]], text)

    assert shifted(task, shift) != shifted(task, UNSHIFTED)
    for new, old in zip(shifted(task, shift), shifted(task, UNSHIFTED), strict=True):
        assert not set(originals.values()) & set(re.findall(r"\w+", " ".join(new.story)))
        assert tuple(map(renamed_back, new.story)) == old.story
        assert (renamed_back(new.question), renamed_back(new.answer)) == (old.question, old.answer)
        assert new.supporting == old.supporting


@pytest.mark.parametrize("task", TASKS)
def test_the_new_words_occur_in_no_task(task: int) -> None:
    new = {word.lower() for word in (*wording.STRANGERS, *wording.ELSEWHERE, *wording.OTHER_THINGS)}
    told = " ".join(
        text for record in simulated_records(task, 60, 0, "train") for text in (*record.story, record.question)
    )
    assert len(new) == 14
    assert not new & set(re.findall(r"\w+", told.lower()))


@pytest.mark.parametrize("task", SHIFTS["longer"])
def test_longer_stories_ask_about_what_was_told_lately(task: int) -> None:
    known, longer = shifted(task, UNSHIFTED, 300), shifted(task, "longer", 300)
    assert min(statements(longer)) >= (15 if task == 18 else 30)
    assert fmean(statements(longer)) > fmean(statements(known)) + 8
    if task in (1, 6, 9, 10, 12):
        # The last that was told of a person is among the five last events, as in training.
        assert max(back(known)) == max(back(longer)) == (3 if task == 12 else 5)


@pytest.mark.parametrize("task", SHIFTS["distractors"])
def test_distractors_stand_between_a_fact_and_its_question(task: int) -> None:
    longer, distracted = shifted(task, "longer", 300), shifted(task, "distractors", 300)
    assert min(statements(distracted)) >= 30
    assert fmean(back(distracted)) > 1.1 * fmean(back(longer))


@pytest.mark.parametrize("task", SHIFTS["supports"])
def test_more_statements_support_an_answer_in_stories_of_the_same_length(task: int) -> None:
    known, supported = shifted(task, UNSHIFTED, 300), shifted(task, "supports", 300)
    assert fmean(len(record.supporting) for record in supported) > 3 > fmean(len(record.supporting) for record in known)
    assert abs(fmean(statements(supported)) - fmean(statements(known))) < 1.5


def test_no_shift_exists_for_all_tasks_and_every_shift_for_some() -> None:
    assert all(0 < len(tasks) < len(TASKS) for tasks in SHIFTS.values())
    assert all(SHIFTS[shift][task] != TASKS[task] for shift, task in EVERY)


@pytest.mark.parametrize(("task", "shift"), [(21, UNSHIFTED), (1, "name"), (1, "things"), (21, "things")])
def test_a_world_that_does_not_exist(task: int, shift: str) -> None:
    with pytest.raises(ValueError, match=f"there are no stories of task {task} with the shift {shift}"):
        simulate(task, 10, 0, "test", shift)
