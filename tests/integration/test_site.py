"""The site of the documentation: it is built without a warning, leads nowhere wrong, and opens from the disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from tests.integration.browsing import needs_browser

ROOT = Path(__file__).parents[2]
OF_THE_SITE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "mkdocs.yml", "docs", "scripts", "src")
CACHES = shutil.ignore_patterns("__pycache__")

# what a browser fetches by itself, in elements and in style sheets
FETCHED = {"src", "srcset", "poster", "data"}
OF_STYLE = re.compile(r"""url\(\s*["']?(?!data:)([^"')]+)|@import\s+["']([^"']+)""")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not find_spec("mkdocs"), reason="no MkDocs, which is in the extra docs"),
]


def build(project: Path, site: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        cwd=project,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The site, and what was said and imported meanwhile."""
    site = tmp_path_factory.mktemp("site")
    done = build(ROOT, site, "-X", "importtime")
    assert done.returncode == 0, done.stderr[-2000:]
    return site, done.stderr


@pytest.fixture(scope="module")
def site(built: tuple[Path, str]) -> Path:
    return built[0]


class Elements(HTMLParser):
    """The attributes of every element of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def pages(site: Path) -> dict[str, Elements]:
    """Every page by its place; 404.html is for a server, which knows where the site begins."""
    files = [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]
    return {path.relative_to(site).as_posix(): Elements(path.read_text(encoding="utf-8")) for path in files}


def test_it_is_built_without_a_warning_and_without_importing_what_it_documents(built: tuple[Path, str]) -> None:
    site, said = built
    assert "WARNING" not in said
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines() if "|" in line}
    assert "mkdocs" in imported
    assert not imported & {"babi_memnet", "torch", "hydra", "datasets"}
    expected = {"index", "contributing", "changelog", *(path.stem for path in (ROOT / "docs").glob("*.md"))}
    assert {name.removesuffix(".html") for name in pages(site) if "/" not in name} == expected


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for name, page in pages(site).items():
        for tag, values in page.found:
            named = FETCHED | ({"href"} if tag in ("link", "image", "use") else set())
            for value in (values[key] for key in named & values.keys()):
                assert not re.match(r"(https?:)?//", value), f"{name}: <{tag} {value}>"
    styles = list(site.rglob("*.css"))
    assert len(styles) >= 3
    for style in styles:
        for found in OF_STYLE.findall(style.read_text(encoding="utf-8")):
            assert "//" not in "".join(found), f"{style.name}: {found}"


def test_every_link_leads_to_a_place_of_the_site(site: Path) -> None:
    found = pages(site)
    places = {name: {values["id"] for _, values in page.found if "id" in values} for name, page in found.items()}
    for name, page in found.items():
        for tag, values in page.found:
            target, place = urldefrag(values.get("href", values.get("src", "")))
            if re.match(r"[a-z]+:", target) or not (target or place):
                continue
            path = (site / name).parent / unquote(target) if target else site / name
            there = Path(os.path.normpath(path)).relative_to(site).as_posix()
            assert (site / there).is_file(), f"{name}: <{tag} {target}>"
            if there in places and place and not place.startswith("__"):  # those are made by the theme's script
                assert unquote(place) in places[there], f"{name}: {target}#{place}"


def test_the_home_page_is_the_readme_and_the_reference_has_signatures(site: Path) -> None:
    def words(name: str) -> str:
        return " ".join(re.sub(r"<[^>]+>", "", (site / name).read_text(encoding="utf-8")).split())

    links = {values.get("href") for _, values in pages(site)["index.html"].found}
    assert {"results.html", "symmetry.html", "contributing.html", "changelog.html"} <= links
    assert "make run # generate the stories" in words("index.html")
    assert "restarts : int = 10" in words("reference/training.settings.html").replace("restarts:", "restarts :")
    assert "forward(batch: Any) -> Tensor" in words("reference/models.network.html").replace("&gt;", ">")


def test_a_page_that_the_navigation_lacks_ends_the_build(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in OF_THE_SITE:
        source = ROOT / name
        shutil.copytree(source, project / name, ignore=CACHES) if source.is_dir() else shutil.copy(
            source, project / name
        )
    (project / "docs" / "lost.md").write_text("# Lost\n\n[nowhere](../src/no_such_file.py)\n")
    done = build(project, tmp_path / "site")
    assert done.returncode == 1
    assert "lost.md" in done.stderr
    assert "../src/no_such_file.py" in done.stderr


@pytest.fixture(scope="module")
def opened(browser: Any, site: Path) -> Iterator[Any]:
    """A page of the browser, with what it has asked for and what went wrong."""
    page = browser.new_page()
    page.asked, page.problems = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda said: page.problems.append(said.text))
    yield page
    page.close()


# what does not fit, unless it or what it is in scrolls in itself
TOO_WIDE = """() => [...document.querySelectorAll(".md-content *")].filter(element => {
    if (element.getBoundingClientRect().right <= window.innerWidth + 1) return false
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement)
        if (["auto", "scroll", "hidden"].includes(getComputedStyle(box).overflowX)) return false
    return true
}).map(element => element.outerHTML.slice(0, 100))"""


SIZES = """[...document.querySelectorAll(".md-content :is(p, li, td, th, pre)")]
    .map(element => parseFloat(getComputedStyle(element).fontSize))"""


@needs_browser
@pytest.mark.parametrize("width", [1280, 400])
def test_every_page_opens_from_disk_and_fits(opened: Any, site: Path, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    for name in pages(site):
        opened.goto((site / name).as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert opened.evaluate(TOO_WIDE) == [], name
        assert opened.locator(".md-content h1").first.inner_text(), name
        for picture in opened.locator(".md-content img").all():
            there, wide = picture.evaluate("image => [image.naturalWidth, image.width]")
            assert wide >= min(there, 600) > 100, name
        sizes = opened.evaluate(SIZES)
        assert min(sizes) >= 11, name
    assert opened.problems == []
    assert all(url.startswith(site.as_uri()) for url in opened.asked if not url.startswith("data:"))


@needs_browser
def test_it_is_light_or_dark_as_the_reader_has_it(opened: Any, site: Path) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        opened.emulate_media(color_scheme=scheme)
        opened.goto((site / "index.html").as_uri())
        opened.wait_for_function("document.body.dataset.mdColorScheme")
        colour = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))
    assert shades["dark"] < 200 < 600 < shades["light"]


@needs_browser
def test_the_search_finds_from_disk(opened: Any, site: Path) -> None:
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.goto((site / "index.html").as_uri())
    opened.locator("input.md-search__input").click()
    opened.keyboard.type("recency heads")
    opened.wait_for_selector(".md-search-result__item")
    links = opened.locator(".md-search-result__item a").evaluate_all("all => all.map(link => link.href)")
    assert any(link.startswith((site / "writing-memory.html").as_uri()) for link in links)
    assert opened.problems == []
