"""Runs in Python: train one, open one that is on record, ask it, and look at its numbers as data frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.errors import RequestError, bad_value
from babi_memnet.looking.answering import Trace
from babi_memnet.looking.predictions import predicted, prediction_records
from babi_memnet.looking.stories import numbered_question, statements_of
from babi_memnet.runs.collection import read_rows
from babi_memnet.runs.directory import RunDirectory, load_run
from babi_memnet.runs.exported import CONFIG_FILE
from babi_memnet.tasks import JOINT, Task, as_task

if TYPE_CHECKING:
    import pandas as pd

    from babi_memnet.looking.trace import TracedNetwork


def train(*words: str) -> Run:
    """The run that ``babi-train`` with these words has: from its record when there is one, else trained now.

    ``train("experiment=memn2n_1k/pe_ls_rn", "task=1")``. As on the command line the same words have the same record,
    so that a cell of a notebook that is run again trains nothing, and one that was interrupted goes on. Nothing of
    Hydra is left behind: it works inside of a Hydra application as well.

    Raises:
        RequestError: a word is wrong, or the stories are not to be had; one line says which and what is accepted.
    """
    from babi_memnet.commands.application import logged_to, write_request
    from babi_memnet.interface.composing import composed

    request, config, asked = composed(words)
    directory = request.directory
    record = RunDirectory(directory)
    record.expect(request.signature)
    if record.result is None:
        import torch

        from babi_memnet.experiment import run

        threads = torch.get_num_threads()
        try:
            with logged_to(directory):
                run(request, directory, lambda: write_request(directory, config, asked))
        finally:
            torch.set_num_threads(threads)
    return Run(directory)


def load(source: str | os.PathLike[str], revision: str | None = None) -> Run | Network:
    """The finished run that is recorded in a folder, or the network that `babi-export` wrote into one.

    Args:
        source: the folder; or a repository of the Hugging Face hub, ``OWNER/NAME``, with a network that was handed on.
        revision: of that repository: a commit, branch or tag.

    Raises:
        RequestError: there is none, the run is not done, or what lies there is damaged.
    """
    if Path(source).is_dir() and not Path(source, CONFIG_FILE).exists():
        return Run(source)
    from babi_memnet.looking.trace import TracedNetwork

    return Network(TracedNetwork.load_exported(source, revision))


class Network:
    """A trained network that was handed on without its run.

    Attributes:
        traced: the network, to be asked many questions at once.
        settings: what its run was asked for, as nested plain mappings.
    """

    def __init__(self, traced: TracedNetwork) -> None:
        self.traced, self.settings = traced, traced.settings

    def ask(self, story: str | Sequence[str], question: str) -> ShownTrace:
        """How it answers a question: a trace, which draws itself in a notebook.

        Args:
            story: the statements, oldest first, or a text with one on each line.
            question: such as ``Where is John?``.

        Raises:
            RequestError: a word that the network has never met, or too many of them.
        """
        statements = statements_of(story) if isinstance(story, str) else list(story)
        return ShownTrace.of(self.traced.ask(statements, question))

    def __repr__(self) -> str:
        what = f"{self.settings['model']['name']}, task {self.settings['task']}, restart {self.traced.restart}"
        return f"<Network {what}, {self.traced.directory}>"


class Run:
    """A finished run: its numbers, and its networks to ask.

    Attributes:
        directory: where it is recorded.
        settings: what it was asked for, as nested plain mappings.
        result: its result.json (docs/runs.md).
        numbers: those of its restarts.
        selected: the number of the restart that is reported.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        record = load_run(directory)
        status, result = record.status, record.result
        if status is None or result is None:
            raise RequestError(f"{record.path}: expected a finished run, this one is {status and status['state']}")
        self.directory = record.path
        self.settings: dict[str, Any] = status["settings"]
        self.result: dict[str, Any] = result
        self.numbers: list[int] = [restart["restart"] for restart in result["restarts"]]
        self.selected: int = self.numbers[result["selected"]]
        self._networks: dict[int, TracedNetwork] = {}

    @property
    def task(self) -> Task:
        """What it has learned: a task, or ``joint``."""
        task: Task = self.settings["task"]
        return task

    @property
    def error(self) -> float:
        """Percent of the test questions that the selected restart answers wrong."""
        return float(self.result["test_error_percent"])

    def network(self, restart: int | None = None) -> TracedNetwork:
        """The network of a restart, by default of the selected one.

        Raises:
            RequestError: there is no such restart, or the checkpoint is damaged.
        """
        from babi_memnet.looking.trace import TracedNetwork

        number = self.selected if restart is None else restart
        if number not in self._networks:
            self._networks[number] = TracedNetwork.load(self.directory, number)
        return self._networks[number]

    def ask(self, story: str | Sequence[str], question: str, restart: int | None = None) -> ShownTrace:
        """How a network answers a question: a trace, which draws itself in a notebook.

        Args:
            story: the statements, oldest first, or a text with one on each line.
            question: such as ``Where is John?``.
            restart: whose network, by default the selected one.

        Raises:
            RequestError: a word that the network has never met, or too many of them.
        """
        return Network(self.network(restart)).ask(story, question)

    def trace(self, number: int, task: Task | None = None, restart: int | None = None) -> ShownTrace:
        """How a network answers a test question, by its number from 1; the facts that it rests on are marked.

        Args:
            number: of the question.
            task: whose; only a joint run needs it.
            restart: whose network, by default the selected one.

        Raises:
            RequestError: there is no such question.
        """
        asked = numbered_question(self.settings["data"], self._one_task(task), number, self.network(restart).learned)
        found = self.network(restart).ask(asked.story, asked.question)
        return ShownTrace.of(found, asked.expected, asked.supporting)

    @property
    def metrics(self) -> pd.DataFrame:
        """What every epoch showed of every restart: ``epoch``, ``phase``, ``restart``, ``train/loss`` and so on."""
        import pandas as pd

        records = []
        for row in RunDirectory(self.directory).metrics():
            common = {key: value for key, value in row.items() if not isinstance(value, list)}
            several = {key: value for key, value in row.items() if isinstance(value, list)}
            for place, number in enumerate(self.numbers):
                records.append({**common, "restart": number, **{key: value[place] for key, value in several.items()}})
        return pd.DataFrame(records)

    @property
    def restarts(self) -> pd.DataFrame:
        """The error of every restart on training, validation and test questions, in percent; one row each."""
        import pandas as pd

        splits = ("train", "validation", "test")
        records = [
            {
                "restart": found["restart"],
                "selected": found["restart"] == self.selected,
                **{f"{split}/error_percent": found[split].get("error_percent") for split in splits},
            }
            for found in self.result["restarts"]
        ]
        return pd.DataFrame(records)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """What every restart answers to every test question, and what all of them do together (docs/reports.md).

        Raises:
            RequestError: the stories are not to be had.
        """
        import pandas as pd

        found = [predicted(row) for row in read_rows(self.directory)]
        return pd.DataFrame([record for one in found for record in prediction_records(one)])

    def _one_task(self, task: Task | None) -> Task:
        if task is None and self.task != JOINT:
            return self.task
        tasks = list(map(as_task, self.result["restarts"][0]["test"]["per_task"]))
        if task not in tasks:
            raise bad_value("task", task, f"one of {', '.join(map(str, tasks))}")
        return task

    def __repr__(self) -> str:
        return f"<Run {self}>"

    def __str__(self) -> str:
        what = f"{self.result['experiment'] or 'train'}, task {self.task}"
        which = f"restart {self.selected} of {', '.join(map(str, self.numbers))}"
        return f"{what}: test error {self.error:.1f} % ({which}), {self.directory}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.restarts.to_html(index=False, float_format='{:.1f}'.format, border=0)}"


class ShownTrace(Trace):
    """A trace that draws itself in a notebook.

    Attributes:
        expected: the right answer, where it is known.
        supporting: indices into the story of the facts that it rests on, where they are known.
    """

    expected: str | None = None
    supporting: tuple[int, ...] = ()

    @classmethod
    def of(cls, trace: Trace, expected: str | None = None, supporting: Sequence[int] = ()) -> ShownTrace:
        """The same trace, with what is known of the question."""
        shown = cls(**{field.name: getattr(trace, field.name) for field in fields(Trace)})
        object.__setattr__(shown, "expected", expected)  # like a trace it stays as it is from now on
        object.__setattr__(shown, "supporting", tuple(supporting))
        return shown

    def _repr_html_(self) -> str:
        from babi_memnet.tables.story_page import story_fragment, story_style

        return f"<style>{story_style()}</style>{story_fragment(self, self.supporting, self.expected)}"
