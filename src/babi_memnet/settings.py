"""All settings of a run: one dataclass, its parts defined beside the code they configure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from babi_memnet.data.sources import chosen_tasks
from babi_memnet.encoding.settings import TokenizerSettings
from babi_memnet.errors import bad_value
from babi_memnet.models.settings import NetworkSettings
from babi_memnet.settings_fields import BOOKKEEPING, EXECUTION
from babi_memnet.tasks import Task
from babi_memnet.training.settings import TrainingSettings

ENGINES = ("auto", "fused", "autograd")


@dataclass
class RuntimeSettings:
    """Where and how a run computes. Nothing here but the seed is meant to change a result.

    Attributes:
        seed: every random number comes from it; 0 is a seed like any other.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        threads: processor cores to use; ``null`` means all that this process may use.
        engine: how an epoch is computed: ``fused`` (CPU), ``autograd`` (any device), ``auto`` takes the faster.
        outputs: folder of the run directories.
        debug: show a traceback also where one line would do.
    """

    seed: int = 0
    device: str = field(default="cpu", metadata=EXECUTION)
    threads: int | None = field(default=None, metadata=EXECUTION)
    engine: str = field(default="auto", metadata=EXECUTION)
    outputs: str = field(default="outputs", metadata=BOOKKEEPING)
    debug: bool = field(default=False, metadata=BOOKKEEPING)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise bad_value("runtime.seed", self.seed, "a whole number of at least 0")
        if self.threads is not None and self.threads < 1:
            raise bad_value("runtime.threads", self.threads, "a whole number of at least 1, or null for all cores")
        if self.engine not in ENGINES:
            raise bad_value("runtime.engine", self.engine, " or ".join(ENGINES))
        if not self.outputs.strip():
            raise bad_value("runtime.outputs", self.outputs, "a folder")
        kind, _, number = self.device.partition(":")
        if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
            raise bad_value("runtime.device", self.device, "cpu, cuda or cuda:N")
        if self.engine == "fused" and kind != "cpu":
            raise bad_value("runtime.engine", self.engine, f"autograd or auto on runtime.device={self.device}")

    @property
    def cores(self) -> int:
        """How many threads to use."""
        if self.threads is not None:
            return self.threads
        return available_cores()


def available_cores() -> int:
    """The processor cores that this process may use."""
    # macOS has no affinity to ask for.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Settings:
    """Everything that a run is asked for.

    ``task`` is one that the source of the stories has, or ``joint`` for one network for all of them. ``data`` and
    ``tracker`` hold the settings of whichever source and tracker was chosen.
    """

    task: Task
    data: Any
    tokenizer: TokenizerSettings
    model: NetworkSettings
    training: TrainingSettings
    tracker: Any = field(metadata=BOOKKEEPING)
    runtime: RuntimeSettings

    def __post_init__(self) -> None:
        self.task, _ = chosen_tasks(self.data, self.task)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are learned."""
        return chosen_tasks(self.data, self.task)[1]
