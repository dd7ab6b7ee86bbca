"""What babi-report does with the networks themselves: inspections and stories, from the outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.running import SMALL, Run, only_run
from tests.runs.wandb_reader import read_log

Reports = Callable[..., list[tuple[int, str, str]]]
"""The fixture ``reports``: exit status, standard output and standard error of each."""

_ONE_PROCESS = """
import contextlib, io, json, sys
from babi_memnet.commands.report import main
found = []
for overrides in json.loads(sys.argv[1]):
    sys.argv[1:] = ["runs=outputs", *overrides]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        try:
            main()
        except SystemExit as end:
            found.append((end.code, out.getvalue(), errors.getvalue()))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, story_cache: Path) -> Path:
    """The outputs of one small run of task 1."""
    folder = tmp_path_factory.mktemp("trained")
    environ = {**os.environ, "BABI_CACHE": str(story_cache)}
    words = [sys.executable, "-m", "babi_memnet.commands.train", "task=1", "training.restarts=2", *SMALL]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "outputs"


@pytest.fixture
def reports(tmp_path: Path, environment: dict[str, str]) -> Reports:
    """Runs babi-report once for each list of overrides, all in one process: torch takes longer to load than they do."""

    def run(*requests: list[str]) -> list[tuple[int, str, str]]:
        words = [sys.executable, "-c", _ONE_PROCESS, json.dumps(requests)]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [(code, out, errors) for code, out, errors in json.loads(done.stdout)]

    return run


@pytest.fixture
def outputs(trained: Path, tmp_path: Path) -> Path:
    """These, in the folder where the command is run."""
    return Path(shutil.copytree(trained, tmp_path / "outputs"))


def test_an_inspection_is_written_and_tracked(command: Run, tmp_path: Path, outputs: Path):
    found = command("report", "runs=outputs", "inspect=true", "out=drawn", "tracker=wandb_offline")
    assert found.returncode == 0, found.stderr
    folder = tmp_path / "drawn"
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
    (file,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert log.exit_code == 0
    assert log.summary["test_error_percent"] == pytest.approx(result["test_error_percent"])
    (logged,) = log.history
    for name in ("runs", "attention", "errors"):
        assert logged[f"{name}/_type"] == "table-file"
    pictures = {f"figures/{path.stem}/_type" for path in (folder / "figures").glob("*.png")}
    assert {name for name, kind in logged.items() if kind == "image-file"} == pictures

    # a report without networks leaves nothing of them behind
    again = command("report", "runs=outputs", "out=drawn", "figures=false")
    assert again.returncode == 0, again.stderr
    assert not list((folder / "figures").iterdir())
    assert {path.name for path in folder.glob("*.json")} == {"runs.json"}


def test_stories_are_shown(reports: Reports, tmp_path: Path, outputs: Path):
    ((code, shown, errors),) = reports(["story=3", "out=three", "tracker=wandb_offline"])
    assert code == 0, errors
    numbered = json.loads((tmp_path / "three" / "story.json").read_text())
    assert numbered["question"] in shown
    assert numbered["supporting"]
    for hop in numbered["hops"]:
        assert sum(hop["attention"]) + hop["empty"] == pytest.approx(1, abs=1e-4)
    (file,) = tmp_path.glob("three/wandb/offline-run-*/run-*.wandb")
    log = read_log(file)
    assert (log.run["job_type"], log.summary["answer"]) == ("report", numbered["answer"])
    (logged,) = log.history
    assert (logged["story/_type"], logged["figures/story/_type"]) == ("table-file", "image-file")

    # the same story in both forms of a file
    facts = " ".join(str(place + 1) for place in numbered["supporting"])
    lines = [*numbered["story"], f"{numbered['question']}\t{numbered['expected']}\t{facts}"]
    (tmp_path / "babi.txt").write_text("\n".join(f"{place} {line}" for place, line in enumerate(lines, 1)))
    (tmp_path / "plain.txt").write_text("\n".join([*numbered["story"], numbered["question"]]))
    names = {"babi": "babi.txt", "plain": "plain.txt", "same": "3"}
    for code, _, errors in reports(*([f"story={story}", f"out={name}", "restart=0"] for name, story in names.items())):
        assert code == 0, errors
    babi, plain, same = (json.loads((tmp_path / name / "story.json").read_text()) for name in names)
    for written in (babi, plain, same):
        for key in ("story", "question", "hops", "answers"):
            assert written[key] == same[key]
        assert written["network"][0].startswith("train, task 1, restart 0: ")
    assert same["story"] == numbered["story"]
    assert (babi["expected"], babi["supporting"]) == (numbered["expected"], numbered["supporting"])
    assert (plain["expected"], plain["supporting"]) == (None, [])


def test_a_wrong_request_is_one_line(reports: Reports, tmp_path: Path, outputs: Path):
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
    ]
    status = only_run(outputs) / "status.json"
    found = reports(*(overrides for overrides, _ in wrong))
    status.write_text(json.dumps({**json.loads(status.read_text()), "state": "running"}))
    found += reports(["inspect=true"], ["story=3"])
    expected = [text for _, text in wrong] + [
        "inspect=True: expected runs that are done",
        "expected at least one that is",
    ]
    for (code, _, errors), text in zip(found, expected, strict=True):
        assert code == 2, errors
        assert text in errors
        assert errors.count("\n") == 1


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
