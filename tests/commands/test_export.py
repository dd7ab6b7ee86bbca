"""babi-export from the outside: the folder it writes, its card, and how it refuses."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from safetensors.numpy import load_file

from babi_memnet.looking.trace import TracedNetwork
from babi_memnet.papers.statistics import wilson_interval
from babi_memnet.runs.checkpoint import load_checkpoint
from tests.data.serving import ModelHub, Server
from tests.running import SMALL, Run, only_run

NAMES = ["README.md", "config.json", "model.safetensors"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> Path:
    """A folder with a small run below outputs."""
    folder = tmp_path_factory.mktemp("finished")
    done = run_command("train", "task=1", *SMALL, "training.restarts=3", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """The same in the folder of this test; the directory of the run."""
    shutil.copytree(finished / "outputs", tmp_path / "outputs")
    return only_run(tmp_path)


def test_one_restart_is_handed_on(
    command: Run, run: Path, tmp_path: Path, environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = command("export", f"run={run}", "out=network", "restart=1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout == f"network: restart 1 of {run}: README.md, model.safetensors, config.json\n"
    folder = tmp_path / "network"
    assert sorted(path.name for path in folder.iterdir()) == NAMES
    checkpoint = load_checkpoint(run)
    assert checkpoint is not None
    for name, values in load_file(folder / "model.safetensors").items():
        assert values.tobytes() == checkpoint.tensors[name][1].tobytes()
    # no place of this machine, and nothing that is to go on training with
    text = (folder / "config.json").read_text()
    for word in ("generators", "optimizer/", "outputs", "tracker", str(tmp_path)):
        assert word not in text

    # the card: what the hub reads of it, and what it tells a person to type
    result = json.loads((run / "result.json").read_text())
    card = ModelCard((folder / "README.md").read_text())
    error = result["restarts"][1]["test"]["error_percent"]
    (measured,) = card.data.eval_results
    assert measured.metric_value == pytest.approx(error)
    assert (measured.dataset_name, measured.dataset_split) == (
        "bAbI, task 1, single supporting fact, generated stories, size 60, seed 0",
        "test",
    )
    assert (card.data.library_name, card.data.pipeline_tag) == ("babi_memnet", "question-answering")
    assert card.data.datasets is None  # simulated stories are none of the hub's
    words = " ".join(card.text.split())
    low, high = wilson_interval(error, 40)
    assert f"Test error: {error:.1f} % of 40 questions, 95 % interval {low:.1f} to {high:.1f}" in words
    selected = result["restarts"][result["selected"]]["restart"]
    if selected != 1:
        assert f"restart 1 of 3, asked for by its number; the one with the lowest train error is {selected}" in words
    assert f"All restarts: {result['mean']:.1f} ± {result['standard_deviation']:.1f} % test error" in words
    assert result["data"]["fingerprint"] in words
    assert "54 questions to train on, 6 to validate, 40 to test" in words
    (line,) = re.findall(r"^    (babi-train .*)$", card.text, flags=re.MULTILINE)
    again = command(*shlex.split(line.removeprefix("babi-")), "runtime.outputs=outputs/debug")
    assert "(answered from it, nothing was trained)" in again.stdout, again.stderr
    (code,) = re.findall(r"```python\n(.*?)```", card.text, flags=re.DOTALL)

    # where nothing is but the folder
    alone = tmp_path / "alone"
    folder.rename(alone)
    shutil.rmtree(tmp_path / "outputs")
    told = subprocess.run(
        [sys.executable, "-c", code.replace('"PATH"', '"alone"')],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() in TracedNetwork.load_exported(alone).known_words


def test_a_network_goes_to_the_hub_and_comes_back(process: Run, run: Path, tmp_path: Path) -> None:
    server = Server()
    hub = ModelHub(server, "me/network")
    environ = {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_OFFLINE": "0",
        "HF_HOME": str(tmp_path / "home"),
        "HF_TOKEN": "hf_mine",
        "no_proxy": "127.0.0.1",
    }
    done = process("export", f"run={run}", "out=network", "push=me/network", environ=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"uploaded: {hub.endpoint}/me/network\n")
    assert hub.made["visibility"] == "private"
    assert hub.files == {name: (tmp_path / "network" / name).read_bytes() for name in NAMES}
    program = """
from babi_memnet.looking.trace import TracedNetwork
network = TracedNetwork.from_pretrained("me/network")
print(network.ask(["Mary went to the kitchen."], "Where is Mary?").answers)
print(network.push_to_hub("me/network", private=False))
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    network = TracedNetwork.load(run)
    assert said[0] == str(network.ask(["Mary went to the kitchen."], "Where is Mary?").answers)
    assert said[1] == f"{hub.endpoint}/me/network"
    assert hub.made["visibility"] == "public"
    server.http.shutdown()
    server.http.server_close()


def test_what_exists_is_replaced_when_asked(command: Run, run: Path, tmp_path: Path) -> None:
    assert command("export", f"run={run}", "out=network").returncode == 0
    before = {name: (tmp_path / "network" / name).read_bytes() for name in NAMES}
    (tmp_path / "network" / "notes.txt").write_text("mine")
    refused = command("export", f"run={run}", "out=network", "restart=2")
    assert refused.returncode == 2
    assert refused.stderr == (
        "babi-export: out=network: network/README.md exists already, and 2 more; overwrite=true replaces what exists\n"
    )
    assert {name: (tmp_path / "network" / name).read_bytes() for name in NAMES} == before
    selected = json.loads(before["config.json"])["restart"]
    other = (selected + 1) % 3
    assert command("export", f"run={run}", "out=network", f"restart={other}", "overwrite=true").returncode == 0
    assert TracedNetwork.load_exported(tmp_path / "network").restart == other
    assert (tmp_path / "network" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["run=nowhere"], "nowhere: expected a run directory, found no status.json"),
        (["run=RUN", "restart=9"], "restart=9: expected one of 0, 1, 2, those of "),
        (["run=RUN", "push=network"], "push=network: expected OWNER/NAME, a repository of the Hugging Face hub"),
        (["run=stopped"], "stopped: expected a finished run, this one is failed; the same command ends it"),
    ],
)
def test_a_wrong_request_gets_one_line_and_leaves_nothing(
    command: Run, run: Path, tmp_path: Path, overrides: list[str], expected: str
) -> None:
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / "status.json").write_text('{"state": "failed", "signature": "s", "settings": {"task": 1}}')
    found = command("export", *(word.replace("RUN", str(run)) for word in overrides), "out=network")
    assert found.returncode == 2
    assert found.stderr.startswith(f"babi-export: {expected}")
    assert found.stderr.count("\n") == 1
    assert not (tmp_path / "network").exists()
