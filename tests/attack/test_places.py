"""Disks that are full, places that cannot be written to, and streams that are closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attack.trying import (
    CLEAR,
    RIGHT,
    SECONDS,
    TRACEBACK,
    UNCLEAR,
    WRONG,
    Property,
    drawn,
    ending,
    judge,
    portions,
    refusal,
)
from tests.running import SMALL, Run

COUNT = 24
WORDS = [*SMALL, "training.epochs=4", "training.restarts=20", "training.checkpoint_seconds=0"]


@contextmanager
def disk(place: Path, options: str) -> Iterator[None]:
    """A disk of its own at a folder; the test is skipped where none can be mounted."""
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="mounting a disk needs root")
@pytest.mark.parametrize("some", portions(range(COUNT), 12, 3))
def test_a_full_disk(some: list[int], run_command: Run, tmp_path: Path, record_property: Property) -> None:
    def tried(number: int) -> tuple[str, str]:
        random = drawn(f"disk {number}")
        place = tmp_path / str(number)
        command = random.choice(["train", "train", "train", "report", "reproduce", "generate"])
        blocks = random.randrange(1, 40) if command in ("generate", "report") else random.randrange(1, 120)
        words = {
            "train": [*WORDS, f"runtime.outputs={place}"],
            "report": ["runs=runs", f"out={place}/report"],
            "reproduce": ["columns=[pe]", "tasks=[1]", *WORDS, f"runtime.outputs={place}"],
            "generate": ["tasks=[1]", f"out={place}/stories"],
        }[command]
        if command == "report" and not (tmp_path / "runs").exists():
            run_command("train", *SMALL, "runtime.outputs=runs", folder=tmp_path)
        with disk(place, f"size={blocks * 4}k,nr_inodes={random.choice([8, 64, 500])}"):
            done = run_command(command, *words, folder=tmp_path, seconds=SECONDS)
            kind, said = ending(done)
            if command == "reproduce" and done.returncode == 1 and kind == UNCLEAR:  # some of many runs failed
                kind, said = refusal(done.stderr.splitlines(), "babi-reproduce: 1 of 1 runs failed")
            states = [path.read_bytes() for path in place.rglob("status.json")]
            if done.returncode != 0 and any(json.loads(state)["state"] == "running" for state in states):
                return WRONG, f"{command} with {blocks} blocks: its record says that it is running; {said}"
            return kind, f"{command} with {blocks} blocks: {said}"

    judge(((number, tried(number)) for number in some), record_property)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="mounting a disk needs root")
def test_a_place_that_is_read_only(run_command: Run, tmp_path: Path, record_property: Property) -> None:
    place = tmp_path / "place"
    commands = [
        ("train", *SMALL, f"runtime.outputs={place}"),
        ("reproduce", "columns=[pe]", "tasks=[1]", *SMALL, f"runtime.outputs={place}"),
        ("generate", "tasks=[1]", f"out={place}/stories"),
    ]
    with disk(place, "size=100k,ro"):
        found = [(words, ending(run_command(*words, folder=tmp_path, seconds=SECONDS))) for words in commands]
    judge(found, record_property)
    assert {kind for _, (kind, _) in found} == {CLEAR}


STREAMS = ["2>&-", ">&-", ">&- 2>&-", "<&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full", "| true"]


@pytest.mark.parametrize("some", portions([(stream, good) for stream in STREAMS for good in (True, False)], 8, 2))
def test_a_stream_that_takes_nothing(
    some: list[tuple[str, bool]], environment: Mapping[str, str], tmp_path: Path, record_property: Property
) -> None:
    def tried(stream: str, good: bool) -> tuple[str, str]:
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        words = " ".join(SMALL if good else ["model.hops=0", *SMALL])
        line = f"{sys.executable} -m babi_memnet.commands.train {words} {stream}"
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
        )
        states = [json.loads(path.read_text())["state"] for path in folder.rglob("status.json")]
        if "Traceback" in done.stderr:
            return TRACEBACK, f"{stream}: {done.stderr[-600:]}"
        if good and states != ["done"]:
            return WRONG, f"{stream}: {states}, status {done.returncode}: {done.stderr[-300:]}"
        if not good and (states or (done.returncode != 2 and "|" not in stream)):
            return UNCLEAR, f"{stream}: {states}, status {done.returncode}: {done.stderr[-300:]}"
        return (RIGHT if good else CLEAR), ""

    judge(((case, tried(*case)) for case in some), record_property)
