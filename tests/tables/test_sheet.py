"""What is printed, to the letter."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

from babi_memnet.papers.comparison import compare, compare_column
from babi_memnet.papers.judgement import judge
from babi_memnet.papers.matching import match
from babi_memnet.papers.published import load_table
from babi_memnet.tables.sheet import (
    column_table,
    column_tables,
    compact_table,
    run_table,
    show,
    summary_table,
    to_markdown,
    to_text,
)
from tests.papers.runs import configuration, joint_result, task_result

TRAIN = [0.1 * index for index in range(10)]


def column(id: str, ours: dict[int, float]) -> dict[str, Any]:
    published = load_table("memn2n_1k").column(id)
    cells = {task: compare(task_result(task, TRAIN, [error] * 10), published, task) for task, error in ours.items()}
    entry: dict[str, Any] = json.loads(json.dumps(compare_column(cells, published).as_json()))
    return entry


def test_the_table_of_a_run() -> None:
    judgement = judge(task_result(3, TRAIN, [41.0] * 10), match(configuration("memn2n_1k/pe_ls_rn", 3)))
    drawn = to_text(run_table(json.loads(json.dumps(judgement.as_json()))))
    assert (
        drawn
        == """\
memn2n_1k/pe_ls_rn: MemN2N PE LS RN

 task   ours     ±       interval   published   difference   margin   verdict
 ─────────────────────────────────────────────────────────────────────────────────────────────
 3      41.0   0.0   38.0 to 44.1        40.3         +0.7      4.3   = reproduced (questions)

published: arXiv 1503.08895v5 PDF (two independent copies, tables identical), Table 1
±: spread of the selected error if all restarts were repeated; interval: 95 %, from the test questions
margin: the largest difference that test questions and restarts explain
"""
    )


def test_the_table_of_a_run_without_a_column() -> None:
    settings = configuration("memn2n_1k/pe_ls_rn", 3)
    settings["training"]["epochs"] = 5
    drawn = to_text(run_table(judge(task_result(3, TRAIN, [41.0] * 10), match(settings)).as_json()))
    assert "No published error to hold this run against" in drawn
    assert "nearest: memn2n_1k/pe_ls_rn, differs in training.epochs=5 (100)" in drawn
    assert "38.0 to 44.1" in drawn


def test_a_joint_run_ends_with_mean_and_failed_tasks() -> None:
    found = match(configuration("memn2n_1k/pe_ls_rn_joint", "joint"))
    assert found.column is not None
    result = joint_result(TRAIN, [{task: error + 0.5 for task, error in found.column.errors.items()}] * 10)
    rows = [line.split() for line in to_text(run_table(judge(result, found).as_json())).splitlines()]
    assert ["2", "11.9", "0.0", "10.0", "to", "14.1", "11.4", "+0.5", "2.8", "=", "reproduced", "(questions)"] in rows
    assert ["mean", "12.9", "12.4", "+0.5", "0.5", "=", "reproduced", "(questions)"] in rows
    assert ["failed", "11", "11", "+0"] in rows


def test_a_table_of_columns() -> None:
    columns = [column("pe_ls_rn", {1: 0.0, 10: 30.0, 2: 1.0}), column("pe", {1: 0.1, 2: 22.0})]
    assert (
        to_text(column_table(columns, "memn2n_1k"))
        == """\
memn2n_1k

          pe_ls_rn                             pe
 task         ours   published    diff       ours   published   diff
 ───────────────────────────────────────────────────────────────────────
 1             0.0         0.0    +0.0   =    0.1         0.1   +0.0   =
 2             1.0         8.3    -7.3   <   22.0        21.6   +0.4   =
 10           30.0        15.1   +14.9   >      –

 mean         10.3         7.8    +2.5   >   11.1        10.9   +0.2   =
 failed          1           2      -1          1           1     +0

= reproduced, < ours is lower, > ours is higher, ? unresolved; errors in percent, differences ours - published
means and failed tasks are over the tasks present, on both sides
"""
    )


def test_markdown() -> None:
    sheet = column_table([column("pe_ls_rn", {1: 0.0, 2: 8.0})], "memn2n_1k")
    assert (
        to_markdown(sheet)
        == """\
**memn2n_1k**

| task | pe_ls_rn ours | published | diff |  |
| --- | ---: | ---: | ---: | ---: |
| 1 | 0.0 | 0.0 | +0.0 | = |
| 2 | 8.0 | 8.3 | -0.3 | = |
| mean | 4.0 | 4.2 | -0.2 | = |
| failed | 1 | 1 | +0 |  |

- = reproduced, < ours is lower, > ours is higher, ? unresolved; errors in percent, differences ours - published
"""
    )


def test_columns_that_do_not_fit_go_below() -> None:
    columns = [column(id, {1: 0.5, 2: 10.0}) for id in ("bow", "pe", "pe_ls", "pe_ls_rn", "hop3_pe_ls_joint")]
    sheets = column_tables(columns, width=80)
    heads = [[text.split("\n")[0] for text in sheet.header if "\n" in text] for sheet in sheets]
    assert heads == [["bow", "pe"], ["pe_ls", "pe_ls_rn"], ["hop3_pe_ls_joint"]]
    tables = [to_text(sheet).split("\n\n= reproduced")[0] for sheet in sheets]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80
    assert len(column_tables(columns, width=20)) == 5


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal(monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    sheets = [column_table([column("pe_ls_rn", {1: 0.0, 10: 30.0})])]
    pipe, screen = io.StringIO(), Screen()
    show(sheets, pipe)
    show(sheets, screen)
    assert pipe.getvalue() == to_text(sheets[0])
    assert "\x1b[31m>\x1b[0m" in screen.getvalue()


def test_tables_are_drawn_without_heavy_imports() -> None:
    """`--help` and reports import this package: torch, hydra and scipy must stay out until they are needed."""
    code = (
        "import sys, babi_memnet.tables.sheet, babi_memnet.papers.judgement\n"
        "print(sorted({'torch', 'hydra', 'scipy', 'rich', 'yaml', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_compact_table_puts_the_published_error_beside_ours() -> None:
    columns = [column("pe_ls_rn", {1: 0.0, 10: 30.0, 2: 1.0}), column("pe", {1: 0.1, 2: 22.0})]
    sheet = compact_table(columns, "memn2n_1k", ["a note"])
    assert sheet.header == ("task", "pe_ls_rn", "pe")
    assert sheet.rows == (
        ("1", "0.0 (0.0)", "0.1 (0.1)"),
        ("2", "1.0 (8.3) <", "22.0 (21.6)"),
        ("10", "30.0 (15.1) >", "–"),
        ("mean", "10.3 (7.8) >", "11.1 (10.9)"),
        ("failed", "1 (2)", "1 (1)"),
    )
    assert sheet.notes[-1] == "a note"


def test_a_summary_has_a_row_for_every_column() -> None:
    found = column("pe", {1: 0.1, 2: 22.0})
    (row,) = summary_table([{**found, "seconds": 90.0, "over_restarts": {"mean": 12.34, "median": 11.5}}]).rows
    chance = f"{100 * found['chance']:.0f} %"
    assert row == ("pe", "11.1", "10.9", "+0.2", chance, "1", "1", "= reproduced", "12.3", "11.5", "1.5")


def test_a_task_that_all_columns_lack_is_a_row_and_a_joint_run_that_is_missing_is_none() -> None:
    found = {**column("pe", {1: 0.1}), "missing": {"3": "its file is not there", "joint": "it failed"}}
    assert [row[:2] for row in compact_table([found]).rows] == [
        ("1", "0.1 (0.1)"),
        ("3", "–"),
        ("mean", "0.1 (0.1)"),
        ("failed", "0 (0)"),
    ]


def test_without_a_published_column_there_is_only_ours() -> None:
    cells = {1: compare(task_result(1, TRAIN, [3.0] * 10), None, 1)}
    ours = {**compare_column(cells, None).as_json(), "id": "mine", "seconds": 0.0}
    assert compact_table([ours]).rows == (("1", "3.0"), ("mean", "3.0"), ("failed", "0"))
    assert summary_table([ours]).rows == (("mine", "3.0", "", "", "", "0", "", "", "", "", "0.0"),)


def test_a_summary_of_too_few_restarts_has_no_chance() -> None:
    published = load_table("memn2n_1k").column("pe")
    cells = {2: compare(task_result(2, TRAIN[:3], [60.0, 61.0, 62.0]), published, 2)}
    entry = {**compare_column(cells, published).as_json(), "seconds": 6.0}
    (row,) = summary_table([entry], "a title", ["a note"]).rows
    assert row == ("pe", "60.0", "21.6", "+38.4", "", "1", "1", "? unresolved", "", "", "0.1")
    assert "a note" in to_text(summary_table([entry], "a title", ["a note"]))
