"""Does a network attend to the facts that its answers rest on? Measures over test questions, beside null models.

bAbI names the supporting facts of each question in the order of the chain of reasoning. A statement is *looked at* by a
hop when no other statement weighs more there.

A record is of one network, or null model, on the test questions of one task: ``label`` (see `answers.Answered`),
``run``, ``experiment``, ``task``, ``hops``, ``network`` (a restart, uniform or recency), ``selected``,
``error_percent`` and the fields of `Attention`.

Legend: N questions, K hops, M memory slots (slot 0 holds the latest statement), F supporting facts of a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from babi_memnet.looking.answers import Record
from babi_memnet.runs.collection import Row

Weights = npt.NDArray[np.float64]
"""Attention [N, K, M]; the weights of a hop sum to 1, those of empty slots included, or to 0: it was not taken."""


_NOWHERE = -2
"""What a hop looks at that was not taken: no slot, nor a forgotten fact, which is -1."""


class Support(NamedTuple):
    """What the answers rest on.

    slots: for each question the slots of its supporting facts, in the order of the chain; -1 for a forgotten one.
    counts [N]: how many statements are remembered.
    """

    slots: Sequence[Sequence[int]]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attention:
    """How attention goes with supporting facts, over the questions of one task; None where there is nothing to count.

    Attributes:
        mass: percent of the weight of each hop that lies on supporting facts.
        empty: percent of the weight of each hop that lies on empty slots.
        entropy: of the weights of each hop over statements and the empty slots together, in bits.
        found: percent of supporting facts that some hop looks at.
        complete: percent of questions all of whose supporting facts are looked at.
        in_order: percent of the pairs of found facts of a question that are looked at in the order of the chain. The
            first look counts; looks at two facts are never of the same hop.
        mass_when_right, mass_when_wrong: mean over hops of ``mass``, for questions answered so.
        error_when_complete, error_when_incomplete: percent of wrong answers, for questions whose facts are so.
    """

    mass: tuple[float, ...]
    empty: tuple[float, ...]
    entropy: tuple[float, ...]
    found: float | None
    complete: float | None
    in_order: float | None
    mass_when_right: float | None = None
    mass_when_wrong: float | None = None
    error_when_complete: float | None = None
    error_when_incomplete: float | None = None


def support_of(stories: Sequence[Sequence[str]], supporting: Sequence[Sequence[int]], slots: int) -> Support:
    """The supporting facts by memory slot; ``supporting`` are indices into the stories, whose latest come first."""
    counts = np.minimum([len(story) for story in stories], slots)
    found = []
    for story, facts in zip(stories, supporting, strict=True):
        # the latest statement is in slot 0
        places = [len(story) - 1 - fact for fact in dict.fromkeys(facts)]
        found.append([place if place < slots else -1 for place in places])
    return Support(found, counts)


def measure(weights: Weights, support: Support, wrong: npt.NDArray[np.bool_] | None = None) -> Attention:
    """All measures of an attention; ``wrong`` [N] says which questions got a wrong answer."""
    slots = weights.shape[2]
    supporting = np.zeros((len(weights), slots))
    for row, facts in zip(supporting, support.slots, strict=True):
        row[[place for place in facts if place >= 0]] = 1
    told = np.arange(slots) < support.counts[:, None]  # [N, M]
    mass = np.einsum("nkm,nm->nk", weights, supporting)
    pooled = np.concatenate([weights * told[:, None], (weights * ~told[:, None]).sum(axis=2, keepdims=True)], axis=2)
    looked = np.where(told[:, None], weights, -1.0).argmax(axis=2)  # [N, K]
    looked[~weights.any(axis=2)] = _NOWHERE
    first = [_first_looks(looks, facts) for looks, facts in zip(looked.tolist(), support.slots, strict=True)]
    complete = np.array([None not in looks for looks in first])
    pairs = [earlier < later for looks in first for earlier, later in _pairs(looks)]
    right_and_wrong: dict[str, float | None] = {}
    if wrong is not None:
        right_and_wrong = {
            "mass_when_right": _percent(mass[~wrong].mean(axis=1)),
            "mass_when_wrong": _percent(mass[wrong].mean(axis=1)),
            "error_when_complete": _percent(wrong[complete]),
            "error_when_incomplete": _percent(wrong[~complete]),
        }
    return Attention(
        mass=_per_hop(100 * mass),
        empty=_per_hop(100 * pooled[:, :, -1]),
        entropy=_per_hop(_entropy(pooled)),
        found=_percent([look is not None for looks in first for look in looks]),
        complete=_percent(complete),
        in_order=_percent(pairs),
        **right_and_wrong,
    )


def uniform(support: Support, hops: int, slots: int) -> Attention:
    """The null model that weighs all slots alike, and looks at a statement drawn afresh for each hop.

    What it finds is expected, not drawn: a fact among n statements is missed by K hops with probability (1 - 1/n)^K,
    and all F of them are found with sum_j (-1)^j C(F, j) (1 - j/n)^K, by inclusion and exclusion.
    """
    weights = np.full((len(support.counts), hops, slots), 1 / slots)
    known = measure(weights, support)
    found: list[float] = []
    complete: list[float] = []
    for facts, count in zip(support.slots, support.counts.tolist(), strict=True):
        remembered = sum(place >= 0 for place in facts)
        chance = 1 - (1 - 1 / count) ** hops if count else 0.0
        found += [chance if place >= 0 else 0.0 for place in facts]
        every = sum((-1) ** j * comb(remembered, j) * (1 - j / count) ** hops for j in range(remembered + 1) if count)
        complete.append(every if remembered == len(facts) else 0.0)
    paired = any(sum(place >= 0 for place in facts) > 1 for facts in support.slots)
    pairs = 50.0 if hops > 1 and paired else None
    return Attention(known.mass, known.empty, known.entropy, _percent(found), _percent(complete), pairs)


def recency(support: Support, hops: int, slots: int) -> Attention:
    """The null model that looks at the latest statement first, then at the one before it, and so on."""
    weights = np.zeros((len(support.counts), hops, slots))
    for hop in range(hops):
        weights[np.arange(len(weights)), hop, np.clip(support.counts - 1, 0, hop)] = 1
    return measure(weights, support)


NULL_MODELS = {"uniform": uniform, "recency": recency}


def null_records(row: Row, label: str, support: Support, hops: int, slots: int) -> list[Record]:
    """The records of the null models on the test questions of a row."""
    return [
        {**_about(row, label, hops), "network": name, "selected": None, "error_percent": None}
        | asdict(model(support, hops, slots))
        for name, model in NULL_MODELS.items()
    ]


def restart_record(
    row: Row,
    label: str,
    place: int,
    support: Support,
    attention: npt.NDArray[np.floating[Any]],
    wrong: npt.NDArray[np.bool_],
) -> Record:
    """The record of the restart at ``place``, whose ``attention`` is [N, K, M] and whose answers are ``wrong`` [N]."""
    return {
        **_about(row, label, attention.shape[1]),
        "network": row.numbers[place][1],
        "selected": place == row.selected,
        "error_percent": 100 * float(wrong.mean()),
        **asdict(measure(attention.astype(np.float64), support, wrong)),
    }


def _about(row: Row, label: str, hops: int) -> Record:
    return {"label": label, **{key: row.keys[key] for key in ("run", "experiment", "task")}, "hops": hops}


def _first_looks(looks: Sequence[int], facts: Sequence[int]) -> list[int | None]:
    """The first hop that looks at each fact, None for one that is never looked at."""
    return [looks.index(place) if place in looks else None for place in facts]


def _pairs(looks: Sequence[int | None]) -> list[tuple[int, int]]:
    found = [look for look in looks if look is not None]
    return [(earlier, later) for place, earlier in enumerate(found) for later in found[place + 1 :]]


def _entropy(weights: Weights) -> Weights:
    """In bits, over the last axis; an impossible event adds nothing."""
    logs = np.log2(weights, out=np.zeros_like(weights), where=weights > 0)
    return np.asarray(-(weights * logs).sum(axis=-1))


def _per_hop(values: Weights) -> tuple[float, ...]:
    return tuple(float(value) for value in values.mean(axis=0))


def _percent(shares: npt.ArrayLike) -> float | None:
    values = np.asarray(shares, dtype=np.float64)
    return 100 * float(values.mean()) if values.size else None
