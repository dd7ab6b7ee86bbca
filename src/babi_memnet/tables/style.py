"""One look for all pictures: readable in print and in grey, told apart by colour-blind readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
"""Told apart by most colour-blind readers (Okabe & Ito 2008)."""

GREY = "0.45"
DPI = 160

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.9",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",  # text stays text there
    "text.parse_math": False,  # a dollar sign in a story is one
}


def settle(figure: Figure) -> None:
    """Arrange the figure once and for all, and not again for every file that is made of it."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")


def turn_ticks(axes: Axes) -> None:
    """Turn the labels of the x axis, which would run into each other."""
    axes.tick_params(axis="x", labelrotation=40)
    for label in axes.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")


def rendered(figure: Figure, form: str, name: str = "figure") -> bytes:
    """The figure as a file of this form (png, pdf, svg), without a date: the same figure gives the same file.

    In SVG the ids of its parts are made of ``name``: figures with other names have other ids.
    """
    from io import BytesIO

    import matplotlib as mpl

    content = BytesIO()
    dates = {"pdf": "CreationDate", "svg": "Date"}
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):  # fonts are chosen, and the last ticks made, only now
        figure.savefig(content, format=form, dpi=DPI, metadata={dates[form]: None} if form in dates else None)
    return content.getvalue()
