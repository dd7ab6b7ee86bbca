"""The pages that reports write, opened from the disk in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from babi_memnet.tables.story_page import story_page
from babi_memnet.tables.table_report import write_table
from tests.integration.browsing import needs_browser
from tests.looking.stories import ASKED, TRACE
from tests.tables.tables import made_up

pytestmark = [pytest.mark.integration, needs_browser]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    write_table(folder, *made_up())
    (folder / "story.html").write_text(story_page(TRACE, ASKED.name, ["a network"], ASKED.supporting, ASKED.expected))
    return {name: folder / f"{name}.html" for name in ("table", "story")}


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", ["table", "story"])
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
    # all pictures are there, and text is of a size to be read
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    sizes = page.evaluate(
        "[...document.querySelectorAll('td, th, p')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 11
    page.close()


def test_hops_of_a_story_page_are_stepped_through(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["story"].as_uri())
    page.locator(".step2").check()
    heads = page.locator(".hops thead th").all()[1:]
    assert [head.evaluate("cell => getComputedStyle(cell).opacity") < "1" for head in heads] == [True, False]
    page.close()
