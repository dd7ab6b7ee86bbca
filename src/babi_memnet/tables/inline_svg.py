"""A figure as SVG to stand inside an HTML page."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from babi_memnet.tables.style import rendered

_NUMBER = re.compile(r"-?\d+\.\d+")
_FAMILY = re.compile(r"font-family: [^;]*; ?")


def inline_svg(figure: Figure, name: str) -> str:
    """The figure as one ``svg`` element, as wide as the page lets it be. Text stays text, in the font of the page.

    ``name`` is of no other figure of the page: what the parts of this one call each other is made of it. Rules that
    would hold for the whole page are left out; they are in ``templates/table.css``.
    """
    drawing = rendered(figure, "svg", name)
    referenced = set(re.findall(r"#(\w+)", drawing.decode()))
    root = ElementTree.fromstring(drawing)
    for metadata in root.findall("{*}metadata"):
        root.remove(metadata)
    for definitions in root.findall("{*}defs"):
        for style in definitions.findall("{*}style"):
            definitions.remove(style)
    for size in ("width", "height"):
        del root.attrib[size]
    for element in root.iter():
        # HTML knows svg and its attributes without namespaces
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: _short(key, text) for key, text in element.attrib.items()}
        if element.get("id") not in referenced:
            element.attrib.pop("id", None)
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
    return ElementTree.tostring(root, encoding="unicode")


def _short(key: str, text: str) -> str:
    """The text of an attribute with no more than it needs: a hundredth of a point is less than a pixel."""
    if key in ("d", "x", "y", "transform", "points"):
        return _NUMBER.sub(lambda number: f"{round(float(number[0]), 2):zg}", " ".join(text.split()))
    return _FAMILY.sub("", text) if key == "style" else text
