"""Run directories as rows: what is read, what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.errors import RequestError
from babi_memnet.runs.collection import (
    Known,
    as_number,
    check_key,
    choose,
    collect,
    folders_of,
    in_order,
    values_of,
    varying,
)


def record(
    folder: Path,
    task: int | str = 1,
    hops: int = 3,
    state: str = "done",
    errors: dict[str, list[float]] | None = None,
    **more: dict[str, Any],
) -> Path:
    """A run directory with a status, and a result if it is done; ``errors`` of every restart by task."""
    folder.mkdir(parents=True)
    errors = errors or {str(task): [4.0, 2.0]}
    settings = {"task": task, "model": {"hops": hops}, "tracker": {"mode": "offline"}, "runtime": {"seed": 0}}
    settings |= more
    status = {"state": state, "signature": folder.name, "experiment": "e", "settings": settings, "error": None}
    if state == "failed":
        status["error"] = "ValueError: no"
    (folder / "status.json").write_text(json.dumps(status))
    if state == "done":
        restarts = [
            {
                "restart": place,
                "seed": 0,
                "train": {"error_percent": 1.0 + place},
                "validation": {"error_percent": 3.0},
                "test": {"per_task": {name: one[place] for name, one in errors.items()}},
            }
            for place in range(2)
        ]
        result: dict[str, Any] = {"experiment": "e", "selected": 0, "seconds": 1.5, "restarts": restarts}
        (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_joint_run_has_a_row_for_every_task(tmp_path: Path) -> None:
    record(tmp_path / "a", "joint", errors={"1": [1.0, 2.0], "2": [3.0, 4.0]})
    rows, broken = collect([tmp_path])
    assert broken == []
    assert [(row.keys["task"], row.keys["joint"], row.test) for row in rows] == [
        (1, True, (1.0, 2.0)),
        (2, True, (3.0, 4.0)),
    ]


def test_each_run_is_read_once_however_it_is_reached(tmp_path: Path) -> None:
    record(tmp_path / "sweep" / "deep" / "a")
    record(tmp_path / "sweep" / "b", hops=1)
    (tmp_path / "sweep" / ".hidden").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "sweep")
    rows, _ = collect([tmp_path, tmp_path / "sweep", tmp_path / "sweep" / "b"])
    assert sorted(row.keys["signature"] for row in rows) == ["a", "b"]


def test_unfinished_runs_are_rows_without_errors(tmp_path: Path) -> None:
    record(tmp_path / "a", state="running")
    record(tmp_path / "b", state="failed")
    rows, _ = collect([tmp_path])
    assert [(row.is_done, row.test, row.error) for row in rows] == [(False, (), None), (False, (), "ValueError: no")]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"restarts": []}', '{"restarts": [{"test": {}}]}'])
def test_a_damaged_result_is_named_and_costs_its_run_only(tmp_path: Path, text: str) -> None:
    record(tmp_path / "good")
    (record(tmp_path / "bad") / "result.json").write_text(text)
    rows, (line,) = collect([tmp_path])
    assert [row.keys["signature"] for row in rows] == ["good"]
    assert str(tmp_path / "bad" / "result.json") in line
    assert "\n" not in line


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": "done", "signature": "x", "settings": 3}'])
def test_a_damaged_status_is_named(tmp_path: Path, text: str) -> None:
    (record(tmp_path / "bad") / "status.json").write_text(text)
    _, (line,) = collect([tmp_path])
    assert "bad" in line


def test_a_result_that_has_gone_is_named(tmp_path: Path) -> None:
    (record(tmp_path / "bad") / "result.json").unlink()
    _, (line,) = collect([tmp_path])
    assert "result.json" in line


def test_rows_are_chosen_and_put_in_order(tmp_path: Path) -> None:
    for number, (task, hops) in enumerate([(10, 1), (2, 3), (2, 1), (1, 3)]):
        record(tmp_path / str(number), task, hops)
    rows, _ = collect([tmp_path])
    assert varying(rows) == ["task", "model.hops"]
    assert [(row.keys["task"], row.keys["model.hops"]) for row in in_order(rows)] == [(1, 3), (2, 1), (2, 3), (10, 1)]
    assert len(choose(rows, {"task": [2, 10], "model.hops": 1})) == 2
    assert values_of("task", rows) == [1, 2, 10]
    with pytest.raises(RequestError, match=r"where.task=7: expected 1, 2, 10"):
        choose(rows, {"task": 7})
    with pytest.raises(RequestError, match=r"did you mean model.hops\?"):
        check_key("rows", "hops", rows)


def test_bookkeeping_can_be_asked_for_but_is_no_difference(tmp_path: Path) -> None:
    for number, mode in enumerate(("offline", "online")):
        settings = {"tracker": {"mode": mode}, "tracker_of": {"animals": number}}
        record(tmp_path / mode, state=("done", "running")[number], **settings)
    assert varying(collect([tmp_path])[0]) == ["tracker.mode", "tracker_of.animals"]
    rows, _ = collect([tmp_path], Known(frozenset({"tracker", "data.root"})))
    assert varying(rows) == ["tracker_of.animals"]
    assert [row.keys["signature"] for row in choose(rows, {"tracker.mode": "online"})] == ["online"]


def test_one_value_may_be_written_in_several_ways(tmp_path: Path) -> None:
    for name, size in (("a", "1k"), ("b", 1000), ("c", 1000.0), ("d", "10k"), ("e", "many"), ("f", None)):
        record(tmp_path / name, data={"size": size})
    rows, _ = collect([tmp_path])
    for thousand in (1000, "1k", "1000", 1000.0):
        assert [row.keys["signature"] for row in choose(rows, {"data.size": thousand})] == ["a", "b", "c"]
    assert [row.keys["signature"] for row in choose(rows, {"data.size": [10_000, None]})] == ["d", "f"]
    assert [as_number(value) for value in values_of("data.size", rows)] == [1000, 10_000, None, None]
    assert values_of("data.size", rows)[2:] == ["many", None]


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="expected a folder of runs"):
        collect([tmp_path / "none"])


def test_runs_are_named_by_a_folder_or_several() -> None:
    assert folders_of("outputs") == ["outputs"]
    assert folders_of(["a", "b"]) == ["a", "b"]
    for wrong in (5, None, "", [], ["a", 5], [["a"]], {"a": "b"}, True):
        with pytest.raises(RequestError, match=r"^runs=.*: expected a folder of runs, or a list of some"):
            folders_of(wrong)
