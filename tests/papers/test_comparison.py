"""Verdicts on runs whose truth is known, and the sums over a column."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from babi_memnet.errors import RequestError
from babi_memnet.papers.comparison import Against, Comparison, compare, compare_column, failed
from babi_memnet.papers.judgement import judge
from babi_memnet.papers.matching import Match
from babi_memnet.papers.published import PublishedColumn, load_table
from tests.papers.runs import joint_result, task_result

COLUMN = load_table("memn2n_1k").column("pe_ls_rn")
JOINT = load_table("memn2n_1k").column("pe_ls_rn_joint")
TRAIN = [0.1 * index for index in range(10)]


def verdict(train: list[float], test: list[float], task: int = 18) -> tuple[str, str | None]:
    """Task 18 is published as 11.1."""
    against = compare(task_result(task, train, test), COLUMN, task).against
    assert against is not None
    return against.verdict, against.explained_by


def near(error: float, spread: float = 0.1, restarts: int = 10) -> list[float]:
    return [error + spread * (index % 3 - 1) for index in range(restarts)]


def test_one_cell_in_full() -> None:
    test = near(12.0)
    cell = compare(task_result(18, TRAIN, test), COLUMN, 18)
    assert cell.error_percent == pytest.approx(11.9)
    assert (cell.questions, cell.restarts) == (1000, 10)
    assert cell.interval == pytest.approx((10.04, 14.06), abs=0.01)
    against = cell.against
    assert against is not None
    assert against.published == 11.1
    assert against.difference == pytest.approx(0.8)
    # 1.96 sqrt(2 p(1-p)/n) with p the mean of the two, and next to nothing for rounding
    assert against.margin_questions == pytest.approx(1.96 * np.sqrt(2 * 0.115 * 0.885 / 1000) * 100, abs=0.01)
    assert against.margin is not None
    assert against.margin > against.margin_questions
    assert against.verdict == "reproduced"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (near(11.9), ("reproduced", "questions")),
        (near(21.0), ("worse", None)),
        (near(1.0), ("better", None)),
        ([15.0, 8.0, 21.0, 9.0, 12.0, 16.0, 7.0, 14.0, 10.0, 19.0], ("reproduced", "restarts")),
        (near(21.0, restarts=6), ("unresolved", None)),
        (near(1.0, restarts=6), ("better", None)),
        (near(15.0, restarts=3), ("unresolved", None)),
        (near(11.9, restarts=3), ("reproduced", "questions")),
        ([11.1], ("unresolved", None)),
    ],
)
def test_verdicts(test: list[float], expected: tuple[str, str | None]) -> None:
    assert verdict(TRAIN[: len(test)], test) == expected


def test_an_unlucky_draw_of_two_modes_is_explained_by_restarts() -> None:
    """Two of ten restarts solve the task: another ten would contain none in one of nine cases."""
    train = [0.5, 0.7, *near(50.0, restarts=8)]
    test = [1.0, 1.5, *near(52.0, restarts=8)]
    published = PublishedColumn("c", "t", "", {1: 52.0}, 52.0, 1, "", "verified", protocol={"restarts": 10})
    against = compare(task_result(1, train, test), published, 1).against
    assert against is not None
    assert (against.verdict, against.explained_by) == ("reproduced", "restarts")


def simulated_verdicts(shift: float) -> list[str]:
    """200 columns of one task, ours and theirs drawn from one truth but for the shift."""
    generator = np.random.default_rng(0)
    verdicts = []
    for _ in range(200):
        sides = []
        for _ in range(2):
            train = generator.exponential(2, 10)
            truth = np.clip(12 + train + generator.normal(0, 0.7, 10), 0, 100) / 100
            sides.append((train, generator.binomial(1000, truth) / 10))
        (train, test), (their_train, their_test) = sides
        printed = round(float(their_test[their_train.argmin()]) + shift, 1)
        column = PublishedColumn("c", "t", "", {1: printed}, None, None, "", "verified", protocol={"restarts": 10})
        against = compare(task_result(1, list(train), list(test)), column, 1).against
        assert against is not None
        verdicts.append(against.verdict)
    return verdicts


def test_false_alarms_and_power_of_whole_runs() -> None:
    same, ours_better = simulated_verdicts(0), simulated_verdicts(10)
    assert same.count("reproduced") >= 0.95 * len(same)
    assert ours_better.count("better") >= 0.8 * len(ours_better)


def test_the_count_of_failed_tasks_is_strict_and_forgives_arithmetic() -> None:
    assert not failed(5.0)
    assert not failed((1 - 0.95) * 100)
    assert failed(5.1)


def test_a_column_of_separate_runs() -> None:
    cells = {task: compare(task_result(task, TRAIN, near(COLUMN.errors[task] + 1)), COLUMN, task) for task in (7, 5, 3)}
    whole = compare_column(cells, COLUMN)
    assert list(whole.cells) == [3, 5, 7]
    assert (whole.failed, whole.published_failed) == (3, 3)
    assert whole.against is not None
    assert whole.against.published == pytest.approx((40.3 + 13.1 + 17.3) / 3)
    assert whole.mean == pytest.approx(whole.against.published + 0.9)
    assert whole.against.verdict == "reproduced"
    # three errors together are known better than one alone
    sides = [cell.against for cell in whole.cells.values() if cell.against]
    assert whole.against.variance == pytest.approx(sum(side.variance for side in sides) / 9)


def test_all_tasks_count_failures_as_printed() -> None:
    column = load_table("memn2n_1k").column("hop2_pe_ls_joint")
    result = joint_result(TRAIN, [column.errors] * 10)
    whole = compare_column({task: compare(result, column, task) for task in column.errors}, column)
    # task 10 is printed as 5.0 and was counted as failed before rounding
    assert (whole.failed, whole.published_failed) == (10, 11)


def test_one_cell_with_too_few_restarts_leaves_a_large_difference_open() -> None:
    cells = {task: compare(task_result(task, TRAIN, near(1.0)), COLUMN, task) for task in (3, 5)}
    cells[7] = compare(task_result(7, TRAIN[:3], near(1.0, restarts=3)), COLUMN, 7)
    against = compare_column(cells, COLUMN).against
    assert against is not None
    assert (against.margin, against.chance, against.verdict) == (None, None, "unresolved")


def test_the_interval_of_a_column_mean_covers_the_truth() -> None:
    """Twenty cells whose variances are each estimated with 8 degrees of freedom."""
    generator = np.random.default_rng(6)
    covered = 0
    for _ in range(1000):
        variances = generator.uniform(0.1, 4, 20)
        cells = {}
        for task, variance in enumerate(variances, start=1):
            difference = generator.normal(0, np.sqrt(variance))
            estimate = variance * generator.chisquare(8) / 8
            side = Against(10.0, difference, 0.1, 1.0, estimate, 8.0, 0.05, None, "worse")
            cells[task] = Comparison(task, 10 + difference, (0.0, 1.0), 1000, 10, 1.0, side)
        against = compare_column(cells, COLUMN).against
        assert against is not None
        assert against.margin is not None
        covered += abs(against.difference) <= against.margin
    assert covered / 1000 == pytest.approx(0.95, abs=0.02)


def test_the_chance_is_at_most_5_percent_exactly_beyond_the_margin() -> None:
    """Of tasks, of the mean over separate runs and of the mean of a joint run."""
    generator = np.random.default_rng(8)
    beyond = 0
    for _ in range(60):
        train, shift = list(generator.exponential(2, 10)), generator.normal(0, 5)
        tests = {task: np.clip(JOINT.errors[task] + shift + generator.normal(0, 1, 10), 0, 100) for task in (3, 16)}
        cells = {task: compare(task_result(task, train, list(test)), JOINT, task) for task, test in tests.items()}
        rows = [{task: float(test[place]) for task, test in tests.items()} for place in range(10)]
        overall = compare(joint_result(train, rows), JOINT, "joint")
        sides = [cell.against for cell in (*cells.values(), overall)]
        for against in (*sides, compare_column(cells, JOINT).against):
            assert against is not None
            assert against.chance is not None
            assert against.margin is not None
            assert 0 <= against.chance <= 1
            assert (against.chance <= 0.05) == (abs(against.difference) > against.margin)
            beyond += against.chance <= 0.05
    assert 60 < beyond < 180


def test_the_chance_of_a_mean_is_uniform_where_the_truth_is_the_same() -> None:
    """Of two tasks whose variances are each estimated with 8 degrees of freedom."""
    generator = np.random.default_rng(9)
    chances = []
    for _ in range(1000):
        cells = {}
        for task, variance in ((1, 1.0), (2, 3.0)):
            difference = generator.normal(0, np.sqrt(variance))
            estimate = variance * generator.chisquare(8) / 8
            side = Against(10.0, difference, 0.1, 1.0, estimate, 8.0, 0.05, None, "worse")
            cells[task] = Comparison(task, 10 + difference, (0.0, 1.0), 1000, 10, 1.0, side)
        against = compare_column(cells, COLUMN).against
        assert against is not None
        chances.append(against.chance)
    assert stats.kstest(chances, "uniform").pvalue > 0.01


def test_too_few_restarts_leave_no_chance() -> None:
    against = compare(task_result(18, TRAIN[:4], near(30.0, restarts=4)), COLUMN, 18).against
    assert against is not None
    assert (against.chance, against.margin) == (None, None)


def test_a_joint_run_selects_one_restart_for_all_tasks() -> None:
    generator = np.random.default_rng(7)
    shared = generator.normal(0, 1, 10)
    # a good restart is good at both tasks, so that their errors do not average out
    test = [{2: 12.0 + one, 3: 22.0 + one} for one in shared]
    result = joint_result(list(generator.uniform(0, 1, 10)), test)
    overall = compare(result, JOINT, "joint")
    chosen = test[result["selected"]]
    assert overall.error_percent == pytest.approx(sum(chosen.values()) / 2)
    assert overall.questions == 2000
    whole = compare_column({task: compare(result, JOINT, task) for task in (2, 3)}, JOINT, overall)
    alone = compare_column(whole.cells, JOINT).against
    assert whole.against is overall.against
    assert overall.against is not None
    assert alone is not None
    assert overall.against.published == pytest.approx((11.4 + 21.9) / 2)
    assert overall.against.variance > alone.variance


def test_without_a_column_only_our_side_is_filled_in() -> None:
    cell = compare(task_result(18, TRAIN, near(12.0)), None, 18)
    assert cell.against is None
    assert cell.spread == pytest.approx(0.1, abs=0.05)
    assert compare_column({18: cell}, None).as_json()["published"] is None


def test_tasks_of_unlike_numbers_of_questions_have_each_an_interval_of_its_own() -> None:
    result = joint_result([0.0, 1.0], [{2: 10.0, 3: 10.0}, {2: 11.0, 3: 12.0}])
    alike = {task: compare(result, None, task).interval for task in (2, 3)}
    assert alike[2] == alike[3]
    result["data"]["questions"] = {**result["data"]["questions"], "test": 1100, "test_per_task": {"2": 100, "3": 1000}}
    few, many, both = (compare(result, None, task) for task in (2, 3, "joint"))
    assert (few.questions, many.questions, both.questions) == (100, 1000, 1100)
    assert many.interval == alike[3]
    assert few.interval[0] < many.interval[0] < many.interval[1] < few.interval[1]
    # the mean of two independent shares of 0.1
    half = 1.96 * np.sqrt((0.09 / 100 + 0.09 / 1000) / 4) * 100
    assert both.interval == pytest.approx((10 - half, 10 + half), abs=0.01)


def test_a_task_that_the_source_lacks_is_named() -> None:
    column = PublishedColumn("rn", "rn_10k", "", {2: 8.1}, 2.0, 2, "", "verified")
    with pytest.raises(RequestError, match="column rn_10k/rn has no error for task 4"):
        compare(task_result(4, TRAIN, near(2.0)), column, 4)


def test_a_source_that_prints_means_alone_has_nothing_to_hold_a_task_against() -> None:
    column = PublishedColumn("qrn_2r_1k", "qrn", "", {}, 9.9, 7, "", "verified")
    cell = compare(task_result(4, TRAIN, near(2.0)), column, 4)
    assert cell.against is None
    assert compare_column({4: cell}, column).against is None


@pytest.mark.parametrize(("error", "expected"), [(10.1, "reproduced"), (20.0, "worse"), (2.0, "better")])
def test_a_printed_mean_is_held_against_the_mean_of_all_tasks(error: float, expected: str) -> None:
    column = PublishedColumn("qrn_2r_1k", "qrn", "", {}, 9.9, 7, "", "verified")
    cells = {task: compare(task_result(task, TRAIN, near(error)), column, task) for task in range(1, 21)}
    whole = compare_column(cells, column)
    assert whole.against is not None
    assert (whole.against.verdict, whole.against.published, whole.published_failed) == (expected, 9.9, 7)
    assert whole.against.difference == pytest.approx(whole.mean - 9.9)
    # as wide as that of a source that prints rows with this mean, but for the rounding, which is of one number
    rows = PublishedColumn("qrn_2r_1k", "qrn", "", dict.fromkeys(cells, 9.9), 9.9, 7, "", "verified")
    known = {task: compare(task_result(task, TRAIN, near(error)), rows, task) for task in cells}
    side = compare_column(known, rows).against
    assert side is not None
    assert whole.against.margin == pytest.approx(side.margin, rel=0.02)
    assert whole.against.variance == pytest.approx(side.variance + 0.95 * 0.1**2 / 12)
    entry = whole.as_json()
    assert entry["published"] == {"errors": {}, "mean": 9.9, "failed": 7, "source": ""}
    assert all(cell["published"] is None and cell["verdict"] is None for cell in entry["cells"].values())


def test_a_printed_mean_is_held_against_a_run_of_all_tasks() -> None:
    column = PublishedColumn("qrn_joint", "qrn", "", {}, 9.9, None, "", "verified", protocol={"training": "joint"})
    result = joint_result(TRAIN, [dict.fromkeys(range(1, 21), error) for error in near(10.0)])
    found = judge(result, Match(column, None, ()))
    side = found.comparison.against
    assert side is not None
    assert (side.published, side.verdict) == (9.9, "reproduced")
    assert not found.notes


def test_json_is_plain_and_has_the_keys_of_a_table_json() -> None:
    cells = {task: compare(task_result(task, TRAIN[:4], near(10.0, restarts=4)), COLUMN, task) for task in (1, 2)}
    entry = compare_column(cells, COLUMN).as_json()
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry
    assert set(entry) >= {"id", "errors", "mean", "failed", "published", "cells", "difference", "verdict"}
    assert entry["errors"] == {"1": 9.9, "2": 9.9}
    assert entry["published"] == {"errors": {"1": 0.0, "2": 8.3}, "mean": 4.15, "failed": 1, "source": COLUMN.source}
    assert set(entry["cells"]["2"]) >= {"restarts", "interval", "verdict", "published", "difference", "spread"}
