"""What page, sheet and figure of a traced story say alike: the weights of its steps, and what these are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from babi_memnet.looking.answering import Step, Trace
from babi_memnet.tables.numbers import percent, rounded, signed

NO_STATEMENT = "(no statement)"
NEAR_TO = "the state is then near to"
ANSWERS_HERE = "share of the answer given then"
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class ShownWeight:
    """A weight to be drawn.

    Attributes:
        text: percent without the sign where it is a share, else the number with its sign: ``25``, ``-0.31``.
        is_share: whether it is one.
        shade: how strong its colour is, from 0 to 1: the share, or the size against the largest of the step.
        is_negative: whether it is below zero.
    """

    text: str
    is_share: bool
    shade: float
    is_negative: bool


def shown_weights(step: Step) -> list[ShownWeight | None]:
    """The weights of the statements, oldest first; None where the network had answered before it got to the step."""
    if not step.taken:
        return [None] * len(step.weights)
    if step.shares:
        return [_shown_share(weight) for weight in step.weights]
    largest = max(map(abs, step.weights), default=0.0) or 1.0
    return [ShownWeight(signed(weight, 2), False, abs(weight) / largest, weight < 0) for weight in step.weights]


def shown_empty(trace: Trace) -> list[ShownWeight | None]:
    """The weight on empty slots at each step, None where it has none; nothing where no step has one."""
    shown = [None if step.empty is None or not step.taken else _shown_share(step.empty) for step in trace.steps]
    return shown if any(shown) else []


def _shown_share(share: float) -> ShownWeight:
    return ShownWeight(rounded(100 * share, 0), True, min(max(share, 0.0), 1.0), False)


def nearest_words(trace: Trace, most: int) -> list[list[str]]:
    """Up to ``most`` words that the state is near to after each step; nothing where no step has any."""
    words = [[word for word, _ in step.nearest[:most]] if step.taken else [] for step in trace.steps]
    return words if any(words) else []


def numbers_of_steps(trace: Trace) -> list[tuple[str, list[str]]]:
    """Rows of numbers that belong to steps and to no statement, each with its name; empty where a step has none."""
    rows = []
    if any(step.answers is not None for step in trace.steps):
        rows.append((ANSWERS_HERE, [percent(step.answers) if step.taken else "" for step in trace.steps]))
    for name in dict.fromkeys(name for step in trace.steps for name, _ in step.numbers):
        found = [dict(step.numbers).get(name) if step.taken else None for step in trace.steps]
        rows.append((name, [rounded(number, 2, "") for number in found]))
    return rows


def about_stopping(trace: Trace) -> list[str]:
    """A line on when a network that decides so had answered; nothing for others."""
    deciding = [step for step in trace.steps if step.answers is not None]
    if not deciding:
        return []
    taken = sum(step.taken for step in deciding)
    left = "" if taken == len(deciding) else "; it had answered before the others"
    return [f"{taken} of {len(deciding)} {step_word(trace)}s were taken{left}"]


def strongest(step: Step) -> int | None:
    """The place of the statement whose weight is largest in size; None where no statement has any."""
    sizes = [abs(weight) for weight in step.weights]
    return sizes.index(max(sizes)) if any(sizes) and step.taken else None


def step_word(trace: Trace) -> str:
    """What the network calls a step: ``hop`` where they are hop 1, hop 2, ...; else ``step``."""
    words = {match and match[1] for match in (re.fullmatch(r"(.+) \d+", step.name) for step in trace.steps)}
    word = words.pop() if len(words) == 1 else None
    return word or "step"


def about_weights(trace: Trace) -> list[str]:
    """Lines on what the weights are: ``percent of the weight of each hop``, or ``loss, gain: numbers in nats``."""
    names: dict[str, list[str]] = {}
    for step in trace.steps:
        names.setdefault(_about(step, trace), []).append(step.name)
    return list(names) if len(names) == 1 else [f"{_listed(named)}: {about}" for about, named in names.items()]


def _about(step: Step, trace: Trace) -> str:
    if step.shares:
        return f"percent of the weight of each {step_word(trace)}"
    return f"numbers in {step.unit}" if step.unit else "numbers as the network has them, no shares of one"


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _MOST_NAMED else f"{names[0]} to {names[-1]}"
