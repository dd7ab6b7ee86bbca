"""The figure of a story shows the weights of its trace."""

from __future__ import annotations

import pytest
from matplotlib import colormaps

from babi_memnet.looking.answering import Trace
from babi_memnet.tables.story_figure import story_figure
from tests.looking.stories import ASKED, GATES, LOSS, MIXED, TRACE, WITHOUT_ATTENTION


def test_the_figure_shows_the_weights() -> None:
    figure = story_figure(TRACE, ASKED.supporting, "garden")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["25", "10", "50", "85", "25", "5"]
    assert [text.get_text().endswith("●") for text in axes.get_yticklabels()] == [False, True, False]
    assert "wrong: it is garden" in axes.get_title(loc="left")
    tiles = axes.images[0].get_array()
    assert tiles is not None
    assert tiles[1, 1].tolist() == pytest.approx(colormaps["Blues"](0.85))


def test_numbers_are_coloured_by_their_size_and_sign() -> None:
    figure = story_figure(WITHOUT_ATTENTION)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["+0.00", "+2.50"]
    tiles = axes.images[0].get_array()
    assert tiles is not None
    assert tiles[0, 0].tolist() == pytest.approx(colormaps["Oranges"](0.004 / 2.5))
    assert tiles[1, 0].tolist() == pytest.approx(colormaps["Blues"](1.0))
    assert [text.get_text() for text in axes.get_xticklabels()] == [LOSS.name]
    assert figure.get_supxlabel() == "numbers in nats"


def test_a_step_without_empty_slots_has_no_tile_there() -> None:
    (axes,) = story_figure(MIXED).axes
    assert [text.get_text() for text in axes.texts] == ["25", "+0.00", "50", "+2.50", "25"]
    tiles = axes.images[0].get_array()
    assert tiles is not None
    assert tiles[2, 1, 3] == 0  # see-through


def test_many_steps_have_narrow_tiles_without_numbers() -> None:
    figure = story_figure(GATES)
    (axes,) = figure.axes
    assert not axes.texts
    assert len(axes.get_xticklabels()) == len(GATES.steps)
    assert figure.get_figwidth() < 15


@pytest.mark.parametrize("trace", [WITHOUT_ATTENTION, GATES, MIXED])
def test_nothing_sticks_out(trace: Trace) -> None:
    figure = story_figure(trace, ASKED.supporting, "garden")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    whole = figure.bbox
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels(), *figure.texts):
        extent = text.get_window_extent()
        assert whole.x0 <= extent.x0 <= extent.x1 <= whole.x1
        assert whole.y0 <= extent.y0 <= extent.y1 <= whole.y1
