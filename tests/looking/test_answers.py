"""Where the errors are, and what is taken for what: by hand, and by brute force on random answers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from babi_memnet.looking.answers import BINS, OTHER, POOLED, Answered, confusion, confusion_records, error_records
from babi_memnet.tables.answer_figures import confusion_figure, error_figure

WORDS = ["hall", "garden", "kitchen", "office"]


def answered(task: int, facts: Any, told: Any, restarts: int = 3, seed: int = 0, label: str = "train") -> Answered:
    """Random answers; restart 1 is the selected one."""
    draw = np.random.default_rng(seed)
    right = [WORDS[place] for place in draw.integers(3, size=len(facts))]
    given = [WORDS[place] for place in draw.integers(4, size=len(facts))]
    wrong = draw.random((restarts, len(facts))) < 0.3
    wrong[1] = [one != other for one, other in zip(right, given, strict=True)]
    return Answered(label, f"run_{task}", None, task, np.array(facts), np.array(told), right, given, wrong, 1)


DRAW = np.random.default_rng(5)
VARIED = answered(7, DRAW.integers(1, 8, size=200), DRAW.integers(1, 230, size=200), seed=1)
FIXED = answered(1, np.ones(100, dtype=int), DRAW.integers(2, 11, size=100), restarts=2, seed=2)
FLAT = answered(17, np.full(50, 2), np.full(50, 2), seed=3)


def test_bins_share_out_all_numbers() -> None:
    for bins in BINS.values():
        numbers = np.arange(500)
        assert (sum(part.holds(numbers).astype(int) for part in bins) == 1).all()
    assert [str(part) for part in BINS["statements"][:5]] == ["0", "1–2", "3–4", "5–8", "9–16"]
    assert str(BINS["supporting facts"][-1]) == "6+"


def test_errors_by_brute_force() -> None:
    records = error_records([VARIED])
    assert {record["task"] for record in records} == {7}
    for name, values in (("supporting facts", VARIED.facts), ("statements", VARIED.told)):
        mine = [record for record in records if record["by"] == name]
        assert sum(record["questions"] for record in mine) == 200
        for record in mine:
            low, _, high = record["bin"].replace("+", "–100000").partition("–")
            places = [n for n in range(200) if int(low) <= values[n] <= int(high or low)]
            assert record["questions"] == len(places)
            errors = [100 * np.mean([VARIED.wrong[r, n] for n in places]) for r in range(3)]
            assert record["error_percent"] == pytest.approx(errors[1])
            assert record["mean"] == pytest.approx(np.mean(errors))
            assert record["standard_deviation"] == pytest.approx(np.std(errors, ddof=1))
            assert (record["best"], record["worst"]) == pytest.approx((min(errors), max(errors)))
            wilson = binomtest(round(errors[1] * len(places) / 100), len(places)).proportion_ci(0.95, "wilson")
            assert (record["low"], record["high"]) == pytest.approx((100 * wilson.low, 100 * wilson.high), abs=1e-9)


def test_the_bins_of_a_task_make_its_error() -> None:
    records = [record for record in error_records([VARIED]) if record["by"] == "statements"]
    total = sum(record["questions"] * record["error_percent"] for record in records) / 200
    assert total == pytest.approx(100 * VARIED.wrong[1].mean())


def test_only_tasks_whose_questions_differ_are_pooled() -> None:
    pooled = [record for record in error_records([VARIED, FIXED, FLAT]) if record["task"] == POOLED]
    assert {record["tasks"] for record in pooled if record["by"] == "supporting facts"} == {"7"}
    assert {record["tasks"] for record in pooled if record["by"] == "statements"} == {"7 1"}
    (some,) = (record for record in pooled if (record["by"], record["bin"]) == ("statements", "3–4"))
    parts = [one.wrong[:, (one.told >= 3) & (one.told <= 4)] for one in (VARIED, FIXED)]
    assert some["questions"] == sum(part.shape[1] for part in parts)
    assert some["error_percent"] == pytest.approx(100 * np.concatenate([part[1] for part in parts]).mean())
    # restart 0 of both, restart 1 of both; the third of one has no partner
    both = [100 * np.concatenate([part[r] for part in parts]).mean() for r in (0, 1)]
    assert some["restarts"] == 2
    assert some["mean"] == pytest.approx(np.mean(both))
    assert some["run"] is None


def test_without_such_tasks_all_are_pooled() -> None:
    records = error_records([FIXED, FLAT])
    pooled = {
        record["bin"]: record for record in records if (record["task"], record["by"]) == (POOLED, "supporting facts")
    }
    assert {name: record["questions"] for name, record in pooled.items()} == {"1": 100, "2": 50}
    assert pooled["2"]["error_percent"] == pytest.approx(100 * FLAT.wrong[1].mean())


def test_labels_are_not_pooled() -> None:
    other = answered(7, VARIED.facts, VARIED.told, seed=9, label="other")
    assert all(record["task"] == 7 for record in error_records([VARIED, other]))


def test_more_errors_never_lower_an_error() -> None:
    worse = Answered(**{**{name: getattr(VARIED, name) for name in VARIED.__slots__}, "wrong": VARIED.wrong | True})
    for before, after in zip(error_records([VARIED]), error_records([worse]), strict=True):
        assert after["error_percent"] == 100 >= before["error_percent"]
        assert after["low"] >= before["low"]


def test_confusion_by_hand() -> None:
    right = ["a", "a", "a", "b", "b", "c"]
    given = ["a", "a", "b", "b", "z", "a"]
    found = confusion(right, given, most=4)
    assert found.rows == ("a", "b", "c")
    assert found.columns == ("a", "b", "c", "z")  # z is never right
    assert found.counts.tolist() == [[2, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]]
    pooled = confusion(right, given, most=2)
    assert pooled.rows == ("a", "b", OTHER)
    assert pooled.columns == ("a", "b", OTHER)
    assert pooled.counts.tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]


def test_what_is_pooled_may_be_given_only() -> None:
    found = confusion(["a", "a", "a"], ["a", "y", "x"], most=1)
    assert (found.rows, found.columns) == (("a",), ("a", OTHER))
    assert found.counts.tolist() == [[1, 2]]
    found = confusion(["a", "a", "b"], ["x", "x", "y"], most=3)  # b is right, x is given more often than y
    assert (found.rows, found.columns) == (("a", "b"), ("a", "b", "x", OTHER))


@pytest.mark.parametrize("most", [1, 2, 3, 20])
def test_confusion_loses_no_question(most: int) -> None:
    found = confusion(VARIED.right, VARIED.given, most)
    assert found.counts.sum() == 200
    for name, row in zip(found.rows, found.counts, strict=True):
        if name != OTHER:
            assert row.sum() == VARIED.right.count(name)  # type: ignore[attr-defined]
            hits = sum(one == other == name for one, other in zip(VARIED.right, VARIED.given, strict=True))
            assert row[found.columns.index(name)] == hits
    assert found.columns[: len(found.rows)] == found.rows


def test_confusion_records_are_all_pairs() -> None:
    records = confusion_records([VARIED, FIXED])
    counted = {(r["task"], r["right"], r["given"]): r["questions"] for r in records}
    pairs: Counter[tuple[int, str, str]] = Counter()
    for one in (VARIED, FIXED):
        pairs.update((one.task, right, given) for right, given in zip(one.right, one.given, strict=True))
    assert counted == pairs
    sizes = [record["questions"] for record in records if record["task"] == 7]
    assert sizes == sorted(sizes, reverse=True)


def test_the_figure_of_errors_shows_the_records() -> None:
    records = error_records([VARIED, FIXED, FLAT])
    panels = error_figure(records).axes
    for place, name in enumerate(BINS):
        pooled = [r for r in records if (r["by"], r["task"]) == (name, POOLED)]
        (points,) = (container.lines[0] for container in panels[place].containers)
        assert list(points.get_ydata()) == [record["error_percent"] for record in pooled]
        tiles = [f"{r['error_percent']:.0f}" for r in records if r["by"] == name and r["task"] != POOLED]
        assert sorted(text.get_text() for text in panels[2 + place].texts) == sorted(tiles)
        assert panels[place].get_ylim()[1] > max(record["high"] for record in pooled)
    assert [label.get_text() for label in panels[2].get_yticklabels()] == ["7", "1", "17"]


def test_one_task_has_no_tiles() -> None:
    panels = error_figure(error_records([FLAT])).axes
    assert len(panels) == 2
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["2\n(50)"]


def test_the_figure_of_confusion_shows_percent_of_rows() -> None:
    matrix = confusion(["a", "a", "a", "a", "b"], ["a", "a", "a", "b", "b"], 20)
    (panel,) = confusion_figure(matrix, "title").axes
    assert {text.get_position(): text.get_text() for text in panel.texts} == {(0, 0): "75", (1, 0): "25", (1, 1): "100"}
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a (4)", "b (1)"]
    assert len(panel.patches) == 2  # frames of what is right
