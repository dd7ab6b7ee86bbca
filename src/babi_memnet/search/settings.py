"""Settings of a search. Needs neither Hydra nor Optuna."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from babi_memnet.errors import bad_value

SAMPLERS = ("tpe", "random", "grid")
PRUNERS = ("median", "halving", "none")
OBJECTIVES = ("mean", "selected")

_DEFAULT_TRIALS = 30


@dataclass
class SearchSettings:
    """How a search goes through its space, under ``hydra.sweeper``.

    Attributes:
        max_batch_size: trials side by side; ``null`` means as many as the launcher runs at once.
        params: the space, keys to values as on the command line, where keys given there come on top.
        sampler: what proposes the next trial: ``tpe`` (tree-structured Parzen estimator, Bergstra et al. 2011),
            ``random``, or ``grid`` for all combinations.
        pruner: what ends trials early: ``median`` when the trial's lowest error so far is above the median of the
            completed trials at the same epoch, ``halving`` by asynchronous successive halving, or ``none``.
        objective: the validation error that is minimised, of the last epoch: the ``mean`` over the restarts or that of
            the ``selected`` restart (the lowest training error).
        trials: how many, those that earlier attempts have finished included; ``null`` means 30, or the whole grid.
        seed: of the sampler. The runs have ``runtime.seed``.
        study: name of the folder below ``<runtime.outputs>/studies``; ``null`` makes one from the request.
        startup_trials: trials before TPE stops drawing at random; also completed trials before the first is pruned.
        warm_up_epochs: no trial is pruned before it is through so many epochs.
        configured_first: whether the first trial is the setting as configured, where the space has it.
        trial: the number of this job's trial; set by the search itself.
    """

    _target_: str = "hydra_plugins.babi_memnet.Search"
    max_batch_size: int | None = None
    params: dict[str, str] | None = None
    sampler: str = "tpe"
    pruner: str = "median"
    objective: str = "mean"
    trials: int | None = None
    seed: int = 0
    study: str | None = None
    startup_trials: int = 10
    warm_up_epochs: int = 30
    configured_first: bool = True
    trial: int | None = None

    def __post_init__(self) -> None:
        for key, known in (("sampler", SAMPLERS), ("pruner", PRUNERS), ("objective", OBJECTIVES)):
            if getattr(self, key) not in known:
                raise bad_value(f"hydra.sweeper.{key}", getattr(self, key), f"one of {', '.join(known)}")
        for key in ("trials", "max_batch_size"):
            if (value := getattr(self, key)) is not None and value < 1:
                raise bad_value(f"hydra.sweeper.{key}", value, "a whole number of at least 1, or null")
        if self.startup_trials < 1:
            raise bad_value("hydra.sweeper.startup_trials", self.startup_trials, "a whole number of at least 1")
        for key in ("seed", "warm_up_epochs"):
            if getattr(self, key) < 0:
                raise bad_value(f"hydra.sweeper.{key}", getattr(self, key), "a whole number of at least 0")
        if self.study is not None and not re.fullmatch(r"[A-Za-z0-9][\w.-]*", self.study):
            raise bad_value("hydra.sweeper.study", self.study, "a name of letters, digits, _ . and -, or null")

    def trials_of(self, combinations: int | None) -> int:
        """How many trials a search has whose grid has so many combinations (None: it has no grid)."""
        if combinations is None:
            return self.trials or _DEFAULT_TRIALS
        return min(self.trials or combinations, combinations)

    def folder(self, outputs: str | os.PathLike[str], study: str) -> Path:
        """Where a study is."""
        return Path(outputs) / "studies" / study
