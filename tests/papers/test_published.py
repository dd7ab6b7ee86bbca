"""The shipped tables against their own printed sums, and the loader against files that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.papers.published import PublishedColumn, PublishedTable, load_table, tables

SHIPPED = tables()
COLUMNS = [pytest.param(column, id=column.name) for table in SHIPPED for column in table.columns]
# four of the re-runs give no count
COUNTED = [
    pytest.param(column, id=column.name) for table in SHIPPED for column in table.columns if column.failed is not None
]

GOOD = """
id: made_up
paper: {title: "A", authors: "B", year: 2020, arxiv: null}
metric: error_percent
dataset: {train_size: "1k"}
protocol: {training: per task, restarts: 10}
columns:
- id: first
  label: "First"
  errors: {1: 0.5, 3: 40}
  mean: 20.2
  failed: 1
  confidence: verified
  source: "Table 1"
- id: second
  label: "Second"
  errors: null
  mean: 0.7
  confidence: single-source
  source: "a review"
  protocol: {training: joint}
  std: {1: 0.2}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "made_up.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_tables_of_the_first_paper_are_shipped() -> None:
    assert [table.id for table in SHIPPED] == ["memn2n_10k", "memn2n_1k", "memn2n_1k_reruns"]
    assert [len(table.columns) for table in SHIPPED] == [13, 12, 5]
    assert len(COUNTED) == 26


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_has_all_tasks_and_says_where_from(column: PublishedColumn) -> None:
    assert sorted(column.errors) == list(range(1, 21))
    assert column.source
    assert column.protocol["training"] in ("per task", "joint")
    assert column.protocol["selection"]


@pytest.mark.parametrize("column", COLUMNS)
def test_the_printed_mean_is_that_of_the_rows(column: PublishedColumn) -> None:
    assert column.mean is not None
    # one decimal printed, so that the mean may be half a step off
    assert abs(sum(column.errors.values()) / 20 - column.mean) <= 0.05 + 1e-9


@pytest.mark.parametrize("column", COUNTED)
def test_the_printed_failed_count_is_that_of_the_rows(column: PublishedColumn) -> None:
    assert column.failed is not None
    above = sum(error > 5 for error in column.errors.values())
    # an error printed as 5.0 may have been above 5 before rounding; the paper counted before
    at_most = sum(error >= 5 for error in column.errors.values())
    assert above <= column.failed <= at_most


@pytest.mark.parametrize("column", COLUMNS)
def test_a_rerun_names_a_column_that_is_there(column: PublishedColumn) -> None:
    if "rerun_of" in column.settings:
        table, name = column.settings["rerun_of"].split("/")
        assert load_table(table).column(name).experiment == column.settings["rerun_of"]


def test_known_numbers() -> None:
    table = load_table("memn2n_1k")
    column = table.column("pe_ls_rn")
    assert (column.errors[3], column.errors[19], column.mean, column.failed) == (40.3, 82.8, 13.9, 11)
    assert (column.name, column.experiment, column.restarts) == ("memn2n_1k/pe_ls_rn", "memn2n_1k/pe_ls_rn", 10)
    assert table.column("lstm").restarts is None
    # the text of the paper says otherwise in both places; the rows decide
    assert table.column("pe_ls_rn_joint").mean == 12.4
    assert table.column("pe").errors[16] == 52.1


def loaded(folder: Path, text: str = GOOD) -> PublishedTable:
    return load_table("made_up", written(folder, text))


def test_a_table_of_the_general_form(tmp_path: Path) -> None:
    table = loaded(tmp_path)
    first, second = table.columns
    assert first.errors == {1: 0.5, 3: 40.0}
    assert (second.errors, second.mean, second.failed, second.experiment) == ({}, 0.7, None, None)
    assert second.protocol == {"training": "joint", "restarts": 10}
    assert second.extra == {"std": {1: 0.2}}
    assert [one.id for one in tables(tmp_path)] == ["made_up"]


def test_accuracies_become_errors(tmp_path: Path) -> None:
    text = GOOD.replace("metric: error_percent", "metric: accuracy_percent")
    text = text.replace("  errors: {1: 0.5, 3: 40}", "  accuracies: {1: 99.5, 3: 60}\n  errors: null")
    text = text.replace("  errors: null\n  mean: 0.7", "  accuracies: null\n  mean: 99.3").replace("20.2", "79.8")
    table = loaded(tmp_path, text)
    assert table.columns[0].errors == {1: 0.5, 3: 40.0}
    assert [column.mean for column in table.columns] == [20.2, 0.7]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  mean: 20.2", "  maen: 20.2", "made_up.yaml: columns.first.mean is missing: expected .*did you mean maen"),
        ("{1: 0.5, 3: 40}", "{1: 0.5, 3: 140}", "made_up.yaml: columns.first.errors.3=140: expected percent"),
        ("{1: 0.5, 3: 40}", "{1: 0.5, 30: 4}", "made_up.yaml: columns.first.errors.30=4: expected a task from 1"),
        ("{1: 0.5, 3: 40}", "{1: 0.5, 3: high}", "made_up.yaml: columns.first.errors.3=high: expected percent"),
        ("{1: 0.5, 3: 40}", "[0.5, 40]", "made_up.yaml: columns.first.errors=.*: expected a mapping of tasks"),
        ("year: 2020", "year: lately", "made_up.yaml: paper.year=lately: expected the year"),
        ("confidence: verified", "confidence: verifed", "columns.first.confidence=verifed: .*did you mean verified"),
        ("metric: error_percent", "metric: error", "made_up.yaml: metric=error: expected error_percent or"),
        ("id: second", "id: first", r"made_up.yaml: columns\[1\].id=first: expected a name that no earlier"),
        ("id: made_up", "id: other", "made_up.yaml: id=other: expected the name of the file, made_up"),
        ("paper: {", "paper: x{", "made_up.yaml:3: not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line_with_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(RequestError, match=message) as caught:
        loaded(tmp_path, GOOD.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_an_unknown_table_or_column_suggests_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"table=memn2n_1: expected one of memn2n_10k.*did you mean memn2n_1k"):
        load_table("memn2n_1")
    with pytest.raises(
        RequestError, match=r"columns=pe_ls_rm: expected a column of memn2n_1k: .*did you mean pe_ls_rn"
    ):
        load_table("memn2n_1k").column("pe_ls_rm")
