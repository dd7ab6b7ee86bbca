"""A traced story as HTML: a fragment to put anywhere, and a page of its own that needs nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from babi_memnet.looking.answering import Trace
from babi_memnet.tables.numbers import percent
from babi_memnet.tables.pages import filled
from babi_memnet.tables.step_weights import (
    NEAR_TO,
    NO_STATEMENT,
    about_stopping,
    about_weights,
    nearest_words,
    numbers_of_steps,
    shown_empty,
    shown_weights,
    step_word,
    strongest,
)

_SHOWN_ANSWERS = 5
_SHOWN_WORDS = 3
_MOST_CHOSEN = 9
"""Of more steps none can be shown alone."""
_LONG_NAME = 12
"""Names of steps with more letters are broken into lines."""


def story_style() -> str:
    """What the fragment looks like; it names nothing outside ``.trace``."""
    return filled("story.css", most_chosen=_MOST_CHOSEN)


def story_fragment(trace: Trace, supporting: Collection[int] = (), expected: str | None = None) -> str:
    """The statements with the weight of each at every step, what the state is near to, and the answer.

    ``supporting`` are indices into the story, marked as facts; ``expected`` is the right answer where it is known. Text
    is escaped: markup that somebody types stays text.
    """
    return filled("story_fragment.html", **_shown(trace, supporting, expected))


def story_page(
    trace: Trace,
    title: str,
    network: Sequence[str],
    supporting: Collection[int] = (),
    expected: str | None = None,
) -> str:
    """The fragment as one HTML file that needs nothing else; ``network`` says what answered."""
    shown = _shown(trace, supporting, expected)
    return filled("story.html", title=title, network=network, most_chosen=_MOST_CHOSEN, **shown)


def problem_fragment(text: str) -> str:
    """What is wrong with a question, in the place of its answer."""
    return filled("problem.html", problem=text)


def _shown(trace: Trace, supporting: Collection[int], expected: str | None) -> dict[str, Any]:
    """What ``story_fragment.html`` is filled with."""
    weights = [shown_weights(step) for step in trace.steps]
    looked = [strongest(step) for step in trace.steps]
    statements = [
        {
            "text": text,
            "weights": [of_step[place] for of_step in weights],
            "classes": _classes(place, looked, place in supporting, place < trace.forgotten),
        }
        for place, text in enumerate(trace.story)
    ]
    answers = [
        {"word": word, "share": share, "percent": percent(share), "percent_with_tenths": percent(share, 1)}
        for word, share in trace.answers[:_SHOWN_ANSWERS]
    ]
    return {
        "trace": trace,
        "expected": expected,
        "is_right": None if expected is None else expected.lower() == trace.answer.lower(),
        "step_word": step_word(trace),
        "step_names": [step.name for step in trace.steps],
        "long_name": _LONG_NAME,
        "can_choose": 1 < len(trace.steps) <= _MOST_CHOSEN,
        "statements": statements,
        "no_statement": NO_STATEMENT,
        "empty": shown_empty(trace),
        "numbers": numbers_of_steps(trace),
        "near_to": NEAR_TO,
        "nearest": nearest_words(trace, _SHOWN_WORDS),
        "write_names": [write.name for write in trace.writes],
        "written": _written(trace),
        "answers": answers,
        "notes": _notes(trace, supporting),
    }


def _written(trace: Trace) -> list[dict[str, Any]]:
    """For each statement what it read most at each write: the number of a statement, None where it read nothing."""
    rows = []
    for place, text in enumerate(trace.story):
        reads = []
        for write in trace.writes:
            shares = write.weights[place]
            most = max(range(len(shares)), key=shares.__getitem__)
            reads.append(
                {"number": most + 1, "share": shares[most], "percent": percent(shares[most])} if any(shares) else None
            )
        rows.append({"number": place + 1, "text": text, "reads": reads})
    return rows if trace.writes else []


def _classes(place: int, looked: Sequence[int | None], is_fact: bool, is_forgotten: bool) -> list[str]:
    """Of the row of a statement; ``look2`` says that the second step gives it its largest weight."""
    steps = [f"look{step}" for step, most in enumerate(looked, 1) if most == place]
    marks = {"fact": is_fact, "looked": bool(steps), "quiet": is_forgotten}
    return [name for name, holds in marks.items() if holds] + steps


def _notes(trace: Trace, supporting: Collection[int]) -> list[str]:
    word = step_word(trace)
    if all(step.empty is not None for step in trace.steps):
        about = "weights are of memory slots"
    else:
        about = "; ".join(about_weights(trace))
    largest = "largest" if all(step.shares for step in trace.steps) else "largest in size"
    notes = [f"{about[:1].upper()}{about[1:]}; the statement with the {largest} at some {word} is underlined."]
    numbers = [weight for step in trace.steps if not step.shares for weight in step.weights]
    if numbers:
        negative = ", orange below zero" if min(numbers) < 0 else ""
        notes.append(f"Numbers are shaded by their size against the largest of the {word}{negative}.")
    notes += [f"{line[:1].upper()}{line[1:]}." for line in about_stopping(trace)]
    if supporting:
        notes.append("● marks the statements that the answer rests on.")
    if trace.forgotten:
        notes.append(f"The first {trace.forgotten} statements did not fit into the memory.")
    return notes
