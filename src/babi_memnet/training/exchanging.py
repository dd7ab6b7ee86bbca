"""Finds what words training may exchange, and readies the vocabulary for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from babi_memnet.encoding.questions import Columns
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.paths import symmetry_path
from babi_memnet.training.declared import fitted, read_declared
from babi_memnet.training.settings import TrainingSettings
from babi_memnet.training.symmetry import Exchange, Symmetry


def find_exchange(
    settings: TrainingSettings, columns: Columns, kept: Sequence[int], vocabulary: Vocabulary
) -> Exchange | None:
    """What is exchanged in training, None for nothing; the words and answers that this may bring become known.

    Args:
        settings: say how symmetries are found.
        columns: the questions of the training file.
        kept: places of those that are trained on; nothing is learned from the others.
        vocabulary: what words there are; is added to.
    """
    if settings.symmetry == "none":
        return None
    tasks = sorted({int(columns["task"][place]) for place in kept})
    symmetries = _declared(str(settings.symmetry_file), tasks, vocabulary)
    for task, symmetry in symmetries.items():
        answers = [columns["answer"][place] for place in kept if columns["task"][place] == task]
        symmetry.close(vocabulary, [vocabulary.answer_token(answer) for answer in answers])
    return Exchange(symmetries, vocabulary)


def _declared(name: str, tasks: Sequence[int], vocabulary: Vocabulary) -> Mapping[int, Symmetry]:
    written = read_declared(symmetry_path(name))
    return {task: fitted(written.get(str(task), written.get("all", Symmetry())), vocabulary) for task in tasks}
