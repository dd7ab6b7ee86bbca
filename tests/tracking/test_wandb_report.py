"""The report run of a table in W&B, offline, read back from its file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import wandb

from babi_memnet.tables.table_report import table_for_tracker, write_table
from babi_memnet.tracking.protocol import TrackedRun
from babi_memnet.tracking.settings import WandbTracker
from babi_memnet.tracking.start import track_report
from tests.tables.tables import made_up
from tests.tracking.wandb_reader import read_log


def test_a_table_is_a_run_with_table_images_and_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    table, curves = made_up()
    folder = tmp_path / "table"
    folder.mkdir()
    files = write_table(folder, table, curves)
    run = TrackedRun("table-0123456789", "table", folder, {"table": "memn2n_1k"}, "memn2n_1k", "report", ["table"])
    report = table_for_tracker(table, folder, files)
    track_report(WandbTracker(), run, report)
    wandb.teardown()  # only when its service has ended is the file whole for sure
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert log.exit_code == 0
    assert (log.run["id"], log.run["group"], log.run["job_type"]) == ("table-0123456789", "memn2n_1k", "report")
    for name, value in report.summary.items():
        assert log.summary[name] == value
    (logged,) = log.history
    shown = {name.removesuffix("/_type"): kind for name, kind in logged.items() if name.endswith("/_type")}
    assert shown == {"table": "table-file", **dict.fromkeys(report.images, "image-file")}
    media = file.parent / "files" / logged["table/path"]
    names, rows = report.tables["table"]
    assert json.loads(media.read_text())["columns"] == list(names)
    assert json.loads(media.read_text())["data"] == [list(row) for row in rows]
    (artifact,) = (found for found in log.artifacts.values() if found.kind == "report")
    assert set(artifact.local_paths) == {path.relative_to(folder).as_posix() for path in files}
    for name, path in artifact.local_paths.items():
        assert Path(path).read_bytes() == (folder / name).read_bytes()
