"""A run of the harness without the network, for this process and for others that get killed."""

from __future__ import annotations

from typing import Any

import numpy as np

from babi_memnet.runs.directory import Recording


def row(epoch: int) -> dict[str, Any]:
    """A line of ``metrics.jsonl`` with two restarts."""
    return {"phase": "full", "epoch": epoch, "train/loss": [1 / epoch, 2 / epoch]}


def train(recording: Recording, epochs: int, checkpoint_every: int = 2, error: BaseException | None = None) -> None:
    """Record the epochs that are missing up to ``epochs``; the tensor holds the epoch number; ``error`` ends it."""
    start = recording.checkpoint.epoch if recording.checkpoint else 0
    for epoch in range(start + 1, epochs + 1):
        recording.record_epoch(row(epoch))
        if epoch % checkpoint_every == 0:
            recording.save_checkpoint({"epoch": np.full(50, epoch)}, {"epoch": epoch})
    if error is not None:
        raise error
