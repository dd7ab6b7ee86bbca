"""Checkpoints come back exactly, and a kill at any moment leaves a whole one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from babi_memnet.errors import RequestError
from babi_memnet.runs.checkpoint import (
    DOCUMENT_FILE,
    TENSORS_FILE,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)

RANDOM = np.random.default_rng(0)


def test_tensors_and_state_come_back_exactly(tmp_path: Path) -> None:
    tensors: dict[str, np.ndarray[Any, Any]] = {
        "embedding": RANDOM.normal(size=(3, 4, 5)).astype(np.float32),
        "transposed": RANDOM.normal(size=(4, 6)).T,
        "strided": np.arange(20, dtype=np.int64)[::3],
        "scalar": np.array(2.5),
        "empty": np.zeros((0, 3), dtype=np.uint8),
        "flags": np.array([True, False]),
        "größe/with.dots": np.array([1], dtype=np.int32),
    }
    state: dict[str, Any] = {
        "phase": "linear",
        "best": float("inf"),
        "random": RANDOM.bit_generator.state,
        "left": [3, None, 0.1, True],
        "text": 'é"\n',
    }
    save_checkpoint(tmp_path, Checkpoint(7, tensors, state))
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert (loaded.epoch, loaded.state) == (7, state)
    assert set(loaded.tensors) == set(tensors)
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(loaded.tensors[name], tensor, strict=True)
    assert json.loads((tmp_path / DOCUMENT_FILE).read_text())["state"]["random"] == state["random"]


def test_a_random_generator_goes_on_where_it_was(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    save_checkpoint(tmp_path, Checkpoint(0, {}, {"random": generator.bit_generator.state}))
    expected = generator.normal(size=4)
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    other = np.random.default_rng()
    other.bit_generator.state = loaded.state["random"]
    np.testing.assert_array_equal(other.normal(size=4), expected)


def test_loaded_arrays_are_independent_of_the_file(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Checkpoint(1, {"a": np.ones(1000)}, {}))
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    save_checkpoint(tmp_path, Checkpoint(2, {"a": np.zeros(1000)}, {}))
    loaded.tensors["a"][0] += 1
    assert loaded.tensors["a"].sum() == 1001


def test_equal_checkpoints_are_equal_files(tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        save_checkpoint(tmp_path, Checkpoint(1, {"b": np.ones(2), "a": np.zeros(3)}, {"x": 1, "y": 2}))
        contents.append((tmp_path / TENSORS_FILE).read_bytes())
    assert contents[0] == contents[1]


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_kill_at_any_step_leaves_a_consistent_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends the process before and after every system call that writing makes, one after the other."""
    originals = {name: getattr(os, name) for name in ("fsync", "replace")}
    seen: set[tuple[int, int]] = set()
    for fatal in range(8):
        calls = 0

        def dying(name: str, fatal: int = fatal) -> Any:
            def call(*arguments: Any) -> None:
                nonlocal calls
                if calls == fatal:
                    raise Killed
                originals[name](*arguments)
                calls += 1
                if calls == fatal:
                    raise Killed
                calls += 1

            return call

        save_checkpoint(tmp_path, Checkpoint(1, {"a": np.full(100, 1.0)}, {"epoch": 1}))
        with monkeypatch.context() as patch:
            for name in originals:
                patch.setattr(os, name, dying(name))
            with pytest.raises(Killed):
                save_checkpoint(tmp_path, Checkpoint(2, {"a": np.full(100, 2.0)}, {"epoch": 2}))
        loaded = load_checkpoint(tmp_path)
        assert loaded is not None
        assert loaded.state == {"epoch": loaded.epoch}
        assert set(loaded.tensors["a"]) == {float(loaded.epoch)}
        document = json.loads((tmp_path / DOCUMENT_FILE).read_text())
        assert document["epoch"] <= loaded.epoch
        seen.add((loaded.epoch, document["epoch"]))
    assert seen == {(1, 1), (2, 1), (2, 2)}


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, Checkpoint(1, {"a": np.ones(100)}, {}))
    path = tmp_path / TENSORS_FILE
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(RequestError, match=r"checkpoint\.safetensors: no readable checkpoint .* start the run over"):
        load_checkpoint(tmp_path)


def test_foreign_tensors_are_no_checkpoint(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.ones(1)}, tmp_path / TENSORS_FILE)
    with pytest.raises(RequestError, match="no readable checkpoint"):
        load_checkpoint(tmp_path)


def test_a_state_that_json_cannot_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path, Checkpoint(1, {}, {"array": np.ones(2)}))
    assert list(tmp_path.iterdir()) == []
