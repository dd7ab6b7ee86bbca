"""The notebooks run from their first cell to their last, in an empty folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
SHOWN = {
    "first_steps": ["test error 15.3 %", "Where is the milk?", "ensemble", "pe_ls_rn"],
    "own_network": ["test error", "Where is Sandra?", "model.decay"],
}
"""What is to be seen in the outputs of each."""


@pytest.mark.integration
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(
    path: Path, tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "expected a notebook without outputs"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    said = "".join(output["text"] for output in outputs if output.get("name") == "stderr")
    assert not re.sub(r".*TqdmWarning: IProgress not found.*\n.*\n", "", said)  # datasets', where ipywidgets are not
    shown = "\n".join(str(form) for output in outputs for form in output.get("data", {}).values())
    for text in SHOWN[path.stem]:
        assert text in shown


def test_every_notebook_is_told_of() -> None:
    page = (ROOT / "docs" / "python.md").read_text()
    assert SHOWN.keys() == {path.stem for path in NOTEBOOKS}
    assert all(f"(notebooks/{name}.ipynb)" in page for name in SHOWN)


def test_the_network_of_the_notebook_is_that_of_the_page() -> None:
    page = (ROOT / "docs" / "adding-a-network.md").read_text()
    notebook = nbformat.read(ROOT / "docs" / "notebooks" / "own_network.ipynb", as_version=4)
    written = [cell.source.split("\n", 1)[1] for cell in notebook.cells if cell.source.startswith("%%writefile")]
    assert len(written) == 2
    assert all(content.strip() in page for content in written)
