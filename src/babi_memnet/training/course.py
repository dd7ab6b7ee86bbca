"""How each restart fares: whether it still runs, and the epoch whose parameters and errors it is reported with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from babi_memnet.training.schedule import Epoch
from babi_memnet.training.settings import TrainingSettings

_KEPT = "kept"

Shown = Mapping[str, npt.NDArray[np.float64]]
"""What an epoch showed, by the names of metrics.jsonl: each [R]."""


class Course:
    """The courses of all restarts.

    Attributes:
        running: [R] which restarts are trained in the next epoch.
        shown: what the reported epoch of each restart showed, [R] each.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        """Before the first epoch."""
        restarts = settings.restarts
        self._settings = settings
        self._best = np.full((restarts, 2), np.inf)  # the lowest validation measure so far, and what decides ties
        self._best_epoch = np.zeros(restarts, dtype=np.int64)
        self._kept: dict[str, Tensor] = {}
        self.running: npt.NDArray[np.bool_] = np.ones(restarts, dtype=bool)
        self.shown: dict[str, npt.NDArray[np.float64]] = {}

    def take(self, epoch: Epoch, shown: Shown, parameters: Mapping[str, Tensor]) -> None:
        """One more epoch has been trained; ``parameters`` [R, ...] are those after it."""
        settings = self._settings
        keys = ("error_percent", "loss") if settings.selection != "validation_loss" else ("loss", "error_percent")
        measure = np.stack([np.nan_to_num(shown[f"validation/{key}"], nan=np.inf) for key in keys], axis=1)
        lower, equal = measure < self._best, measure == self._best  # [R, 2]
        better = self.running & (lower[:, 0] | (equal[:, 0] & lower[:, 1]))
        # Errors without the softmax say nothing of the network that is reported, unless that has none either.
        counts = not epoch.linear or settings.epochs == 0
        if counts:
            self._best[better], self._best_epoch[better] = measure[better], epoch.number
        reported = self.running
        if counts and settings.reported_epoch == "best":
            reported = better
            self._keep(better, parameters)
        for name, values in shown.items():
            self.shown[name] = np.where(reported, values, self.shown.get(name, values))
        if counts and settings.patience is not None:
            self.running = self.running & (epoch.number - self._best_epoch < settings.patience)
        if counts and settings.solved_loss is not None:
            solved = (shown["validation/error_percent"] == 0) & (shown["train/loss"] < settings.solved_loss)
            self.running = self.running & ~solved

    def finish(self, parameters: Mapping[str, Tensor]) -> None:
        """Put the parameters [R, ...] to those of the reported epochs, in place."""
        for name, values in self._kept.items():
            parameters[name].copy_(values)

    def tensors(self) -> dict[str, Tensor]:
        """The part of its state that is tensors."""
        return {f"{_KEPT}/{name}": values for name, values in self._kept.items()}

    def state(self) -> dict[str, Any]:
        """The rest of its state, as JSON."""
        return {
            "best": self._best.tolist(),
            "best_epoch": self._best_epoch.tolist(),
            "running": self.running.tolist(),
            "shown": {name: values.tolist() for name, values in self.shown.items()},
        }

    def restore(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        """Go back to the state that `tensors` and `state` gave."""
        self._best, self.running = np.array(state["best"]), np.array(state["running"])
        self._best_epoch = np.array(state["best_epoch"])
        self.shown = {name: np.array(values, dtype=np.float64) for name, values in state["shown"].items()}
        mine = {name: values for name, values in tensors.items() if name.startswith(f"{_KEPT}/")}
        self._kept = {name.removeprefix(f"{_KEPT}/"): values.clone() for name, values in mine.items()}

    def _keep(self, better: npt.NDArray[np.bool_], parameters: Mapping[str, Tensor]) -> None:
        for name, values in parameters.items():
            kept = self._kept[name].to(values.device) if name in self._kept else values.clone()
            at = torch.from_numpy(better).to(values.device)
            kept[at] = values[at]
            self._kept[name] = kept
