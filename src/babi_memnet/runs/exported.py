"""A trained network as it is handed on: a folder with its parameters and what reads text for it, no state of training.

``model.safetensors`` holds the parameters of one restart by the names of its state dict, ``config.json`` all else that
is needed to ask it, and ``README.md``, which nothing here reads, tells people where it is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babi_memnet.errors import RequestError, kind_and_line, one_line
from babi_memnet.reading import expect_regular
from babi_memnet.runs.checkpoint import LARGEST_TENSORS
from babi_memnet.runs.collection import NOTHING_KNOWN, Known, Row, rows_of_result
from babi_memnet.runs.dotted import flat
from babi_memnet.runs.environment import version_of
from babi_memnet.runs.files import read_json, write_atomically, write_json

if TYPE_CHECKING:
    import numpy as np

CARD_FILE = "README.md"
PARAMETERS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"

FILES = (CARD_FILE, PARAMETERS_FILE, CONFIG_FILE)
"""What lies in the folder; the last one tells by itself that it is such a folder."""

FORMAT = 1
"""Raised when folders are written that what reads this format today would not understand."""

PACKAGE = "babi-memnet"


@dataclass(frozen=True, slots=True)
class Exported:
    """One restart of a run.

    Attributes:
        settings: of the run, as nested plain mappings, without what only says where things are.
        experiment: the experiment file that it was asked by, if any.
        signature: of the run.
        restart: the number of the restart.
        measured: its seed, and its errors in training, validation and test, as result.json has them.
        vocabulary: what `Vocabulary.from_json` takes.
        slots: how many statements are remembered.
        positions: the words of the longest sentence.
        tensors: the parameters by name.
    """

    settings: Mapping[str, Any]
    experiment: str | None
    signature: str
    restart: int
    measured: Mapping[str, Any]
    vocabulary: Mapping[str, Any]
    slots: int
    positions: int
    tensors: Mapping[str, np.ndarray[Any, Any]]


def write_exported(folder: Path, exported: Exported) -> None:
    """Write parameters and config.json into ``folder``, which exists."""
    import numpy as np
    from safetensors.numpy import save

    # safetensors reads the memory behind an array as if it were contiguous and would save a transposed view wrongly.
    tensors = {name: np.asarray(array, order="C") for name, array in exported.tensors.items()}
    write_atomically(folder / PARAMETERS_FILE, save(tensors, metadata={"format": "pt"}))
    config = {
        "format": FORMAT,
        "package": PACKAGE,
        "version": version_of(PACKAGE),
        "experiment": exported.experiment,
        "signature": exported.signature,
        "restart": exported.restart,
        "measured": exported.measured,
        "settings": exported.settings,
        "shape": {
            "words": len(exported.vocabulary["words"]) + 1,  # padding is one
            "slots": exported.slots,
            "positions": exported.positions,
        },
        "vocabulary": exported.vocabulary,
    }
    write_json(folder / CONFIG_FILE, config)


def read_exported(folder: Path) -> Exported:
    """What `write_exported` wrote into ``folder``.

    Raises:
        RequestError: a file is missing, damaged, or of a later format; the text names it.
    """
    path = folder / CONFIG_FILE
    config = read_json(path)
    if config is None:
        raise RequestError(f"{folder}: expected a folder that babi-export wrote, found no {CONFIG_FILE} in it")
    if config.get("package") != PACKAGE or not isinstance(config.get("format"), int):
        raise RequestError(f"{path}: expected what babi-export wrote, found no package {PACKAGE} and format in it")
    if config["format"] > FORMAT:
        raise RequestError(
            f"{path}: format {config['format']}, of version {config.get('version')}; expected at most {FORMAT} "
            "by this version"
        )
    try:
        shape, vocabulary = config["shape"], config["vocabulary"]
        if shape["words"] != len(vocabulary["words"]) + 1:
            raise ValueError(f"{shape['words']} words in its shape, {len(vocabulary['words']) + 1} with their padding")
        return Exported(
            settings=config["settings"],
            experiment=config["experiment"],
            signature=config["signature"],
            restart=int(config["restart"]),
            measured=config["measured"],
            vocabulary=vocabulary,
            slots=int(shape["slots"]),
            positions=int(shape["positions"]),
            tensors=_parameters(folder / PARAMETERS_FILE),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise RequestError(f"{path}: expected what babi-export wrote ({kind_and_line(fault)})") from None


def exported_rows(folder: Path, known: Known = NOTHING_KNOWN) -> list[Row]:
    """What was measured of the network in ``folder``, as `read_rows` says it of all restarts of a run.

    Raises:
        RequestError: as of `read_exported`.
    """
    exported = read_exported(folder)
    try:
        settings = known.complete(dict(exported.settings))
        keys = {
            "run": str(folder),
            "signature": exported.signature,
            "state": "done",
            "experiment": exported.experiment,
            **flat(settings),
            "joint": settings["task"] == "joint",
        }
        result = {"restarts": [exported.measured], "selected": 0, "seconds": None}
        return rows_of_result(keys, result, {"bookkeeping": known.bookkeeping})
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise RequestError(
            f"{folder / CONFIG_FILE}: expected what babi-export wrote ({kind_and_line(fault)})"
        ) from None


def _parameters(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        expect_regular(path, LARGEST_TENSORS)
        tensors: dict[str, np.ndarray[Any, Any]] = load_file(path)
    except FileNotFoundError:
        raise RequestError(f"{path}: expected the parameters beside {CONFIG_FILE}, found no such file") from None
    except (SafetensorError, OSError) as error:
        raise RequestError(f"{path}: no readable parameters ({one_line(error)})") from None
    return tensors
