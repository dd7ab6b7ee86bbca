"""What it costs that the kernels of MemN2N compute in one order, without fused multiply-adds.

    .venv/bin/python benchmarks/fixed_order.py --tasks 1 3 19 --rounds 5

The same kernels are compiled a second time with every freedom for LLVM (`fast`: sums reordered, multiplications and
additions contracted). One epoch of one restart is measured in both, in turn, in processes of their own; a row shows the
medians of processor time. Stories are generated.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partialmethod
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from rich.console import Console
from rich.table import Table

_EPOCHS = 20


def free_llvm() -> None:
    """Let every floating-point operation that is compiled from now on be `fast`."""
    from llvmlite import ir

    for name in ("fadd", "fsub", "fmul", "fdiv"):
        setattr(ir.IRBuilder, name, partialmethod(getattr(ir.IRBuilder, name), flags=("fast",)))


def measure(tasks: list[str]) -> dict[str, float]:
    """Milliseconds of an epoch of one restart, by task: the shortest of several."""
    from training_speed import RESTARTS, experiment

    from babi_memnet.training.schedule import Epoch

    found = {}
    for task in tasks:
        ours, epoch, times = experiment(task, None), Epoch("softmax", 1, 0.005), []
        for _ in range(_EPOCHS):
            started = time.process_time()
            ours.engine.train_epoch(ours.generators, epoch, ours.course.running)
            times.append(1000 * (time.process_time() - started) / RESTARTS)
        found[task] = min(times)
        ours.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=["1", "3", "19"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", choices=["fixed", "free"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        if options.measure == "free":
            free_llvm()
        print(json.dumps(measure(options.tasks)))
        return
    found: dict[str, list[dict[str, float]]] = {"fixed": [], "free": []}
    with tempfile.TemporaryDirectory() as caches:
        for _ in range(options.rounds):
            for order, rounds in found.items():
                environment = {**os.environ, "NUMBA_CACHE_DIR": str(Path(caches) / order)}
                words = [sys.executable, __file__, "--measure", order, "--tasks", *options.tasks]
                done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
                rounds.append(json.loads(done.stdout.splitlines()[-1]))
    table = Table("task", "fixed order (ms)", "any order (ms)", "ratio")
    for task in options.tasks:
        fixed, free = (statistics.median(one[task] for one in found[order]) for order in ("fixed", "free"))
        table.add_row(task, f"{fixed:.2f}", f"{free:.2f}", f"{fixed / free:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
