"""Figures inside a page: text stays text, and none takes the parts of another."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from babi_memnet.tables.inline_svg import inline_svg

SPECIAL = "a < b & c"


def drawn() -> Figure:
    """A line with markers, which is cut off at its axes."""
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0.123456789, 1, 2], [0, 1, 4], "o-")
    axes.set(xlim=(0, 1.5), title=SPECIAL)
    return figure


def test_it_is_one_element_without_rules_for_the_page() -> None:
    root = ElementTree.fromstring(inline_svg(drawn(), "a"))
    assert root.tag == "svg"
    assert set(root.attrib) == {"viewBox", "version"}
    tags = {element.tag for element in root.iter()}
    assert not tags & {"style", "metadata"}
    assert {"path", "use", "clipPath", "text"} <= tags
    assert SPECIAL in [element.text for element in root.iter("text")]


def test_numbers_are_as_long_as_they_need_to_be() -> None:
    assert not re.search(r' (d|x|y)="[^"]*\d\.\d{3}', inline_svg(drawn(), "a"))


def test_figures_of_a_page_do_not_share_parts() -> None:
    names, referenced = [], []
    for name in ("a", "b"):
        drawing = inline_svg(drawn(), name)
        assert drawing == inline_svg(drawn(), name)
        names.append(set(re.findall(r' id="(\w+)"', drawing)))
        referenced.append(set(re.findall(r'(?:href="|url\()#(\w+)', drawing)))
    assert names == referenced  # all that is named is there, and nothing else has a name
    assert names[0]
    assert not names[0] & names[1]
