"""Records that something has happened to: told in one line, or read and continued as if nothing had."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from babi_memnet.errors import RequestError, visible
from babi_memnet.runs.collection import read_rows
from tests.attack.trying import RIGHT, SECONDS, TRACEBACK, WRONG, Property, drawn, ending, judge, portions, refusal
from tests.running import SMALL, Run, only_run, results

READ, CONTINUED, REPORTED = 150, 120, 30

WORDS = [*SMALL, "training.epochs=3", "training.restarts=2", "training.checkpoint_seconds=0"]

JSON_VALUES = [None, 1, -1, "x", [], {}, [[]], 1e308, True, "\x1b[2J"]

Damage = Callable[[Random, Path], None]


def _bytes(change: Callable[[Random, bytes], bytes]) -> Damage:
    def damage(random: Random, path: Path) -> None:
        path.write_bytes(change(random, path.read_bytes()))

    return damage


def _folder(_random: Random, path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(_random: Random, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _loop(_random: Random, path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _huge(_random: Random, path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(20 * 1024**3)


def _other_value(random: Random, path: Path) -> None:
    """One value somewhere in a JSON document, or one of its keys, is another."""
    lines = path.read_bytes().decode().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    place = random.randrange(len(lines))
    whole = json.loads(lines[place])
    inner: Any = whole
    for _ in range(random.randrange(6)):
        below = [
            value
            for value in (inner.values() if isinstance(inner, dict) else inner)
            if isinstance(value, dict | list) and value
        ]
        if not below:
            break
        inner = random.choice(below)
    key = random.choice(list(inner)) if isinstance(inner, dict) else random.randrange(len(inner))
    if random.random() < 0.5:
        del inner[key]
    else:
        inner[key] = random.choice(JSON_VALUES)
    lines[place] = json.dumps(whole)
    path.write_text("\n".join(lines) + "\n")


DAMAGES: list[Damage] = [
    _bytes(lambda random, content: content[: random.randrange(len(content))]),
    _bytes(lambda random, content: content[: random.randrange(len(content))] + bytes(random.randrange(1, 99))),
    _bytes(lambda _random, _content: b""),
    _bytes(lambda _random, _content: b"[" * 100_000),
    _bytes(lambda _random, _content: b'{"a":' * 100_000),
    _bytes(lambda random, _content: json.dumps(random.choice(JSON_VALUES)).encode()),
    _bytes(lambda random, _content: bytes(random.randrange(256) for _ in range(500))),
    _bytes(lambda _random, content: content * 2),
    _bytes(lambda _random, _content: b"9" * 6000),
    lambda _random, path: path.unlink(),
    _folder,
    _pipe,
    _loop,
    _huge,
]


def damage(random: Random, path: Path) -> None:
    """Do something to a file of a record."""
    documents = path.suffix in (".json", ".jsonl")
    random.choice([*DAMAGES, *([_other_value] * 8 if documents else [])])(random, path)


@pytest.fixture(scope="module")
def done_run(tmp_path_factory: pytest.TempPathFactory, run_command: Run) -> Path:
    """A folder with a run that is done, in ``outputs``."""
    folder = tmp_path_factory.mktemp("done")
    assert run_command("train", *WORDS, folder=folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def stopped_run(done_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, as if it had been killed after its last checkpoint."""
    folder = tmp_path_factory.mktemp("stopped") / "copy"
    shutil.copytree(done_run, folder)
    run = only_run(folder)
    (run / "result.json").unlink()
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "state": "running"}))
    return folder


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return only_run(target)


@pytest.mark.parametrize("some", portions(range(READ), 75, 20))
def test_a_damaged_record_is_read(some: list[int], done_run: Path, tmp_path: Path, record_property: Property) -> None:
    before = [_told(row) for row in read_rows(only_run(done_run))]

    def tried(number: int) -> tuple[str, str]:
        random = drawn(f"record {number}")
        run = _copy(done_run, tmp_path / str(number))
        path = run / random.choice(["status.json", "result.json", "metrics.jsonl"])
        damage(random, path)
        try:
            found = [_told(row) for row in read_rows(run)]
        except RequestError as error:
            return refusal(visible(str(error)).splitlines(), f"{run}")
        except Exception as error:
            return TRACEBACK, f"{path.name}: {error!r}"
        numbers = [value for row in found for value in row["test"] or ()]
        if any(not isinstance(value, float) or not 0 <= value <= 100 for value in numbers):
            return WRONG, f"{path.name}: test errors {numbers}"
        # A number that was edited into another cannot be told from the one that was there.
        return (RIGHT, "") if found == before or path.name != "metrics.jsonl" else (WRONG, f"{path.name}: {found}")

    judge(((number, tried(number)) for number in some), record_property)


def _told(row: Any) -> Mapping[str, Any]:
    return {"test": row.test, "selected": row.selected}


@pytest.mark.parametrize("some", portions(range(CONTINUED), 30, 4))
def test_a_damaged_run_is_continued(
    some: list[int], stopped_run: Path, done_run: Path, run_command: Run, tmp_path: Path, record_property: Property
) -> None:
    right = results(done_run)

    def tried(number: int) -> tuple[str, str]:
        random = drawn(f"continued {number}")
        folder = tmp_path / str(number)
        run = _copy(stopped_run, folder)
        names = ["status.json", "metrics.jsonl", "checkpoint.safetensors", "checkpoint.safetensors", "checkpoint.json"]
        path = run / random.choice(names)
        damage(random, path)
        done = run_command("train", *WORDS, folder=folder, seconds=SECONDS)
        kind, said = ending(done, lambda: None if results(folder) == right else "another result")
        return kind, f"{path.name}: {said}"

    judge(((number, tried(number)) for number in some), record_property)


@pytest.mark.parametrize("some", portions(range(REPORTED), 15, 2))
def test_a_damaged_record_is_reported(
    some: list[int], done_run: Path, run_command: Run, tmp_path: Path, record_property: Property
) -> None:
    def tried(number: int) -> tuple[str, str]:
        random = drawn(f"reported {number}")
        folder = tmp_path / str(number)
        run = _copy(done_run, folder)
        names = ["status.json", "result.json", "metrics.jsonl", "checkpoint.safetensors"]
        path = run / random.choice(names)
        damage(random, path)
        more = random.choice([[], ["inspect=true"], ["story=0"], ["runs=outputs/train"]])
        done = run_command("report", *more, folder=folder, seconds=SECONDS)
        return ending(done)

    judge(((number, tried(number)) for number in some), record_property)
