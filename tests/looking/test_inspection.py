"""Networks of real, small runs: what is written is what the record says, and each network is asked once."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.experiment import run
from babi_memnet.looking import stories
from babi_memnet.looking.answers import error_records
from babi_memnet.looking.inspection import Inspection, inspect_runs, labels
from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.paths import conf_directory
from babi_memnet.runs.checkpoint import load_checkpoint
from babi_memnet.runs.collection import Row, collect, in_order
from babi_memnet.runs.directory import RunDirectory
from babi_memnet.tables.attention_figures import support_figure
from babi_memnet.tables.attention_sheet import attention_sheet, tidy_attention
from babi_memnet.tables.inspection_report import MOST_LABELS, error_sheet, file_names, write_inspection
from babi_memnet.tables.run_report import write_run_report
from scripts.attention_page import condensed

SMALL = ["data.size=120", "data.test_questions=50", "training.restarts=3", "training.epochs=4", "tracker=none"]
RUNS = {
    "one": ["task=1"],
    "seven": ["task=7"],
    "linear": ["task=1", "training.epochs=0", "training.linear_start_epochs=2", "training.restarts=2"],
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Iterator[list[Row]]:
    """Two runs that differ in their task, and one of linear attention."""
    register(train=TrainSchema)
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BABI_CACHE", str(story_cache))
        with initialize_config_dir(str(conf_directory()), version_base="1.3"):
            for name, words in RUNS.items():
                run(
                    request_of(compose("train", [*SMALL, "runtime.threads=1", *words]), None), root / name, lambda: None
                )
        yield in_order(collect([root])[0])


@pytest.fixture(scope="module")
def asked(rows: list[Row]) -> dict[str, int]:
    """How often what was done in ``found``."""
    return {"checkpoints": 0, "stories": 0, "attend": 0}


@pytest.fixture(scope="module")
def found(rows: list[Row], asked: dict[str, int]) -> Inspection:
    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            asked[name] += 1
            return work(*arguments)

        return call

    stories._loaded.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunDirectory, "checkpoint", counted("checkpoints", RunDirectory.checkpoint))
        patch.setattr(stories, "load", counted("stories", stories.load))
        patch.setattr(TracedNetwork, "attend", counted("attend", TracedNetwork.attend))
        return inspect_runs(rows)


def place_of(row: Row, found: Inspection) -> int:
    return [one.run for one in found.answered].index(row.keys["run"])


def test_each_run_is_read_and_each_network_asked_once(found: Inspection, asked: dict[str, int]) -> None:
    assert asked == {"checkpoints": 3, "stories": 2, "attend": 3 + 6}
    # tasks 1 and 7; of each run one question tells whether it attends, then 3 + 3 restarts are asked, and 2 just answer


def test_a_run_that_cannot_be_asked_is_left_out(rows: list[Row], found: Inspection, tmp_path: Path) -> None:
    def copied(name: str) -> Row:
        shutil.copytree(rows[0].keys["run"], tmp_path / name)
        return replace(rows[0], keys={**rows[0].keys, "run": str(tmp_path / name)})

    damaged, untold, whole = copied("damaged"), copied("untold"), copied("whole")
    checkpoint = tmp_path / "damaged" / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    status = json.loads((tmp_path / "untold" / "status.json").read_text())
    status["settings"]["data"] = {"source": "official", "root": str(tmp_path / "nowhere"), "download": False}
    (tmp_path / "untold" / "status.json").write_text(json.dumps(status))
    part = inspect_runs([damaged, untold, whole])
    assert [one.run for one in part.answered] == [one.run for one in part.maps] == [whole.keys["run"]]
    assert {record["run"] for record in part.attention} <= {whole.keys["run"]}
    lines = part.left_out[:2]
    assert lines[0].startswith(f"{damaged.keys['run']}: ")
    assert "no readable checkpoint" in lines[0]
    assert lines[1].startswith(f"{untold.keys['run']}: ")
    assert "nowhere" in lines[1]
    # told also where there is no attention to tell it below
    write_inspection(tmp_path, replace(part, attention=[]), error_records(part.answered), "title", figures=False)
    assert all(line in (tmp_path / "errors.md").read_text() for line in lines)


def test_answers_make_the_errors_of_the_record(rows: list[Row], found: Inspection) -> None:
    assert len(found.answered) == len(rows) == 3
    for row in rows:
        one = found.answered[place_of(row, found)]
        assert 100 * one.wrong.mean(axis=1) == pytest.approx(row.test)
        wrong = [right != given for right, given in zip(one.right, one.given, strict=True)]
        assert wrong == one.wrong[row.selected].tolist()


def test_attention_goes_with_the_record(rows: list[Row], found: Inspection) -> None:
    for row in rows:
        mine = [record for record in found.attention if record["run"] == row.keys["run"]]
        if row.keys["training.epochs"] == 0:
            assert not mine
            continue
        assert [record["network"] for record in mine] == ["uniform", "recency", *(number for _, number in row.numbers)]
        assert [record["error_percent"] for record in mine[2:]] == pytest.approx(row.test)
        assert [record["selected"] for record in mine[2:]].index(True) == row.selected
        for record in mine[2:]:
            # the error is that of questions whose facts are all looked at, and of the others
            parts = [(record["complete"], record["error_when_complete"])]
            parts.append((100 - record["complete"], record["error_when_incomplete"]))
            whole = sum(share * error / 100 for share, error in parts if error is not None)
            assert whole == pytest.approx(record["error_percent"])
            assert all(
                0 <= mass + empty <= 100 + 1e-4 for mass, empty in zip(record["mass"], record["empty"], strict=True)
            )
    assert len(found.left_out) == 1
    assert "linear" in found.left_out[0]


def test_maps_are_of_the_selected_restart(rows: list[Row], found: Inspection) -> None:
    for row in rows:
        (one,) = (some for some in found.maps if some.run == row.keys["run"])
        checkpoint = load_checkpoint(Path(row.keys["run"]))
        assert checkpoint is not None
        words = checkpoint.state["encoder"]["vocabulary"]["words"]
        last = f"tables.{row.keys['model.hops']}"  # adjacent: W is the last C
        table = checkpoint.tensors[last][row.selected, 1 : len(words) + 1]
        centred = table - table.mean(axis=0)
        lengths = np.linalg.svd(centred, compute_uv=False)
        assert one.words == tuple(words)
        assert np.linalg.norm(one.points, axis=0) == pytest.approx(lengths[:2], rel=1e-4)
        assert one.answers == set(found.answered[place_of(row, found)].right)


def test_labels_tell_runs_of_a_task_apart(rows: list[Row]) -> None:
    names = labels(rows)
    one, linear = (name for row, name in zip(rows, names, strict=True) if row.keys["task"] == 1)
    assert one != linear
    assert "training.epochs=0" in linear + one
    both = labels([*rows, *rows])  # the same runs in two folders
    pairs = [(name, row.keys["task"]) for name, row in zip(both, [*rows, *rows], strict=True)]
    assert len(set(pairs)) == 6
    # runs that differ in nothing but the task have one label
    assert set(labels([row for row in rows if row.keys["training.epochs"]])) == {"train"}


@pytest.fixture(scope="module")
def report(found: Inspection, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], list[str]]:
    """What was found, written with its figures: the folder, its files and what is told about them."""
    folder = tmp_path_factory.mktemp("report")
    return folder, *write_inspection(folder, found, error_records(found.answered), "title", figures=True)


def test_files_hold_what_was_found(found: Inspection, report: tuple[Path, list[Path], list[str]]) -> None:
    folder, files, notes = report
    errors = error_records(found.answered)
    assert {path for path in folder.rglob("*") if path.is_file()} == set(files)
    for name, records in (("attention", tidy_attention(found.attention)), ("errors", errors)):
        with (folder / f"{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(records)
        for row, record in zip(rows, records, strict=True):
            assert row == {key: "" if value is None else str(value) for key, value in record.items()}
    kept = json.loads((folder / "errors.json").read_text())
    assert kept == errors
    confused = json.loads((folder / "confusion.json").read_text())
    assert sum(record["questions"] for record in confused) == sum(len(one.right) for one in found.answered)
    assert len(json.loads((folder / "words.json").read_text())) == sum(len(one.words) for one in found.maps)
    drawn = {path.name.split("-")[0] for path in files if path.suffix == ".png"}
    assert drawn == {"attention", "errors", "confusion", "words"}
    for path in files:
        start = {".png": b"\x89PNG", ".pdf": b"%PDF"}.get(path.suffix, b"")
        assert path.read_bytes().startswith(start)
    faultless = sum(not one.wrong[one.selected].any() for one in found.answered)
    assert any("all is right" in note for note in notes) == bool(faultless)


def test_the_next_report_removes_an_inspection_and_nothing_else(
    rows: list[Row], report: tuple[Path, list[Path], list[str]], tmp_path: Path
) -> None:
    folder, files, _ = report
    copies = [tmp_path / "inspect" / path.relative_to(folder) for path in files]
    shutil.copytree(folder, tmp_path / "inspect")
    assert all(path.exists() for path in copies)
    names = ("attention.md", "figures/words-own.png", "inspect/own.md", "inspect/errors-own.csv", "inspect/words.txt")
    own = [tmp_path / name for name in names]
    (tmp_path / "figures").mkdir()
    for path in own:
        path.touch()
    write_run_report(tmp_path, rows, None, "title", figures=False)
    assert not any(path.exists() for path in copies)
    assert all(path.exists() for path in own)
    # a list that is not ours, or names what we never write
    for content in ("[1", "[1]", '{"written": 5}', '{"written": ["own.md", "../attention.md", "figures/../own.md"]}'):
        (tmp_path / "inspect" / "files.json").write_text(content)
        write_run_report(tmp_path, rows, None, "title", figures=False)
        assert all(path.exists() for path in own)
        assert (tmp_path / "inspect" / "files.json").exists()


def test_no_figures_where_none_are_wanted(found: Inspection, tmp_path: Path) -> None:
    files, _ = write_inspection(tmp_path, found, error_records(found.answered), "title", figures=False)
    assert {path.suffix for path in files} == {".json", ".csv", ".md"}
    assert not (tmp_path / "figures").exists()


def test_names_of_files() -> None:
    assert file_names(["memn2n_1k/pe"]) == {"memn2n_1k/pe": ""}
    names = file_names(["a, model.hops=2", "a; model.hops=2", "b/c"])
    assert names == {"a, model.hops=2": "-a-model.hops=2", "a; model.hops=2": "-a-model.hops=2-2", "b/c": "-b-c"}
    assert len(set(file_names([f"{'x' * 200}{n}" for n in range(MOST_LABELS)]).values())) == MOST_LABELS


def test_sheets_show_the_selected_restart(found: Inspection) -> None:
    sheet = attention_sheet(found.attention, "title", found.left_out)
    assert len(sheet.rows) == 2
    chosen = [record for record in found.attention if record["selected"]]
    shown = [row[sheet.header.index("error\n%")] for row in sheet.rows]
    assert shown == [f"{record['error_percent']:.1f}" for record in chosen]
    errors = error_records(found.answered)
    cells = [cell for row in error_sheet(errors, "title").rows for cell in row]
    for record in errors:
        assert f"{record['error_percent']:.1f}" in cells
    assert condensed(found.attention)[0]["run"] is None  # the place of a run is nobody's business


def test_tidy_attention_fills_up_shorter_networks() -> None:
    two = {"hops": 2, "mass": (1.0, 2.0), "found": None}
    one = {"hops": 1, "mass": (3.0,), "found": 4.0}
    assert tidy_attention([two, one]) == [
        {"hops": 2, "mass_1": 1.0, "mass_2": 2.0, "found": None},
        {"hops": 1, "mass_1": 3.0, "mass_2": None, "found": 4.0},
    ]


def test_the_figure_of_attention_shows_the_records(found: Inspection) -> None:
    figure = support_figure([record for record in found.attention if record["task"] == 7])
    assert figure is not None
    left, right = figure.axes
    (chosen,) = (record for record in found.attention if record["task"] == 7 and record["selected"])
    assert [text.get_text() for text in left.texts] == [f"{mass:.0f}" for mass in chosen["mass"]]
    by_name = {line.get_label(): list(line.get_xdata()) for line in right.lines}
    assert by_name["selected restart"] == [chosen["found"]]
    for name in ("uniform", "recency"):
        (null,) = (record for record in found.attention if record["task"] == 7 and record["network"] == name)
        assert by_name[name] == [null["found"]]
    # two networks of one task do not go into one picture
    assert support_figure([*found.attention, *found.attention]) is None
