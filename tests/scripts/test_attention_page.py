"""The page on attention shows what is kept of its runs."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.tables.attention_sheet import attention_sheet
from babi_memnet.tables.sheet import to_markdown

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "attention.md").read_text()
RECORDS = json.loads((ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn.json").read_text())
ERRORS = json.loads((ROOT / "results" / "attention" / "memn2n_1k_pe_ls_rn_errors.json").read_text())
LENGTHS: dict[Any, dict[str, tuple[float, int]]] = {}
for one in ERRORS:
    if one["by"] == "statements":
        LENGTHS.setdefault(one["task"], {})[one["bin"]] = one["error_percent"], one["questions"]
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


def test_the_kept_errors_are_of_the_same_networks() -> None:
    for task, record in CHOSEN.items():
        total = sum(error * questions for error, questions in LENGTHS[task].values())
        assert total / 1000 == pytest.approx(record["error_percent"], abs=1e-3)
    assert not any("/tmp" in str(value) for record in ERRORS for value in record.values())


def tasks_named(text: str, before: str) -> set[int]:
    """Those of ``tasks 1, 2 and 3``, with the words that stand before them."""
    (found,) = re.findall(rf"{before} tasks? (\d+(?:(?:, | and )\d+)*)", text)
    return {int(task) for task in re.findall(r"\d+", found)}


def test_the_words_about_length_have_their_numbers_from_the_kept_errors() -> None:
    text = " ".join(PAGE.partition("## Errors by facts and by length")[2].split())
    said = {
        ("pooled", "1–2"): "1.1 % with one or two",
        ("pooled", "65–128"): "42.9 % with 65 to 128",
        (2, "1–2"): "0.0 to",
        (2, "65–128"): "60.0 %",
        (10, "1–2"): "5.5 to",
        (10, "9–16"): "17.0 %",
        (3, "3–4"): "50.0 % with 3 or 4 statements, in 4 questions",
        (3, "5–8"): "9.5 % in 21 questions",
        (3, "9–16"): "26.7 to",
        (3, "65–128"): "44.0 %",
        (7, "9–16"): "21.6 to",
        (7, "17–32"): "27.8 and",
        (7, "33–64"): "0.0 % (in 36 questions, and in 1)",
        (8, "9–16"): "13.4 to",
        (8, "17–32"): "11.3 % (in 53)",
        (18, "5–8"): "10.7 to",
        (18, "9–16"): "7.7 %",
    }
    for (task, part), words in said.items():
        assert words in text
        assert f"{LENGTHS[task][part][0]:.1f}" == words.split()[0], (task, part)
    questions = [LENGTHS[task][part][1] for task, part in ((3, "3–4"), (3, "5–8"), (7, "17–32"), (7, "33–64"))]
    assert questions == [4, 21, 36, 1]
    assert LENGTHS[8]["17–32"][1] == 53
    assert (LENGTHS[2]["1–2"][1], LENGTHS[2]["65–128"][1]) == (9, 5)
    middle = [LENGTHS[5][part][0] for part in ("3–4", "5–8", "9–16", "17–32", "33–64")]
    assert f"{min(middle):.1f} and {max(middle):.1f} %" in text
    # of task 3, in the words about it
    assert (round(LENGTHS[3]["9–16"][0]), LENGTHS[3]["129+"][1]) == (27, 21)


def test_the_words_about_length_name_the_right_tasks() -> None:
    text = " ".join(PAGE.partition("## Errors by facts and by length")[2].split())
    errors = {
        task: [error for error, _ in parts.values()]
        for task, parts in LENGTHS.items()
        if task != "pooled" and len(parts) > 1
    }
    assert len(errors) == 15  # fifteen tasks
    for parts, before in (
        (("17–32", "33–64"), "more than 16 statements only"),
        (("65–128",), "more than 64 only"),
        (("129+",), "more than 128 only"),
    ):
        for part in parts:
            assert {task for task in errors if part in LENGTHS[task]} == tasks_named(text, before)
    rare = {task for task, values in errors.items() if max(values) <= 0.5}
    rising = {task for task, values in errors.items() if all(one <= other for one, other in pairwise(values))}
    assert tasks_named(text, "any length on") == rare
    assert tasks_named(text, "to the next on") == rising - rare
    assert tasks_named(text, "throughout on") == set(errors) - rising - rare
