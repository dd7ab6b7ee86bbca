"""How a case ends, and the count of all."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pytest

SEED = int(os.environ.get("BABI_ATTACK_SEED", "0"))
SECONDS = 60
"""What has not ended by then hangs."""

CLEAR, RIGHT = "one clear line", "accepted and right"
TRACEBACK, HANG, WRONG, UNCLEAR = "traceback", "hang", "wrong record", "unclear"
FINE = (CLEAR, RIGHT)
KINDS = (CLEAR, RIGHT, TRACEBACK, HANG, WRONG, UNCLEAR)
_PROPERTY = "attack"
_Case = TypeVar("_Case")
_LONGEST = 2000

Property = Callable[[str, object], None]
"""The fixture ``record_property``."""


def drawn(kind: str) -> random.Random:
    """The random numbers of one kind of cases."""
    return random.Random(f"{SEED} {kind}")


def portions(cases: Sequence[_Case], size: int, sampled: int) -> list[Any]:
    """The cases as parameters of a test, ``size`` in each but for ``sampled`` of all that come first.

    Only that first portion is part of a quick run.
    """
    order = list(range(len(cases)))
    drawn("sample").shuffle(order)
    sample, rest = sorted(order[:sampled]), sorted(order[sampled:])
    parts = [pytest.param([cases[place] for place in sample], id="sample")]
    for start in range(0, len(rest), size):
        some = [cases[place] for place in rest[start : start + size]]
        parts.append(pytest.param(some, id=f"{start}", marks=pytest.mark.attack))
    return parts


def ending(done: subprocess.CompletedProcess[str], wrong: Callable[[], str | None] = lambda: None) -> tuple[str, str]:
    """How a command ended, and what it said; ``wrong`` says what is wrong with what it has left, if anything is."""
    said = (done.stderr or "")[-600:]
    if done.returncode == -signal.SIGALRM:
        return HANG, said
    if "Traceback (most recent call last)" in f"{done.stdout}{done.stderr}":
        return TRACEBACK, said
    if done.returncode == 2:
        return refusal([line for line in done.stderr.splitlines() if line.strip()], "babi-")
    if done.returncode == 0:
        reason = wrong()
        return (WRONG, reason) if reason else (RIGHT, "")
    return UNCLEAR, f"status {done.returncode}: {said}"


def refusal(lines: Sequence[str], beginning: str = "") -> tuple[str, str]:
    """Whether these are one line for a person."""
    clear = (
        len(lines) == 1
        and lines[0].startswith(beginning)
        and len(lines[0]) <= _LONGEST
        and all(mark.isprintable() for mark in lines[0])
        and not re.search(r"Error\(|object at 0x|\bNone\b is not", lines[0])
    )
    return (CLEAR, "") if clear else (UNCLEAR, "\n".join(lines)[-600:])


def judge(endings: Iterable[tuple[object, tuple[str, str]]], record_property: Property) -> None:
    """Count how cases ended, and fail for those that ended badly."""
    found = list(endings)
    counts = Counter(kind for _, (kind, _) in found)
    record_property(_PROPERTY, dict(counts))
    bad = [f"{kind}: {case}\n    {said}" for case, (kind, said) in found if kind not in FINE]
    assert not bad, "\n".join([f"{len(bad)} of {len(found)}", *bad])


def summary(reports: Iterable[pytest.TestReport]) -> str | None:
    """The line that a test run ends with; None where nothing was tried."""
    counts: Counter[str] = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name == _PROPERTY:
                counts.update(value)  # type: ignore[arg-type]
    if not counts:
        return None
    return f"attack: {counts.total()} tried, " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
