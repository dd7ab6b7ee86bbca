"""The study on disk: what it proposes, what it prunes, and what a kill leaves of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest

from babi_memnet.errors import RequestError, RunStopped
from babi_memnet.search.settings import SearchSettings
from babi_memnet.search.space import Choice, Interval, Point, Space, Steps
from babi_memnet.search.study import JOURNAL_FILE, ProposedTrial, Study, Watched, error_of_epoch, error_of_result

SPACE = Space(
    (Interval("rate", 0.001, 1.0, log=True), Steps("noise", (0.0, 0.1, 0.2, 0.3)), Choice("words", ("10", "20", "50")))
)
TPE = SearchSettings(startup_trials=4, trials=16)


def error(point: Point) -> float:
    """What is minimised here, lowest at a rate of 0.03, a noise of 0.1 and 20 words."""
    rate, noise, words = point.values()
    return abs(float(rate) - 0.03) ** 0.5 + abs(float(noise) - 0.1) + (words != "20")


def run(study: Study, trials: int) -> list[Point]:
    points = []
    for asked in [*study.interrupted(), *(study.ask for _ in range(trials))][:trials]:
        one = asked if isinstance(asked, ProposedTrial) else asked()
        study.complete(one, error(one.point), {"run": f"run_{one.number}"})
        points.append(one.point)
    return points


def row(epoch: int, errors: Sequence[float]) -> dict[str, Any]:
    train = {"train/error_percent": list(errors), "train/loss": list(errors)}
    return {"epoch": epoch, "validation/error_percent": list(errors), **train}


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("stopped_after", [1, 6, 11])
def test_a_search_that_was_stopped_proposes_what_it_would_have_anyway(
    tmp_path: Path, sampler: str, stopped_after: int
) -> None:
    settings = SearchSettings(sampler=sampler, startup_trials=4)
    whole = run(Study(tmp_path / "whole", SPACE, settings), 14)
    assert len({repr(point) for point in whole}) == 14
    first = Study(tmp_path / "parts", SPACE, settings)
    points = run(first, stopped_after)
    left_behind = first.ask()  # and then the process is killed
    second = Study(tmp_path / "parts", SPACE, settings)
    (again,) = second.interrupted()
    assert (again.number, again.point) == (stopped_after, left_behind.point)
    points += run(second, 14 - stopped_after)
    assert points == whole
    assert [record["trial"] for record in second.records()] == list(range(14))


def test_a_trial_that_was_not_drawn_to_the_end_is(tmp_path: Path) -> None:
    whole, part = (Study(tmp_path / name, SPACE, TPE) for name in ("whole", "part"))
    for study in (whole, part):
        run(study, 6)
    expected = whole.ask()
    part._study.ask()  # numbered, and killed before it got a value
    (again,) = Study(tmp_path / "part", SPACE, TPE).interrupted()
    assert again.point == expected.point


def test_the_first_trial_is_the_setting_as_configured(tmp_path: Path) -> None:
    configured: Point = {"rate": 0.005, "noise": 0.2, "words": "50"}
    study = Study(tmp_path, SPACE, TPE, configured)
    first, second = run(study, 2)
    assert first == configured
    assert second != configured


@pytest.mark.integration
def test_tpe_finds_better_values_than_chance(tmp_path: Path) -> None:
    best: dict[str, list[float]] = {"tpe": [], "random": []}
    for sampler, seed in product(best, range(8)):
        settings = SearchSettings(sampler=sampler, seed=seed, startup_trials=8)
        study = Study(tmp_path / f"{sampler}_{seed}", SPACE, settings)
        best[sampler].append(min(map(error, run(study, 40))))
    assert sum(tpe < chance for tpe, chance in zip(best["tpe"], best["random"], strict=True)) >= 6
    assert fmean(best["tpe"]) < fmean(best["random"])


def test_a_grid_is_run_through_once_and_what_failed_again_by_the_next_attempt(tmp_path: Path) -> None:
    space = Space(SPACE.dimensions[1:])
    settings = SearchSettings(sampler="grid")
    study = Study(tmp_path, space, settings)
    assert (study.trials, study.left) == (12, 12)
    points = []
    for _ in range(12):
        asked = study.ask()
        points.append(asked.point)
        if len(points) in (3, 12):
            study.failed(asked, {"error": "out of paper"})
        else:
            study.complete(asked, error({"rate": 0.03, **asked.point}), {})
    assert [tuple(point.values()) for point in points] == list(product((0.0, 0.1, 0.2, 0.3), ("10", "20", "50")))
    again = Study(tmp_path, space, settings)
    assert again.left == 2
    assert [again.ask().point, again.ask().point] == [points[2], points[11]]


def test_trials_that_failed_do_not_count_and_say_why(tmp_path: Path) -> None:
    study = Study(tmp_path, SPACE, TPE)
    run(study, 3)
    study.failed(study.ask(), {"error": "no disk"})
    study.pruned(study.ask(), {"run": "run_4"})
    assert study.left == TPE.trials - 4  # type: ignore[operator]
    *_, failed, pruned = study.records()
    assert (failed["state"], failed["error"], failed["error_percent"]) == ("fail", "no disk", None)
    assert (pruned["state"], pruned["run"], pruned["error_percent"]) == ("pruned", "run_4", None)


def watched(folder: Path, study: Study, **changes: Any) -> tuple[ProposedTrial, Watched]:
    asked = study.ask()
    return asked, Watched(
        folder, SearchSettings(**{"startup_trials": 3, **changes, "trial": asked.number}), "train_error"
    )


def stops_after(watch: Callable[[dict[str, Any]], None], curve: Sequence[float]) -> int | None:
    for epoch, value in enumerate(curve, start=1):
        try:
            watch(row(epoch, [value - 1, value + 1]))
        except RunStopped:
            return epoch
    return None


CURVES = [[50, 40, 30, 20], [60, 50, 40, 30], [70, 35, 45, 10], [40, 55, 35, 50], [65, 60, 41, 20], [90, 80, 70, 0]]


@pytest.mark.parametrize("warm_up", [0, 3])
def test_the_median_prunes_what_is_worse_than_the_median_of_the_completed(tmp_path: Path, warm_up: int) -> None:
    study = Study(tmp_path, SPACE, TPE)
    completed: list[list[float]] = []
    stops = []
    for curve in CURVES:
        asked, watch = watched(tmp_path, study, warm_up_epochs=warm_up)
        expected = None
        for epoch in range(1, 5):
            if len(completed) >= 3 and epoch >= warm_up:
                rivals = [other[epoch - 1] for other in completed]
                if min(curve[:epoch]) > median(rivals):
                    expected = epoch
                    break
        assert stops_after(watch, curve) == expected
        stops.append(expected)
        if expected is None:
            completed.append(list(map(float, curve)))
            study.complete(asked, curve[-1], {})
        else:
            study.pruned(asked, {})
    assert None in stops
    assert stops[-1] == max(1, warm_up)
    assert study.records()[-1]["epochs"] == stops[-1]


def test_without_a_pruner_nothing_stops_and_halving_stops_the_worst(tmp_path: Path) -> None:
    stopped = {}
    for pruner in ("none", "halving"):
        folder = tmp_path / pruner
        study = Study(folder, SPACE, TPE)
        stopped[pruner] = []
        for level in (10, 20, 30, 40, 50, 60):
            asked, watch = watched(folder, study, pruner=pruner, warm_up_epochs=1)
            stopped[pruner].append(stops_after(watch, [level] * 8))
            study.complete(asked, level, {}) if stopped[pruner][-1] is None else study.pruned(asked, {})
    assert stopped["none"] == [None] * 6
    assert stopped["halving"][0] is None
    assert stopped["halving"][-1] == 1


def test_a_continued_trial_reports_no_epoch_twice_and_is_judged_as_before(tmp_path: Path) -> None:
    study = Study(tmp_path, SPACE, TPE)
    for curve in CURVES[:3]:
        asked, watch = watched(tmp_path, study, warm_up_epochs=2)
        assert stops_after(watch, curve) is None
        study.complete(asked, curve[-1], {})
    asked, watch = watched(tmp_path, study, warm_up_epochs=2)
    watch(row(1, [95.0]))
    watch.replay([row(1, [95.0]), row(2, [94.0])])  # on record; killed before it was judged
    settings = SearchSettings(startup_trials=3, warm_up_epochs=2, trial=asked.number)
    again = Watched(tmp_path, settings, "train_error")
    again.replay([row(1, [95.0]), row(2, [94.0])])
    with pytest.raises(RunStopped, match="pruned after epoch 2"):
        again.check()
    journal = (tmp_path / JOURNAL_FILE).read_text()
    assert journal.count('"intermediate_value":9') == 2


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    study = Study(tmp_path, SPACE, TPE)
    run(study, 5)
    before = study.records()
    with (tmp_path / JOURNAL_FILE).open("ab") as file:
        file.write(b'{"op_code":4,"worker')
    again = Study(tmp_path, SPACE, TPE)
    assert again.records() == before
    run(again, 2)
    assert len(Study(tmp_path, SPACE, TPE).records()) == 7


def test_a_damaged_journal_gets_one_line(tmp_path: Path) -> None:
    run(Study(tmp_path, SPACE, TPE), 3)
    path = tmp_path / JOURNAL_FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:4], "nonsense\n", *lines[4:]]))
    with pytest.raises(RequestError) as refused:
        Study(tmp_path, SPACE, TPE)
    assert str(refused.value).startswith(f"{path}: expected the journal of a study")
    assert "\n" not in str(refused.value)


def test_the_journal_is_json_line_by_line(tmp_path: Path) -> None:
    run(Study(tmp_path, SPACE, TPE), 3)
    assert all(isinstance(json.loads(line), dict) for line in (tmp_path / JOURNAL_FILE).read_text().splitlines())
    assert not list(tmp_path.rglob("*.pkl"))


def test_what_is_minimised() -> None:
    line = {
        "epoch": 1,
        "train/error_percent": [5.0, 1.0, 1.0, 0.0],
        "train/loss": [0.1, 0.3, 0.2, None],
        "validation/error_percent": [10.0, 20.0, 33.0, 97.0],
        "validation/loss": [0.3, 0.2, 0.1, 0.4],
    }
    assert error_of_epoch(line, "mean", "train_error") == 40.0
    assert error_of_epoch(line, "selected", "train_error") == 33.0
    assert error_of_epoch(line, "selected", "validation_error") == 10.0
    result = {"selected": 2, "restarts": [{"validation": {"error_percent": value}} for value in (10, 20, 33, 97)]}
    assert error_of_result(result, "mean") == 40.0
    assert error_of_result(result, "selected") == 33.0
