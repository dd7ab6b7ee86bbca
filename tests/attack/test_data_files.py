"""Story files that something has happened to: refused in one line, or read as they are meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from babi_memnet.data.babi_format import file_name, read_babi, write_babi
from babi_memnet.data.generated import load
from babi_memnet.data.records import StoryQuestion
from babi_memnet.data.settings import GeneratedData
from babi_memnet.errors import RequestError, visible
from tests.attack.trying import RIGHT, SECONDS, TRACEBACK, WRONG, Property, drawn, ending, judge, portions, refusal
from tests.running import Run

COUNT, COMMANDS = 300, 40


def _byte(random: Random, content: bytes, new: Callable[[Random], bytes]) -> bytes:
    place = random.randrange(len(content))
    return content[:place] + new(random) + content[place + random.randrange(2) :]


def _line(random: Random, content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    lines = content.split(b"\n")
    place = random.randrange(len(lines))
    lines[place] = change(lines[place])
    return b"\n".join(lines)


def _swapped(random: Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


DAMAGES: list[Callable[[Random, bytes], bytes]] = [
    lambda random, content: _byte(random, content, lambda it: bytes([it.randrange(256)])),
    lambda random, content: _byte(
        random, content, lambda it: it.choice([b"\0", b"\t", b"\n", b"\r", b" ", b"?", b"\x1b[2J"])
    ),
    lambda random, content: _byte(
        random, content, lambda it: it.choice(["\u0301", "\u200b", "\ufeff", "\u2028", "？"]).encode()
    ),
    lambda random, content: content[: random.randrange(len(content))],
    lambda random, content: content[random.randrange(len(content)) :],
    lambda random, content: _line(random, content, lambda line: line.replace(b"\t", b" ")),
    lambda random, content: _line(random, content, lambda line: line.replace(b"\t", b"\t\t")),
    lambda random, content: _line(random, content, lambda line: line.replace(b"?", b"")),
    lambda random, content: _line(
        random, content, lambda line: re.sub(rb"^\d+", str(random.choice([0, -1, 7, 10**20, "x"])).encode(), line)
    ),
    lambda random, content: _line(
        random, content, lambda line: re.sub(rb"\d+$", b"9" * random.choice([1, 3, 6000]), line)
    ),
    lambda random, content: _line(random, content, lambda line: line * 2),
    lambda random, content: _line(random, content, lambda line: line + b" word" * random.choice([1, 100_000])),
    lambda random, content: _line(random, content, lambda _line: b""),
    lambda random, content: _line(random, content, lambda line: re.sub(rb"\t[^\t]*\t", b"\t\t", line)),
    lambda random, content: _line(random, content, lambda line: line.rpartition(b"\t")[0] or line),
    lambda _random, content: b"\xef\xbb\xbf" + content,
    lambda _random, content: content.replace(b"\n", b"\r\n"),
    lambda random, content: content + b"\n" * random.randrange(1, 4),
    lambda _random, content: content.decode().encode("utf-16"),
    lambda _random, content: b"",
    _swapped,
]


@cache
def _sound(task: int) -> bytes:
    from io import StringIO

    table = load(GeneratedData(size="30", test_questions=30), [task])["train"]
    text = StringIO()
    write_babi(
        [
            StoryQuestion(**{**row, "story": tuple(row["story"]), "supporting": tuple(row["supporting"])})
            for row in table
        ],
        text,
    )
    return text.getvalue().encode()


def _cases(count: int) -> list[tuple[int, int]]:
    """A task, and a number that says what happens to its file."""
    random = drawn("data files")
    return [(random.randrange(1, 21), place) for place in range(count)]


def _damaged(task: int, number: int) -> bytes:
    random = drawn(f"data file {number}")
    return DAMAGES[number % len(DAMAGES)](random, _sound(task))


@pytest.mark.parametrize("some", portions(_cases(COUNT), 60, 30))
def test_a_damaged_file(
    some: list[tuple[int, int]], own_cache: Path, tmp_path: Path, record_property: Property
) -> None:
    path = tmp_path / "stories.txt"

    def tried(task: int, number: int) -> tuple[str, str]:
        path.write_bytes(_damaged(task, number))
        try:
            found = read_babi(path, task)
        except RequestError as error:
            return refusal(visible(str(error)).splitlines(), f"{path}:")
        except Exception as error:
            return TRACEBACK, repr(error)
        return (RIGHT, "") if [_plain(one) for one in found] == meant(path.read_bytes()) else (WRONG, "read otherwise")

    judge(((case, tried(*case)) for case in some), record_property)


@pytest.mark.parametrize("some", portions(_cases(COMMANDS), 20, 2))
def test_a_command_with_a_damaged_file(
    some: list[tuple[int, int]], own_cache: Path, run_command: Run, tmp_path: Path, record_property: Property
) -> None:
    def tried(task: int, number: int) -> tuple[str, str]:
        folder = tmp_path / str(number)
        stories = folder / "stories" / "en"
        stories.mkdir(parents=True)
        (stories / file_name(task, "train")).write_bytes(_damaged(task, number))
        (stories / file_name(task, "test")).write_bytes(_sound(task))
        words = [f"task={task}", "data=official", "data.root=stories", "debug=quick", "tracker=none"]
        done = run_command("train", *words, folder=folder, seconds=SECONDS)
        left = [path.name for path in folder.rglob("status.json")]
        if done.returncode == 2 and left:
            return WRONG, "a refused request has left a run"
        return ending(done, lambda: None if len(left) == 1 else "no run")

    judge(((case, tried(*case)) for case in some), record_property)


def _plain(one: StoryQuestion) -> tuple[Any, ...]:
    return one.story, one.question, one.answer, one.supporting, one.story_id


def meant(content: bytes) -> list[tuple[Any, ...]] | None:
    """What a person reads in a file, by another way than the package: None where it is not as it should be."""
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None
    found: list[tuple[Any, ...]] = []
    # number of the line to statement, or to None for a question
    told: dict[int, str | None] = {}
    story = -1
    lines = re.split(r"\r*\n", text)
    blank = False
    for line in lines:
        line = line.rstrip("\r")
        if not line.strip():
            blank = True
            continue
        shape = re.fullmatch(r"([0-9]+) (.+)", line, flags=re.DOTALL)
        if shape is None:
            return None
        number, rest = int(shape[1]) if len(shape[1]) < 10 else -1, shape[2]
        if number == 1:
            told, story = {}, story + 1
        elif number != len(told) + 1 or not told or blank:
            return None
        blank = False
        if "\t" not in rest:
            if "?" in rest or not rest.strip():
                return None
            told[number] = rest
            continue
        question, answer, *supporting = rest.split("\t")
        statements = [one for one in told if told[one] is not None]
        if not statements or len(supporting) > 1 or not question.rstrip(" ").endswith("?") or not answer.strip():
            return None
        pointers = [
            int(one) if one.isascii() and one.isdigit() and len(one) < 10 else -1
            for one in " ".join(supporting).split()
        ]
        if any(pointer not in statements for pointer in pointers):
            return None
        words = ",".join(word.strip() for word in answer.split(","))
        indices = tuple(statements.index(pointer) for pointer in pointers)
        found.append((tuple(str(told[one]) for one in statements), question.rstrip(" "), words, indices, story))
        told[number] = None
    return found or None
