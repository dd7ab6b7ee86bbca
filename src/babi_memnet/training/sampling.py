"""What each restart draws: the held-out questions, its batches and its time noise.

Legend: R restarts, S steps of an epoch, B batch, M memory slots, N questions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from babi_memnet.encoding.questions import Questions
from babi_memnet.training.settings import TrainingSettings

# Children of the run's seed: restart r draws from child r, what all restarts share from a child no restart can have.
_SHARED = 2**31


class Plan(NamedTuple):
    """What one restart sees in one epoch.

    order [S, B] uint32, which question stands where; ages [S, B, M] uint16, how long ago the statement of every slot
    was told, time noise included; 0 in empty slots.
    """

    order: npt.NDArray[np.uint32]
    ages: npt.NDArray[np.uint16]


def restart_generator(seed: int, restart: int) -> np.random.Generator:
    """The random numbers of one restart: the same whatever other restarts there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(restart,)))


def held_out(
    questions: int, settings: TrainingSettings, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the questions to train on and of those held out (section 4.2: 10 %; joint: a random tenth)."""
    places = np.arange(questions)
    if settings.validation == "random":
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SHARED,)))
        generator.shuffle(places)
    kept = questions - max(1, int(questions * settings.validation_fraction))
    return np.sort(places[:kept]), np.sort(places[kept:])


def draw_epoch(generator: np.random.Generator, questions: Questions, settings: TrainingSettings) -> Plan:
    """Batches drawn with replacement, floor(N / B) of them, and time noise for each of their questions.

    Args:
        generator: of one restart; is advanced.
        questions: what to draw from.
        settings: batch size and noise.
    """
    steps = max(1, len(questions) // settings.batch_size)
    shape = (steps, settings.batch_size)
    order = generator.integers(len(questions), size=shape, dtype=np.uint32)
    slots = questions.words.shape[1]
    blanks = int(np.ceil(settings.time_noise * slots))
    uniform = generator.random((*shape, 1 + blanks)) if blanks else np.zeros((*shape, 1))
    ages = np.zeros((*shape, slots), dtype=np.uint16)
    _insert_blanks(questions.counts[order], uniform, settings.time_noise, ages)
    return Plan(order, ages)


@njit(nogil=True, cache=True, error_model="numpy")
def _insert_blanks(counts, uniform, noise, ages):  # type: ignore[no-untyped-def]
    """Time noise (section 4.1): n statements take the time indices of n + b slots, b left blank at random places.

    b is uniform in 0 .. ceil(noise n). Blanks are put in one by one, each at a uniform place among all there is, which
    makes every choice of b out of n + b places equally likely. An index past the memory is the memory's last.
    """
    steps, batch, slots = ages.shape
    index = np.zeros(slots, np.int64)
    for s in range(steps):
        for b in range(batch):
            count = counts[s, b]
            for m in range(count):
                index[m] = m
            blanks = int(uniform[s, b, 0] * (np.ceil(noise * count) + 1))
            for k in range(blanks):
                place = int(uniform[s, b, 1 + k] * (count + k + 1))
                for m in range(count):
                    if index[m] >= place:
                        index[m] += 1
            for m in range(count):
                ages[s, b, m] = min(index[m], slots - 1)
