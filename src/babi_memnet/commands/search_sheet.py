"""The trials of a search as a table: the best first, and what chance has to do with it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from babi_memnet.runs.directory import RunDirectory
from babi_memnet.search.space import Point, Space, Value
from babi_memnet.tables.sheet import Sheet

_BEST_SHOWN = 10


def trial_sheet(
    folder: Path, outputs: Path, trials: Sequence[dict[str, Any]], space: Space, configured: Point | None
) -> Sheet:
    """The best trials. A tie goes to the earlier one, and so to the setting as configured."""
    states = [trial["state"] for trial in trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    complete = [trial for trial in trials if trial["state"] == "complete"]
    best = sorted(complete, key=lambda trial: (trial["error_percent"], trial["trial"]))
    rows = [
        (
            f"{trial['trial']}{' (as configured)' if trial['values'] == configured else ''}",
            f"{trial['error_percent']:.2f}",
            *(_short(trial["values"].get(key, "")) for key in space.keys),
            os.path.relpath(outputs / trial["run"]),
        )
        for trial in best[:_BEST_SHOWN]
    ]
    header = ("trial", "validation\nerror %", *(key.replace(".", ".\n") for key in space.keys), "run")
    return Sheet(
        f"{folder}: {len(trials)} trials, {counts}", header, tuple(rows), 0, tuple(_notes(best, outputs, configured))
    )


def _notes(best: Sequence[dict[str, Any]], outputs: Path, configured: Point | None) -> list[str]:
    result = RunDirectory(outputs / best[0]["run"]).result if best else None
    if result is None:
        return []
    share, questions = best[0]["error_percent"] / 100, result["data"]["questions"]["validation"]
    noise = 100 * math.sqrt(share * (1 - share) / questions)
    tied = sum(trial["error_percent"] == best[0]["error_percent"] for trial in best) - 1
    notes = [f"validation: {questions} questions; their choice alone gives the best a standard error of {noise:.1f}"]
    if tied:
        notes.append(f"tied with the best: {tied}; the earliest stands first")
    places = [place for place, trial in enumerate(best, start=1) if trial["values"] == configured]
    if places:
        trial = best[places[0] - 1]
        notes.append(f"as configured: {trial['error_percent']:.2f}, place {places[0]} of {len(best)}")
    notes.append(
        f"test error of the best, by which nothing was chosen: {result['test_error_percent']:.1f} (selected restart), "
        f"{result['mean']:.1f} (mean over the restarts)"
    )
    return notes


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
