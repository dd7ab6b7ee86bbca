"""Encoded questions by the story they were asked in, for networks that go through a story once for all its questions.

Legend: S stories, T statements of the longest, Q most questions of one, J positions of the longest sentence,
N questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from babi_memnet.encoding.questions import Questions


@dataclass(frozen=True)
class Stories:
    """Stories as they were told, with the questions where they were asked.

    Attributes:
        statements: [S, T, J] words of the statements, the earliest first, padded with 0.
        told: [S] how many statements there are.
        questions: [S, Q, J] words of the questions in the order they were asked; 0 where there is none.
        asked: [S, Q] how many statements were told before each question; 0 where there is none.
        answers: [S, Q] the answer's number; 0 where there is no question, and for one that is not in the vocabulary.
        places: [S, Q] where each question stands among the questions this was made of; -1 where there is none.
        tasks: [S] task, as of `Questions`.
    """

    statements: npt.NDArray[np.uint16]
    told: npt.NDArray[np.int64]
    questions: npt.NDArray[np.uint16]
    asked: npt.NDArray[np.int64]
    answers: npt.NDArray[np.uint32]
    places: npt.NDArray[np.int64]
    tasks: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.told)

    @classmethod
    def of(cls, questions: Questions) -> Stories:
        """The questions by their stories.

        Questions that follow each other belong to one story when what is remembered for the first begins what is
        remembered for the second. So a story that outgrows the memory becomes several.
        """
        groups: list[list[int]] = []
        for place in range(len(questions)):
            if groups and _continues(questions, groups[-1][-1], place):
                groups[-1].append(place)
            else:
                groups.append([place])
        sizes = np.array([len(group) for group in groups], dtype=np.int64)
        places = np.full((len(groups), sizes.max(initial=0)), -1, dtype=np.int64)
        for row, group in zip(places, groups, strict=True):
            row[: len(group)] = group
        lasts = places[np.arange(len(groups)), sizes - 1]
        told = questions.counts[lasts].astype(np.int64)
        slots = np.arange(told.max(initial=0))
        # Slot 0 of the last question holds the latest statement; the earliest is to come first.
        backwards = np.maximum(told[:, None] - 1 - slots, 0)
        statements = np.take_along_axis(questions.words[lasts], backwards[:, :, None], axis=1)
        statements[slots >= told[:, None]] = 0
        there = places >= 0
        return cls(
            statements=statements,
            told=told,
            questions=questions.questions[places] * there[:, :, None].astype(np.uint16),
            asked=questions.counts[places].astype(np.int64) * there,
            answers=questions.answers[places] * there.astype(np.uint32),
            places=places,
            tasks=questions.tasks[lasts],
        )


def _continues(questions: Questions, earlier: int, later: int) -> bool:
    """Whether what is remembered for one question begins what is remembered for another."""
    before, after = int(questions.counts[earlier]), int(questions.counts[later])
    if before > after or questions.tasks[earlier] != questions.tasks[later]:
        return False
    return np.array_equal(questions.words[earlier, :before], questions.words[later, after - before : after])
