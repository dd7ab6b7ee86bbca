"""An epoch of ten restarts on the processor and on a GPU, side by side in one run: how long, and whether they agree.

    .venv/bin/python benchmarks/device_speed.py --tasks 1 3 --rounds 3

For each network and task the devices are measured in turn, several rounds of one epoch each; a row shows the medians
of wall time, the GPU's memory, how far the training losses of the last round lie apart, and whether a second run on
the GPU repeats the first to the last bit. Stories are generated. Loading, encoding and the first epoch do not count.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("BABI_CACHE", str(Path(tempfile.gettempdir()) / "babi_memnet_benchmark"))

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table

from babi_memnet.commands.train import TrainSchema
from babi_memnet.config import register, request_of
from babi_memnet.experiment import Experiment
from babi_memnet.paths import conf_directory
from babi_memnet.training.schedule import schedule

EXPERIMENTS = {"memn2n": "memn2n_1k/pe_ls_rn", "writing_memory": "ours_1k/writing_memory_inferred"}


def run(network: str, task: str, device: str, rounds: int) -> tuple[float, np.ndarray]:
    """Median seconds of an epoch, and the training losses [R] of the last."""
    words = [f"experiment={EXPERIMENTS[network]}", f"task={task}", f"runtime.device={device}", "tracker=none"]
    with initialize_config_dir(str(conf_directory()), version_base="1.3"):
        experiment = Experiment(request_of(compose("train", words), None))
    epochs = list(schedule(experiment.settings.training))[-rounds - 1 :]
    seconds = []
    for epoch in epochs:
        started = time.perf_counter()
        trained = experiment.engine.train_epoch(experiment.generators, epoch, experiment.course.running)
        seconds.append(time.perf_counter() - started)
    experiment.engine.close()
    return statistics.median(seconds[1:]), trained.loss


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--tasks", nargs="+", default=["1", "3"])
    parser.add_argument("--rounds", type=int, default=3, help="epochs measured on each side")
    options = parser.parse_args()
    register(train=TrainSchema)
    cores = len(os.sched_getaffinity(0))
    table = Table("network", "task", f"{cores} cores (s)", "GPU (s)", "ratio", "GPU memory", "losses apart", "repeats")
    for network in options.networks:
        for task in options.tasks:
            here, loss = run(network, task, "cpu", options.rounds)
            torch.cuda.reset_peak_memory_stats()
            there, gpu_loss = run(network, task, "cuda", options.rounds)
            memory = torch.cuda.max_memory_allocated() / 2**20
            _, again = run(network, task, "cuda", options.rounds)
            apart = float(np.max(np.abs(gpu_loss - loss) / loss))
            repeats = "yes" if np.array_equal(gpu_loss, again) else "no"
            row = f"{here:.2f}", f"{there:.2f}", f"{here / there:.1f}", f"{memory:.0f} MiB", f"{apart:.1e}", repeats
            table.add_row(network, task, *row)
    Console().print(table)
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")


if __name__ == "__main__":
    main()
