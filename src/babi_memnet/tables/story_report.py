"""The files of one traced story."""

from __future__ import annotations

import json
from pathlib import Path

from babi_memnet.looking.stories import Asked, described
from babi_memnet.looking.trace import Trace, TracedNetwork
from babi_memnet.runs.files import write_atomically
from babi_memnet.tables.attention_figures import story_figure
from babi_memnet.tables.sheet import Sheet
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
    """The weight of each statement at each hop, for a terminal; the question and its answer stand above."""
    header = ("", *(step.name for step in trace.steps))
    rows = []
    for place, statement in enumerate(trace.story):
        mark = " ●" if place in asked.supporting else ""
        rows.append((f"{statement}{mark}", *(f"{100 * step.weights[place]:.0f}" for step in trace.steps)))
    rows.append(("(empty memory slots)", *(f"{100 * (step.empty or 0):.0f}" for step in trace.steps)))
    rows.append(("the controller is then near to", *(step.nearest[0][0] for step in trace.steps)))
    answers = ", ".join(f"{word} {100 * chance:.1f} %" for word, chance in trace.answers[:3])
    right = "" if asked.expected is None else f"; right: {asked.expected}"
    notes = [f"answers: {answers}{right}", "percent of the weight of each hop"]
    if asked.supporting:
        notes.append("● the answer rests on it")
    if trace.forgotten:
        notes.append(f"the first {trace.forgotten} statements did not fit into the memory")
    return Sheet(f"{trace.question} {trace.answer}", header, tuple(rows), 2, tuple(notes))
