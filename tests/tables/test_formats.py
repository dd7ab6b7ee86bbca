"""Tables for documents and for other programs."""

from __future__ import annotations

import csv
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest

from babi_memnet.tables.formats import to_columns, to_csv, to_latex
from babi_memnet.tables.sheet import Sheet

SHEET = Sheet(
    "a title",
    ("task", "memn2n_1k\nours", "100 %"),
    (("1", "0.0 (0.1)", "3"), ("a&b", "50 % ± 1", "#1 {x} \\ ~ ^ $"), ("[25, 50]", "<1", "> *")),
    1,
    ("a note with 5 %", "two\nlines", "\r\n100 %\n\\end{tabular}\v\u2028x"),
)


def test_columns_are_of_one_kind() -> None:
    kinds = {"whole": 1, "mixed": 1, "text": 300, "yes": True, "none": None}
    records = [kinds, {"whole": 2, "mixed": 0.5, "text": "1k", "yes": 1, "none": None}, dict.fromkeys(kinds)]
    columns = to_columns(records)
    assert columns == {
        "whole": [1, 2, None],
        "mixed": [1.0, 0.5, None],
        "text": ["300", "1k", None],
        "yes": ["True", "1", None],
        "none": [None] * 3,
    }
    assert [type(value) for value in columns["mixed"][:2]] == [float, float]


def test_csv_is_read_back() -> None:
    records = [{"task": 1, "error": 0.1 + 0.2, "why": None}, {"task": "mean", "error": 2.5, "why": 'say "x", y\nand z'}]
    text = to_csv(records)
    assert text.startswith("task,error,why\n")
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["task"] for row in rows] == ["1", "mean"]
    assert [float(row["error"]) for row in rows] == [0.1 + 0.2, 2.5]
    assert [row["why"] for row in rows] == ["", 'say "x", y\nand z']


def test_latex_is_a_booktabs_table() -> None:
    assert to_latex(SHEET).splitlines() == [
        "% a title",
        "% a note with 5 %",
        "% two lines",
        r"% 100 % \end{tabular} x",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r" & memn2n\_1k &  \\",
        r"task & ours & 100 \% \\",
        r"\midrule",
        r"1 & 0.0 (0.1) & 3 \\",
        r"a\&b & 50 \% $\pm$ 1 & \#1 \{x\} \textbackslash{} \textasciitilde{} \textasciicircum{} \$ \\",
        r"{[}25, 50] & $<$1 & $>$ {*} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_a_header_of_one_line_is_one_row() -> None:
    lines = to_latex(Sheet("", ("task", "a_b"), (("1", "2"),))).splitlines()
    assert lines[:4] == [r"\begin{tabular}{lr}", r"\toprule", r"task & a\_b \\", r"\midrule"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_can_be_set(tmp_path: Path) -> None:
    body = to_latex(SHEET)
    (tmp_path / "a.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + body + "\\end{document}\n"
    )
    subprocess.run(["pdflatex", "-halt-on-error", "a.tex"], cwd=tmp_path, check=True, capture_output=True)
