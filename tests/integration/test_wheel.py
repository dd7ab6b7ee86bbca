"""An installed wheel works from any directory: the configuration travels inside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from babi_memnet.looking.trace import TracedNetwork
from tests.running import SMALL, Run, only_run

ROOT = Path(__file__).parents[2]


@pytest.mark.integration
def test_a_wheel_brings_its_configuration(command: Run, tmp_path: Path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True, text=True)
    (wheel,) = tmp_path.glob("babi_memnet-*.whl")
    unpacked = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    assert (unpacked / "babi_memnet" / "data" / "official_sha256.txt").exists()
    source = ROOT / "src" / "babi_memnet"
    templates = {path.relative_to(source) for path in source.glob("tables/templates/*")}
    assert templates
    assert all((unpacked / "babi_memnet" / template).exists() for template in templates)
    shipped = {path.relative_to(unpacked / "babi_memnet") for path in unpacked.glob("babi_memnet/conf/**/*.yaml")}
    assert shipped == {path.relative_to(ROOT) for path in ROOT.glob("conf/**/*.yaml")}
    shown = subprocess.run(
        [sys.executable, "-c", "import babi_memnet.commands.train as t; print(t.__file__); t.main()", "--cfg", "job"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith(str(unpacked))
    assert "linear_start_epochs: 20" in shown.stdout

    # and a network that was handed on needs nothing but the wheel
    trained = command("train", "task=1", *SMALL)
    assert trained.returncode == 0, trained.stderr
    assert command("export", f"run={only_run(tmp_path / 'outputs')}", "out=network").returncode == 0
    shutil.rmtree(tmp_path / "outputs")
    program = """
import babi_memnet
from babi_memnet.looking.trace import TracedNetwork
print(babi_memnet.__file__)
trace = TracedNetwork.load_exported("network").ask(["Mary went to the kitchen."], "Where is Mary?")
print(trace.answers)
"""
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    network = TracedNetwork.load_exported(tmp_path / "network")
    assert said[0].startswith(str(unpacked))
    assert said[1] == str(network.ask(["Mary went to the kitchen."], "Where is Mary?").answers)
