"""The pages of the site that are no files of docs/, and links that lead out of docs/: what mkdocs.yml hooks in.

README.md is the home page; CONTRIBUTING.md and CHANGELOG.md are pages as they are; ``reference/MODULE.md`` in the
navigation is a page of the docstrings of ``babi_memnet.MODULE``, which is read and not imported.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
OF_THE_PROJECT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files at the top of the project to the pages that they are."""

_MODULE = re.compile(r"reference/(.+)\.md")
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]+)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for source, page in OF_THE_PROJECT.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for page in _pages(config.nav):
        if found := _MODULE.fullmatch(page):
            files.append(File.generated(config, page, content=_reference(found[1])))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead where the site has what they name."""
    uri = page.file.src_uri
    origins = {made: source for source, made in OF_THE_PROJECT.items()}
    folder = posixpath.dirname(origins.get(uri, f"docs/{uri}"))

    def led(found: re.Match[str]) -> str:
        picture, text, target, anchor = found.groups(default="")
        path = posixpath.normpath(posixpath.join(folder, target))
        if place := page_of(path, files):
            there = posixpath.relpath(place, posixpath.dirname(uri) or ".")
            # a picture leads to itself, in full size
            return f"[![{text}]({there})]({there})" if picture else f"[{text}]({there}{anchor})"
        if "://" in target or not (ROOT / path).exists():
            return found[0]  # what leads nowhere ends the build
        return f"[{text}]({config.repo_url}/tree/HEAD/{path})" if config.repo_url else text

    return _LINK.sub(led, markdown)


def page_of(path: str, files: Files) -> str | None:
    """The page or picture of the site for a file of the project; None where it has none."""
    module = path.removeprefix("src/babi_memnet/").removesuffix(".py").replace("/", ".")
    places = (OF_THE_PROJECT.get(path), path.removeprefix("docs/"), f"reference/{module}.md")
    return next((place for place in places if place and files.get_file_from_path(place)), None)


def _reference(module: str) -> str:
    """The page of a module, named without the package."""
    return f"# {module}\n\n`babi_memnet.{module}`\n\n::: babi_memnet.{module}\n"


def _pages(entry: Any) -> Iterator[str]:
    """The pages of a part of the navigation."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict | list):
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from _pages(part)
