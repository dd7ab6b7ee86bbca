"""What every restart of a run answers to every test question, how sure it is, and what all of them say together.

Legend: R restarts, N questions, V answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from babi_memnet.errors import RequestError
from babi_memnet.looking.answers import Record
from babi_memnet.looking.inspection import labels
from babi_memnet.looking.stories import questions_to_trace
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.runs.collection import Row

ENSEMBLE = "ensemble"
"""What stands for a restart in the records of all restarts together."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """The answers of one run to the test questions of one task.

    Attributes:
        row: the run and the task.
        stories: the test questions, as `data.records.features` has them.
        right: the right answers, [N].
        names: the number of each restart, and then `ENSEMBLE`; R + 1 of them.
        given: the answers, [R + 1, N].
        probability: of the answer given, [R + 1, N].
        wrong: whether it is another than the right one, [R + 1, N].
    """

    row: Row
    stories: Any
    right: tuple[str, ...]
    names: tuple[int | str, ...]
    given: npt.NDArray[np.str_]
    probability: npt.NDArray[np.float32]
    wrong: npt.NDArray[np.bool_]

    @property
    def agreeing(self) -> npt.NDArray[np.int64]:
        """How many restarts give the answer that most of them give, [N]."""
        each = self.given[:-1]
        return np.array([np.unique(answers, return_counts=True)[1].max() for answers in each.T], dtype=np.int64)


def predicted(row: Row) -> Predicted:
    """Ask every restart of a finished run the test questions of one of its tasks.

    The ensemble answers with the mean of the probabilities of all restarts. It is a value of its own: the error that is
    held against a paper is that of the restart that the paper's rule selects.

    Raises:
        RequestError: the run is not done, its stories are not to be had, or its checkpoint is damaged.
    """
    if not row.is_done:
        raise RequestError(f"{row.keys['run']}: expected a finished run, this one is {row.keys['state']}")
    names = [number for _, number in row.numbers]
    columns: Any = None
    each = []
    for network in TracedNetwork.load_all(row.keys["run"], names):
        if columns is None:
            columns = questions_to_trace(network.settings["data"], row.keys["task"], network.learned)
            questions = network.encoder.encode(columns.to_dict())
            vocabulary, words = network.encoder.vocabulary, np.array(network.words)
        each.append(network.answer(questions).probabilities)
    probabilities = np.stack([*each, np.mean(each, axis=0)])  # [R + 1, N, V]
    chosen = probabilities.argmax(axis=-1)
    return Predicted(
        row=row,
        stories=columns,
        right=tuple(vocabulary.answer_token(answer) for answer in columns["answer"]),
        names=(*names, ENSEMBLE),
        given=words[chosen],
        probability=probabilities.max(axis=-1),
        wrong=chosen != questions.answers,
    )


def prediction_records(found: Predicted) -> Iterator[Record]:
    """One record for every test question and restart, with its story and what it rests on."""
    agreeing = found.agreeing.tolist()
    for number, asked in enumerate(found.stories):
        for place, name in enumerate(found.names):
            yield {
                "run": found.row.keys["run"],
                "experiment": found.row.keys["experiment"],
                "task": str(found.row.keys["task"]),
                "question_number": number + 1,
                "restart": str(name),
                "selected": place == found.row.selected,
                "story": "\n".join(asked["story"]),
                "question": asked["question"],
                "supporting": " ".join(str(fact + 1) for fact in asked["supporting"]),
                "right": found.right[number],
                "given": str(found.given[place, number]),
                "probability": float(found.probability[place, number]),
                "wrong": bool(found.wrong[place, number]),
                "restarts_agreeing": agreeing[number],
            }


def agreement_record(found: Predicted, label: str) -> Record:
    """The errors of a run in percent: of the selected restart, over all, of the ensemble; and where restarts agree."""
    errors = 100 * found.wrong.mean(axis=1)
    agreed = found.agreeing == len(found.names) - 1
    return {
        "label": label,
        "run": found.row.keys["run"],
        "task": str(found.row.keys["task"]),
        "questions": len(found.right),
        "restarts": len(found.names) - 1,
        "error_percent": float(errors[found.row.selected]),
        "mean": float(errors[:-1].mean()),
        "ensemble": float(errors[-1]),
        "agreed_percent": float(100 * agreed.mean()),
        "agreed_and_wrong_percent": float(100 * (agreed & found.wrong[0]).mean()),
    }


def predict_runs(rows: Iterable[Row]) -> tuple[list[tuple[Predicted, str]], list[str]]:
    """What all finished runs answer, each with its label, and a line for every one that could not be asked."""
    done = [row for row in rows if row.is_done]
    found, left_out = [], []
    for row, label in tqdm([*zip(done, labels(done), strict=True)], desc="questions", leave=False, disable=None):
        try:
            found.append((predicted(row), label))
        except RequestError as error:
            left_out.append(f"{row.keys['run']}: {error}")
    return found, left_out
