"""How long babi-report takes over ten thousand run directories, figures included.

    .venv/bin/python benchmarks/report_speed.py
    .venv/bin/python benchmarks/report_speed.py --runs 2000 --rounds 5

The records are made up, but of the shape and size of real ones of ten restarts: 20 tasks, 5 numbers of hops, 5 sizes of
data, and as many seeds as it takes. A round is the whole command in a process of its own, the start of Python included.
It runs twice: with a pivot of two keys and its figures, and without, where only the rows are written.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

from babi_memnet.data.settings import GeneratedData
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.models.networks import settings_class
from babi_memnet.papers.judgement import judge
from babi_memnet.papers.matching import Match
from babi_memnet.runs.environment import describe_environment
from babi_memnet.runs.files import write_json
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.tracking.settings import NoTracker
from babi_memnet.training.settings import TrainingSettings

RESTARTS = 10


def make_run(folder: Path, number: int, task: int, hops: int, size: int, seed: int, where: dict[str, Any]) -> None:
    """A run directory with the record of a finished run."""
    draw = random.Random(number)
    settings = Settings(
        task=task,
        data=GeneratedData(size=size),
        tokenizer=TokenizerSettings(),
        model=settings_class("memn2n")(hops=hops, dimension=20),
        training=TrainingSettings(),
        tracker=NoTracker(),
        runtime=RuntimeSettings(seed=seed),
    )
    errors = [100 * draw.random() / hops for _ in range(RESTARTS)]
    restarts = [
        {
            "restart": place,
            "seed": seed,
            "train": {"error_percent": error / 2, "loss": error},
            "validation": {"error_percent": error},
            "test": {"error_percent": error, "per_task": {str(task): error}},
        }
        for place, error in enumerate(errors)
    ]
    signature = f"{number:010x}"
    result = {
        "task": task,
        "experiment": None,
        "signature": signature,
        "selected": errors.index(min(errors)),
        "test_error_percent": min(errors),
        "mean": statistics.fmean(errors),
        "standard_deviation": statistics.stdev(errors),
        "restarts": restarts,
        "diverged": [],
        "data": {"source": "generated", "questions": {"train": 900, "validation": 100, "test": 1000}},
        "seconds": 1.0,
    }
    result["published"] = judge(result, Match(None, None, ())).as_json()
    status = {"state": "done", "error": None, "signature": signature, "attempt": 1, **where}
    run = folder / f"task_{task:02d}-{signature}"
    run.mkdir(parents=True)
    write_json(run / "status.json", {**status, "experiment": None, "settings": asdict(settings)})
    write_json(run / "result.json", result)


def measure(folder: Path, rounds: int, *overrides: str) -> list[float]:
    """Seconds of the command, round by round."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        command = [
            sys.executable,
            "-m",
            "babi_memnet.commands.report",
            f"runs={folder / 'runs'}",
            f"out={folder / 'out'}",
        ]
        subprocess.run([*command, *overrides], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="how many run directories")
    parser.add_argument("--rounds", type=int, default=3, help="how often each command is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, where = Path(name), describe_environment()
        choices = list(product(range(1, 21), range(1, 6), (300, 1000, 3000, 5000, 10_000)))
        for number in range(options.runs):
            seed, place = divmod(number, len(choices))
            make_run(folder / "runs" / "train", number, *choices[place], seed, where)
        cases = {
            "pivot, tables and figures": ["rows=task", "columns=model.hops"],
            "rows alone": ["figures=false"],
        }
        for label, overrides in cases.items():
            seconds = measure(folder, options.rounds, *overrides)
            print(f"{options.runs} runs, {label}: {statistics.median(seconds):.2f} s (slowest {max(seconds):.2f} s)")


if __name__ == "__main__":
    main()
