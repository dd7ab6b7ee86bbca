"""The page of all networks shows what the kept tables hold."""

from __future__ import annotations

import re
from statistics import fmean, stdev

import pytest

from scripts.networks_page import FAMILIES, MEASURED, PAGE, families, measured, picture

COLUMNS = families()


def test_what_was_measured_is_there() -> None:
    assert set(COLUMNS) >= {
        "weston_2015/ngram",
        "weston_2015/lstm",
        "weston_2015/memnn_am",
        "weston_2015/memnn_am_ng_nl",
        "qrn/qrn_2r_1k",
        "gmemn2n_1k/gmemn2n_1k",
        "entnet_1k/entnet_1k",
        "memn2n_1k/pe_ls_rn",
        "ours_1k/writing_memory_inferred",
    }
    assert all(set(column["cells"]) == {str(task) for task in range(1, 21)} for column in COLUMNS.values())


def test_the_page_is_built_from_the_kept_tables() -> None:
    assert f"<!-- measured -->\n{measured(COLUMNS)}<!-- end of measured -->" in PAGE.read_text()
    assert len(MEASURED.findall(PAGE.read_text())) == 1


@pytest.mark.parametrize("name", COLUMNS)
def test_a_row_says_what_its_column_holds(name: str) -> None:
    column = COLUMNS[name]
    (row,) = re.findall(rf"\| `{name}` \|(.*)\|\n", measured({name: column}))
    selected, failed, *_, alone, _, minutes = (cell.strip() for cell in row.split("|"))
    assert (selected, failed) == (f"{column['mean']:.1f}", str(column["failed"]))
    assert float(minutes) == pytest.approx(column["seconds"] / 60, abs=0.51)
    by_restart = [
        fmean(cell["restart_errors"]["test"][place] for cell in column["cells"].values())
        for place in range(column["cells"]["1"]["restarts"])
    ]
    spread = f" ± {stdev(by_restart):.1f}" if len(by_restart) > 1 else ""
    assert alone == f"{fmean(by_restart):.1f}{spread} ({len(by_restart)})"


def test_the_picture_has_every_network_and_task() -> None:
    (axes,) = picture(COLUMNS).axes
    assert len(axes.texts) == 20 * len(COLUMNS)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    expected = [f"{FAMILIES[name]}  {column['mean']:.1f}" for name, column in COLUMNS.items()]
    assert labels == expected
    for text, (name, task) in zip(axes.texts, ((n, t) for n in COLUMNS for t in range(1, 21)), strict=True):
        assert text.get_text() == f"{COLUMNS[name]['cells'][str(task)]['error_percent']:.1f}"
