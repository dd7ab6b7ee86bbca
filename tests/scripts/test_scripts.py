"""scripts/ holds the same commands for those who do not install."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from babi_memnet.config import choices_of, schemas

ROOT = Path(__file__).parents[2]
COMMANDS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_script_and_its_help(command: str, environment: Mapping[str, str], tmp_path: Path):
    script = ROOT / "scripts" / f"{command.removeprefix('babi-')}.py"
    shown = subprocess.run(
        [sys.executable, str(script), "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert command in shown.stdout
    assert "Settings" in shown.stdout
    if command == "babi-train":
        for group in (*schemas(), "debug"):
            (listed,) = re.findall(rf"^  {group} +(.*(?:\n {{10,}}.*)*)", shown.stdout, flags=re.MULTILINE)
            assert listed.replace(",", "").split() == choices_of(group)
        for kind, title in (("experiment", "Experiments"), ("sweep", "Sweeps"), ("search", "Searches")):
            _, _, below = shown.stdout.partition(f"\n{title}, ")
            assert below.split("\n\n")[1].replace(",", "").split() == choices_of(kind)
    primary = (ROOT / "conf" / f"{command.removeprefix('babi-')}.yaml").read_text()
    assert primary.startswith(f"# {command}: ")
    assert primary.count(f"#   {command} ") == 3, "three example commands"
