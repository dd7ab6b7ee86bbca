"""Finds what words training may exchange, and readies the vocabulary for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from babi_memnet.encoding.questions import Columns
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.paths import symmetry_path
from babi_memnet.tasks import Task, in_order
from babi_memnet.training.declared import fitted, read_declared
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange, Symmetry


@dataclass(frozen=True)
class Exchanges:
    """What is exchanged in training.

    Attributes:
        draws: what draws maps of words; None where nothing is exchanged.
        report: by task what is exchanged and what is known about it, the content of symmetry.json.
    """

    draws: Exchange | None
    report: Mapping[str, Any]


def find_exchanges(
    settings: TrainingSettings, columns: Columns, kept: Sequence[int], vocabulary: Vocabulary
) -> Exchanges:
    """What is exchanged in training; the words and answers that this may bring become known.

    Args:
        settings: say how symmetries are found.
        columns: the questions of the training file.
        kept: places of those that are trained on, in order; nothing is learned from the others.
        vocabulary: what words there are; is added to.
    """
    if settings.symmetry == "none":
        return Exchanges(None, {})
    places: dict[Task, list[int]] = {}
    for place in kept:
        places.setdefault(columns["task"][place], []).append(place)
    tasks = in_order(places)
    if settings.symmetry == "declared":
        symmetries = _declared(str(settings.symmetry_file), tasks, vocabulary)
        report: dict[str, Any] = {str(task): {"symmetry": symmetry.as_json()} for task, symmetry in symmetries.items()}
    else:
        from babi_memnet.training.inferred import infer  # SciPy's sparse tables take their time to load

        found = {task: infer(columns, places[task], vocabulary) for task in tasks}
        symmetries = {task: each.symmetry for task, each in found.items()}
        report = {str(task): each.as_json() for task, each in found.items()}
    for task, symmetry in symmetries.items():
        symmetry.close(vocabulary, [vocabulary.answer_token(columns["answer"][place]) for place in places[task]])
    return Exchanges(Exchange(symmetries, vocabulary), report)


def _declared(name: str, tasks: Sequence[Task], vocabulary: Vocabulary) -> dict[Task, Symmetry]:
    written = read_declared(symmetry_path(name))
    return {task: fitted(written.get(str(task), written.get("all", Symmetry())), vocabulary) for task in tasks}
