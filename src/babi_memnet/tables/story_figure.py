"""The picture of one traced story: its statements by the steps of the network."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from textwrap import fill, shorten
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.looking.answering import Trace
from babi_memnet.tables.numbers import percent
from babi_memnet.tables.step_weights import ShownWeight, about_stopping, about_weights, shown_empty, shown_weights
from babi_memnet.tables.style import GREY, STYLE, turn_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_STATEMENT = 48
_MOST_STATEMENTS = 60
_MOST_NUMBERED = 14
"""Of more steps the tiles are narrow, and have no numbers in them."""
_LONG_NAME = 8
"""Names of steps with more letters are turned."""
_LETTERS_AN_INCH = 15
_DARK = 0.6
"""Shade above which a tile needs white ink."""


def story_figure(trace: Trace, supporting: Collection[int] = (), expected: str | None = None) -> Figure:
    """The weight of each statement at each step; supporting facts are marked with a dot. The latest 60 are drawn."""
    first = max(0, len(trace.story) - _MOST_STATEMENTS)
    marks = [" ●" if place in supporting else "" for place in range(first, len(trace.story))]
    names = [shorten(text, _LONGEST_STATEMENT, placeholder=" …") for text in trace.story[first:]]
    labels = [f"{name}{mark}" for name, mark in zip(names, marks, strict=True)]
    weights = [shown_weights(step)[first:] for step in trace.steps]
    rows: list[list[ShownWeight | None]] = [list(row) for row in zip(*weights, strict=True)]
    if empty := shown_empty(trace):
        rows.append(empty)
        labels.append("(empty)")
    steps = [step.name for step in trace.steps]
    is_numbered = len(steps) <= _MOST_NUMBERED
    is_turned = not is_numbered or max(map(len, steps), default=0) > _LONG_NAME
    width = 2.6 + (0.55 if is_numbered else 0.2) * len(steps) + 1.7
    height = 1.1 + 0.24 * len(rows) + (0.05 * max(map(len, steps)) if is_turned else 0)
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        _draw_tiles(axes, rows, is_numbered)
        axes.set_yticks(range(len(rows)), labels)
        axes.set_xticks(range(len(steps)), steps)
        if is_turned:
            turn_ticks(axes)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        said = f"{trace.answer} ({percent(trace.answers[0][1])})"
        wrong = "" if expected in (None, trace.answer) else f", wrong: it is {expected}"
        axes.set_title(f"{trace.question} {said}{wrong}", loc="left")
        stopped = about_stopping(trace)
        if any(marks) or stopped or not all(step.shares for step in trace.steps):
            note = "; ".join([*about_weights(trace), *stopped, *(["● supporting fact"] if any(marks) else [])])
            figure.supxlabel(fill(note, int(_LETTERS_AN_INCH * width)), fontsize=8, color=GREY)
    return figure


def _draw_tiles(axes: Axes, rows: Sequence[Sequence[ShownWeight | None]], is_numbered: bool) -> None:
    """A tile for every weight, blue or, below zero, orange; nothing where there is none."""
    nothing = (1.0, 1.0, 1.0, 0.0)
    colours = [[_colour(shown) if shown else nothing for shown in row] for row in rows]
    if colours:
        axes.imshow(colours, aspect="auto")
    for place, row in enumerate(rows):
        for step, shown in enumerate(row):
            if shown and is_numbered:
                ink = "white" if shown.shade > _DARK else "black"
                axes.text(step, place, shown.text, ha="center", va="center", color=ink, fontsize=8)


def _colour(shown: ShownWeight) -> tuple[float, float, float, float]:
    return mpl.colormaps["Oranges" if shown.is_negative else "Blues"](shown.shade)
