"""The files that stand around a project say what the project itself says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from babi_memnet import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# of the Citation File Format 1.2.0
REQUIRED = {"cff-version", "message", "title", "authors"}
KNOWN = {*REQUIRED, "abstract", "keywords", "license", "references", "type", "version"}


@pytest.fixture
def citation() -> Any:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_citation_says_what_the_project_says(citation: Any) -> None:
    assert REQUIRED <= citation.keys() <= KNOWN
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["version"] == __version__
    assert citation["authors"] == PROJECT["authors"]
    assert citation["abstract"] == PROJECT["description"]
    assert (citation["keywords"], citation["license"]) == (PROJECT["keywords"], PROJECT["license"])
    (owner,) = (author["name"] for author in citation["authors"])
    assert re.search(rf"^Copyright \(c\) \d+ {owner}$", (ROOT / "LICENSE").read_text(), flags=re.MULTILINE)


def test_every_cited_paper_has_what_the_format_asks_for(citation: Any) -> None:
    for paper in citation["references"]:
        assert paper.keys() == {"type", "title", "authors", "year", "url"}
        assert all({"family-names", "given-names"} <= author.keys() for author in paper["authors"])


def test_the_hooks_are_what_make_lint_does_and_need_no_network() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    (local,) = hooks
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert recipe
    lint = [line.strip().replace("$(BIN)", ".venv/bin").removesuffix(" .") for line in recipe[1].splitlines()]
    assert [hook["entry"] for hook in local["hooks"]] == lint
