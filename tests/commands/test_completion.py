"""The shell completes words of commands: by what its function asks, and by that function itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import which

import pytest

from babi_memnet.config import choices_of

BASH, FISH = which("bash"), which("fish")

# a line to what its last word may become
LINES = {
    "babi-train experiment=memn2n_1k/pe_ls_rn": [
        "experiment=memn2n_1k/pe_ls_rn",
        "experiment=memn2n_1k/pe_ls_rn_joint",
    ],
    "babi-train experiment=ours_1k/w": [f"experiment={name}" for name in choices_of("experiment") if "1k/w" in name],
    "babi-train task=3 model=": [f"model={name}" for name in choices_of("model")],
    "babi-train task=1 model.hop": ["model.hop_cost=", "model.hops="],
    "babi-train training.restarts=": ["training.restarts=10"],
    "babi-train +sweep=h": ["+sweep=hops"],
    "babi-reproduce data=": [f"data={name}" for name in choices_of("data")],
    "babi-report rows": ["rows="],
}

# What the shell does on TAB: words and place of the cursor in variables, then its function, which leaves the choices.
PRESS_TAB = """
eval "$(%s -sc install=bash)"
COMP_LINE=%s COMP_CWORD=%d
COMP_POINT=${#COMP_LINE}
hydra_bash_completion
printf '%%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def with_commands(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment with the console commands of this interpreter on its path."""
    return {**environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"}


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("babi-train experiment")])
def test_choices_in_folders_are_known(environment: Mapping[str, str], tmp_path: Path, line: str) -> None:
    asked = [sys.executable, "-m", "babi_memnet.commands.train", "-sc", "query=bash"]
    where = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_CWORD": "1"}
    done = subprocess.run(asked, env={**environment, **where}, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert sorted(done.stdout.split()) == LINES[line]


@pytest.mark.integration
@pytest.mark.skipif(not BASH, reason="no bash")
@pytest.mark.parametrize("line", LINES)
def test_bash_completes_a_word(with_commands: Mapping[str, str], tmp_path: Path, line: str) -> None:
    command, *words = line.split()
    script = PRESS_TAB % (command, shlex.quote(line), len(words))
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script], env=with_commands, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert (done.stdout.split(), done.stderr) == (LINES[line], "")
    assert not list(tmp_path.iterdir())


@pytest.mark.integration
@pytest.mark.skipif(not FISH, reason="no fish")
@pytest.mark.parametrize("line", LINES)
def test_fish_completes_a_word(with_commands: Mapping[str, str], tmp_path: Path, line: str) -> None:
    script = f"{line.split()[0]} -sc install=fish | source; complete -C{shlex.quote(line)}"
    done = subprocess.run(
        [str(FISH), "--no-config", "-c", script],
        env={**with_commands, "HOME": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert sorted(done.stdout.split()) == LINES[line]
