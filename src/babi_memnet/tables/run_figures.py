"""Figures of a pivot: the value against one key, with intervals over restarts, and a heat map of two keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log10
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from babi_memnet.runs.collection import as_number, shown
from babi_memnet.tables.numbers import rounded
from babi_memnet.tables.pivot import VALUES, Pivot, PivotCell
from babi_memnet.tables.style import COLOURS, GREY, STYLE, settle, turn_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SERIES = 24
"""With more lines, a figure of lines is not drawn."""

MOST_TILES = 40
"""With more values of a key, a heat map is not drawn."""

_MARKERS = ("o", "s", "^", "v")


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a pivot becomes lines.

    Attributes:
        key: the key along the x axis.
        other: the key whose values are the lines; empty when there is but one.
        ticks: its values, in order.
        positions: where they are on the axis.
        logarithmic: whether these are logarithms.
        connected: whether neighbours on the axis are neighbours in value, so that a line between them means something.
        series: name of each line and its cells, one per tick or None.
    """

    key: str
    other: str
    ticks: tuple[str, ...]
    positions: tuple[float, ...]
    logarithmic: bool
    connected: bool
    series: tuple[tuple[str, tuple[PivotCell | None, ...]], ...]


def line_figure(pivot: Pivot) -> Figure | None:
    """The value against one key, one line per value of the other; None with more than `MOST_SERIES` of these.

    Along the axis is the key across where its values are numbers, else the key down the side. Up to four lines share
    one plot, more get one each.
    """
    layout = _layout(pivot)
    count = len(layout.series)
    if count > MOST_SERIES:
        return None
    together = count <= len(COLOURS)
    columns = 1 if together else min(4, ceil(count**0.5))
    rows = 1 if together else ceil(count / columns)
    wide = min(max(5.2, 0.3 * len(layout.ticks) * count), 14.0) if together else columns * 2.3
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(wide, 3.6 if together else 0.6 + rows * 1.9), layout="constrained")
        panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
        for place, (name, cells) in enumerate(layout.series):
            if together:
                _draw_line(panels[0], layout, cells, name, place, count)
            else:
                _draw_line(panels[place], layout, cells, name, 0, 1)
                panels[place].set_title(f"{layout.other} {name}", loc="left", y=1.0)
        for place, axes in enumerate(panels):
            axes.set_visible(together or place < count)
            axes.tick_params(labelbottom=together or place + columns >= count)
        _finish(figure, panels[0], pivot, layout, wide / columns)
        if together and count > 1:
            letters = sum(len(name) + 6 for name, _ in layout.series)
            across = count if 0.08 * letters < wide else 1
            figure.legend(loc="outside lower center", ncols=across, title=layout.other, title_fontsize=9)
        settle(figure)
    return figure


def heat_map(pivot: Pivot) -> Figure | None:
    """The means as coloured tiles; None without two keys of two values each, or with more than `MOST_TILES` of one."""
    sides = len(pivot.row_values), len(pivot.column_values)
    if pivot.columns is None or min(sides) < 2 or max(sides) > MOST_TILES:
        return None
    means = [[cell.mean if cell else float("nan") for cell in row] for row in _rows(pivot)]
    known = [mean for row in means for mean in row if mean == mean]
    # from zero, unless that would make everything look alike
    low, high, colours = min(known) if 2 * min(known) > max(known) else 0.0, max(known), "YlOrRd"
    if pivot.value == "difference":
        high = max(map(abs, known))
        low, colours = -high, "RdBu_r"
    high = high if high > low else low + 1
    with mpl.rc_context({**STYLE, "axes.grid": False, "axes.spines.left": False, "axes.spines.bottom": False}):
        size = 1.6 + 0.62 * sides[1], 1.1 + 0.36 * sides[0]
        figure = Figure(figsize=(max(size[0], 3.2), max(size[1], 2.0)), layout="constrained")
        axes = figure.subplots()
        image = axes.imshow(means, cmap=colours, vmin=low, vmax=high, aspect="auto")
        for row, line in enumerate(means):
            for column, mean in enumerate(line):
                if mean == mean:
                    red, green, blue, _ = mpl.colormaps[colours]((mean - low) / (high - low))
                    ink = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
                    axes.text(column, row, rounded(mean), ha="center", va="center", color=ink, fontsize=8)
        across = [shown(pivot.columns, value) for value in pivot.column_values]
        axes.set_xticks(range(sides[1]), across)
        axes.set_yticks(range(sides[0]), [shown(pivot.rows, value) for value in pivot.row_values])
        _turn_if_long(axes, across, size[0])
        axes.tick_params(length=0)
        axes.set_xlabel(pivot.columns)
        axes.set_ylabel(pivot.rows)
        figure.colorbar(image)
        _caption(figure, [f"{_unit(pivot)}, mean over restarts" if _is_error(pivot) else _unit(pivot), *pivot.notes])
        settle(figure)
    return figure


def _rows(pivot: Pivot) -> list[tuple[PivotCell | None, ...]]:
    return [tuple(pivot.cell(row, column) for column in pivot.column_values) for row in pivot.row_values]


def _layout(pivot: Pivot) -> _Layout:
    rows = _rows(pivot)
    across = pivot.columns is not None and pivot.columns != "task" and _numbers(pivot.column_values) is not None
    if across:
        key, ticks, other, names = str(pivot.columns), pivot.column_values, pivot.rows, pivot.row_values
    else:
        key, ticks, other, names = pivot.rows, pivot.row_values, pivot.columns or "", pivot.column_values
        rows = list(zip(*rows, strict=True))
    numbers = None if key == "task" else _numbers(ticks)
    logarithmic = numbers is not None and min(numbers) > 0 and max(numbers) >= 10 * min(numbers)
    positions = [log10(number) for number in numbers or ()] if logarithmic else numbers or range(len(ticks))
    return _Layout(
        key=key,
        other=other,
        ticks=tuple(f"{number:g}" for number in numbers) if numbers else tuple(shown(key, tick) for tick in ticks),
        positions=tuple(map(float, positions)),
        logarithmic=logarithmic,
        connected=numbers is not None,
        series=tuple((shown(other, name), cells) for name, cells in zip(names, rows, strict=True)),
    )


def _numbers(values: Sequence[Any]) -> list[float] | None:
    numbers = [as_number(value) for value in values]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else None


def _draw_line(
    axes: Axes, layout: _Layout, cells: Sequence[PivotCell | None], name: str, place: int, count: int
) -> None:
    gap = _gap(layout.positions)
    # lines side by side within a part of the smallest gap, and the restarts a little to the right of their mean
    shift, beside = (place - (count - 1) / 2) * gap * 0.6 / max(count, 3), gap * 0.16 / max(count, 2)
    there = [(at + shift, cell) for at, cell in zip(layout.positions, cells, strict=True) if cell]
    colour, marker = COLOURS[place], _MARKERS[place]
    singles = [(at + beside, value) for at, cell in there if len(cell.values) > 1 for value in cell.values]
    axes.plot(*_apart(singles), ".", color=colour, alpha=0.4, markeredgewidth=0, markersize=6)
    # of a mean without interval nothing sticks out
    reach = [cell.interval or (cell.mean, cell.mean) for _, cell in there]
    below = [cell.mean - low for (_, cell), (low, _) in zip(there, reach, strict=True)]
    above = [high - cell.mean for (_, cell), (_, high) in zip(there, reach, strict=True)]
    axes.errorbar(
        *_apart([(at, cell.mean) for at, cell in there]),
        yerr=[below, above],
        color=colour,
        marker=marker,
        markersize=4.5,
        linewidth=1.2,
        linestyle="-" if layout.connected else "",
        capsize=2.5,
        label=name,
    )
    chosen = [(at + beside, cell.selected) for at, cell in there if cell.selected is not None]
    axes.plot(*_apart(chosen), "D", markerfacecolor="white", markeredgecolor=colour, markersize=4.5)


def _apart(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _finish(figure: Figure, axes: Axes, pivot: Pivot, layout: _Layout, width: float) -> None:
    """Limits, ticks and labels, which all panels share, and what the marks mean; a panel is ``width`` inches wide."""
    if _is_error(pivot):
        axes.set_ylim(bottom=-0.02 * axes.get_ylim()[1])
    elif pivot.value == "difference":
        axes.axhline(0, color=GREY, lw=0.8)
    positions, ticks = layout.positions, layout.ticks
    room = max(0.5 * _gap(positions), 0.06 * (positions[-1] - positions[0]))
    axes.set_xlim(positions[0] - room, positions[-1] + room)
    every = ceil(len(ticks) / 12) if layout.connected else 1
    axes.set_xticks(positions[::every], ticks[::every])
    for panel in figure.axes:
        _turn_if_long(panel, ticks[::every], width)
    # constrained layout knows the labels of axes better than those of figures: a legend would cover the latter
    below = layout.key + (" (logarithmic)" if layout.logarithmic else "")
    if len(figure.axes) == 1:
        axes.set(xlabel=below, ylabel=_unit(pivot))
    else:
        figure.supxlabel(below, fontsize=9)
        figure.supylabel(_unit(pivot), fontsize=9)
    cells = [cell for _, line in layout.series for cell in line if cell]
    marks = ["mean with its 95 % interval"] if any(cell.interval for cell in cells) else []
    if any(cell.selected is not None for cell in cells):
        marks.append("diamonds: selected restart")
    if any(len(cell.values) > 1 for cell in cells):
        marks.append("dots: single restarts" if _is_error(pivot) else "dots: single runs")
    _caption(figure, [", ".join(marks), *pivot.notes])


def _gap(positions: Sequence[float]) -> float:
    return min((high - low for low, high in pairwise(positions)), default=1.0)


def _caption(figure: Figure, lines: Sequence[str]) -> None:
    """Small grey lines above the plots, broken to the width of the figure."""
    letters = int(15 * figure.get_figwidth())
    text = "\n".join(part for line in lines for part in wrap(line, letters))
    if text:
        figure.suptitle(text, x=0.01, ha="left", fontsize=7.5, color=GREY)


def _turn_if_long(axes: Axes, ticks: Sequence[str], inches: float) -> None:
    """Turn labels of the x axis that would run into each other."""
    if 0.085 * sum(len(tick) + 2 for tick in ticks) > inches:
        turn_ticks(axes)


def _is_error(pivot: Pivot) -> bool:
    return pivot.value.endswith("_percent")


def _unit(pivot: Pivot) -> str:
    unit = "%" if _is_error(pivot) else "percent points" if pivot.value == "difference" else ""
    return f"{VALUES[pivot.value]}{f' ({unit})' if unit else ''}"
