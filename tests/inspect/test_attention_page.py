"""The page on attention shows what is kept of its runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from babi_memnet.inspect.attention_report import attention_sheet
from babi_memnet.papers.view import to_markdown

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attention.md").read_text()
RECORDS = json.loads((ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn.json").read_text())
CHOSEN = {record["task"]: record for record in RECORDS if record["selected"]}


def test_the_table_is_that_of_the_kept_records() -> None:
    assert f"<!-- table -->\n{to_markdown(attention_sheet(RECORDS, ''))}<!-- end of table -->" in PAGE


def test_the_kept_records_are_of_ten_restarts_and_two_null_models() -> None:
    assert sorted(CHOSEN) == list(range(1, 21))
    for task in CHOSEN:
        networks = [record["network"] for record in RECORDS if record["task"] == task]
        assert sorted(networks, key=str) == [*range(10), "recency", "uniform"]


def test_they_are_the_runs_of_the_table_of_results() -> None:
    table = json.loads((ROOT / "results" / "memn2n_1k.json").read_text())
    (column,) = (column for column in table["columns"] if column["id"] == "pe_ls_rn")
    for task, record in CHOSEN.items():
        assert abs(record["error_percent"] - column["cells"][str(task)]["error_percent"]) < 1e-3


def test_the_words_about_single_tasks_have_their_numbers_from_the_table() -> None:
    paragraphs = {int(task): text for task, text in re.findall(r"\*\*Task (\d+)\*\*(.*?)\n\n", PAGE, flags=re.DOTALL)}
    assert set(paragraphs) == {1, 2, 3, 17, 19}
    for task, text in paragraphs.items():
        record = CHOSEN[task]
        for name in ("error_when_complete", "error_when_incomplete"):
            if record[name] and task != 1:
                assert f"{record[name]:.1f} %" in text, (task, name)
        if task != 17:
            assert f"{record['found']:.0f} %" in text or record["found"] == 100
