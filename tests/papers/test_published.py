"""The shipped tables against their own printed sums, and the loader against files that are wrong."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest
import yaml

from babi_memnet.errors import RequestError
from babi_memnet.papers.published import PublishedColumn, PublishedTable, load_table, tables, trainable_tables
from babi_memnet.paths import conf_directory

SHIPPED = tables()
COLUMNS = [pytest.param(column, id=column.name) for table in SHIPPED for column in table.columns]
# the rest gives only means, or a few tasks
WHOLE = [param for param in COLUMNS if len(param.values[0].errors) == 20]
SUMMED = [param for param in WHOLE if param.values[0].mean is not None]
COUNTED = [param for param in WHOLE if param.values[0].failed is not None]

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


def test_the_page_lists_every_table_with_its_columns_and_those_that_can_be_trained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "published.md").read_text()
    listed = re.findall(r"^\| `(\w+)\.yaml` \| .* \| (\d+) \| (\d+|–) \|$", page, flags=re.MULTILINE)
    trained = {table.id: sum(column.experiment is not None for column in table.columns) for table in SHIPPED}
    assert {name: (int(columns), int(number.replace("–", "0"))) for name, columns, number in listed} == {
        table.id: (len(table.columns), trained[table.id]) for table in SHIPPED
    }


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_is_verified_or_says_that_it_is_not_and_where_from(column: PublishedColumn) -> None:
    assert column.confidence in ("verified", "single-source")
    assert column.source
    # A column without numbers is one of our own, which is trained to have some.
    assert column.errors or column.mean is not None or column.experiment
    numbers = [*column.errors.values(), *([] if column.mean is None else [column.mean])]
    assert all(0 <= number <= 100 for number in numbers)
    assert set(column.errors) <= set(range(1, 21))
    assert column.failed is None or 0 <= column.failed <= 20


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_says_how_it_was_trained_and_selected(column: PublishedColumn) -> None:
    protocol = column.protocol
    # where the numbers are a quotation, this may be lost
    assert protocol["training"] in ("per task", "joint", *([None] if column.confidence != "verified" else []))
    assert protocol.get("train_size", load_table(column.table).dataset["train_size"]) in ("1k", "10k")
    assert protocol["selection"]
    assert protocol.get("reported", "selected run") in ("selected run", "best run per task", "mean over runs")
    # the words and the numbers beside them say the same
    for key in ("restarts", "runs"):
        number = protocol.get(key)
        assert number in (None, 1) or str(number) in protocol["selection"]
    if protocol.get("selected_by"):
        assert protocol["selected_by"].split()[0] in protocol["selection"].lower()
    if protocol.get("reported") == "mean over runs":
        assert protocol["selection"].startswith(("none: ", "by validation loss; mean over"))
    else:
        assert not protocol.get("runs")


@pytest.mark.parametrize("table", SHIPPED, ids=lambda table: table.id)
def test_every_table_says_of_which_data(table: PublishedTable) -> None:
    assert set(table.dataset) >= {"version", "train_size"}
    assert table.dataset["version"] or table.dataset["about"]


def decimals(table: str) -> int:
    """With how many decimals the table prints its means."""
    columns = yaml.safe_load((conf_directory() / "published" / f"{table}.yaml").read_text())["columns"]
    means = [str(column["mean"]) for column in columns if column["mean"] is not None]
    return max(len(mean.partition(".")[2]) for mean in means)


@pytest.mark.parametrize("column", SUMMED)
def test_the_printed_mean_is_that_of_the_rows(column: PublishedColumn) -> None:
    assert column.mean is not None
    if column.name == "weston_2015/memnn_2014":
        assert "70" in column.notes  # the paper contradicts itself
        return
    # the mean may be half a step of what is printed off
    assert abs(sum(column.errors.values()) / 20 - column.mean) <= 0.5 * 10 ** -decimals(column.table) + 1e-9


@pytest.mark.parametrize("column", COUNTED)
def test_the_printed_failed_count_is_that_of_the_rows(column: PublishedColumn) -> None:
    assert column.failed is not None
    above = sum(error > 5 for error in column.errors.values())
    # an error printed as 5.0 may have been above 5 before rounding; the paper counted before
    at_most = sum(error >= 5 for error in column.errors.values())
    if column.name == "entnet_10k/ntm":
        assert (above, at_most, column.failed) == (15, 15, 16)  # the paper contradicts itself
        assert "15" in column.notes
    elif column.protocol.get("reported") == "mean over runs":
        assert "failed_std" in column.extra  # the mean of the counts, not the count of the means
    else:
        assert above <= column.failed <= at_most


@pytest.mark.parametrize("column", COLUMNS)
def test_a_spread_is_that_of_a_mean_over_runs(column: PublishedColumn) -> None:
    if {"std", "mean_std", "failed_std", "run_means"} & set(column.extra):
        assert column.protocol["reported"] == "mean over runs"
        assert set(column.extra.get("std", {})) in (set(), set(column.errors))


def test_runs_that_are_printed_one_by_one_have_the_printed_mean_and_spread() -> None:
    column = load_table("tpr_rnn_10k_joint").column("tpr_rnn")
    means = column.extra["run_means"]
    assert len(means) == column.protocol["runs"]
    assert statistics.mean(means) == pytest.approx(column.mean, abs=0.005)
    assert statistics.stdev(means) == pytest.approx(column.extra["mean_std"], abs=0.005)
    assert min(means) == column.extra["best"]


def test_a_column_that_two_papers_print_is_the_same_in_both() -> None:
    for ours, theirs in (("lstm", "lstm"), ("memnn_strong", "memnn_am_ng_nl")):
        first, second = load_table("memn2n_1k").column(ours), load_table("weston_2015").column(theirs)
        copied = {task: first.errors[task] for task in first.errors if first.errors[task] != second.errors[task]}
        assert copied == ({11: 38.0} if ours == "lstm" else {})  # a slip of the copy: its own mean goes with 38


def test_only_tables_with_an_experiment_are_looked_through_for_the_column_of_a_run(tmp_path: Path) -> None:
    with_one = [table for table in SHIPPED if any(column.experiment for column in table.columns)]
    assert trainable_tables() == with_one
    assert {"memn2n_1k", "memn2n_10k"} <= {table.id for table in with_one} < {table.id for table in SHIPPED}
    (tmp_path / "broken.yaml").write_text("id: [")
    assert trainable_tables(tmp_path) == []
    written(tmp_path, GOOD.replace("Table 1", "an experiment"))
    assert trainable_tables(tmp_path) == []
    written(tmp_path, GOOD.replace("  mean: 20.2", "  experiment: made_up/first\n  mean: 20.2"))
    assert [table.id for table in trainable_tables(tmp_path)] == ["made_up"]


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
    assert load_table("entnet_10k").column("entnet").errors[3] == 4.1
    best = load_table("ut").column("ut_act_1k_joint_best")
    assert (best.errors[19], best.mean, best.failed, best.joint) == (68.2, 7.78, 5, True)
    assert load_table("weston_2015").column("lstm").errors[19] == 92  # printed as an accuracy of 8
    assert load_table("rn_10k_joint").column("rn").errors == {2: 8.1, 3: 16.5, 16: 2.1}


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
    with pytest.raises(RequestError, match=r"table=memn2n_1: expected one of adnc.*memn2n_10k.*did you mean memn2n_1k"):
        load_table("memn2n_1")
    with pytest.raises(
        RequestError, match=r"columns=pe_ls_rm: expected a column of memn2n_1k: .*did you mean pe_ls_rn"
    ):
        load_table("memn2n_1k").column("pe_ls_rm")
