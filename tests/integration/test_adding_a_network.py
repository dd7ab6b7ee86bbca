"""The page on adding a network, followed to the letter."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-network.md"
SMALL = ["data.size=60", "data.test_questions=40"]


@pytest.mark.integration
def test_the_page_can_be_followed_from_top_to_bottom(tmp_path: Path, environment: Mapping[str, str]):
    page = PAGE.read_text()
    files = re.findall(r"`(mine/[\w/.]+)`:\n\n```\w+\n(.*?)```", page, flags=re.DOTALL)
    assert [name.rpartition("/")[2] for name, _ in files] == ["recent.py", "recent.yaml", "recent.yaml", "mine.yaml"]
    for name, content in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    environ = dict(environment)
    said: dict[str, str] = {}
    for line in re.findall(r"^\$ (.*)$", page, flags=re.MULTILINE):
        words = shlex.split(line)
        if words[0] == "export":
            variable, _, value = words[1].partition("=")
            environ[variable] = value
            continue
        if words[0] in ("babi-train", "babi-reproduce"):
            words += [*SMALL, "tracker=none"]
        module = f"babi_memnet.commands.{words[0].removeprefix('babi-')}"
        story = "Mary went to the kitchen.\nWhere is Mary?\n"
        done = subprocess.run(
            [sys.executable, "-m", module, *words[1:]],
            cwd=tmp_path, env=environ, input=story, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        said[line] = done.stdout

    results = [json.loads(path.read_text()) for path in (tmp_path / "outputs").rglob("result.json")]
    assert len(results) == 3
    for path in (tmp_path / "outputs").rglob("status.json"):
        settings = json.loads(path.read_text())["settings"]
        assert settings["model"]["name"] == "recent"
        assert settings["training"]["linear_start_epochs"] == 0, "it has no softmax to leave out"
    errors = json.loads((tmp_path / "drawn" / "inspect" / "errors.json").read_text())
    assert errors
    assert not (tmp_path / "drawn" / "inspect" / "attention.json").exists(), "its steps are no attention"
    story = json.loads((tmp_path / "story" / "story.json").read_text())
    (step,) = story["steps"]
    assert step["name"] == "worth of each statement"
    assert not step["shares"]
    assert "worth of each statement" in (tmp_path / "story" / "story.html").read_text()
    (dialogue,) = (text for line, text in said.items() if "babi-demo" in line)
    assert "recent" in dialogue
    assert "worth of each statement" in dialogue
    # An old record does not answer for new code.
    code = tmp_path / "mine" / "models" / "recent.py"
    code.write_text(code.read_text() + "\n# changed\n")
    again = [sys.executable, "-m", "babi_memnet.commands.train", "model=recent", "task=1", "debug=quick", *SMALL]
    subprocess.run([*again, "tracker=none"], cwd=tmp_path, env=environ, check=True, capture_output=True)
    assert len(list((tmp_path / "outputs").rglob("result.json"))) == 4
    table = json.loads(next((tmp_path / "outputs").rglob("table.json")).read_text())
    assert [column["id"] for column in table["columns"]] == ["recent"]
