"""The pages that reports write, opened from the disk in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from babi_memnet.tables.story_page import story_page
from babi_memnet.tables.table_report import write_table
from tests.integration.browsing import needs_browser
from tests.looking.stories import ASKED, GATES, MIXED, TRACE, WITHOUT_ATTENTION
from tests.tables.tables import made_up

TRACES = {"story": TRACE, "numbers": WITHOUT_ATTENTION, "many": GATES, "mixed": MIXED}

pytestmark = [pytest.mark.integration, needs_browser]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    write_table(folder, *made_up())
    for name, trace in TRACES.items():
        page = story_page(trace, ASKED.name, ["a network"], ASKED.supporting, ASKED.expected)
        (folder / f"{name}.html").write_text(page)
    return {name: folder / f"{name}.html" for name in ("table", *TRACES)}


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["table", *TRACES])
def test_a_page_opens_from_disk_fits_and_asks_for_nothing(
    browser: Any, pages: dict[str, Path], name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: (problems.append("a dialog"), dialog.dismiss()))
    page.goto(pages[name].as_uri())
    assert not problems
    assert [url for url in asked if not url.startswith("data:")] == [pages[name].as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("h1").inner_text()
    # all pictures are there, as drawings whose parts have names of their own, and text is of a size to be read
    assert page.locator("img").count() == 0
    drawings = page.locator("svg").all()
    assert len(drawings) == (3 if name == "table" else 0)
    assert all(min(drawing.bounding_box()[side] for side in ("width", "height")) > 100 for drawing in drawings)
    names = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(set(names)) == len(names)
    used = page.evaluate("[...document.querySelectorAll('use')].map(use => use.getAttribute('href').slice(1))")
    assert set(used) <= set(names)
    sizes = page.evaluate(
        "[...document.querySelectorAll('td, th, p')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 11
    page.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_statements_stay_in_view_beside_many_steps(browser: Any, pages: dict[str, Path], width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(pages["many"].as_uri())
    page.locator(".wide").evaluate("box => box.scrollLeft = box.scrollWidth")
    statement = page.locator("tbody th").first.bounding_box()
    last = page.locator("tbody tr").first.locator("td").last.bounding_box()
    assert 0 <= statement["x"] < last["x"] < width
    page.close()


def test_steps_of_a_story_page_are_gone_through(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["story"].as_uri())
    page.locator(".step2").check()
    heads = page.locator(".weights thead th").all()[1:]
    assert [head.evaluate("cell => getComputedStyle(cell).opacity") < "1" for head in heads] == [True, False]
    page.close()
