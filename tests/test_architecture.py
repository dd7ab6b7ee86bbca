"""The data's way through the code runs forward: who may import whom, and where heavy libraries may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Set
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"

# What all share; in the same order.
BASE = ("errors", "folders", "logs", "paths", "reading", "settings_fields", "tasks")
# From left to right: the right may import the left.
ROOMS = (
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
)
# What puts the rooms together, in the same sense.
WIRING = ("settings", "request", "experiment", "config", "commands", "interface", "hydra_plugins")
_ORDER = (*ROOMS, *WIRING)

MAY_IMPORT: dict[str, Set[str]] = {
    **{part: {*BASE, *_ORDER[:place]} for place, part in enumerate(_ORDER)},
    # A record is read without what made it, and a world is simulated without anything.
    "runs": set(BASE),
    "worlds": set(),
    **{part: set(BASE[:place]) for place, part in enumerate(BASE)},
    # It lists commands and imports none, so as to be there at once.
    "__main__": set(BASE),
    "babi_memnet": set(),
}
"""Part of the package to the other parts that it may import."""

HOMES: dict[str, tuple[str, ...]] = {
    "datasets": ("babi_memnet.data", "babi_memnet.interface.frames"),
    "gradio": ("babi_memnet.demo.page",),
    "huggingface_hub": (
        "babi_memnet.data.hub",
        "babi_memnet.data.hub_models",
        "babi_memnet.tables.dataset_card",
        "babi_memnet.tables.model_card",
    ),
    "hydra": ("babi_memnet.commands", "babi_memnet.config", "babi_memnet.interface.composing", "hydra_plugins"),
    "jinja2": ("babi_memnet.tables",),
    "matplotlib": ("babi_memnet.tables",),
    "numba": ("babi_memnet.models.kernels", "babi_memnet.training.sampling"),
    "omegaconf": ("babi_memnet.commands", "babi_memnet.config", "babi_memnet.interface.composing", "hydra_plugins"),
    "pandas": ("babi_memnet.interface",),
    "optuna": ("babi_memnet.search.study",),
    "pyarrow": ("babi_memnet.data", "babi_memnet.runs.merging", "babi_memnet.tables.run_report"),
    "rich": ("babi_memnet.tables.sheet",),
    "safetensors": ("babi_memnet.runs.checkpoint", "babi_memnet.runs.exported"),
    "scipy": ("babi_memnet.models.kernels", "babi_memnet.papers.statistics", "babi_memnet.training.chance"),
    "sklearn": ("babi_memnet.models.ngram",),
    "submitit": ("babi_memnet.commands.submitting",),
    "torch": (
        "babi_memnet.models",
        "babi_memnet.training",
        "babi_memnet.experiment",
        "babi_memnet.interface.runs",
        "babi_memnet.looking.restoring",
        "babi_memnet.looking.trace",
    ),
    "wandb": ("babi_memnet.tracking.wandb",),
}
"""Library that takes long to import, or that not everybody has, to the modules and packages that may import it."""


def module_of(path: Path, source: Path) -> str:
    """The dotted name of the module in a file."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_in(text: str, ours: Set[str]) -> Iterator[str]:
    """Every module that a source text imports, anywhere in it, ours as precisely as they are named."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in ours else node.module


@cache
def imports(source: Path = SOURCE) -> dict[str, frozenset[str]]:
    """Every module below ``source`` to the modules that it imports."""
    files = {module_of(path, source): path for path in sorted(source.rglob("*.py"))}
    return {
        module: frozenset(names_in(path.read_text(encoding="utf-8"), files.keys())) for module, path in files.items()
    }


def part_of(module: str) -> str:
    """``data`` for ``babi_memnet.data.records``; the first word of any other."""
    first, *inner = module.split(".")
    return inner[0] if first == "babi_memnet" and inner else first


@pytest.mark.parametrize("module", imports())
def test_imports_run_forward(module: str) -> None:
    parts = {part_of(name) for name in imports()[module] if name in imports()}
    assert parts - {part_of(module)} <= MAY_IMPORT[part_of(module)]


def test_no_module_is_imported_by_what_it_imports() -> None:
    modules = {module: names & imports().keys() for module, names in imports().items()}
    assert set(TopologicalSorter(modules).static_order()) == set(modules)  # or it raises CycleError, with the cycle


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_has_one_home(library: str) -> None:
    users = {module for module, names in imports().items() if library in {name.partition(".")[0] for name in names}}
    at_home = {module for module in users for home in HOMES[library] if f"{module}.".startswith(f"{home}.")}
    assert at_home
    assert users == at_home


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    package = tmp_path / "babi_memnet"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("import json.decoder\n\n\ndef late():\n    from babi_memnet import two\n")
    (package / "two.py").write_text("if False:\n    from babi_memnet.one import late\n")
    assert imports(tmp_path) == {
        "babi_memnet": set(),
        "babi_memnet.one": {"json.decoder", "babi_memnet.two"},
        "babi_memnet.two": {"babi_memnet.one"},
    }
