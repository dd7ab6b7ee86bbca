"""What a run ran on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from babi_memnet.runs.environment import describe_checkout, describe_environment, unlike_versions


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    # Run from a git hook, GIT_DIR and its like would point these commands at the repository of the hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit, whose ``package`` folder is tracked."""
    repository = tmp_path / "repository"
    package = repository / "package"
    package.mkdir(parents=True)
    (package / "module.py").write_text("a = 1\n")
    git(repository, "init", "-q")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "one")
    return repository


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert describe_checkout(checkout / "package") == {"commit": commit, "dirty": False}


@pytest.mark.parametrize("changed", ["package/module.py", "package/new.py"])
def test_changed_and_unknown_files_are_told(checkout: Path, changed: str) -> None:
    (checkout / changed).write_text("a = 2\n")
    described = describe_checkout(checkout / "package")
    assert described is not None
    assert described["dirty"] is True


def test_a_hook_s_variables_do_not_lead_astray(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(checkout / "elsewhere"))
    assert describe_checkout(checkout / "package") is not None


def test_a_package_installed_inside_someone_s_checkout_has_no_commit(checkout: Path) -> None:
    installed = checkout / ".venv" / "package"
    installed.mkdir(parents=True)
    (installed / "module.py").write_text("a = 1\n")
    assert describe_checkout(installed) is None


def test_no_commit_no_repository_and_no_git_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe_checkout(tmp_path) is None
    (tmp_path / "module.py").touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert describe_checkout(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_checkout(tmp_path) is None


def test_versions_are_those_installed() -> None:
    described = describe_environment()
    assert described["versions"]["numpy"] == version("numpy")
    assert described["python"] == platform.python_version()
    assert described["pid"] == os.getpid()


def test_versions_that_change_numbers_are_told_apart() -> None:
    one, other = {"torch": "2.12.0", "numpy": "2.4"}, {"torch": "2.13.0", "numpy": "2.4"}
    wandb = {**other, "wandb": "0.1"}
    assert unlike_versions([]) == unlike_versions([one, one]) == unlike_versions([other, wandb]) == []
    assert unlike_versions([one, other, wandb]) == [
        "runs made by different versions, which may change numbers: torch 2.12.0 (of 1), 2.13.0 (of 2)"
    ]
    for damaged in ({}, None, ["torch"], "2.12.0"):
        (line,) = unlike_versions([one, damaged])
        assert line.endswith("torch 2.12.0 (of 1), unknown (of 1); numpy 2.4 (of 1), unknown (of 1)")
