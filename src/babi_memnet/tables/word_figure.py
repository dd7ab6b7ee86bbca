"""The picture of a map of words."""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from babi_memnet.looking.word_map import WordMap, place_labels
from babi_memnet.tables.answer_figures import named_tasks
from babi_memnet.tables.style import COLOURS, DPI, GREY, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GAP = 8
"""Pixels between a point and its word."""


def word_figure(word_map: WordMap) -> Figure:
    """The words of a network in the plane of two principal components; those that answer a test question stand out.

    Words that find no room are left out, and counted below; answers choose their places first.
    """
    answers = [place for place, word in enumerate(word_map.words) if word in word_map.answers]
    others = [place for place in range(len(word_map.words)) if place not in answers]
    # a joint run knows more words than fit into the picture of a single task
    side = 5.6 if len(word_map.words) < 60 else 8.4
    with mpl.rc_context({**STYLE, "axes.grid": False, "font.size": 8, "figure.dpi": DPI}):
        figure = Figure(figsize=(side + 0.4, side), layout="constrained")
        FigureCanvasAgg(figure)  # else every text that is measured has its own picture of the whole, of 8 megabytes
        axes = figure.subplots()
        axes.axhline(0, color="0.9", linewidth=0.8, zorder=0)
        axes.axvline(0, color="0.9", linewidth=0.8, zorder=0)
        x, y = word_map.points[:, 0], word_map.points[:, 1]
        axes.plot(x[others], y[others], ".", color="0.6", markersize=4, label="other word")
        axes.plot(x[answers], y[answers], "o", color=COLOURS[0], markersize=4.5, label="answer of a test question")
        axes.margins(0.09)
        first, second = word_map.explained
        axes.set_title(f"{word_map.label}, {named_tasks(word_map.tasks)}, restart {word_map.restart}", loc="left")
        axes.set(
            xlabel=f"first principal component ({first:.0f} % of the variance)",
            ylabel=f"second ({second:.0f} %)",
        )
        axes.set_aspect("equal", adjustable="datalim")
        axes.ticklabel_format(useOffset=False)
        figure.legend(loc="outside lower right", fontsize=8, ncols=2)
        note = figure.supxlabel(" ", x=0.01, ha="left", fontsize=7.5, color=GREY)
        # where points are in pixels is only known when all is arranged
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        left_out = _label(axes, word_map, set(answers))
        note.set_text("rows of the answer table W" + (f"; {left_out} not named" if left_out else ""))
    return figure


def _label(axes: Axes, word_map: WordMap, answers: set[int]) -> int:
    """Write the words beside their points; how many found no room."""
    points = [(float(x), float(y)) for x, y in axes.transData.transform(word_map.points)]
    texts = [
        axes.text(
            x,
            y,
            word,
            color="black" if place in answers else "0.35",
            fontsize=8 if place in answers else 7,
            fontweight="bold" if place in answers else "normal",
            va="bottom",
        )
        for place, (word, (x, y)) in enumerate(zip(word_map.words, word_map.points.tolist(), strict=True))
    ]
    sizes = [(extent.width, extent.height) for extent in (text.get_window_extent() for text in texts)]
    area = axes.get_window_extent()
    boxes = place_labels(points, sizes, (area.x0, area.y0, area.x1, area.y1), _GAP, answers)
    to_data = axes.transData.inverted()
    for text, box, (x, y) in zip(texts, boxes, points, strict=True):
        if box is None:
            text.remove()
            continue
        # what is left of its point ends there, however wide letters are in another form of file
        is_left = box[2] < x
        text.set_horizontalalignment("right" if is_left else "left")
        across, lower = to_data.transform((box[2] if is_left else box[0], box[1]))
        text.set_position((float(across), float(lower)))
        near = min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])
        if hypot(near[0] - x, near[1] - y) > 2 * _GAP:
            # far from its point: a line leads there
            ends = to_data.transform([(x, y), near])
            axes.plot(ends[:, 0], ends[:, 1], color="0.75", linewidth=0.5, zorder=1)
    return boxes.count(None)
