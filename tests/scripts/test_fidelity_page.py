from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from babi_memnet.data.babi_format import file_name, parse_babi, write_babi
from babi_memnet.data.generated import simulated_records
from babi_memnet.errors import RequestError
from babi_memnet.tasks import TITLES
from scripts.fidelity import (
    STATISTICS,
    distances,
    fidelity_page,
    template_of,
    templates_in_one,
    total_variation,
)

PROJECT = Path(__file__).parents[2]
SOME = """1 Mary went to the kitchen.
2 Where is Mary? \tkitchen\t1
3 John went to the office.
4 Where is Mary? \tkitchen\t1
"""
OTHERS = """1 John moved to the garden.
2 Where is John? \tgarden\t1
1 John went to the office.
2 Where is John? \toffice\t1
"""


def write_stand_in(parent: Path, seed: int) -> Path:
    """Small simulated files where the official ones would lie; returns the folder that ``--root`` takes."""
    folder = parent / "tasks_1-20_v1-2" / "en"
    folder.mkdir(parents=True)
    for task in TITLES:
        for split, questions in (("train", 40), ("test", 30)):
            with (folder / file_name(task, split)).open("w", encoding="ascii", newline="\n") as file:
                write_babi(simulated_records(task, questions, seed, split), file)
    return parent


def cells_of(page: str) -> dict[str, list[list[float]]]:
    """For each row of the table its pairs (generated, official)."""
    rows = re.findall(r"^\| (\d+|mean) \| (.+) \|$", page, flags=re.MULTILINE)
    return {
        label: [[float(number) for number in cell.split(" / ")] for cell in row.split(" | ")] for label, row in rows
    }


def test_total_variation_is_half_the_difference_of_the_shares() -> None:
    assert total_variation(Counter(a=3, b=1), Counter(a=1, b=1)) == 0.25
    assert total_variation(Counter(a=1, b=2, c=1), Counter(b=3, d=1)) == 0.5
    assert total_variation(Counter(a=1), Counter(a=50)) == 0
    assert total_variation(Counter(a=1), Counter(b=7)) == 1


def test_distances_of_two_small_files_counted_by_hand() -> None:
    some, others = (parse_babi(text.splitlines(), 1, "made up") for text in (SOME, OTHERS))
    assert distances(some, others) == {
        "sentences": 0.25,  # "went" 2, "where" 2 of 4 against "went" 1, "moved" 1, "where" 2
        "answers": 1.0,
        "statements before a question": 0.5,  # 1 and 2 against 1 and 1
        "supporting statements": 0.0,
        "how far back": 0.5,
    }
    assert templates_in_one(some, others) == {"<person> moved to the <place>."}


@pytest.mark.parametrize(
    ("sentence", "template"),
    [
        ("Mary picked up the football there.", "<person> picked up the <thing> there."),
        ("The pink rectangle is above the triangle.", "the <shape> is above the <shape>."),
        ("The box of chocolates fits inside the box.", "the <container> fits inside the <container>."),
        ("Sheep are afraid of wolves.", "<animal> are afraid of <animal>."),
        ("What is gertrude afraid of?", "what is <person> afraid of?"),
        ("Lily is yellow.", "<person> is <colour>."),
        ("This morning Fred moved to the cinema.", "this morning <person> moved to the <place>."),
        ("Nora sang in the attic.", "nora sang in the attic."),
    ],
)
def test_templates_leave_out_what_varies(sentence: str, template: str) -> None:
    assert template_of(sentence) == template


def test_stories_of_the_same_seed_are_not_told_apart_and_those_of_another_are(tmp_path: Path) -> None:
    root = write_stand_in(tmp_path, seed=5)
    same, other = (cells_of(fidelity_page(root, seed)) for seed in (5, 6))
    assert list(same) == list(other) == [*map(str, TITLES), "mean"]
    assert all(len(row) == len(STATISTICS) for row in same.values())
    assert all(ours == 0 for row in same.values() for ours, _ in row)
    assert [official for row in same.values() for _, official in row] == [
        official for row in other.values() for _, official in row
    ]
    assert all(ours > 0 for ours, _ in other["mean"])
    answers = [row[1][0] for label, row in other.items() if label != "mean"]
    assert other["mean"][1][0] == pytest.approx(sum(answers) / 20, abs=0.0006)


def test_words_and_templates_that_only_one_side_has_are_named(tmp_path: Path) -> None:
    root = write_stand_in(tmp_path, seed=5)
    assert "words: none; sentence templates: none." in fidelity_page(root, 5).replace("\n", " ")
    path = root / "tasks_1-20_v1-2" / "en" / file_name(4, "train")
    path.write_text(path.read_text().replace("is north of", "lies north of"))
    page = fidelity_page(root, 5).replace("\n", " ")
    assert "words: lies (task 4);" in page
    assert "`the <place> lies north of the <place>.` (task 4)" in page
    assert [label for label, row in cells_of(fidelity_page(root, 5)).items() if row[0][0]] == ["4", "mean"]


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    root = write_stand_in(tmp_path, seed=5)
    command = [sys.executable, str(PROJECT / "scripts" / "fidelity.py"), "--seed", "7", "--out", "page.md", "--root"]
    subprocess.run([*command, str(root)], check=True, cwd=tmp_path)
    assert (tmp_path / "page.md").read_text() == fidelity_page(root, 7)
    refused = subprocess.run([*command, "nowhere"], capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr == (
        "fidelity.py: --root nowhere: no such folder; expected tasks_1-20_v1-2 or a folder that holds it\n"
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    root = write_stand_in(tmp_path, seed=5)
    (root / "tasks_1-20_v1-2" / "en" / file_name(7, "test")).unlink()
    with pytest.raises(
        RequestError, match=r"--root .*qa7_counting_test.txt is missing; complete there: tasks 1-6, 8-20"
    ):
        fidelity_page(root, 0)


@pytest.mark.integration
def test_the_shipped_page_is_what_the_command_writes(official_root: Path) -> None:
    shipped = (PROJECT / "docs" / "fidelity.md").read_text()
    (seed,) = re.findall(r"`data.seed=(\d+)`", shipped)
    assert shipped == fidelity_page(official_root, int(seed))
