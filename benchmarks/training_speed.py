"""How much processor time an epoch of one restart costs, here and in a plain port, side by side in one run.

    make bench
    .venv/bin/python benchmarks/training_speed.py --tasks 1 2 3 --rounds 5

For each task the two are measured in turn, several rounds of one epoch each; a row shows the median. Ours trains ten
restarts at once, noise included, and the time is divided by ten. Loading and encoding count on neither side, nor does
compiling, which happens once per machine and is cached. Stories are generated unless --root names the official data.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("BABI_CACHE", str(Path(tempfile.gettempdir()) / "babi_memnet_benchmark"))

import torch
from plain_port import PlainTrainer
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from babi_memnet.data.settings import GeneratedData, OfficialData
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.experiment import Experiment
from babi_memnet.models.networks import settings_class
from babi_memnet.request import settle
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.tracking.settings import NoTracker
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import TrainingSettings

RESTARTS = 10


def experiment(task: int | str, root: str | None) -> Experiment:
    """PE LS RN with ten restarts, ready to train; joint for ``task="joint"``."""
    data = GeneratedData() if root is None else OfficialData(root=root)
    settings = Settings(
        task=task,
        data=data,
        tokenizer=TokenizerSettings(),
        model=settings_class("memn2n")(),
        training=TrainingSettings(restarts=RESTARTS, validation="random" if task == "joint" else "tail"),
        tracker=NoTracker(),
        runtime=RuntimeSettings(threads=1),
    )
    return Experiment(settle(settings))


def measure(task: int | str, root: str | None, rounds: int) -> tuple[float, float]:
    """Median CPU seconds per restart-epoch: ours, plain."""
    ours = experiment(task, root)
    plain = PlainTrainer(ours.train, len(ours.encoder.vocabulary), int(ours.settings.model.dimension))
    epoch = Epoch("softmax", 1, 0.005)
    sides: list[tuple[Callable[[], object], int]] = [
        (lambda: ours.engine.train_epoch(ours.generators, epoch, ours.course.running), RESTARTS),
        (lambda: plain.train_epoch(linear=False), 1),
    ]
    times: list[list[float]] = [[], []]
    with threadpool_limits(limits=1):
        for round_ in range(rounds + 1):
            for (work, restarts), kept in zip(sides, times, strict=True):
                started = time.process_time()
                work()
                if round_:  # the first round warms up
                    kept.append((time.process_time() - started) / restarts)
    ours.engine.close()
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=[*range(1, 21), "joint"], help="1 to 20, or joint")
    parser.add_argument("--rounds", type=int, default=3, help="epochs measured per side")
    parser.add_argument("--root", help="the official data instead of generated stories")
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = Table("task", "ours (ms)", "plain port (ms)", "ratio", title="CPU time of one epoch of one restart")
    totals = [0.0, 0.0]
    for task in options.tasks:
        ours, plain = measure(task, options.root, options.rounds)
        if task == "joint":
            table.add_section()
        else:
            totals = [totals[0] + ours, totals[1] + plain]
        table.add_row(str(task), f"{1e3 * ours:.2f}", f"{1e3 * plain:.1f}", f"{plain / ours:.1f}")
    if totals[0]:
        table.add_section()
        per_task = f"{1e3 * totals[0]:.2f}", f"{1e3 * totals[1]:.1f}", f"{totals[1] / totals[0]:.1f}"
        table.add_row("sum of the single tasks", *per_task)
    Console().print(table)
    print(
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.processor() or platform.machine()}"
    )


if __name__ == "__main__":
    main()
