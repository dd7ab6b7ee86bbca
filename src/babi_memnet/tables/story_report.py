"""The files of one traced story."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from babi_memnet.looking.answering import Step, Trace
from babi_memnet.looking.stories import Asked, described
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.runs.files import write_atomically
from babi_memnet.tables.numbers import percent
from babi_memnet.tables.sheet import Sheet, cut
from babi_memnet.tables.step_weights import (
    NEAR_TO,
    NO_STATEMENT,
    about_stopping,
    about_weights,
    nearest_words,
    numbers_of_steps,
    shown_empty,
    shown_weights,
)
from babi_memnet.tables.story_figure import story_figure
from babi_memnet.tables.story_page import story_page
from babi_memnet.tables.style import rendered


def write_story(
    directory: Path, network: TracedNetwork, asked: Asked, trace: Trace, experiment: str | None
) -> list[Path]:
    """Write story.html (self-contained), story.json and the figure as PNG and PDF into ``directory``; the files."""
    directory.mkdir(parents=True, exist_ok=True)
    about = described(network.settings, network.restart, experiment, network.directory)
    page = story_page(trace, asked.name, about, asked.supporting, asked.expected)
    known = {"expected": asked.expected, "supporting": list(asked.supporting), "network": list(about)}
    figure = story_figure(trace, asked.supporting, asked.expected)
    contents = {
        "story.html": page.encode(),
        "story.json": json.dumps({**trace.as_json(), **known}, indent=1, ensure_ascii=False).encode(),
        "story.png": rendered(figure, "png"),
        "story.pdf": rendered(figure, "pdf"),
    }
    for name, content in contents.items():
        write_atomically(directory / name, content)
    return [directory / name for name in contents]


def story_sheet(trace: Trace, asked: Asked) -> Sheet:
    """The weight of each statement at each step, for a terminal; the question and its answer stand above."""
    header = ("", *(step.name for step in trace.steps))
    weights = [shown_weights(step) for step in trace.steps]
    rows = []
    for place, statement in enumerate(trace.story):
        mark = " ●" if place in asked.supporting else ""
        shown = [of_step[place] for of_step in weights]
        rows.append((f"{statement}{mark}", *(weight.text if weight else "" for weight in shown)))
    below = []
    if empty := shown_empty(trace):
        below.append((NO_STATEMENT, *(weight.text if weight else "" for weight in empty)))
    below += [(name, *cells) for name, cells in numbers_of_steps(trace)]
    if nearest := nearest_words(trace, most=1):
        below.append((NEAR_TO, *("".join(words) for words in nearest)))
    answers = ", ".join(f"{word} {percent(share, 1)}" for word, share in trace.answers[:3])
    right = "" if asked.expected is None else f"; right: {asked.expected}"
    notes = [f"answers: {answers}{right}", *about_weights(trace), *about_stopping(trace)]
    if asked.supporting:
        notes.append("● the answer rests on it")
    if trace.forgotten:
        notes.append(f"the first {trace.forgotten} statements did not fit into the memory")
    return Sheet(f"{trace.question} {trace.answer}", header, (*rows, *below), len(below), tuple(notes))


def story_sheets(trace: Trace, asked: Asked, width: int) -> list[Sheet]:
    """`story_sheet` in as many tables as it takes to show all steps within ``width`` characters, if one fits."""

    def draw(steps: Sequence[Step]) -> Sheet:
        return story_sheet(replace(trace, steps=tuple(steps)), asked)

    return cut(trace.steps, draw, width) or [draw(())]
