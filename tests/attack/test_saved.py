"""Saved stories that something has happened to: refused in one line, or what the files hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from babi_memnet.data.export import write_saved
from babi_memnet.data.saved import load
from babi_memnet.data.settings import GeneratedData, SavedData
from babi_memnet.errors import RequestError, visible
from tests.attack.trying import RIGHT, TRACEBACK, WRONG, Property, drawn, judge, portions, refusal

COUNT = 240
STORIES = GeneratedData(size=20, test_questions=10)

_Damage = Callable[[Random, Path], None]
ODD: list[Any] = [None, 0, -1, 1.5, True, "", "x", "../train", "\x1b[31m", [], [0], {}, {"a": 1}, "9" * 5000, [[]] * 9]


def _bytes(random: Random, folder: Path) -> None:
    path = random.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    content = path.read_bytes()
    place = random.randrange(len(content))
    cut = random.randrange(4)
    if cut == 0:
        content = content[:place]
    else:
        content = content[:place] + random.randbytes(random.choice([1, 1, 8])) + content[place + cut :]
    path.write_bytes(content)


def _document(random: Random, folder: Path) -> None:
    """A value somewhere in a JSON file becomes an odd one, or is gone."""
    paths = sorted(folder.rglob("*.json"))
    path = random.choice(paths)
    content = json.loads(path.read_bytes())
    places: list[tuple[Any, Any]] = []

    def look(part: Any) -> None:
        for key in part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
            places.append((part, key))
            look(part[key])

    look(content)
    part, key = random.choice(places)
    if random.randrange(4):
        part[key] = random.choice(ODD)
    else:
        del part[key]
    path.write_text(json.dumps(content))


def _missing(random: Random, folder: Path) -> None:
    random.choice(sorted(path for path in folder.rglob("*") if path.is_file())).unlink()


def _folder_instead(random: Random, folder: Path) -> None:
    path = random.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, list[_Damage]] = {
    "parquet": [_bytes, _bytes, _missing, _folder_instead],
    "datasets": [_document, _document, _document, _bytes, _missing, _folder_instead],
}


def _cases(count: int) -> list[tuple[str, int]]:
    return [(["datasets", "parquet"][number % 4 == 0], number) for number in range(count)]


@pytest.fixture
def sound(own_cache: Path, tmp_path: Path) -> Path:
    """A folder for each form."""
    for form in DAMAGES:
        write_saved(STORIES, tmp_path / form, [1, 15], form, progress=False)
    return tmp_path


def _rows(folder: Path) -> list[list[dict[str, Any]]]:
    found = load(SavedData(path=str(folder)), [1, 15])
    return [found[split].to_list() for split in ("train", "test")]


@pytest.mark.parametrize("some", portions(_cases(COUNT), 80, 25))
def test_damaged_stories(some: list[tuple[str, int]], sound: Path, record_property: Property) -> None:
    expected = {form: _rows(sound / form) for form in DAMAGES}

    def tried(form: str, number: int) -> tuple[str, str]:
        random = drawn(f"saved {form} {number}")
        folder = sound / f"{number}"
        shutil.copytree(sound / form, folder)
        damage = random.choice(DAMAGES[form])
        damage(random, folder)
        try:
            found = _rows(folder)
        except RequestError as error:
            return refusal(visible(str(error)).splitlines())
        except Exception as error:
            return TRACEBACK, f"{damage.__name__}: {error!r}"
        finally:
            shutil.rmtree(folder)
        # Changed bytes may be other words, and as good as the ones before.
        right = found == expected[form] or (damage is _bytes and _like(found, expected[form]))
        return (RIGHT, "") if right else (WRONG, f"{damage.__name__}: read otherwise")

    judge(((case, tried(*case)) for case in some), record_property)


def _like(found: list[list[dict[str, Any]]], expected: list[list[dict[str, Any]]]) -> bool:
    """Whether as many questions of the same tasks were read, each with a question and an answer."""
    return [[row["task"] for row in rows] for rows in found] == [
        [row["task"] for row in rows] for rows in expected
    ] and all(row["question"].strip() and row["answer"].strip() for rows in found for row in rows)
