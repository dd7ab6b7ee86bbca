"""Which restart of a run is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt


def select_restart(selection: str, shown: Mapping[str, npt.ArrayLike | Sequence[float | None]]) -> int:
    """The place of the restart that is reported: the one with the lowest ``selection`` in its reported epoch.

    Equals are told apart by the loss, or by the error where the loss decides. A restart that diverged, whose training
    loss is no number, comes last. The default is the paper's: the lowest training error (section 4.2).

    Args:
        selection: one of `training.settings.SELECTIONS`.
        shown: errors and losses of all restarts by their names in metrics.jsonl; None is no number.
    """
    split, _, measure = selection.partition("_")
    first, second = ("loss", "error_percent") if measure == "loss" else ("error_percent", "loss")
    columns = [
        np.array(shown[key], dtype=np.float64) for key in (f"{split}/{second}", f"{split}/{first}", "train/loss")
    ]
    return int(np.lexsort((*columns[:2], ~np.isfinite(columns[2])))[0])
