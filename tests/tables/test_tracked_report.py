"""Reports in W&B, offline, read back from their files; their ids."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from babi_memnet.runs.collection import Row
from babi_memnet.tables.pivot import pivot
from babi_memnet.tables.run_report import write_run_report
from babi_memnet.tables.run_sheets import cell_records, tidy
from babi_memnet.tables.story_report import story_sheet
from babi_memnet.tables.tracked_report import runs_for_tracker, story_for_tracker, tracked
from babi_memnet.tracking.settings import WandbTracker
from babi_memnet.tracking.start import track_report
from tests.looking.stories import ASKED, TRACE
from tests.tables.test_pivot import FIRST, SECOND, row
from tests.tracking.wandb_reader import read_log

ROWS = [row(task, hops, FIRST if hops == 1 else SECOND) for task in (1, 4) for hops in (1, 2)]


def changed(one: Row, **keys: Any) -> Row:
    return replace(one, keys={**one.keys, **keys})


SIGNED = [changed(one, signature=f"{place:010x}", run=f"run_{place}", state="done") for place, one in enumerate(ROWS)]


def test_the_id_is_of_the_runs_and_what_was_asked() -> None:
    def id_of(rows: list[Row], **asked: Any) -> str:
        return tracked(rows, "title", {"rows": "task", **asked}, Path("out")).run_id

    same = id_of(SIGNED)
    assert id_of(SIGNED[::-1]) == same
    assert id_of([changed(one, run="elsewhere") for one in SIGNED]) == same
    others = {
        id_of(SIGNED[1:]),
        id_of([changed(SIGNED[0], signature="f" * 10), *SIGNED[1:]]),
        id_of([changed(SIGNED[0], state="running"), *SIGNED[1:]]),
        id_of(SIGNED, inspect=True),
    }
    assert len(others | {same}) == 5


def test_the_group_is_the_table_of_all_experiments() -> None:
    def group_of(*names: str | None) -> str | None:
        rows = [changed(one, experiment=name) for one, name in zip(SIGNED, names, strict=False)]
        return tracked(rows, "title", {}, Path("out")).group

    assert group_of("memn2n_1k/pe", "memn2n_1k/bow") == "memn2n_1k"
    assert group_of("memn2n_1k/pe", "memn2n_10k/pe") is None
    assert group_of("memn2n_1k/pe", None) is None
    assert group_of(None, None) is None


def test_rows_are_shown_without_a_pivot_and_columns_have_one_kind() -> None:
    mixed = [{"network": 3, "mass": 1}, {"network": "uniform", "mass": 0.5}, {"network": None, "mass": None}]
    report = runs_for_tracker(SIGNED, None, {"attention": mixed, "errors": []}, Path(), [])
    assert set(report.tables) == {"runs", "attention"}
    assert list(report.tables["runs"][0]) == list(tidy(SIGNED)[0])
    assert report.tables["attention"] == (["network", "mass"], [["3", 1], ["uniform", 0.5], [None, None]])
    assert report.summary["runs"] == report.summary["done"] == 4
    selected = [one.test[one.selected] for one in SIGNED]
    assert report.summary["test_error_percent"] == pytest.approx(sum(selected) / 4)
    half = runs_for_tracker([*SIGNED, replace(changed(SIGNED[0], run="other"), test=())], None, {}, Path(), [])
    assert (half.summary["runs"], half.summary["done"]) == (5, 4)


def mirrored(folder: Path, run: Any, report: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    import wandb

    monkeypatch.setenv("HOME", str(folder / "home"))
    track_report(WandbTracker(), run, report)
    wandb.teardown()  # only when its service has ended is the file whole for sure
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    return read_log(file), file.parent / "files"


def test_a_report_is_a_run_with_tables_images_and_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pivot(SIGNED, "task", "model.hops", "test_error_percent")
    files = write_run_report(tmp_path, SIGNED, table, "title", figures=True)
    report = runs_for_tracker(SIGNED, table, {"attention": [{"network": "uniform", "mass_1": 5.0}]}, tmp_path, files)
    run = tracked(SIGNED, "outputs", {"rows": "task"}, tmp_path)
    log, media = mirrored(tmp_path, run, report, monkeypatch)
    assert log.exit_code == 0
    assert (log.run["id"], log.run["name"], log.run["job_type"]) == (run.run_id, "report/outputs", "report")
    assert log.summary["test_error_percent"] == report.summary["test_error_percent"]
    (logged,) = log.history
    shown = {name.removesuffix("/_type"): kind for name, kind in logged.items() if name.endswith("/_type")}
    pictures = {"figures/lines": "image-file", "figures/heat_map": "image-file"}
    assert shown == {"cells": "table-file", "attention": "table-file", **pictures}
    cells = json.loads((media / logged["cells/path"]).read_text())
    assert [dict(zip(cells["columns"], line, strict=True)) for line in cells["data"]] == cell_records(table)
    (artifact,) = (one for one in log.artifacts.values() if one.kind == "report")
    assert set(artifact.local_paths) == {path.relative_to(tmp_path).as_posix() for path in files}


def test_a_story_is_a_run_with_its_figure_and_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from babi_memnet.tables.story_figure import story_figure
    from babi_memnet.tables.style import rendered

    (tmp_path / "story.png").write_bytes(rendered(story_figure(TRACE), "png"))
    known = {"question": ASKED.question, "answer": TRACE.answer, "expected": None}
    report = story_for_tracker(story_sheet(TRACE, ASKED), known, tmp_path, [tmp_path / "story.png"])
    log, media = mirrored(tmp_path, tracked(SIGNED[:1], ASKED.name, {"story": 3}, tmp_path), report, monkeypatch)
    assert log.summary["answer"] == TRACE.answer
    assert "expected" not in log.summary
    (logged,) = log.history
    assert logged["figures/story/_type"] == "image-file"
    table = json.loads((media / logged["story/path"]).read_text())
    assert table["columns"] == ["statement", "hop 1", "hop 2"]
    assert table["data"][0][1:] == ["25", "10"]
