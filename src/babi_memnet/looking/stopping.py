"""When do networks answer that decide so themselves? Steps taken by supporting facts, and errors with fewer allowed.

Legend: R restarts, N questions, K steps, of each of several kinds where a network has several memories.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.looking.answering import Attended
from babi_memnet.looking.answers import BINS, Record
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.papers.statistics import student_quantile
from babi_memnet.tasks import Task


@dataclass(frozen=True, slots=True)
class Stopped:
    """When the restarts of one run answered the test questions of one task.

    Attributes:
        label, run, experiment, task, selected: as of `answers.Answered`.
        facts: [N] how many different supporting facts the answer rests on.
        taken: [R, N] how many steps were taken.
        most: how many there are.
        error_within: [R, K] percent of wrong answers if no more than so many steps of each kind were allowed.
    """

    label: str
    run: str
    experiment: str | None
    task: Task
    selected: int
    facts: npt.NDArray[np.int64]
    taken: npt.NDArray[np.int64]
    most: int
    error_within: npt.NDArray[np.float64]


class Hop(NamedTuple):
    """A step after which some of the answer may be given: arrays as of `answering.Way`."""

    kind: str
    taken: npt.NDArray[np.bool_]
    answers: npt.NDArray[np.float32]
    state: npt.NDArray[np.float32]


def deciding(attended: Attended) -> list[Hop]:
    """The steps after which the network may answer, where it decides so; none for others."""
    return [
        Hop(step.kind, step.taken, step.answers, step.state)
        for step in attended.steps
        if step.answers is not None and step.state is not None
    ]


def steps_taken(hops: Sequence[Hop]) -> npt.NDArray[np.int64]:
    """How many of the steps were taken before each answer, [N]."""
    return np.asarray(np.stack([hop.taken for hop in hops]).sum(axis=0), dtype=np.int64)


def error_within(
    network: TracedNetwork, hops: Sequence[Hop], answers: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.float64]:
    """Percent of wrong answers if no more than 1 .. K steps of each kind were allowed, [K].

    The last step allowed then gives all of the answer that is left. NaN where the states of steps do not answer.
    """
    kinds: dict[str, list[Hop]] = {}
    for hop in hops:
        kinds.setdefault(hop.kind, []).append(hop)
    errors = []
    for allowed in range(1, max(map(len, kinds.values())) + 1):
        states = np.zeros_like(hops[0].state)
        for every in kinds.values():
            *earlier, last = every[:allowed]
            left = 1 - np.sum([hop.answers for hop in earlier], axis=0, dtype=np.float32)
            for hop, share in [*((hop, hop.answers) for hop in earlier), (last, np.broadcast_to(left, len(answers)))]:
                states += share[:, None] * hop.state
        chosen = network.answer_from(states)
        errors.append(np.nan if chosen is None else 100 * float((chosen != answers).mean()))
    return np.array(errors)


def hop_records(stopped: Iterable[Stopped]) -> list[Record]:
    """Steps taken by number of supporting facts: one record for each run, task and number that has questions.

    ``mean`` is over ``restarts``, of each its mean over questions; ``low`` to ``high`` is the 95 % interval (Student).
    """
    records = []
    for one in stopped:
        for part in BINS["supporting facts"]:
            inside = part.holds(one.facts)
            if inside.any():
                every = one.taken[:, inside].mean(axis=1).tolist()
                about = {"facts": str(part), "questions": int(inside.sum()), "steps": one.most}
                records.append({**_about(one), **about, **_spread(every), "selected": every[one.selected]})
    return records


def allowed_records(stopped: Iterable[Stopped]) -> list[Record]:
    """Errors with fewer steps allowed: one record for each run, task and number of steps; as `hop_records`."""
    return [
        {**_about(one), "allowed": allowed, **_spread(every.tolist()), "selected": float(every[one.selected])}
        for one in stopped
        for allowed, every in enumerate(one.error_within.T, start=1)
    ]


def _about(one: Stopped) -> Record:
    return {key: getattr(one, key) for key in ("label", "run", "experiment", "task")}


def _spread(values: Sequence[float]) -> Record:
    """Mean, standard deviation and 95 % interval of the mean over restarts; of a single one the mean alone."""
    mean = fmean(values)
    if len(values) == 1:
        return {"restarts": 1, "mean": mean, "standard_deviation": None, "low": None, "high": None}
    deviation = stdev(values)
    half = student_quantile(len(values) - 1) * deviation / sqrt(len(values))
    return {
        "restarts": len(values),
        "mean": mean,
        "standard_deviation": deviation,
        "low": mean - half,
        "high": mean + half,
    }
