"""babi-train from the outside: what it prints, what it leaves behind, and how it refuses."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from babi_memnet.runs.collection import collect
from tests.running import SMALL, Run, only_run
from tests.training.test_inferred import shuffled_letters


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_leaves_its_whole_record_and_is_answered_from_it(command: Run, tmp_path: Path):
    request = ["task=1", *SMALL, "training.restarts=3"]
    first = command("train", *request)
    assert first.returncode == 0, first.stderr
    directory = only_run(tmp_path / "outputs")
    result = json.loads((directory / "result.json").read_text())
    assert [restart["restart"] for restart in result["restarts"]] == [0, 1, 2]
    errors = [restart["test"]["error_percent"] for restart in result["restarts"]]
    assert result["mean"] == pytest.approx(np.mean(errors))
    assert result["standard_deviation"] == pytest.approx(np.std(errors, ddof=1))
    assert result["test_error_percent"] == errors[result["selected"]]
    training = [restart["train"]["error_percent"] for restart in result["restarts"]]
    assert training[result["selected"]] == min(training)
    metrics = read_lines(directory / "metrics.jsonl")
    assert [(row["epoch"], row["phase"]) for row in metrics] == [(1, "linear_start"), (2, "softmax")]
    assert metrics[-1]["train/error_percent"] == training
    assert json.loads((directory / "status.json").read_text())["state"] == "done"
    assert (directory / ".hydra" / "overrides.yaml").exists()
    saved = load_file(directory / "checkpoint.safetensors")
    assert saved["tables.0"].shape[0] == 3
    vocabulary = json.loads((directory / "checkpoint.json").read_text())["state"]["encoder"]["vocabulary"]
    assert len(vocabulary["words"]) == result["data"]["vocabulary"]

    written = {path: path.stat().st_mtime_ns for path in directory.glob("*.json*")}
    second = command("train", *request)
    assert second.returncode == 0, second.stderr
    assert {path: path.stat().st_mtime_ns for path in directory.glob("*.json*")} == written
    assert f"{errors[result['selected']]:.1f}" in second.stdout
    assert only_run(tmp_path / "outputs") == directory


def test_what_a_run_exchanges_stands_in_its_directory(command: Run, tmp_path: Path):
    trained = command("train", "task=16", *SMALL, "data.size=300", "tokenizer=merged", "training.symmetry=inferred")
    assert trained.returncode == 0, trained.stderr
    report = json.loads((only_run(tmp_path / "outputs") / "symmetry.json").read_text())["16"]
    assert {"free": sorted(["white", "gray", "green", "yellow"])} in [
        {"free": sorted(words)} for part in report["symmetry"] for words in part["free"]
    ]
    test = report["tests"][0]
    assert test["holds"] == (test["p"] >= report["p_value"])
    assert {"map", "by"} < test.keys()


def test_merged_words_are_part_of_the_record_and_of_what_can_be_asked(command: Run, tmp_path: Path):
    trained = command("train", "task=1", *SMALL, "tokenizer=merged")
    assert trained.returncode == 0, trained.stderr
    directory = only_run(tmp_path / "outputs")
    saved = json.loads((directory / "checkpoint.json").read_text())["state"]["encoder"]
    assert {"went_back_to_the", "where_is", "kitchen"} <= set(saved["vocabulary"]["words"])
    assert not {"back", "to", "the"} & set(saved["vocabulary"]["words"])
    assert saved["positions"] == 3
    assert json.loads((directory / "result.json").read_text())["data"]["unknown_words"] == 0
    lines = ["Mary went back to the kitchen.", "Mary went.", "Mary wnt to the kitchen.", "Mary Mary Mary Mary"]
    asked = command("demo", "--text", f"run={directory}", stdin="\n".join([*lines, "Where is Mary?"]))
    assert asked.returncode == 0, asked.stderr
    assert "'went' (only within " in asked.stdout
    assert "'wnt' (did you mean went?)" in asked.stdout
    assert "not taken: expected 1 to 3 words (a merged word is one), found 4" in asked.stdout
    assert "Mary went back to the kitchen." in asked.stdout
    reported = command("report", "runs=outputs", "inspect=true")
    assert reported.returncode == 0, reported.stderr


STATEMENTS = ["1 Anna went to the hall.", "2 Otto went to the yard.", "3 Where is Anna?\thall\t1"]


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """A tiny data set in the official layout."""
    folder = tmp_path / "stories" / "en"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        (folder / f"qa1_single-supporting-fact_{split}.txt").write_text("\n".join(STATEMENTS * 30) + "\n")
    return folder


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        (3, "3 Where is Anna? hall\t1", "train.txt:3: a question with 1 tab instead of 2"),
        (2, "7 Otto went to the yard.", "train.txt:2: line number '7'; expected 2, or 1"),
        (3, "3 Where is Anna?\thall\t9", "train.txt:3: supporting id 9"),
        (1, None, "train.txt:1: the file is empty"),
        (2, "2 Otto went to the y\udcffard.", "train.txt:2: not valid UTF-8"),
    ],
)
def test_a_malformed_file_is_named_with_its_line(command: Run, official: Path, line: int, text, expected: str):
    path = official / "qa1_single-supporting-fact_train.txt"
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines) if text else "", encoding="utf-8", errors="surrogateescape")
    found = command("train", "task=1", "data=official", f"data.root={official.parent}", "debug=quick", "tracker=none")
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["task=21"], "babi-train: task=21: expected 1 to 20, or joint"),
        (["data=official", "data.root=/nonexistent"], "data.root=/nonexistent: no such file or folder"),
        (["model.hops=0"], "model.hops=0: expected a whole number of at least 1"),
        (["model.hops=many"], "babi-train: model.hops=many: expected a whole number\n"),
        (["training.learning_rate=high"], "babi-train: training.learning_rate=high: expected a number\n"),
        (["model.relu=maybe", "model=memn2n"], "model.relu: no such key"),
        (["training.lr=0.1"], "training.lr: no such key (did you mean training.learning_rate?)"),
        (["model.dim=3"], "model.dim: no such key (did you mean model.dimension?)"),
        (["model.hops=100000000000000000000"], "model.hops=100000000000000000000: expected a whole number of at most"),
        ([f"model.hops={'9' * 5000}"], "a number of several thousand digits"),
        (
            ["data.size=1000000000000000000000"],
            "data.size=10000000000000000000...: expected at most 100000000 questions",
        ),
        (["training.learning_rate=inf"], "training.learning_rate=inf: expected a finite number"),
        (["+model.hop=2"], "model.hop: no such key (did you mean model.hops?)"),
        (["+hops=2"], "hops: no such key"),
        (["tracker=null"], "null: no such choice"),
        (["model.hop=2"], "model.hop: no such key (did you mean model.hops?)"),
        (["training=joined"], "training=joined: no such choice (did you mean joint?)"),
        (["experiment=memn2n_1k/pe_ls_r"], "(did you mean memn2n_1k/pe_ls_rn?)"),
        (["data=unofficially"], "data=unofficially: no such choice (did you mean official?)"),
        (["runtime.device=cuda:none"], "runtime.device=cuda:none: expected cpu, cuda or cuda:N"),
        (["task=[1"], "babi-train: "),
    ],
)
def test_a_wrong_request_gets_one_line_and_leaves_nothing(command: Run, tmp_path: Path, overrides, expected: str):
    found = command("train", *overrides)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert expected in found.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_directory_of_another_request_is_refused_and_kept_as_it_was(command: Run, tmp_path: Path):
    assert command("train", "task=1", *SMALL, "hydra.run.dir=chosen").returncode == 0
    before = {
        path: path.read_bytes() for path in (tmp_path / "chosen").rglob("*") if path.is_file() and path.suffix != ".log"
    }
    refused = command("train", "task=4", *SMALL, "hydra.run.dir=chosen")
    assert refused.returncode == 2
    assert "holds another run" in refused.stderr
    assert command("train", "task=1", *SMALL, "runtime.engine=autograd", "hydra.run.dir=chosen").returncode == 0
    assert before == {path: path.read_bytes() for path in before}


def test_a_device_that_is_not_there_is_refused(command: Run):
    found = command("train", "runtime.device=cuda:99", *SMALL)
    assert found.returncode == 2
    assert found.stderr.startswith("babi-train: runtime.device=cuda:99: expected cpu")


def test_restarts_that_do_not_fit_into_the_memory_are_refused(command: Run):
    found = command("train", "training.restarts=100000000", *SMALL)
    assert found.returncode == 2
    assert found.stderr.endswith(" GiB\n")
    assert "babi-train: training.restarts=100000000: expected fewer: of " in found.stderr


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", ">/dev/full", "2>/dev/full", "| cat"])
def test_a_record_is_told_whatever_becomes_of_what_is_printed(
    command: Run, environment: Mapping[str, str], tmp_path: Path, redirection: str
):
    """Closed and full streams, and a terminal that knows no ±."""
    assert command("train", "task=1", *SMALL).returncode == 0
    words = " ".join([sys.executable, "-m", "babi_memnet.commands.train", "task=1", *SMALL])
    told = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {words} {redirection}"],
        cwd=tmp_path,
        env={**environment, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in told.stdout + told.stderr
    if redirection == ">/dev/full":
        assert told.returncode == 2
        assert "No space left on device; expected a place to write to" in told.stderr
    else:
        assert told.returncode == 0, told.stderr


def test_a_place_that_is_no_folder_is_named(command: Run):
    found = command("train", "task=1", *SMALL, "runtime.outputs=/dev/null")
    assert found.returncode == 2
    assert found.stderr.startswith("babi-train: /dev/null/")
    assert found.stderr.count("\n") == 1


def test_debugging_shows_the_traceback(command: Run):
    found = command("train", "task=21", "runtime.debug=true")
    assert found.returncode == 2
    assert "Traceback" in found.stderr
    assert found.stderr.endswith("babi-train: task=21: expected 1 to 20, or joint\n")


LONGER = ["task=1", "data.size=60", "data.test_questions=40", "tracker=none", "training.restarts=2",
          "training.epochs=300", "training.linear_start_epochs=1"]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "checkpoint_seconds"),
    [pytest.param(signal.SIGINT, 1000, marks=pytest.mark.integration), (signal.SIGTERM, 1000), (signal.SIGKILL, 0)],
)
def test_an_interrupted_run_continues_to_the_same_result(
    command: Run, environment: Mapping[str, str], tmp_path: Path, how: signal.Signals, checkpoint_seconds: int
):
    """Stopped in the middle by Ctrl-C, by a queue or a kill, and called again: as if nothing had happened."""
    stopped = tmp_path / "stopped"
    request = [*LONGER, f"hydra.run.dir={stopped}", f"training.checkpoint_seconds={checkpoint_seconds}"]
    arguments = [sys.executable, "-m", "babi_memnet.commands.train", *request]
    process = subprocess.Popen(arguments, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    metrics = stopped / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (metrics.exists() and len(metrics.read_text().splitlines()) >= 5):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(how)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 130), errors
    told = json.loads((stopped / "status.json").read_text())["state"]
    assert told == ("running" if how == signal.SIGKILL else "failed")
    reached = len(metrics.read_text().splitlines())
    assert 5 <= reached < 301

    assert json.loads((stopped / "checkpoint.json").read_text())["epoch"] >= 3
    again = command("train", *request)
    assert again.returncode == 0, again.stderr
    whole = command("train", *LONGER)
    assert whole.returncode == 0, whole.stderr
    expected = only_run(tmp_path / "outputs")
    for name, values in load_file(expected / "checkpoint.safetensors").items():
        np.testing.assert_array_equal(load_file(stopped / "checkpoint.safetensors")[name], values)
    for one, other in zip(read_lines(stopped / "metrics.jsonl"), read_lines(expected / "metrics.jsonl"), strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_restart_three_of_ten_is_restart_three_alone(command: Run, tmp_path: Path):
    request = ["task=6", *SMALL]
    assert command("train", *request, "training.restarts=5").returncode == 0
    assert command("train", *request, "training.restarts=1", "training.first_restart=3").returncode == 0
    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")]
    together = next(result for result in results if len(result["restarts"]) == 5)
    alone = next(result for result in results if len(result["restarts"]) == 1)
    assert alone["restarts"][0] == together["restarts"][3]


def test_a_multirun_runs_every_combination_in_its_own_directory(command: Run, tmp_path: Path):
    found = command("train", "-m", "task=1,4", "model.hops=1,2", *SMALL)
    assert found.returncode == 0, found.stderr
    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")]
    assert sorted(result["task"] for result in results) == [1, 1, 4, 4]
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]


@pytest.mark.parametrize("command_name", ["train", "reproduce", "report", "demo"])
def test_a_place_that_cannot_be_written_to_is_named(command: Run, command_name: str):
    outputs = ["runtime.outputs=/sys/outputs"]
    more = {"report": ["runs=.", "out=/sys/outputs"], "demo": ["text=true", f"first={['task=1', *SMALL]}"]}
    if command_name == "report":
        assert command("train", "task=1", *SMALL).returncode == 0
        outputs = []
    refused = command(command_name, *outputs, *more.get(command_name, []))
    assert refused.returncode == 2, refused.stderr
    assert "/sys/outputs" in refused.stderr
    assert "expected a place to write to" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_all_tasks_jointly(command: Run, tmp_path: Path):
    found = command("train", "task=joint", "training=joint", *SMALL)
    assert found.returncode == 0, found.stderr
    result = json.loads((only_run(tmp_path / "outputs") / "result.json").read_text())
    assert result["task"] == "joint"
    assert result["data"]["questions"] == {"train": 1080, "validation": 120, "test": 800}
    for restart in result["restarts"]:
        per_task = restart["test"]["per_task"]
        assert list(per_task) == [str(task) for task in range(1, 21)]
        assert np.mean(list(per_task.values())) == pytest.approx(restart["test"]["error_percent"])
        # the validation questions are a random tenth, not as many of each task
        held_out = restart["validation"]["per_task"]
        assert set(held_out) <= set(per_task)
        assert min(held_out.values()) <= restart["validation"]["error_percent"] <= max(held_out.values())
    rows, _ = collect([tmp_path / "outputs"])
    assert [row.validation[0] for row in rows] == [
        result["restarts"][0]["validation"]["per_task"].get(task, result["restarts"][0]["validation"]["error_percent"])
        for task in per_task
    ]


def test_the_validation_error_of_a_task_is_that_of_its_questions(command: Run, tmp_path: Path):
    found = command("train", "task=1", *SMALL)
    assert found.returncode == 0, found.stderr
    result = json.loads((only_run(tmp_path / "outputs") / "result.json").read_text())
    for restart in result["restarts"]:
        validation = restart["validation"]
        assert validation["per_task"] == {"1": pytest.approx(validation["error_percent"])}


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("tokenizer.lowercase=1", "tokenizer.lowercase=1: expected true or false"),
        ("tokenizer=[1,2]", "tokenizer=[1,2]: expected a single one of "),
        ("data.size=null", "data.size=null: expected a value; without the word it has its default"),
        ("training.weight_decay=1e308", "training.weight_decay=1e+308: expected a number of at most 1e+30"),
    ],
)
def test_what_hydra_would_take_otherwise_is_refused(command: Run, word: str, line: str) -> None:
    done = command("train", word, *SMALL)
    assert done.returncode == 2
    assert done.stderr.startswith(f"babi-train: {line}")
    assert done.stderr.count("\n") == 1


def test_a_joint_run_holds_out_questions_of_all_tasks(command: Run) -> None:
    done = command("train", "task=joint", *SMALL)
    assert done.returncode == 2
    assert "training.validation=tail: expected random with task=joint" in done.stderr


def test_a_request_refused_for_its_data_leaves_no_run(command: Run, tmp_path: Path) -> None:
    done = command("train", "data.size=1", "tracker=none")
    assert done.returncode == 2
    assert list(tmp_path.rglob("status.json")) == []


@pytest.mark.parametrize(
    "word", ["hydra.run.dir=", "hydra.run.dir=null", "-m hydra.sweep.dir=''", "hydra.sweep.subdir="]
)
def test_no_folder_is_none(command: Run, tmp_path: Path, word: str) -> None:
    done = command("train", *word.split(), "task=1", *SMALL)
    assert done.returncode == 2
    assert f"{word.split()[-1]}: expected a folder; without the word" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_repeated_from_its_record(command: Run, tmp_path: Path) -> None:
    request = ["task=4", "tokenizer.pattern='[a-z]+'", "training.learning_rate=0.00001", *SMALL]
    assert command("train", *request).returncode == 0
    run = only_run(tmp_path / "outputs")
    from_record = [f"--config-dir={run / '.hydra'}", "--config-name=config"]
    again = command("train", *from_record)
    assert (again.returncode, "answered from it" in again.stdout) == (0, True), again.stderr
    elsewhere = command("train", "--config-dir", str(run / ".hydra"), "-cn", "config", "runtime.outputs=elsewhere")
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert only_run(tmp_path / "elsewhere").name == run.name
    another = command("train", *from_record, "-m", "model.hops=1,2", "data=generated", "data.size=30")
    assert another.returncode == 0, another.stderr
    assert {json.loads(path.read_text())["settings"]["data"]["size"] for path in tmp_path.rglob("status.json")} == {
        *({"30", json.loads((run / "status.json").read_text())["settings"]["data"]["size"]})
    }


def test_a_record_is_repeated_with_its_tracker_and_with_words_anywhere(command: Run, tmp_path: Path) -> None:
    tracked = [word for word in SMALL if word != "tracker=none"]
    assert command("train", "task=4", "tracker.name='my run'", *tracked).returncode == 0
    run = only_run(tmp_path / "outputs")
    from_record = [f"--config-dir={run / '.hydra'}", "--config-name=config"]
    shown = command("train", "--cfg", "job", "task=2", *from_record, "runtime.seed=7", "model.hops=1", "--resolve")
    assert shown.returncode == 0, shown.stderr
    for line in ("task: 2", "seed: 7", "hops: 1", "kind: wandb", "name: my run"):
        assert re.search(rf"^ *{line}$", shown.stdout, flags=re.MULTILINE), line
    again = command("train", *from_record)
    assert (again.returncode, "answered from it" in again.stdout) == (0, True), again.stderr
    for word in ("debug=quick", "experiment=memn2n_1k/bow", "+sweep=hops", "+search=memn2n"):
        refused = command("train", *from_record, word)
        assert refused.returncode == 2
        assert f"{word}: expected single settings or groups on top of" in refused.stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [("a: [", "expected YAML"), ("task: 1", "expected the request of a run"), ("[1]", "expected the request of a run")],
)
def test_what_is_no_record_is_not_repeated(command: Run, tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "config.yaml").write_text(content)
    done = command("train", "--config-dir=.", "--config-name=config")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"config.yaml: {problem}" in done.stderr


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-m", "task=1,2", "--cfg", "job"], "Only one of --run, --multirun, --cfg"),
        (["task=1,2"], "task=1,2: expected one value; with -m as well there is a run of each"),
        (
            ["-m", "hydra/sweeper=optuna"],
            "hydra/sweeper=optuna: no such choice; expected one of basic, search; +search=",
        ),
        (["--config-name=nowhere"], "nowhere: no such primary file"),
        (["--experimental-rerun=x"], "--experimental-rerun: expected --config-dir=RUN/.hydra --config-name=config"),
        (["experiment=memn2n_1k/pr"], "experiment=memn2n_1k/pr: no such choice (did you mean memn2n_1k/"),
    ],
)
def test_hydra_s_own_refusals_are_one_line_in_our_words(command: Run, words: list[str], line: str) -> None:
    done = command("train", *words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"babi-train: {line}")
    assert done.stderr.count("\n") == 1


def test_a_list_is_asked_for(command: Run) -> None:
    done = command("reproduce", "columns=pe_ls_rn")
    assert (done.returncode, done.stderr) == (
        2,
        "babi-reproduce: columns=pe_ls_rn: expected a list, such as columns=[pe_ls_rn]\n",
    )


def test_hydra_s_part_of_the_configuration_can_be_resolved(command: Run) -> None:
    done = command("train", "--cfg", "hydra", "--resolve")
    assert done.returncode == 0, done.stderr
    assert re.search(r"dir: \S*/outputs/train/task_01-[0-9a-f]{10}\n", done.stdout)


def test_relative_places_begin_where_the_command_was_started(command: Run, official: Path, tmp_path: Path) -> None:
    root = f"data.root={official.parent.relative_to(tmp_path)}"
    words = ["task=1", "data=official", "hydra.job.chdir=true", "debug=quick", "tracker=none", "runtime.threads=1"]
    done = command("train", root, *words)
    assert done.returncode == 0, done.stderr
    swept = command("train", "-m", root, *words, "model.hops=1,2", "hydra/launcher=cores")
    assert swept.returncode == 0, swept.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name == "outputs"] == ["outputs"]


def test_a_tilde_is_the_home_folder(command: Run) -> None:
    done = command("train", "data=official", "data.root=~/there is no such folder")
    assert done.returncode == 2
    assert f"data.root={Path.home()}/there is no such folder: no such file or folder" in done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("task", [1, 19])
def test_a_run_knows_nothing_of_letters(command: Run, tmp_path: Path, task: int) -> None:
    """Whatever is inferred, exchanged and learned is the same where every letter has become another."""
    made = command("generate", "out=made", f"tasks=[{task}]", "data.size=300", "data.test_questions=100")
    assert made.returncode == 0, made.stderr
    spell = shuffled_letters(task)
    for path in (tmp_path / "made").rglob("*.txt"):
        place = tmp_path / "spelled" / "en" / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(spell(path.read_text()))
    (tmp_path / "made/tasks_1-20_v1-2/en-300").rename(tmp_path / "made/en")
    words = [f"task={task}", "data=official", "model=writing_memory", "training=writing_memory", "tracker=none"]
    shorter = ["training.restarts=1", "training.epochs=3", "training.symmetry=inferred", "runtime.threads=1"]
    told = []
    for root in ("made", "spelled"):
        done = command("train", f"data.root={root}", f"runtime.outputs={root}/outputs", *words, *shorter)
        assert done.returncode == 0, done.stderr
        run = only_run(tmp_path / root / "outputs")
        result = json.loads((run / "result.json").read_text())
        lines = [{**line, "seconds": 0} for line in read_lines(run / "metrics.jsonl")]
        exchanged = json.loads((run / "symmetry.json").read_text())
        told.append((result["restarts"], lines, re.findall(r"\d[\d.e-]*", json.dumps(exchanged))))
    assert told[0] == told[1]
