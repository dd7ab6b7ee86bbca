"""The documentation tells the truth: its commands run, its links lead somewhere, its keys exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from babi_memnet.config import known_keys
from babi_memnet.papers.published import load_table
from tests.running import Run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SMALL = {
    "babi-train": ["debug=quick", "tracker=none"],
    "babi-reproduce": ["debug=quick", "tracker=none", "tasks=[1,2]"],
    "babi-generate": [],
    "babi-report": [],
    "babi-export": [],
    "babi-demo": ["text=true"],  # a page would be there for ever; tests/integration/test_demo_page.py looks at it
}


def commands() -> list[tuple[str, str]]:
    """Every line of every bash block, with its page."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), flags=re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(page.name, line.strip()) for line in lines if line.strip() and not line.startswith("#")]
    return list(dict.fromkeys(found))


def own_files() -> str:
    """What the page on stories of one's own says to make its files by."""
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/own-data.md").read_text(), flags=re.DOTALL)
    return program


def test_there_are_commands():
    assert len(commands()) > 10


@pytest.fixture(scope="module")
def few_runs(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> Path:
    """Outputs that a report can be made of."""
    folder = tmp_path_factory.mktemp("few_runs")
    small = ["training.restarts=2", "training.epochs=1", "data.size=60", "data.test_questions=40", "tracker=none"]
    trained = run_command("train", "-m", "task=1,2", "model.hops=1,2", *small, folder=folder)
    assert trained.returncode == 0, trained.stderr
    return folder / "outputs"


@pytest.fixture(scope="module")
def like_official(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> Path:
    """A folder like en/ of the official files."""
    folder = tmp_path_factory.mktemp("like_official")
    made = run_command("generate", "out=made", "data.size=60", "data.test_questions=40", folder=folder)
    assert made.returncode == 0, made.stderr
    return folder / "made/tasks_1-20_v1-2/en-60"


def first_and_last(word: str) -> str:
    """Of the values that a sweep goes through the first and the last, which take as little time as can be."""
    if found := re.fullmatch(r"([\w.]+)=([^][(){}',]+),.*,([^][(){}',]+)", word):
        return f"{found[1]}={found[2]},{found[3]}"
    return word


def test_of_swept_values_the_ends_are_tried():
    assert first_and_last("task=1,2,6,7") == "task=1,7"
    assert [first_and_last(word) for word in ("task=1,2", "where={a:[1,2,3]}", "tasks=[1,2,3]")] == [
        "task=1,2",
        "where={a:[1,2,3]}",
        "tasks=[1,2,3]",
    ]


@pytest.mark.integration
@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_the_documentation_runs(
    command: Run,
    few_runs: Path,
    like_official: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
    line: str,
):
    words = [first_and_last(word) for word in shlex.split(line, comments=True)]
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE), line
        return
    flags = next((place for place, word in enumerate(words) if word.startswith("--")), len(words))
    given = {word.partition("=")[0] for word in words}
    overrides = words[1:flags] + [word for word in SMALL[words[0]] if word.partition("=")[0] not in given]
    if "hydra/sweeper=search" in words or any(word.startswith("+search=") for word in words):
        overrides.append("hydra.sweeper.trials=2")
    if "--config-name=config" in words:  # of whichever run stands for that of the page
        shutil.copytree(few_runs, tmp_path / "outputs")
        (record, *_) = sorted((tmp_path / "outputs" / "train").glob("task_01-*/.hydra"))
        words = [f"--config-dir={record}" if word.startswith("--config-dir=") else word for word in words]
        overrides.remove("debug=quick")  # a preset, and the run is a small one
    elif words[0] == "babi-report":
        shutil.copytree(few_runs, tmp_path / "outputs")
        for word in words:
            if word.startswith("merge=["):  # the outputs of another machine
                (other,) = set(word.removeprefix("merge=[").removesuffix("]").split(",")) - {"outputs"}
                shutil.copytree(few_runs, tmp_path / other)
    elif words[0] in ("babi-demo", "babi-export"):  # with runs on record, or the demo would train the first
        shutil.copytree(few_runs, tmp_path / "outputs")
        (record, *_) = sorted((tmp_path / "outputs" / "train").glob("task_01-*"))
        for word in words:
            if word.startswith("run="):
                shutil.copytree(record, tmp_path / word.removeprefix("run="))
    elif "data=files" in words or page == "own-data.md":
        monkeypatch.chdir(tmp_path)
        exec(own_files(), {})  # as a reader would make them
    elif "data=official" in words:
        # Stands for the official files wherever the page says they lie.
        (root,) = (word.partition("=")[2] for word in words if word.startswith("data.root="))
        shutil.copytree(like_official, tmp_path / root / "en")
    else:
        overrides += ["data.size=60", "data.test_questions=40"]
    # Hydra takes no override after an option.
    done = command(words[0].removeprefix("babi-"), *overrides, *words[flags:])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_keys_exist(page: Path):
    known = set(known_keys())
    groups = "data|tokenizer|model|training|tracker|runtime"
    for key in re.findall(rf"(?<![\w/.])((?:{groups})\.[a-z_]+)\b(?![\w./(])", page.read_text()):
        if key != "model.hop" and not key.endswith((".md", ".safetensors")):  # a mistake that is shown; files
            assert key in known, f"{page.name}: {key}"


def test_every_page_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"docs/{page.name}" in readme


def test_every_page_has_its_place_in_the_navigation_of_the_site():
    """One line of mkdocs.yml each; tests/integration/test_site.py builds it."""
    listed = re.findall(r"^ +- (?:\w+: )?([\w-]+)\.md$", (ROOT / "mkdocs.yml").read_text(), flags=re.MULTILINE)
    made = ["index", "contributing", "changelog"]  # by scripts/site_pages.py
    assert sorted(listed) == sorted([*made, *(page.stem for page in (ROOT / "docs").glob("*.md"))])


def test_the_page_on_searches_has_the_published_error():
    published = load_table("memn2n_1k").column("pe_ls_rn").errors[2]
    assert f"The {published} that the paper has" in (ROOT / "docs" / "search.md").read_text()
