"""The study of a search on disk: Optuna's journal, one line per event, in which the search and its jobs both write.

The one file that imports Optuna.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import optuna
from filelock import FileLock
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, Trial, TrialState

from babi_memnet.errors import RequestError, RunStopped, one_line
from babi_memnet.search.settings import SearchSettings
from babi_memnet.search.space import Choice, Dimension, Interval, Point, Space, Steps, Value
from babi_memnet.training.selection import select_restart

JOURNAL_FILE = "journal.log"
_NAME = "search"
_OVER = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class ProposedTrial:
    """A trial that is to be run: its number and its values."""

    number: int
    point: Point
    trial: Trial


class Study:
    """The trials of a search. One process at a time has it open to ask; jobs take part through `Watched`.

    Every proposal follows from the trials before it, the seed and its number alone, so a search that was stopped
    proposes what it would have proposed anyway.
    """

    def __init__(self, folder: Path, space: Space, settings: SearchSettings, configured: Point | None = None) -> None:
        """Open the study in ``folder``, or begin it; ``configured`` are the values of the first trial, if any.

        Raises:
            RequestError: the journal is damaged, or the space is none for a grid.
        """
        self._space, self._settings, self._configured = space, settings, configured
        self._grid = space.grid() if settings.sampler == "grid" else None
        self._asked: list[Point] = []
        self._study = _open(folder, RandomSampler(), NopPruner())

    @property
    def trials(self) -> int:
        """How many trials the search has in all."""
        return self._settings.trials_of(None if self._grid is None else len(self._grid))

    @property
    def left(self) -> int:
        """How many of them are not finished. A failed one does not count as one that was made."""
        return max(0, self.trials - len(self._of(*_OVER)))

    def interrupted(self) -> list[ProposedTrial]:
        """The trials that an attempt which was killed did not come to the end of."""
        return [
            self._draw(frozen.number, lambda frozen=frozen: Trial(self._study, frozen._trial_id))
            for frozen in self._of(TrialState.RUNNING)
        ]

    def ask(self) -> ProposedTrial:
        """A new trial."""
        return self._draw(len(self._of()), self._study.ask)

    def complete(self, asked: ProposedTrial, error_percent: float, facts: Mapping[str, Any]) -> None:
        """The run of a trial is done, with this error."""
        self._note(asked, facts)
        self._study.tell(asked.trial, error_percent)

    def pruned(self, asked: ProposedTrial, facts: Mapping[str, Any]) -> None:
        """The run of a trial was ended early."""
        self._note(asked, facts)
        self._study.tell(asked.trial, state=TrialState.PRUNED)

    def failed(self, asked: ProposedTrial, facts: Mapping[str, Any]) -> None:
        """The run of a trial failed."""
        self._note(asked, facts)
        self._study.tell(asked.trial, state=TrialState.FAIL)

    def records(self) -> list[dict[str, Any]]:
        """All trials as plain JSON, by number; ``error_percent`` is what is minimised, None unless complete."""
        return [
            {
                "trial": frozen.number,
                "state": frozen.state.name.lower(),
                "error_percent": frozen.value if frozen.state == TrialState.COMPLETE else None,
                "values": self._point(frozen),
                "epochs": frozen.last_step or 0,
                **frozen.user_attrs,
            }
            for frozen in self._of()
        ]

    def _point(self, frozen: FrozenTrial) -> Point:
        known = [one for one in self._space.dimensions if one.key in frozen.params]
        return {one.key: one.meant(frozen.params[one.key]) for one in known}

    def _of(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states or None)

    def _draw(self, number: int, make: Any) -> ProposedTrial:
        self._study.sampler = self._sampler(number)
        trial = make()
        # Of a trial that was interrupted while it was drawn, what it has stays.
        asked = ProposedTrial(
            number, {one.key: one.meant(_suggest(trial, one)) for one in self._space.dimensions}, trial
        )
        self._asked.append(asked.point)
        return asked

    def _sampler(self, number: int) -> BaseSampler:
        if self._grid is not None:
            # Also what failed in this attempt is not tried again by it, but by the next.
            taken = [self._point(frozen) for frozen in self._of(*_OVER, TrialState.RUNNING)] + self._asked
            return _Given(next((point for point in self._grid if point not in taken), self._grid[0]))
        if number == 0 and self._configured is not None:
            return _Given(self._configured)
        # A sampler of its own for every trial: its state need not outlive a kill.
        seed = int(np.random.SeedSequence([self._settings.seed, number]).generate_state(1)[0])
        if self._settings.sampler == "random":
            return RandomSampler(seed=seed)
        return TPESampler(n_startup_trials=self._settings.startup_trials, seed=seed)

    def _note(self, asked: ProposedTrial, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            asked.trial.set_user_attr(name, value)


class Watched:
    """A trial as its job sees it: reports the error after every epoch, and stops the run when it is pruned."""

    def __init__(self, folder: Path, settings: SearchSettings, selection: str) -> None:
        """``selection`` is by what the run of the trial selects a restart, ``training.selection``."""
        assert settings.trial is not None
        self._objective, self._selection = settings.objective, selection
        self._name = f"trial {settings.trial} of {folder.name}"
        study = _open(folder, RandomSampler(), _pruner(settings))
        frozen = study.get_trials(deepcopy=False)[settings.trial]
        self._trial = Trial(study, frozen._trial_id)
        self._told = set(frozen.intermediate_values)

    def replay(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Report the lines of metrics.jsonl that an earlier attempt has written."""
        for row in rows:
            if row["epoch"] not in self._told:
                self._trial.report(error_of_epoch(row, self._objective, self._selection), row["epoch"])
                self._told.add(row["epoch"])

    def check(self) -> None:
        """Judge the trial by what is reported of it.

        Raises:
            RunStopped: it is pruned.
        """
        if self._told and self._trial.should_prune():
            raise RunStopped(f"pruned after epoch {max(self._told)} ({self._name})")

    def __call__(self, row: Mapping[str, Any]) -> None:
        """Report a line of metrics.jsonl.

        Raises:
            RunStopped: the trial is pruned.
        """
        self.replay([row])
        self.check()


def error_of_epoch(row: Mapping[str, Any], objective: str, selection: str) -> float:
    """What is minimised, in percent, after an epoch, from its line of metrics.jsonl; ``selection`` as of a run."""
    errors = row["validation/error_percent"]
    if objective == "mean":
        return fmean(errors)
    return float(errors[select_restart(selection, row)])


def error_of_result(result: Mapping[str, Any], objective: str) -> float:
    """What is minimised, in percent, from result.json."""
    errors = [float(restart["validation"]["error_percent"]) for restart in result["restarts"]]
    return fmean(errors) if objective == "mean" else errors[result["selected"]]


class _Given(BaseSampler):
    """The sampler that proposes the one point it was given."""

    def __init__(self, point: Point) -> None:
        self._point = point

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Value:
        return self._point[param_name]


class _Lock(JournalFileOpenLock):
    """A lock that the operating system takes from a process that dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)

    def acquire(self) -> bool:
        self._lock.acquire()
        return True

    def release(self) -> None:
        self._lock.release()


def _open(folder: Path, sampler: BaseSampler, pruner: BasePruner) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    path, lock = folder / JOURNAL_FILE, _Lock(folder / f".{JOURNAL_FILE}.lock")
    try:
        _cut_torn_line(path, lock)
        storage = JournalStorage(JournalFileBackend(os.fspath(path), lock_obj=lock))
        return optuna.create_study(
            study_name=_NAME, storage=storage, sampler=sampler, pruner=pruner, direction="minimize", load_if_exists=True
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RequestError(f"{path}: expected the journal of a study ({one_line(error)})") from None


def _cut_torn_line(path: Path, lock: _Lock) -> None:
    """Drop what a machine that went down left of a last line, since the next one would be written behind it."""
    if not path.exists():
        return
    lock.acquire()
    try:
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)
    finally:
        lock.release()


def _pruner(settings: SearchSettings) -> BasePruner:
    if settings.pruner == "median":
        return MedianPruner(n_startup_trials=settings.startup_trials, n_warmup_steps=settings.warm_up_epochs)
    if settings.pruner == "halving":
        return SuccessiveHalvingPruner(min_resource=max(1, settings.warm_up_epochs))
    return NopPruner()


def _suggest(trial: Trial, dimension: Dimension) -> Value:
    """What a trial has drawn for a key; draws if it has not."""
    match dimension:
        case Choice(key, words):
            return trial.suggest_categorical(key, words)
        case Steps(key, numbers):
            return _suggest_step(trial, key, numbers)
        case Interval(key, low, high, log, whole=True):
            return trial.suggest_int(key, int(low), int(high), log=log)
        case Interval(key, low, high, log):
            return trial.suggest_float(key, low, high, log=log)


def _suggest_step(trial: Trial, key: str, numbers: Sequence[int | float]) -> int | float:
    low, high = numbers[0], numbers[-1]
    step = numbers[1] - low if len(numbers) > 1 else 1
    if all(isinstance(number, int) for number in numbers):
        return trial.suggest_int(key, int(low), int(high), step=int(step))
    # Rounded, since Optuna wants the range to be divisible by the step to the last decimal.
    return trial.suggest_float(key, low, high, step=round(step, 12))
