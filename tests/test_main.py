"""python -m babi_memnet lists the commands at once, and takes no other words."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.running import Run

ROOT = Path(__file__).parents[1]
COMMANDS = sorted(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"])


def listed(
    environment: Mapping[str, str], *words: str, options: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "babi_memnet", *words], env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)], ids=" ".join)
def test_every_command_is_listed_with_an_example(environment: Mapping[str, str], words: tuple[str, ...]) -> None:
    done = listed(environment, *words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  babi-")] == COMMANDS
    examples = [line.split()[0] for line in lines if line.startswith("                    babi-")]
    assert examples == COMMANDS
    assert max(map(len, lines)) <= 100


def test_the_page_shows_the_list(environment: Mapping[str, str]) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    assert textwrap.indent(listed(environment).stdout, "    ") in page


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_described_as_in_its_own_help(command: Run, environment: Mapping[str, str], name: str) -> None:
    shown = command(name.removeprefix("babi-"), "--help").stdout
    sentence, _, examples = shown.partition("\n\n")
    text = " ".join(listed(environment).stdout.split())
    assert " ".join(sentence.split()).removesuffix(".") in text
    assert examples.splitlines()[0].strip() in text


def test_it_imports_nothing_heavy(environment: Mapping[str, str]) -> None:
    done = listed(environment, options=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "yaml" in imported
    assert not imported & {"torch", "hydra", "omegaconf", "numpy", "datasets", "wandb"}


@pytest.mark.parametrize("word", ["train", "task=1", "-x", "\x1b[31m"])
def test_any_other_word_is_refused_in_one_line(environment: Mapping[str, str], word: str) -> None:
    done = listed(environment, word)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"python -m babi_memnet: {word!r}: expected --help or nothing; the commands are babi-demo, ")
