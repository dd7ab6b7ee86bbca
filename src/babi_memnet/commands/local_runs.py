"""Runs that share the cores of this machine: what each costs, which come first, how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig

from babi_memnet.request import Request
from babi_memnet.runs.metrics import METRICS_FILE, count_epochs
from babi_memnet.tasks import JOINT, Task
from babi_memnet.training.progress import Meter

# What the story length adds to the time of an epoch, measured relative to the other tasks; only order and time left
# depend on it.
_LONG_STORIES: dict[Task, float] = {2: 1.7, 3: 2.5, 5: 1.9}
_JOINT_WEIGHT = 100.0


@dataclass(frozen=True)
class LocalRun:
    """A job that is to be run here.

    Attributes:
        number: its number among the jobs of the sweep or table.
        words: what makes its configuration.
        config: that configuration, Hydra's part included.
        request: what it asks for.
        directory: where it is recorded.
        cores: how many cores it keeps busy.
    """

    number: int
    words: tuple[str, ...]
    config: DictConfig
    request: Request
    directory: Path
    cores: int = 1

    @property
    def epochs(self) -> int:
        """How many epochs it has."""
        return self.request.settings.training.linear_start_epochs + self.request.settings.training.epochs

    @property
    def cost(self) -> float:
        """Roughly how long it takes on one core, in units that only serve to compare runs."""
        settings = self.request.settings
        weight = _JOINT_WEIGHT if settings.task == JOINT else _LONG_STORIES.get(settings.task, 1.0)
        return weight * settings.training.restarts * self.epochs * settings.model.passes

    @property
    def is_wide(self) -> bool:
        """Whether it has work for the whole machine, or for another device."""
        settings = self.request.settings
        return settings.task == JOINT or not settings.runtime.device.startswith("cpu")


def share_cores(runs: Sequence[LocalRun], cores: int) -> list[LocalRun]:
    """The runs in the order to begin them in, each with the cores that it should have.

    Joint runs are long and their restarts keep all cores busy, so each gets the whole machine, as does whatever runs
    on another device. The others get one core each, or more when there are fewer of them than cores. The longest
    are begun first, so that none of them is left over at the end.
    """
    narrow = sum(not run.is_wide for run in runs)
    shared = []
    for run in runs:
        share = cores if run.is_wide else max(1, cores // narrow)
        shared.append(replace(run, cores=min(share, run.request.settings.training.restarts)))
    return sorted(shared, key=lambda run: (not run.is_wide, -run.cost))


class RunsProgress(Meter):
    """How far many runs are, read from their records: `metrics.jsonl` grows by a line an epoch, whoever trains."""

    def __init__(self, runs: Sequence[LocalRun]) -> None:
        shared = set.intersection(*(set(run.words) for run in runs))
        # one run alone shares all of its words
        self._names = {
            run.number: " ".join(word for word in run.words if word not in shared) or run.request.name for run in runs
        }
        self._runs = runs
        self._ended: set[int] = set()
        # what an earlier attempt has done is behind
        super().__init__("runs", sum(run.cost for run in runs), self._done())

    def watch(self, running: Sequence[LocalRun]) -> None:
        """Show what is running, how much is done, and how long the rest will take."""
        names = ", ".join(self._names[run.number] for run in running)
        self.show(self._done(), f"{len(self._ended)} of {len(self._runs)} done, training {names}")

    def end(self, run: LocalRun) -> None:
        """This one has ended, well or not."""
        self._ended.add(run.number)

    def _done(self) -> float:
        return sum(run.cost * self._share(run) for run in self._runs)

    def _share(self, run: LocalRun) -> float:
        return 1.0 if run.number in self._ended else count_epochs(run.directory / METRICS_FILE) / run.epochs
