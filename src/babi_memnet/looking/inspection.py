"""What the networks of finished runs do with their test questions: each is loaded and asked once, for everything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from babi_memnet.encoding.questions import Questions
from babi_memnet.errors import RequestError
from babi_memnet.looking.answers import Answered, Record
from babi_memnet.looking.attention import Support, null_records, restart_record, support_of
from babi_memnet.looking.stopping import Stopped, deciding, error_within, steps_taken
from babi_memnet.looking.stories import questions_to_trace
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.looking.word_map import WordMap, plane
from babi_memnet.runs.collection import Row, as_text, varying
from babi_memnet.tasks import Task


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, in the order of the rows.

    Attributes:
        attention: records of every restart and of the null models, see `looking.attention`.
        answered: one for each run and task.
        maps: one for each run.
        stopped: one for each run and task whose network decides when it answers.
        left_out: runs, or their attention, and why.
    """

    attention: list[Record] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    maps: list[WordMap] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def inspect_runs(rows: Iterable[Row]) -> Inspection:
    """Ask every restart of every finished run the test questions of its tasks.

    A run whose stories are not to be had, or whose checkpoint is damaged, is left out.
    """
    done = [row for row in rows if row.is_done]
    runs: dict[str, list[tuple[Row, str]]] = {}
    for row, label in zip(done, labels(done), strict=True):
        runs.setdefault(row.keys["run"], []).append((row, label))
    found = Inspection()
    for run, its_rows in tqdm(runs.items(), desc="questions", unit="run", leave=False, disable=None):
        try:
            its = _ask(run, its_rows)
        except RequestError as error:
            found.left_out.append(f"{run}: {error}")
            continue
        for part in fields(Inspection):
            getattr(found, part.name).extend(getattr(its, part.name))
    return found


def labels(rows: Sequence[Row]) -> list[str]:
    """For each row its experiment and what else sets it apart, but not its task: no two rows of a task are alike."""
    kinds: dict[tuple[str, bool], list[Row]] = {}
    for row in rows:
        kinds.setdefault(_kind(row), []).append(row)
    differing = {
        kind: [key for key in varying(some) if key not in ("task", "experiment")] for kind, some in kinds.items()
    }
    names = []
    taken: set[tuple[str, int]] = set()
    for row in rows:
        (experiment, joint), task = _kind(row), row.keys["task"]
        both = (experiment, not joint) in kinds
        parts = [experiment, *(["joint" if joint else "per task"] if both else [])]
        parts += [f"{key}={as_text(row.keys.get(key))}" for key in differing[experiment, joint]]
        name = ", ".join(parts)
        count = 1
        while (name, task) in taken:  # the same run in two folders
            count += 1
            name = f"{', '.join(parts)} ({count})"
        taken.add((name, task))
        names.append(name)
    return names


def _kind(row: Row) -> tuple[str, bool]:
    return row.keys["experiment"] or "train", row.keys["joint"]


class _TestQuestions(NamedTuple):
    """The test questions of a task: encoded, what they rest on, and how long the stories are."""

    questions: Questions
    support: Support
    facts: np.ndarray[Any, np.dtype[np.int64]]
    told: np.ndarray[Any, np.dtype[np.int64]]
    right: tuple[str, ...]


def _test_questions(network: TracedNetwork, task: Task) -> _TestQuestions:
    columns, encoder = questions_to_trace(network.settings["data"], task, network.learned).to_dict(), network.encoder
    return _TestQuestions(
        questions=encoder.encode(columns),
        support=support_of(columns["story"], columns["supporting"], encoder.slots),
        facts=np.array([len(set(facts)) for facts in columns["supporting"]], dtype=np.int64),
        told=np.array([len(story) for story in columns["story"]], dtype=np.int64),
        right=tuple(encoder.vocabulary.answer_token(answer) for answer in columns["answer"]),
    )


def _ask(run: str, rows: Sequence[tuple[Row, str]]) -> Inspection:
    """What the restarts of one run do.

    Raises:
        RequestError: its stories are not to be had, or its checkpoint is damaged.
    """
    found = Inspection()
    first, label = rows[0]
    asked: dict[Task, _TestQuestions] = {}
    given: dict[Task, tuple[str, ...]] = {}
    wrong: dict[Task, list[Any]] = {}
    stops: dict[Task, list[tuple[Any, Any, int]]] = {}  # steps taken, errors with fewer allowed, steps there are
    attends = True
    networks = TracedNetwork.load_all(run, [number for _, number in first.numbers])
    for place, network in enumerate(networks):
        for row, name in rows:
            task = row.keys["task"]
            if task not in asked:
                asked[task] = _test_questions(network, task)
            questions = asked[task].questions
            if attends and not wrong:  # one question tells whether there is attention to measure
                attends = network.attend(questions.select(np.arange(1))).attention is not None
            attention = None
            if attends:
                attended = network.attend(questions)
                answers, attention = attended.answers, attended.attention
                if steps := deciding(attended):
                    within = error_within(network, steps, questions.answers)
                    if not np.isnan(within).any():
                        stops.setdefault(task, []).append((steps_taken(steps), within, len(steps)))
            else:
                answers = network.answer(questions)
            is_wrong = answers.chosen != questions.answers
            wrong.setdefault(task, []).append(is_wrong)
            if place == row.selected:
                given[task] = tuple(network.words[answer] for answer in answers.chosen)
            if attention is None:
                continue
            if place == 0:
                hops, slots = attention.shape[1:]
                found.attention.extend(null_records(row, name, asked[task].support, hops, slots))
            found.attention.append(restart_record(row, name, place, asked[task].support, attention, is_wrong))
        if place == first.selected and network.answer_vectors is not None:
            points, explained = plane(network.answer_vectors[1:])
            found.maps.append(
                WordMap(
                    label=label,
                    run=run,
                    experiment=first.keys["experiment"],
                    tasks=tuple(asked),
                    restart=network.restart,
                    words=tuple(network.encoder.vocabulary.words[1:]),
                    points=points,
                    explained=explained,
                    answers=frozenset(answer for some in asked.values() for answer in some.right),
                )
            )
    if not attends:
        found.left_out.append(f"{run}: no attention, as its weights are no shares of one; story= shows what they are")
    for row, name in rows:
        task = row.keys["task"]
        some = asked[task]
        if not some.facts.any():
            found.left_out.append(
                f"{run}: the test questions of task {task} say no supporting facts, so that none is found or missed"
            )
        found.answered.append(
            Answered(
                label=name,
                run=run,
                experiment=row.keys["experiment"],
                task=task,
                facts=some.facts,
                told=some.told,
                right=some.right,
                given=given[task],
                wrong=np.stack(wrong[task]),
                selected=row.selected,
            )
        )
        if task in stops:
            of_run = {"label": name, "run": run, "experiment": row.keys["experiment"], "task": task}
            found.stopped.append(
                Stopped(
                    **of_run,
                    selected=row.selected,
                    facts=some.facts,
                    taken=np.stack([taken for taken, _, _ in stops[task]]),
                    most=stops[task][0][2],
                    error_within=np.stack([within for _, within, _ in stops[task]]),
                )
            )
    return found
