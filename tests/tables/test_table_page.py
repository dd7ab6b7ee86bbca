"""The HTML page of a table: every number in it is that of the JSON."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from babi_memnet.tables.numbers import NO_DATA
from babi_memnet.tables.table_page import PageFigure, table_page
from tests.tables.tables import made_up

TABLE, _ = made_up()
SVG = '<svg viewBox="0 0 1 1"><text>3 %</text></svg>'


class Cells(HTMLParser):
    """The tables of a page: every cell with its attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[tuple[dict[str, str | None], str]] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self._open = tag == "td"
        if self._open:
            self.cells.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] = (self.cells[-1][0], self.cells[-1][1] + data)


PAGE = table_page(TABLE, [PageFigure("A picture", "its <caption>", SVG)])
READ = Cells(PAGE)


def at(path: str) -> Any:
    value: Any = TABLE
    for key in path.split("/"):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def test_every_number_is_that_of_the_json() -> None:
    told = 0
    for attributes, text in READ.cells:
        path, form = attributes.get("data-path"), attributes.get("data-form")
        if path is None or form is None:
            assert not re.search(r"\d", text), f"{text}: a number from nowhere"
            continue
        value = at(path)
        assert float(attributes["data-value"] or "") == value
        assert text == format(value, form)
        told += 1
    assert told > 100


def test_no_number_is_left_out() -> None:
    paths = {attributes.get("data-path") for attributes, _ in READ.cells}
    restarts = [f"over_restarts/{name}" for name in ("mean", "median", "best", "worst", "failed")]
    for place, column in enumerate(TABLE["columns"]):
        for name in ("mean", "failed", "published/mean", "published/failed", "difference", "chance", "seconds"):
            assert f"columns/{place}/{name}" in paths
        for task in column["cells"]:
            for name in ("error_percent", "published", "difference", "chance", *restarts):
                assert f"columns/{place}/cells/{task}/{name}" in paths
    assert "beside/0/errors/19" in paths
    assert "beside/1/errors/3" in paths


def test_a_missing_task_is_a_dash() -> None:
    assert NO_DATA in [text for _, text in READ.cells]
    assert "columns/0/cells/3/error_percent" not in PAGE


def test_it_needs_nothing_else_and_text_stays_text() -> None:
    assert READ.links == []
    assert SVG in PAGE
    assert not READ.tags & {"script", "link", "iframe", "b", "caption"}
    assert "a note with &lt;b&gt;markup&lt;/b&gt; &amp; 5 %" in PAGE
    assert "url(" not in PAGE
    assert 'name="viewport"' in PAGE


def test_labels_are_text_and_a_rounded_zero_has_no_minus() -> None:
    table, _ = made_up()
    column = table["columns"][0]
    for entry in (table, column, table["beside"][0]):
        entry["id"] = 'a<script>"&'
    column["label"] = table["beside"][0]["label"] = table["source"]["title"] = "<img src=x> & more"
    column["difference"], column["mean"] = -0.04, -0.0
    column["cells"]["1"]["difference"] = -0.04
    page = Cells(table_page(table, [PageFigure("<h6>", '"><i>', SVG)]))
    assert not page.tags & {"script", "h6", "i"}
    shown = {attributes.get("data-path"): text for attributes, text in page.cells}
    assert (shown["columns/0/difference"], shown["columns/0/mean"]) == ("+0.0", "0.0")
    assert shown["columns/0/cells/1/difference"] == "+0.0"
