"""What the kernels of the writing memory's heads save: processor time of reading and its gradients, side by side.

    .venv/bin/python benchmarks/heads_speed.py --rounds 9

Slots read each other, as while writing: 130 stories (ten restarts of a batch of 64 questions), six heads of 16
dimensions. Equations and kernels are measured in turn, in one thread; a row shows the medians.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from babi_memnet.models.heads import read_slots, slot_weights

STORIES, HEADS, WALKING, SIZE = 130, 6, 4, 16


def by_equations(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
    """What `read_slots` does on devices that have no kernels."""
    return (slot_weights(query, keys, bias, seen) @ values.transpose(-2, -3)).transpose(-2, -3)


def milliseconds(read: Callable[..., Tensor], asked: tuple[Tensor, ...]) -> float:
    """Processor time of one reading and its gradients."""
    leaves = [tensor.clone().requires_grad_() for tensor in asked[:4]]
    started = time.process_time()
    out = read(*leaves, asked[4])
    torch.autograd.grad(out.sum(), leaves)
    return 1e3 * (time.process_time() - started)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slots", nargs="+", type=int, default=[10, 40, 80, 160])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    table = Table("slots", "equations (ms)", "kernels (ms)", "ratio", "values of the weights (MiB)")
    for slots in options.slots:
        shape = STORIES, slots, HEADS, SIZE
        query, keys, values = (torch.randn(shape) for _ in range(3))
        asked = query, keys, values, torch.full((WALKING,), -2.0), torch.arange(slots).expand(STORIES, -1)
        times: dict[Callable[..., Tensor], list[float]] = {by_equations: [], read_slots: []}
        for round_ in range(options.rounds + 1):
            for read, kept in times.items():
                took = milliseconds(read, asked)
                if round_:  # the first warms up
                    kept.append(took)
        before, after = (statistics.median(kept) for kept in times.values())
        size = math.prod((STORIES, HEADS, slots, slots, 4)) / 2**20
        table.add_row(str(slots), f"{before:.1f}", f"{after:.1f}", f"{before / after:.1f}", f"{size:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
