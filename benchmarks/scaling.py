"""How the processor time of an epoch grows with restarts, training questions and vocabulary.

    make bench
    .venv/bin/python benchmarks/scaling.py --rounds 9

PE LS RN on generated stories of task 1, on one core. All cases are measured in turn, several rounds of one epoch
each; a row shows the median and its ratio to the first of its kind. The vocabulary of task 1 has twenty words; the
larger ones are padded with words that no story has, which the network scores for every answer all the same.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("BABI_CACHE", str(Path(tempfile.gettempdir()) / "babi_memnet_benchmark"))

import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from babi_memnet.data.settings import GeneratedData
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.experiment import Experiment
from babi_memnet.models.memn2n import MemN2N
from babi_memnet.models.network import Shape
from babi_memnet.models.networks import settings_class
from babi_memnet.request import settle
from babi_memnet.settings import RuntimeSettings, Settings
from babi_memnet.tracking.settings import NoTracker
from babi_memnet.training.engine import make_engine
from babi_memnet.training.restarts import Restarts
from babi_memnet.training.sampling import restart_generator
from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import TrainingSettings

EPOCH = Epoch("softmax", 1, 0.005)


@dataclass
class Case:
    """One network that is ready to train, and what was measured of it."""

    kind: str
    label: str
    experiment: Experiment
    seconds: list[float] = field(default_factory=list)

    def train(self) -> None:
        """Measure one epoch."""
        started = time.process_time()
        made = self.experiment
        made.engine.train_epoch(made.generators, EPOCH, made.course.running)
        self.seconds.append(time.process_time() - started)


def experiment(restarts: int = 10, questions: int = 1000, words: int | None = None) -> Experiment:
    """PE LS RN on task 1; with ``words`` of them, most of which no story has."""
    made = Experiment(
        settle(
            Settings(
                task=1,
                data=GeneratedData(size=questions),
                tokenizer=TokenizerSettings(),
                model=settings_class("memn2n")(),
                training=TrainingSettings(restarts=restarts),
                tracker=NoTracker(),
                runtime=RuntimeSettings(threads=1),
            )
        )
    )
    if words is not None:
        settings, encoder = made.settings, made.encoder
        made.close()
        shape = Shape(words, encoder.slots, encoder.positions)
        generators = [restart_generator(0, place) for place in range(restarts)]
        made.restarts = Restarts(MemN2N, settings.model, shape, generators, torch.device("cpu"))
        made.engine = make_engine(settings.runtime.engine, made.restarts, made.train, settings.training, 1)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="epochs measured per case")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cases = [Case("restarts", f"{number}", experiment(restarts=number)) for number in (1, 10, 100)]
    cases += [Case("questions", f"{number:,}", experiment(questions=number)) for number in (1000, 10_000, 100_000)]
    own = len(cases[0].experiment.encoder.vocabulary)
    cases += [Case("vocabulary", f"{words:,}", experiment(words=words)) for words in (own, 10 * own, 100 * own)]
    with threadpool_limits(limits=1):
        for _ in range(options.rounds + 1):
            for case in cases:
                case.train()
    table = Table("growing", "to", "ms", "ratio", title="CPU time of one epoch of all restarts, task 1")
    first: dict[str, float] = {}
    for case in cases:
        case.experiment.close()
        median = statistics.median(case.seconds[1:])  # the first round warms up
        if case.kind not in first:
            first[case.kind] = median
            table.add_section()
        table.add_row(case.kind, case.label, f"{1e3 * median:.1f}", f"{median / first[case.kind]:.1f}")
    Console().print(table)
    print(
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.processor() or platform.machine()}"
    )


if __name__ == "__main__":
    main()
