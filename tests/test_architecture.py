"""The data's way through the code runs forward: who may import whom, and where heavy libraries may be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "babi_memnet"
MODULES = sorted(SOURCE.rglob("*.py"))

# From left to right; a package imports itself and what stands before it.
ORDER = [
    "worlds",
    "data",
    "encoding",
    "models",
    "training",
    "runs",
    "tracking",
    "search",
    "papers",
    "looking",
    "tables",
    "demo",
]
# Shared by all: no package of their own.
BASE = {"errors", "logs", "paths", "__init__"}


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def part_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_forward(path: Path):
    part = part_of(path)
    if part not in ORDER:
        return
    own = {name.split(".")[1] for name in imports_of(path) if name.startswith("babi_memnet.")}
    allowed = BASE | {part}
    if part != "runs":
        allowed |= set(ORDER[: ORDER.index(part)])
    if part == "worlds":
        allowed |= {"data"}  # the record of a story question
    assert own <= allowed


HOMES = {
    "hydra": lambda path: part_of(path) in ("commands", "config"),
    "wandb": lambda path: path.name == "wandb.py",
    "datasets": lambda path: part_of(path) == "data",
    "torch": lambda path: part_of(path) in ("models", "training", "experiment", "looking"),
    "matplotlib": lambda path: part_of(path) == "tables",
    "jinja2": lambda path: part_of(path) == "tables",
    "optuna": lambda path: path.name == "study.py" and part_of(path) == "search",
    "gradio": lambda path: part_of(path) == "demo",
}


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_has_one_home(library: str):
    strangers = [
        str(path.relative_to(SOURCE))
        for path in MODULES
        if any(name.split(".")[0] == library for name in imports_of(path)) and not HOMES[library](path)
    ]
    assert not strangers
