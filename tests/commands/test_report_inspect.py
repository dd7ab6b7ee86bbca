"""What babi-report does with the networks themselves: inspections and stories, from the outside."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from babi_memnet.data.settings import settings_on_record
from babi_memnet.data.sources import load
from tests.running import SMALL, Run, only_run
from tests.tracking.wandb_reader import read_log


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> Path:
    """The outputs of one small run of task 1."""
    folder = tmp_path_factory.mktemp("trained")
    done = run_command("train", "task=1", "training.restarts=2", *SMALL, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "outputs"


@pytest.fixture
def outputs(trained: Path, tmp_path: Path) -> Path:
    """These, in the folder where the command is run."""
    return Path(shutil.copytree(trained, tmp_path / "outputs"))


def test_an_inspection_is_written_and_tracked(command: Run, tmp_path: Path, outputs: Path):
    own = [tmp_path / "same" / name for name in ("attention.md", "figures/words-a.pdf", "inspect/notes.md")]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    wanted = ["inspect=true", "tracker=wandb_offline"]
    for words in (["out=drawn", *wanted], ["out=same", "figures=false", *wanted], ["out=same", "figures=false"]):
        drawn = command("report", "runs=outputs", *words)
        assert drawn.returncode == 0, drawn.stderr
        assert ("inspect/attention.json" in drawn.stdout) == ("inspect=true" in words)
    folder = tmp_path / "drawn" / "inspect"
    result = json.loads((only_run(outputs) / "result.json").read_text())
    attention = json.loads((folder / "attention.json").read_text())
    errors = {record["network"]: record["error_percent"] for record in attention if record["selected"] is not None}
    assert errors == pytest.approx(
        {restart["restart"]: restart["test"]["error_percent"] for restart in result["restarts"]}
    )
    lengths = [one for one in json.loads((folder / "errors.json").read_text()) if one["by"] == "statements"]
    wrong = sum(one["questions"] * one["error_percent"] for one in lengths) / sum(one["questions"] for one in lengths)
    assert wrong == pytest.approx(result["test_error_percent"])
    assert {path.stem for path in (folder / "figures").glob("*.png")} >= {"attention", "errors", "words-task_01"}
    (file,) = tmp_path.glob("drawn/wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert log.exit_code == 0
    (artifact,) = (one for one in log.artifacts.values() if one.kind == "report")
    assert {"runs.csv", "inspect/errors.csv", "inspect/figures/errors.png"} <= set(artifact.local_paths)
    assert log.summary["test_error_percent"] == pytest.approx(result["test_error_percent"])
    (logged,) = log.history
    for name in ("runs", "attention", "errors"):
        assert logged[f"{name}/_type"] == "table-file"
    pictures = {f"figures/{path.stem}/_type" for path in (folder / "figures").glob("*.png")}
    assert {name for name, kind in logged.items() if kind == "image-file"} == pictures

    # the same report is the same run
    (other,) = tmp_path.glob("same/wandb/offline-run-*/run-*.wandb")
    assert read_log(other).run["id"] == log.run["id"]
    # a report without networks leaves nothing of them that an earlier one has left, and what is the user's
    assert {path for path in tmp_path.glob("same/**/*") if path.parent.name in ("inspect", "figures")} == set(own[1:])
    assert own[0].exists()


def test_predictions_are_written(command: Run, tmp_path: Path, outputs: Path):
    drawn = command("report", "runs=outputs", "predictions=true", "out=drawn", "tracker=wandb_offline")
    assert drawn.returncode == 0, drawn.stderr
    assert "agreed and wrong" in drawn.stdout
    result = json.loads((only_run(outputs) / "result.json").read_text())
    rows = list(csv.DictReader((tmp_path / "drawn/predictions.csv").read_text().splitlines()))
    wrong = [row["wrong"] == "True" for row in rows if row["selected"] == "True"]
    assert 100 * sum(wrong) / len(wrong) == pytest.approx(result["test_error_percent"])
    assert parquet.read_table(tmp_path / "drawn/predictions.parquet").num_rows == len(rows) == 3 * len(wrong)
    (agreement,) = json.loads((tmp_path / "drawn/agreement.json").read_text())
    assert agreement["mean"] == pytest.approx(result["mean"])
    assert "ensemble" in (tmp_path / "drawn/agreement.md").read_text()
    (file,) = tmp_path.glob("drawn/wandb/offline-run-*/run-*.wandb")
    (artifact,) = (one for one in read_log(file).artifacts.values() if one.kind == "report")
    assert {"predictions.parquet", "agreement.csv"} <= set(artifact.local_paths)

    # a report without them leaves none behind
    assert command("report", "runs=outputs", "out=drawn").returncode == 0
    assert not list(tmp_path.glob("drawn/predictions*")) + list(tmp_path.glob("drawn/agreement*"))
    refused = command("report", "runs=outputs", "predictions=true", "story=1")
    assert refused.returncode == 2
    assert refused.stderr == "babi-report: predictions=true: expected no story beside it, which makes no table\n"


def test_stories_are_shown_and_wrong_requests_are_one_line(
    command: Run, tmp_path: Path, outputs: Path, story_cache: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BABI_CACHE", str(story_cache))
    status = only_run(outputs) / "status.json"
    third: Any = load(settings_on_record(json.loads(status.read_text())["settings"]["data"]), [1])["test"][2]
    # the same story by its number and in both forms of a file
    facts = " ".join(str(place + 1) for place in third["supporting"])
    lines = [*third["story"], f"{third['question']}\t{third['answer']}\t{facts}"]
    (tmp_path / "babi.txt").write_text("\n".join(f"{place} {line}" for place, line in enumerate(lines, 1)))
    (tmp_path / "plain.txt").write_text("\n".join([*third["story"], third["question"]]))
    stories = {"three": ["story=3", "tracker=wandb_offline"], "babi": ["story=babi.txt"], "plain": ["story=plain.txt"]}
    (tmp_path / "statements.txt").write_text("Mary went to the hallway.\nJohn went to the garden.\n")
    (tmp_path / "unknown.txt").write_text("Mary went to the moon.\nWhere is Mary?\n")
    wrong = [
        (["story=0"], "story=0: expected 1 to 40, a test question of task 1, or a file"),
        (["story=99999"], "story=99999: expected 1 to 40"),
        (["story=true"], "story=True: expected the number of a test question"),
        (["story=nowhere.txt"], "story=nowhere.txt: expected a text file"),
        (["story=statements.txt"], "statements.txt:2: expected a question that ends with ?"),
        (["story=3", "restart=99"], "restart=99: expected one of 0, 1"),
        (["story=unknown.txt"], "statement 1: unknown to this network, which knows"),
        (["attention=true"], "attention: no such key"),
        (["tracker=wand"], "tracker=wand: no such choice"),
        (["inspect=true", "where={state:running}"], "inspect=true: expected runs that are done"),
        (["runs=broken", "inspect=true"], "checkpoint.safetensors: no readable checkpoint"),
        (["runs=5"], "runs=5: expected a folder of runs, or a list of some"),
        (["runs=[outputs,5]"], "runs=['outputs', 5]: expected a folder of runs"),
        (["out=plain.txt"], "out=plain.txt: expected a folder to write to, found a file"),
        (["story=3", "out=plain.txt/story"], "out=plain.txt/story: expected a folder to write to"),
        (["restart=1"], "restart=1: expected story as well"),
        (["story=3", "inspect=true"], "inspect=true: expected no story beside it"),
        (["story=3", "rows=task"], "rows=task: expected no story beside it"),
        (["story=3", "columns=tusk"], "columns=tusk: expected no story beside it"),
        (["story=3", "value=seconds"], "value=seconds: expected no story beside it"),
        (["story=3", "where={state:running}"], "runs: expected at least one that is done"),
    ]
    shutil.copytree(only_run(outputs), tmp_path / "broken")
    (tmp_path / "broken" / "checkpoint.safetensors").write_bytes(b"cut off")
    unfinished = outputs / "unfinished" / "status.json"
    unfinished.parent.mkdir()
    unfinished.write_text(json.dumps({**json.loads(status.read_text()), "state": "running"}))

    written = []
    for name, words in stories.items():
        shown = command("report", "runs=outputs", *words, "restart=1", f"out={name}")
        assert shown.returncode == 0, shown.stderr
        assert third["question"] in shown.stdout
        written.append(json.loads((tmp_path / name / "story.json").read_text()))
        assert (written[-1]["story"], written[-1]["question"]) == (third["story"], third["question"])
        assert written[-1]["network"][0].startswith("train, task 1, restart 1: ")
        assert written[-1]["steps"] == written[0]["steps"]
        for step in written[-1]["steps"]:
            assert sum(step["weights"]) + step["empty"] == pytest.approx(1, abs=1e-4)
    known = [(one["expected"], one["supporting"]) for one in written]
    assert known == [(third["answer"], third["supporting"])] * 2 + [(None, [])]
    (file,) = tmp_path.glob("three/wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert (log.run["job_type"], log.summary["answer"]) == ("report", written[0]["answer"])
    (logged,) = log.history
    assert (logged["story/_type"], logged["figures/story/_type"]) == ("table-file", "image-file")

    for words, text in wrong:
        refused = command("report", "runs=outputs", *words)
        assert refused.returncode == 2, words
        assert text in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_report_without_networks_needs_neither_torch_nor_matplotlib(tmp_path: Path, outputs: Path):
    code = (
        "import sys\n"
        "from babi_memnet.commands.report import main\n"
        "sys.argv[1:] = ['runs=outputs', 'figures=false']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    sys.exit(end.code or ' '.join({'torch', 'matplotlib', 'wandb'} & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
