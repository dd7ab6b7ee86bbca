"""What each restart draws: the held-out questions, its batches and its time noise.

Legend: R restarts, S steps of an epoch, B batch, M memory slots, N questions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from babi_memnet.encoding.questions import Questions
from babi_memnet.encoding.stories import Stories
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import GIVEN, TrainingSettings
from babi_memnet.training.symmetry import Exchange

# Children of the run's seed: restart r draws from child r, what all restarts share from a child no restart can have.
_SHARED = 2**31


class Plan(NamedTuple):
    """What one restart sees in one epoch.

    order [S, B] uint32, which question stands where; ages [S, B, M] uint16, how long ago the statement of every slot
    was told, time noise included; 0 in empty slots; maps [S, B, V] uint16, what each word is exchanged for.
    """

    order: npt.NDArray[np.uint32]
    ages: npt.NDArray[np.uint16]
    maps: npt.NDArray[np.uint16] | None = None


class StoryPlan(NamedTuple):
    """What one restart sees of whole stories in one epoch; a list of S steps each.

    order [B], which story stands where; told [B], how many of its statements are told; maps [B, V] as in `Plan`.
    """

    order: list[npt.NDArray[np.int64]]
    told: list[npt.NDArray[np.int64]]
    maps: list[npt.NDArray[np.uint16]] | None = None


def restart_generator(seed: int, restart: int) -> np.random.Generator:
    """The random numbers of one restart: the same whatever other restarts there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(restart,)))


def held_out(
    questions: int, settings: TrainingSettings, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the questions to train on and of those held out (section 4.2: 10 %; joint: a random tenth).

    Where validation is given all are trained on.
    """
    places = np.arange(questions)
    if settings.validation == GIVEN:
        return places, places[:0]
    if settings.validation == "random":
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SHARED,)))
        generator.shuffle(places)
    kept = questions - max(1, int(questions * settings.validation_fraction))
    return np.sort(places[:kept]), np.sort(places[kept:])


def draw_epoch(
    generator: np.random.Generator,
    questions: Questions,
    settings: TrainingSettings,
    exchange: Exchange | None = None,
) -> Plan:
    """Batches drawn with replacement, floor(N / B) of them, and time noise for each of their questions.

    Args:
        generator: of one restart; is advanced.
        questions: what to draw from.
        settings: batch size and noise.
        exchange: what words are exchanged, if any.
    """
    steps = max(1, (settings.questions_per_epoch or len(questions)) // settings.batch_size)
    shape = (steps, settings.batch_size)
    order = generator.integers(len(questions), size=shape, dtype=np.uint32)
    slots = questions.words.shape[1]
    blanks = int(np.ceil(settings.time_noise * slots))
    uniform = generator.random((*shape, 1 + blanks)) if blanks else np.zeros((*shape, 1))
    ages = np.zeros((*shape, slots), dtype=np.uint16)
    _insert_blanks(questions.counts[order], uniform, settings.time_noise, ages)
    if exchange is None:
        return Plan(order, ages)
    return Plan(order, ages, exchange.draw(generator, questions.tasks[order.ravel()]).reshape(*shape, -1))


_LENGTHS_APART = 0.15
"""Standard deviation of the noise on the logarithm of a story's length, by which stories are put into batches."""


def draw_stories(
    generator: np.random.Generator,
    stories: Stories,
    settings: TrainingSettings,
    epoch: Epoch,
    exchange: Exchange | None = None,
) -> StoryPlan:
    """Batches of stories of about one length, with about as many questions as the batch size says.

    Each story comes once, or as often as ``questions_per_epoch`` wants. In which order the lengths come depends on the
    epoch alone: so the batches of all restarts are of about one length at every step, and little is padding.

    Args:
        generator: of one restart; is advanced.
        stories: what to draw from.
        settings: batch size, and how far stories are told.
        epoch: which epoch it is.
        exchange: what words are exchanged, if any.
    """
    questions = int((stories.places >= 0).sum())
    share = len(stories) / questions
    wanted = max(1, round((settings.questions_per_epoch or questions) * share))
    rounds = [generator.permutation(len(stories)) for _ in range(-(-wanted // len(stories)))]
    drawn = np.concatenate(rounds)[:wanted]
    told = _told_up_to(stories, _statements_told(settings, epoch))[drawn]
    key = np.log(np.maximum(told, 1)) + _LENGTHS_APART * generator.standard_normal(wanted)
    by_length = np.argsort(key)
    steps = max(1, round(wanted / max(1.0, settings.batch_size * share)))
    turns = np.random.default_rng(epoch.number).permutation(steps)
    parts = np.array_split(by_length, steps)
    batches = [parts[turn] for turn in turns]
    order = [drawn[batch] for batch in batches]
    maps = None if exchange is None else [exchange.draw(generator, stories.tasks[batch]) for batch in order]
    return StoryPlan(order, [told[batch] for batch in batches], maps)


def _statements_told(settings: TrainingSettings, epoch: Epoch) -> float:
    """Up to how many statements stories are told in an epoch: twice the first number at the end of the growth."""
    if settings.first_statements is None:
        return np.inf
    before, epochs = epoch.place
    share = before / (settings.growing * epochs)
    return settings.first_statements * (1 + share) if share < 1 else np.inf


def _told_up_to(stories: Stories, statements: float) -> npt.NDArray[np.int64]:
    """How far each story is told, [S]: to the last question within so many statements, or else to the first."""
    there = stories.places >= 0
    within = np.where(there & (stories.asked <= statements), stories.asked, 0).max(axis=1, initial=0)
    first = stories.asked[:, 0]
    return np.where(statements >= stories.told, stories.told, np.maximum(within, first))


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
