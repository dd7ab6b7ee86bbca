"""The files of a story, drawn from a trace that is made up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from babi_memnet.tables.story_report import story_sheet, story_sheets, write_story
from tests.looking.stories import ASKED, GATES, LOSS, MARKUP, MIXED, TRACE, WITHOUT_ATTENTION

SETTINGS = {
    "task": 1,
    "model": {"name": "memn2n", "hops": 2, "dimension": 20, "encoding": "bag_of_words"},
    "data": {"size": "1k", "source": "generated"},
}
NETWORK: Any = SimpleNamespace(settings=SETTINGS, restart=3, directory=Path("outputs/train/task_01-0123456789"))


def test_files_say_what_the_trace_says(tmp_path: Path) -> None:
    files = write_story(tmp_path / "story", NETWORK, ASKED, TRACE, None)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(files)
    kept = json.loads((tmp_path / "story" / "story.json").read_text())
    assert kept["story"] == list(TRACE.story)  # text as it is, markup and all
    assert [step["weights"] for step in kept["steps"]] == [list(step.weights) for step in TRACE.steps]
    assert (kept["answer"], kept["expected"], kept["supporting"]) == ("<em>hall</em>", "garden", [1])
    about = "train, task 1, restart 3: 2 hops, dimension 20, bag of words encoding, 1k generated questions"
    assert kept["network"][0] == about
    page = (tmp_path / "story" / "story.html").read_text()
    assert about in page
    assert MARKUP not in page
    assert (tmp_path / "story" / "story.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "story" / "story.pdf").read_bytes().startswith(b"%PDF")


def test_the_sheet_of_a_story() -> None:
    sheet = story_sheet(TRACE, ASKED)
    assert sheet.title == f"{TRACE.question} {TRACE.answer}"
    assert sheet.header == ("", "hop 1", "hop 2")
    assert [row[1:] for row in sheet.rows[:3]] == [("25", "10"), ("50", "85"), ("25", "5")]
    assert sheet.rows[1][0].endswith("●")
    assert sheet.rows[3][1:] == ("<u>john</u>", "hall")
    assert "right: garden" in sheet.notes[0]
    typed = story_sheet(replace(TRACE, forgotten=2), replace(ASKED, expected=None, supporting=()))
    assert not any("right" in note or "rests" in note for note in typed.notes)
    assert "first 2 statements" in typed.notes[-1]


def test_the_sheet_of_steps_that_are_no_attention() -> None:
    sheet = story_sheet(WITHOUT_ATTENTION, ASKED)
    assert sheet.header == ("", LOSS.name)
    assert [row[1:] for row in sheet.rows] == [("+0.00",), ("+2.50",)]
    assert sheet.summary == 0
    assert sheet.notes[1] == "numbers in nats"
    mixed = story_sheet(MIXED, ASKED)
    assert [row[1:] for row in mixed.rows] == [("25", "+0.00"), ("50", "+2.50"), ("25", ""), ("<u>john</u>", "")]
    assert mixed.summary == 2
    assert mixed.notes[1:3] == ("hop 1: percent of the weight of each step", f"{LOSS.name}: numbers in nats")


def test_many_steps_go_below_each_other() -> None:
    assert story_sheets(TRACE, ASKED, 100) == [story_sheet(TRACE, ASKED)]
    sheets = story_sheets(GATES, ASKED, 100)
    assert len(sheets) > 1
    assert [name for sheet in sheets for name in sheet.header[1:]] == [step.name for step in GATES.steps]
    assert [text for sheet in sheets for text in sheet.rows[0][1:]] == [f"+{0.02 * n:.2f}" for n in range(1, 41)]


def test_files_of_a_network_without_attention(tmp_path: Path) -> None:
    write_story(tmp_path, NETWORK, ASKED, WITHOUT_ATTENTION, None)
    kept = json.loads((tmp_path / "story.json").read_text())
    assert (kept["steps"][0]["unit"], kept["steps"][0]["empty"], kept["asked"]) == ("nats", None, [])
    assert LOSS.name in (tmp_path / "story.html").read_text()
