"""Every key of every command with values that nobody should give it."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from babi_memnet.commands.demo import DemoSchema
from babi_memnet.commands.export import ExportSchema
from babi_memnet.commands.generate import GenerateSchema
from babi_memnet.commands.report import ReportSchema
from babi_memnet.commands.reproduce import ReproduceSchema
from babi_memnet.config import schemas
from tests.attack.trying import SECONDS, Property, drawn, ending, judge, portions
from tests.running import SMALL, Run

VALUES = [
    "",
    "null",
    "-1",
    "0",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "two",
    "[1,2]",
    "{a:1}",
    "[]",
    str(10**20),
    "9" * 5000,
    "true",
    "0.5",
    "../x",
    "~",
    "'\x1b[31mred'",
    "é",
    "'a b'",
    "${oops}",
    "${oc.env:NOWHERE}",
    "/dev/null",
    "x" * 300,
    "1:2",
    "\\",
]
EACH = 12

# What shows tracebacks when it is asked to, and what would go out to the net.
LEFT_OUT = {"runtime.debug", "data.download", "data.mirrors"}

# What stands at its default in the record of a run whose optimizer or schedule knows no such thing.
SETTLED = {
    "training.beta1",
    "training.beta2",
    "training.initial_accumulator",
    "training.symmetry_file",
    "training.weight_decay_on",
    "training.clip",
    "training.growing",
    "model.hop_cost",
    "model.entropy",
}

CHOICES = {
    "data": {"official": ["data.root=stories"], "saved": ["data.path=saved"], "hub": [], "files": []},
    "model": {
        "writing_memory": ["training=writing_memory", "training.restarts=1", "training.epochs=1"],
        "qrn": ["training=qrn", "training.restarts=1", "training.epochs=1"],
    },
    "tracker": {"wandb": ["tracker.mode=disabled"]},
}


@cache
def cases() -> list[tuple[str, ...]]:
    """Command and words; the last is the bad one."""
    random = drawn("keys")
    found: list[tuple[str, ...]] = []

    def try_key(command: str, key: str, *words: str) -> None:
        found.extend((command, *words, f"{key}={value}") for value in random.sample(VALUES, EACH))

    try_key("train", "task", *SMALL)
    for group in ("experiment", "debug", *schemas()):
        try_key("train", group, *SMALL)
    for group, choices in schemas().items():
        for name, schema in choices.items():
            chosen = CHOICES.get(group, {}).get(name)
            words = [*SMALL, f"{group}={name}", *chosen] if chosen is not None else SMALL
            if name in CHOICES.get("data", {}):
                words = [word for word in words if not word.startswith(("data.size", "data.test_"))]
            if group == "tracker":
                words = [word for word in words if word != "tracker=none"]
            for field in fields(schema):
                if f"{group}.{field.name}" not in LEFT_OUT:
                    try_key("train", f"{group}.{field.name}", *words)
    for command, schema in (
        ("generate", GenerateSchema),
        ("report", ReportSchema),
        ("reproduce", ReproduceSchema),
        ("demo", DemoSchema),
        ("export", ExportSchema),
    ):
        for field in fields(schema):
            try_key(command, field.name, *_FINE[command])
    return [case for case in dict.fromkeys(found) if case != ("demo", *_FINE["demo"], "runs=null")]


_FINE: dict[str, list[str]] = {
    "generate": ["out=made", "tasks=[1]", "data.size=20", "data.test_questions=20"],
    "report": ["runs=none"],
    "reproduce": ["columns=[pe]", "tasks=[1]", "training.restarts=1", *SMALL],
    # Whatever else it is told: a demo that may look for runs, or train one, waits for visitors.
    "demo": ["runs=none"],
    "export": ["run=none", "out=made"],
}


@pytest.mark.parametrize("some", portions(cases(), 60, 24))
def test_a_bad_value(some: list[tuple[str, ...]], run_command: Run, tmp_path: Path, record_property: Property) -> None:
    def tried(place: int, command: str, *words: str) -> tuple[str, str]:
        folder = tmp_path / str(place)
        folder.mkdir()
        done = run_command(command, *words, folder=folder, seconds=SECONDS)
        return ending(done, lambda: _wrong(folder, words[-1]) if command == "train" else None)

    judge(((case, tried(place, *case)) for place, case in enumerate(some)), record_property)


def _wrong(folder: Path, word: str) -> str | None:
    """What a run that was accepted has recorded wrongly: errors that are none, another value than was given."""
    records = [path for path in folder.rglob("status.json") if path.with_name("result.json").is_file()]
    if not records and word.partition("=")[0] in ("runtime.outputs", "debug"):
        return None  # it lies elsewhere
    if len(records) != 1:
        return f"{len(records)} runs are done"
    status, result = (json.loads(records[0].with_name(name).read_text()) for name in ("status.json", "result.json"))
    for restart in result["restarts"]:
        for split in ("train", "validation", "test"):
            error = restart[split]["error_percent"]
            if error is None or not 0 <= error <= 100:
                return f"{split} error {error}"
    key, _, text = word.partition("=")
    if key in SETTLED:
        return None
    recorded: Any = status["settings"]
    for part in key.split("."):
        if not isinstance(recorded, dict) or part not in recorded:
            return None  # a group, or where things are
        recorded = recorded[part]
    given = yaml.safe_load(text) if "$" not in text else text
    if given is None or isinstance(recorded, dict | list):
        return None  # a default that is found in its own way
    same = type(given) is type(recorded) or {type(given), type(recorded)} <= {int, float}
    if isinstance(given, int | float) and not same and not isinstance(recorded, str):
        return f"{key} is {recorded!r} in the record"
    if isinstance(given, int | float) and isinstance(recorded, int | float) and not math.isclose(given, recorded):
        return f"{key} is {recorded!r} in the record"
    return None
