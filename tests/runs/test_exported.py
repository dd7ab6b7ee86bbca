"""A network that was handed on is read as it was written, and whatever else lies there is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from babi_memnet.errors import RequestError
from babi_memnet.runs.exported import Exported, exported_rows, read_exported, write_exported

EXPORTED = Exported(
    settings={"task": 1, "model": {"name": "toy"}},
    experiment=None,
    signature="0123456789",
    restart=4,
    measured={
        "restart": 4,
        "seed": 7,
        "train": {"error_percent": 1.0},
        "validation": {"error_percent": 2.0, "per_task": {"1": 2.5}},
        "test": {"error_percent": 3.0, "per_task": {"1": 3.5}},
    },
    vocabulary={"tokenizer": {}, "words": ["mary", "went"], "merges": []},
    slots=5,
    positions=6,
    tensors={
        "weights": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "known": np.zeros(0, dtype=np.int64),
        "scale": np.float32(0.1) * np.ones((), dtype=np.float32),
    },
)


def plain(exported: Exported) -> dict[str, Any]:
    names = ("settings", "experiment", "signature", "restart", "measured", "vocabulary", "slots", "positions")
    return {name: getattr(exported, name) for name in names}


def equal(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        values.dtype == second[name].dtype and np.array_equal(values, second[name]) for name, values in first.items()
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_exported(tmp_path, EXPORTED)
    found = read_exported(tmp_path)
    assert plain(found) == plain(EXPORTED)
    assert equal(found.tensors, EXPORTED.tensors)
    # for other programs too: what others call a tensor of this name is it
    assert equal(load_file(tmp_path / "model.safetensors"), EXPORTED.tensors)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "config.json"}
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["shape"] == {"words": 3, "slots": 5, "positions": 6}
    assert (config["format"], config["package"]) == (1, "babi-memnet")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"format": 2, "version": "9.0"},
            r"config.json: format 2, of version 9.0; expected at most 1 by this version$",
        ),
        ({"package": "another"}, r"config.json: expected what babi-export wrote, found no package babi-memnet and "),
        ({"format": None}, r"config.json: expected what babi-export wrote, found no package babi-memnet and format"),
        ({"shape": {"words": 4, "slots": 5, "positions": 6}}, r"\(ValueError: 4 words in its shape, 3 with their padd"),
        ({"shape": None}, r"config.json: expected what babi-export wrote \(TypeError: "),
        ({"restart": "first"}, r"config.json: expected what babi-export wrote \(ValueError: "),
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, changed: dict[str, Any], expected: str) -> None:
    write_exported(tmp_path, EXPORTED)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(RequestError, match=expected):
        read_exported(tmp_path)


def test_files_that_are_missing_or_damaged_are_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"expected a folder that babi-export wrote, found no config.json in it$"):
        read_exported(tmp_path)
    write_exported(tmp_path, EXPORTED)
    parameters = tmp_path / "model.safetensors"
    parameters.write_bytes(parameters.read_bytes()[:-3])
    with pytest.raises(RequestError, match=r"model.safetensors: no readable parameters \("):
        read_exported(tmp_path)
    parameters.unlink()
    with pytest.raises(RequestError, match=r"model.safetensors: expected the parameters beside config.json, found no "):
        read_exported(tmp_path)
    (tmp_path / "config.json").write_text('{"format"')
    with pytest.raises(RequestError, match=r"config.json:1: expected JSON"):
        read_exported(tmp_path)


def test_what_was_measured_is_a_row_as_that_of_a_run(tmp_path: Path) -> None:
    write_exported(tmp_path, EXPORTED)
    (row,) = exported_rows(tmp_path)
    assert (row.keys["run"], row.keys["task"], row.keys["model.name"]) == (str(tmp_path), 1, "toy")
    assert (row.numbers, row.selected, row.is_done) == (((7, 4),), 0, True)
    assert (row.train, row.validation, row.test) == ((1.0,), (2.5,), (3.5,))
    config = json.loads((tmp_path / "config.json").read_text())
    config["measured"] = {}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError, match=r"config.json: expected what babi-export wrote \(KeyError: 'test'\)$"):
        exported_rows(tmp_path)
