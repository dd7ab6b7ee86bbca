"""Where restarts agree, as a table to read."""

from __future__ import annotations

from babi_memnet.tables.predictions_report import agreement_sheet


def test_a_sheet_has_a_row_for_each_run():
    record = {"label": "train", "run": "r", "task": "3", "questions": 200, "restarts": 4, "error_percent": 12.25,
              "mean": 15.04, "ensemble": 9.0, "agreed_percent": 71.0, "agreed_and_wrong_percent": 2.5}  # fmt: skip
    sheet = agreement_sheet([record], "runs", ["elsewhere: gone"])
    assert sheet.rows == (("train", "3", "4", "12.2", "15.0", "9.0", "71.0", "2.5"),)
    assert len(sheet.header) == len(sheet.rows[0])
    assert sheet.notes[-1] == "left out: elsewhere: gone"
