"""Story files as people really have them: other scripts, editors that save their own way, facts out of reach."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from babi_memnet.data.babi_format import file_name
from tests.running import Run

QUICK = ("debug=quick", "training.restarts=1", "tracker=none", "runtime.threads=1")
SPLITS = {"train": (250, 1), "test": (80, 2)}
"""Stories, and the seed of each split."""


@dataclass(frozen=True)
class Wording:
    """How a small world is told: of people who go to places, and where they are."""

    people: Sequence[str] = ("Iris", "Omar", "Lena")
    places: Sequence[str] = ("harbour", "meadow", "library")
    told: str = "{} cycled to the {}."
    asked: str = "Where is {}?"
    tab: str = "\t"
    supporting: bool = True

    def stories(self, count: int, seed: int) -> list[list[str]]:
        """Stories of nine lines: six statements, and a question after each two of them."""
        random, found = Random(seed), []
        for _ in range(count):
            lines: list[str] = []
            last: dict[str, tuple[str, int]] = {}
            while len(lines) < 9:
                for _ in range(2):
                    who, where = random.choice(self.people), random.choice(self.places)
                    lines.append(self.told.format(who, where))
                    last[who] = where, len(lines)
                who = random.choice(list(last))
                where, line = last[who]
                facts = f"\t{line}" if self.supporting else ""
                lines.append(f"{self.asked.format(who)}{self.tab}{where}{facts}")
            found.append([f"{number} {line}" for number, line in enumerate(lines, 1)])
        return found


PLAIN = Wording()
HINDI = Wording(("मीना", "मोना", "मान"), ("रसोई", "बगीचा", "दफ़्तर"), "{} {} में गई।", "{} कहाँ है?")


def out_of_reach(count: int, seed: int) -> list[list[str]]:
    """The one fact that matters is told first, and then sixty others."""
    random, found = Random(seed), []
    for _ in range(count):
        where = random.choice(PLAIN.places)
        told = [f"Iris cycled to the {where}.", *(f"Omar saw the {random.choice(PLAIN.places)}." for _ in range(60))]
        lines = [*told, f"Where is Iris?\t{where}\t1"]
        found.append([f"{number} {line}" for number, line in enumerate(lines, 1)])
    return found


Write = Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts the lines of stories to train on and to test with where a run finds them; gives the word that says so."""

    def write(*stories: Sequence[Sequence[str]]) -> str:
        for split, some in zip(SPLITS, stories, strict=True):
            path = tmp_path / "own" / "en" / file_name(1, split)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{line}\n" for story in some for line in story), encoding="utf-8")
        return "data.root=own"

    return write


def both(wording: Wording = PLAIN) -> tuple[list[list[str]], list[list[str]]]:
    return wording.stories(*SPLITS["train"]), wording.stories(*SPLITS["test"])


def replaced(stories: Sequence[Sequence[str]], old: str, new: str) -> list[list[str]]:
    return [[line.replace(old, new) for line in story] for story in stories]


def error_of(folder: Path) -> float:
    (result,) = folder.glob("outputs/**/result.json")
    return float(json.loads(result.read_text())["test_error_percent"])


def test_marks_belong_to_words(command: Run, write: Write, tmp_path: Path) -> None:
    schedule = ["training.restarts=2", "training.epochs=30", "training.linear_start_epochs=5", *QUICK[2:]]
    done = command("train", "task=1", "data=official", write(*both(HINDI)), *schedule)
    assert (done.returncode, "read alike" in done.stdout) == (0, False)
    assert error_of(tmp_path) < 5


def test_facts_that_the_memory_forgets_are_told(command: Run, write: Write, tmp_path: Path) -> None:
    root = write(out_of_reach(100, 1), out_of_reach(50, 2))
    done = command("train", "task=1", "data=official", root, *QUICK)
    assert done.returncode == 0
    assert (
        "100 of 100 train questions and 50 of 50 test questions rest on statements that model.memory_size=50 forgets"
        in (done.stdout)
    )
    schedule = ["training.restarts=1", "training.epochs=40", "training.linear_start_epochs=0", *QUICK[2:]]
    words = ["task=1", "data=official", root, *schedule, "model.memory_size=100", "runtime.outputs=long/outputs"]
    done = command("train", *words)
    assert (done.returncode, "forgets" in done.stdout) == (0, False)


def test_a_file_without_an_end_of_its_story_is_told(command: Run, write: Write) -> None:
    train, test = both()
    endless = [[f"{number} {line.partition(' ')[2]}" for number, line in enumerate((x for s in train for x in s), 1)]]
    endless = [[re.sub(r"\t\d+$", "", line) for line in story] for story in endless]
    done = command("train", "task=1", "data=official", write(endless, test), *QUICK)
    assert done.returncode == 0
    assert "model.memory_size" in done.stdout


def test_answers_that_training_never_has_are_told(command: Run, write: Write) -> None:
    train, _ = both()
    _, test = both(Wording(places=("harbour", "attic", "cellar")))
    done = command("train", "task=1", "data=official", write(train, test), *QUICK)
    assert done.returncode == 0
    assert re.search(r"\d+ of 240 test questions have an answer that no training question has", done.stdout)


def test_answers_of_several_words_are_one_however_they_are_spaced(command: Run, write: Write, tmp_path: Path) -> None:
    train, test = both()
    root = write(replaced(train, "\tmeadow", "\tmeadow, library"), replaced(test, "\tmeadow", "\tmeadow,library"))
    done = command("train", "task=1", "data=official", root, *QUICK)
    assert done.returncode == 0
    assert "no training question has" not in done.stdout


@pytest.mark.parametrize("every", [1, 5])
def test_blanks_instead_of_tabs_are_refused_at_the_first_such_line(command: Run, write: Write, every: int) -> None:
    train, test = both()
    spoiled = [story if number % every else replaced([story], "\t", "    ")[0] for number, story in enumerate(train, 1)]
    done = command("train", "task=1", "data=official", write(spoiled, test), *QUICK)
    assert done.returncode == 2
    line = 9 * (every - 1) + 3
    assert re.search(
        rf"qa1_single-supporting-fact_train.txt:{line}: a question with blanks instead of tabs", done.stderr
    )


SAME = {
    "blank line at the end": lambda stories: [*stories, [""]],
    "blank lines between": lambda stories: [[*story, ""] for story in stories],
    "byte-order mark": lambda stories: [["\ufeff" + stories[0][0], *stories[0][1:]], *stories[1:]],
    "ends of lines as on Windows": lambda stories: [[f"{line}\r" for line in story] for story in stories],
}


def test_what_editors_add_changes_nothing(command: Run, write: Write, tmp_path: Path) -> None:
    train, test = both()
    words = ["task=1", "data=official", *QUICK]
    assert command("train", *words, write(train, test), "runtime.outputs=outputs/plain").returncode == 0
    plain = error_of(tmp_path)
    for number, added in enumerate(SAME.values()):
        outputs = f"runtime.outputs=again/{number}/outputs"
        assert command("train", *words, write(added(train), added(test)), outputs).returncode == 0
        assert error_of(tmp_path / "again" / str(number)) == plain


def test_supporting_facts_may_be_missing(command: Run, write: Write) -> None:
    done = command("train", "task=1", "data=official", write(*both(Wording(supporting=False))), *QUICK)
    assert done.returncode == 0
    done = command("report", "runs=outputs", "inspect=true", "figures=false")
    assert done.returncode == 0


def test_the_question_mark_of_another_script_is_named(command: Run, write: Write) -> None:
    train, test = both()
    done = command("train", "task=1", "data=official", write(replaced(train, "?", "？"), test), *QUICK)
    assert done.returncode == 2
    assert "train.txt:3: a question that ends with '？' (U+FF1F); expected ?" in done.stderr


def test_more_words_than_can_be_numbered_are_refused(command: Run, write: Write) -> None:
    many = [
        [
            f"1 Guest{number}a met Thing{number}b.",
            f"2 Guest{number}c cycled to the harbour.",
            "3 Where is Iris?\tharbour\t2",
        ]
        for number in range(24_000)
    ]
    done = command("train", "task=1", "data=official", write(many, both()[1]), *QUICK)
    assert done.returncode == 2
    assert "65535" in done.stderr.replace(",", "")


def test_one_question_is_too_few_and_the_file_is_named(command: Run, write: Write) -> None:
    train, test = both()
    done = command("train", "task=1", "data=official", write([train[0][:3]], test), *QUICK)
    assert done.returncode == 2
    assert "qa1_single-supporting-fact_train.txt: 1 training question; expected 2 at least" in done.stderr
