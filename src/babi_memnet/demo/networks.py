"""The trained networks on record, to be asked: which there are, which is best, and stories to begin with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean
from threading import Lock

from babi_memnet.errors import RequestError, bad_value
from babi_memnet.looking.answering import Trace
from babi_memnet.looking.stories import Asked, asked_in, best_run, questions_to_trace
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.runs.collection import Row
from babi_memnet.tasks import TASKS, Task, in_order

_KEPT_NETWORKS = 32
# Where the stories of a run are not on this machine.
_STAND_IN = {"source": "generated", "size": 100, "test_questions": 1000}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished run whose networks can be asked.

    Attributes:
        directory: of the run.
        name: for people, no two alike.
        experiment: the published column that it is an experiment for, if any.
        tasks: those it was trained on.
        restarts: the numbers of its restarts.
        selected: the number of the one that was selected.
    """

    directory: str
    name: str
    experiment: str | None
    tasks: tuple[Task, ...]
    restarts: tuple[int, ...]
    selected: int


class Networks:
    """The finished runs among some rows, best first. May be asked by several threads at once.

    A run of more tasks is better than one of fewer, since it understands more; then the one with the lower validation
    error of its selected restart.

    Attributes:
        candidates: the runs by their directories, in that order.
    """

    def __init__(self, rows: Iterable[Row]) -> None:
        """Nothing is loaded before it is asked for.

        Raises:
            RequestError: no run is done.
        """
        self._rows = [row for row in rows if row.is_done]
        best_run(self._rows)  # says so when there is none
        of_run: dict[str, list[Row]] = {}
        for row in self._rows:
            of_run.setdefault(row.keys["run"], []).append(row)
        ordered = sorted(of_run.items(), key=lambda item: _rank(*item))
        names = _names([rows for _, rows in ordered])
        self.candidates = {
            run: Candidate(
                directory=run,
                name=name,
                experiment=rows[0].keys["experiment"],
                tasks=tuple(row.keys["task"] for row in rows),
                restarts=tuple(number for _, number in rows[0].numbers),
                selected=rows[0].numbers[rows[0].selected][1],
            )
            for (run, rows), name in zip(ordered, names, strict=True)
        }
        self._load = lru_cache(_KEPT_NETWORKS)(TracedNetwork.load)
        self._loading = Lock()

    @property
    def tasks(self) -> list[Task]:
        """The tasks that some network was trained on."""
        return in_order({task for candidate in self.candidates.values() for task in candidate.tasks})

    def task(self, name: str) -> Task:
        """The task that a person names.

        Raises:
            RequestError: no network was trained on it.
        """
        for task in self.tasks:
            if str(task) == name:
                return task
        raise self._unknown(name)

    def candidate(self, directory: str) -> Candidate:
        """The run of this directory.

        Raises:
            RequestError: it is none of these.
        """
        if directory not in self.candidates:
            raise bad_value("run", directory, f"one of {', '.join(self.candidates)}")
        return self.candidates[directory]

    def best(self, task: Task) -> Candidate:
        """The run with the lowest validation error among those of a task.

        Raises:
            RequestError: there is none.
        """
        rows = [row for row in self._rows if row.keys["task"] == task]
        if not rows:
            raise self._unknown(task)
        return self.candidates[best_run(rows).keys["run"]]

    def _unknown(self, task: Task) -> RequestError:
        return bad_value("task", task, f"one that a network was trained on: {', '.join(map(str, self.tasks))}")

    def network(self, directory: str, restart: int | None = None) -> TracedNetwork:
        """A network of a run; None is the restart that was selected.

        Raises:
            RequestError: the run is damaged or has no such restart.
        """
        with self._loading:  # once for all who ask at the same time
            return self._load(directory, restart)

    def question(self, directory: str, task: Task, number: int) -> Asked:
        """The ``number``-th test question, from 1, of a task of a run; a generated one where the stories of a published
        task are missing.

        Nothing is fetched over a network.

        Raises:
            RequestError: there is no such question, or the stories of a task that is not published are missing.
        """
        data = self.network(directory).settings["data"]
        if data["source"] == "official":
            data = {**data, "download": False}
        try:
            # the client of the hub asks its server even for what it has
            questions = questions_to_trace(_STAND_IN if data["source"] == "hub" else data, task)
        except RequestError:
            if task not in TASKS:  # of which nothing can stand in for what is not there
                raise
            questions = questions_to_trace(_STAND_IN, task)
        if not 1 <= number <= len(questions):
            raise bad_value("test question", number, f"1 to {len(questions)}, those of task {task}")
        return asked_in(questions, task, number)


def known_facts(trace: Trace, asked: Asked | None) -> tuple[tuple[int, ...], str | None]:
    """Supporting facts and answer of the question that was traced, where it is the one that they are known of."""
    if asked is None or (trace.story, trace.question) != (asked.story, asked.question):
        return (), None
    return asked.supporting, asked.expected


def _rank(run: str, rows: Sequence[Row]) -> tuple[int, float, float, str]:
    return -len(rows), _validation_error(rows), rows[0].train[rows[0].selected], run


def _validation_error(rows: Sequence[Row]) -> float:
    """Of the selected restart, in percent, over the tasks of a run."""
    return fmean(row.validation[row.selected] for row in rows)


def _names(runs: Sequence[Sequence[Row]]) -> list[str]:
    names = []
    for rows in runs:
        first = rows[0]
        tasks = f"task {first.keys['task']}" if len(rows) == 1 else f"{len(rows)} tasks"
        error = f"{_validation_error(rows):.1f} %"
        names.append(f"{first.keys['experiment'] or 'train'}, {tasks}, {error}")
    return [
        f"{name} ({Path(rows[0].keys['run']).name})" if names.count(name) > 1 else name
        for name, rows in zip(names, runs, strict=True)
    ]
