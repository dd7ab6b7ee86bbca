"""The page of results shows what the kept tables hold, and the README repeats it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from babi_memnet.papers.published import load_table
from scripts.results_page import gains, results_page, summary

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "results" / name for name in (".", "networks", "writing_memory")]
TABLES = [path for folder in FOLDERS for path in sorted(folder.glob("*.json"))]


def test_the_page_is_built_from_the_kept_tables():
    assert TABLES
    assert (ROOT / "docs" / "results.md").read_text() == results_page(ROOT / "results")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_kept_table_agrees_with_itself_and_with_the_published_one(path: Path):
    table = json.loads(path.read_text())
    published = load_table(table["id"])
    for column in table["columns"]:
        cells = column["cells"]
        ours = [cell["error_percent"] for cell in cells.values()]
        assert column["mean"] == pytest.approx(sum(ours) / len(ours), abs=1e-3)
        assert column["failed"] == sum(error > 5 + 1e-9 for error in ours)
        errors = published.column(column["id"]).errors
        if column["published"]:
            assert {int(task): error for task, error in column["published"]["errors"].items()}.items() <= errors.items()
        for cell in cells.values():
            restarts = cell["restart_errors"]
            assert len(restarts["train"]) == len(restarts["test"]) == cell["restarts"]
            assert any(abs(error - cell["error_percent"]) < 1e-3 for error in restarts["test"])
        selected_by = published.column(column["id"]).protocol["selected_by"]
        if not published.column(column["id"]).joint and selected_by == "training error":
            for cell in cells.values():
                train, test = cell["restart_errors"]["train"], cell["restart_errors"]["test"]
                best = {error for error, learned in zip(test, train, strict=True) if learned == min(train)}
                assert any(abs(error - cell["error_percent"]) < 1e-3 for error in best)


def test_the_readme_repeats_the_summary():
    readme = (ROOT / "README.md").read_text()
    table = json.loads((ROOT / "results" / "memn2n_1k.json").read_text())
    assert summary(table) in readme


def test_the_page_of_our_own_network_repeats_its_results():
    table = json.loads((ROOT / "results" / "ours_1k.json").read_text())
    for page in ("docs/writing-memory.md", "README.md"):
        assert summary(table) in (ROOT / page).read_text()
    for name in ("parts", "joint", "unseen"):
        table = json.loads((ROOT / "results" / "writing_memory" / f"{name}.json").read_text())
        assert summary(table) in (ROOT / "docs" / "writing-memory.md").read_text()
    declared = json.loads((ROOT / "results" / "writing_memory" / "declared.json").read_text())
    assert summary(declared) in (ROOT / "docs" / "symmetry.md").read_text()
    table = json.loads((ROOT / "results" / "ours_1k.json").read_text())
    plain = json.loads((ROOT / "results" / "memn2n_1k.json").read_text())
    assert gains(plain, table) in (ROOT / "docs" / "symmetry.md").read_text()
