"""What a run needs to continue: tensors and a JSON document, never a pickle.

``checkpoint.safetensors`` holds both, the document inside its header, so one rename replaces the whole checkpoint and
a kill at any moment leaves a consistent one. ``checkpoint.json`` is the same document for people and for tools that
read no tensors; loading never looks at it, because a kill between the two renames leaves it one checkpoint behind.

The document names the run it belongs to and has a digest of the metrics up to it; behind it in the header stands a
digest of document and tensors. So what was edited, or is of another run, is not continued from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.errors import RequestError, one_line
from babi_memnet.reading import expect_regular
from babi_memnet.runs.files import write_atomically

if TYPE_CHECKING:
    import numpy as np

TENSORS_FILE = "checkpoint.safetensors"
DOCUMENT_FILE = "checkpoint.json"
LARGEST_TENSORS = 8192
"""MiB that it may have."""

_KEY = "checkpoint"  # the one key in the header: several would be written in no fixed order


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after ``epoch`` epochs.

    Attributes:
        epoch: how many epochs are done, counted through all phases; 0 before the first.
        tensors: name → array, of any shape.
        state: the rest, as JSON holds it exactly: string keys, lists rather than tuples, ints of any size. NaN and
            infinity are kept as Python's ``json`` writes them.
        signature: of the run; None in those of earlier versions.
        metrics: hex SHA-256 of the lines of ``metrics.jsonl`` up to ``epoch``; None in those of earlier versions.
    """

    epoch: int
    tensors: Mapping[str, np.ndarray[Any, Any]]
    state: Mapping[str, Any]
    signature: str | None = None
    metrics: str | None = None


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint in ``directory``.

    Raises:
        TypeError: the state holds something that JSON cannot.
    """
    import numpy as np
    from safetensors.numpy import save

    document = {
        "signature": checkpoint.signature,
        "epoch": checkpoint.epoch,
        "metrics": checkpoint.metrics,
        "state": dict(checkpoint.state),
    }
    # safetensors reads the memory behind an array as if it were contiguous and would save a transposed view wrongly.
    tensors = {name: np.asarray(array, order="C") for name, array in checkpoint.tensors.items()}
    text = json.dumps(document)
    content = save(tensors, metadata={_KEY: f"{text}\n{_digest(text, tensors)}"})
    write_atomically(directory / TENSORS_FILE, content)
    write_atomically(directory / DOCUMENT_FILE, f"{json.dumps(document, indent=1)}\n".encode())


def load_checkpoint(directory: Path) -> Checkpoint | None:
    """The checkpoint in ``directory``, or None when there is none.

    Raises:
        RequestError: the file is damaged, was edited, or was not written by ``save_checkpoint``.
    """
    from safetensors import SafetensorError, safe_open

    path = directory / TENSORS_FILE
    try:
        expect_regular(path, LARGEST_TENSORS)  # a pipe would be waited for
    except FileNotFoundError:
        return None
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        text, _, digest = metadata[_KEY].partition("\n")
        document = json.loads(text)
        if digest and digest != _digest(text, tensors):
            raise ValueError("it was edited")
        epoch, state = document["epoch"], document["state"]
        if not isinstance(epoch, int) or not isinstance(state, dict):
            raise ValueError("epoch is no whole number, or state no object")
        # Without a digest it is of an earlier version, which knew neither of these.
        known = {key: document[key] for key in ("signature", "metrics") if digest}
        return Checkpoint(epoch, tensors, state, **known)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        reason = one_line(error)
        raise RequestError(f"{path}: no readable checkpoint ({reason}); delete it to start the run over") from None


def _digest(text: str, tensors: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """Hex SHA-256 over the document and every tensor: name, type, shape and content."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        values = tensors[name]
        digest.update(f"\n{name} {values.dtype.str} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
