"""Networks back from their record: from the checkpoint of a run, or from a folder in which one was handed on."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from babi_memnet.encoding.questions import Encoder
from babi_memnet.encoding.vocabulary import Vocabulary
from babi_memnet.errors import RequestError, bad_value, kind_and_line
from babi_memnet.models.networks import code_of_own, network_class, network_on_record
from babi_memnet.runs.directory import load_run
from babi_memnet.runs.dotted import without
from babi_memnet.runs.exported import CONFIG_FILE, Exported, read_exported

if TYPE_CHECKING:
    from babi_memnet.models.network import Network

Tensors = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True)
class Trained:
    """Trained networks on record, all of one run.

    Attributes:
        origin: the folder of the record, for errors.
        settings: of the run, as nested plain mappings.
        encoder: from text to arrays, with the words that the networks know.
        restarts: the numbers of the restarts, in the order of ``tensors``.
        tensors: name to the values of all restarts, which come first.
        result: what result.json says; empty where it was left behind.
        status: what status.json says; empty where it was left behind.
    """

    origin: Path
    settings: dict[str, Any]
    encoder: Encoder
    restarts: tuple[int, ...]
    tensors: Tensors
    result: Mapping[str, Any]
    status: Mapping[str, Any]

    @classmethod
    def of_run(cls, directory: str | os.PathLike[str]) -> Trained:
        """Those of a run directory.

        Raises:
            RequestError: there is no run, it is not done, or its record is damaged.
        """
        record = load_run(directory)
        status, result, checkpoint = record.status, record.result, record.checkpoint()
        if status is None or result is None:
            state = status and status["state"]
            raise RequestError(f"{record.path}: expected a finished run, this one is {state}; the same command ends it")
        if checkpoint is None:
            raise RequestError(
                f"{record.path}: expected its checkpoint, found none; remove the folder and train it again"
            )
        if checkpoint.signature not in (None, status["signature"]):
            raise RequestError(
                f"{record.path}: the checkpoint is of another run (signature {checkpoint.signature}); expected that of "
                f"{status['signature']}; remove the folder and train it again"
            )
        saved = checkpoint.state["encoder"]
        encoder = Encoder(Vocabulary.from_json(saved["vocabulary"]), saved["slots"], saved["positions"])
        restarts = tuple(checkpoint.state["restarts"])
        return cls(record.path, status["settings"], encoder, restarts, checkpoint.tensors, result, status)

    @classmethod
    def of(cls, directory: str | os.PathLike[str]) -> Trained:
        """Those of a run directory, or the one of a folder that was handed on.

        Raises:
            RequestError: as of both.
        """
        folder = Path(directory)
        return cls.of_exported(folder) if (folder / CONFIG_FILE).is_file() else cls.of_run(folder)

    @classmethod
    def of_exported(cls, folder: Path) -> Trained:
        """The one that was handed on in ``folder``.

        Raises:
            RequestError: there is none, or it is damaged or of a later format.
        """
        exported = read_exported(folder)
        try:
            encoder = Encoder(Vocabulary.from_json(exported.vocabulary), exported.slots, exported.positions)
            settings = dict(exported.settings)
            kind, epochs = settings["model"]["name"], settings["training"]["epochs"]
            if not isinstance(kind, str) or not isinstance(epochs, int):
                raise TypeError("model.name is no text, or training.epochs no whole number")
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise RequestError(
                f"{folder / CONFIG_FILE}: expected what babi-export wrote ({kind_and_line(fault)})"
            ) from None
        tensors = {name: values[np.newaxis] for name, values in exported.tensors.items()}
        return cls(folder, settings, encoder, (exported.restart,), tensors, {}, {})

    @property
    def selected(self) -> int:
        """The number of the restart that was selected; of the only one where that is not on record."""
        place: int = self.result.get("selected", 0)
        return self.restarts[place]

    def place(self, restart: int | None = None) -> int:
        """The place of a restart by its number; of the selected one by None.

        Raises:
            RequestError: there is no such restart.
        """
        number = self.selected if restart is None else restart
        if number not in self.restarts:
            accepted = f"one of {', '.join(map(str, self.restarts))}, those of {self.origin}"
            raise bad_value("restart", restart, accepted)
        return self.restarts.index(number)

    def network(self, place: int) -> tuple[Network, Tensors]:
        """The network of the restart at a place, ready to be asked, and the parameters that it was given.

        Raises:
            RequestError: there is no such network any more, or the tensors are not those of it.
        """
        import torch

        from babi_memnet.models.network import Shape

        model = network_on_record(self.settings["model"])
        if (code := self.status.get("code")) is not None and code != code_of_own(model.name):
            raise RequestError(
                f"{self.origin}: the code of the network {model.name} is another than when it was trained; expected "
                "the file as it was then, or train it again"
            )
        network = network_class(model.name)(model, Shape.of(self.encoder))
        tensors, state = network.upgrade(self.tensors), network.state_dict()
        # A tensor that has two names in the network is kept by one of them.
        own = {name: np.array(values[place]) for name, values in tensors.items() if name in state}
        if lacking := [name for name, _ in network.named_parameters() if name not in own]:
            raise RequestError(f"{self.origin}: expected a checkpoint with {', '.join(lacking)}, found none")
        for name, values in own.items() if not model.fitted else ():  # what was fitted has sizes of its own
            if values.shape != (expected := tuple(state[name].shape)):
                raise RequestError(f"{self.origin}: expected {name} to have the shape {expected}, found {values.shape}")
        network.load({name: torch.from_numpy(values) for name, values in own.items()})
        network.requires_grad_(False).eval()
        network.linear = self.settings["training"]["epochs"] == 0
        return network, own

    def exported(self, place: int, left_out: Collection[str]) -> Exported:
        """The restart at a place as it is handed on, without the settings of these dotted keys.

        Raises:
            RequestError: as of `network`.
        """
        _, own = self.network(place)
        return Exported(
            settings=without(self.settings, left_out),
            experiment=self.result.get("experiment"),
            signature=self.status["signature"],
            restart=self.restarts[place],
            measured=self.result["restarts"][place],
            vocabulary=self.encoder.vocabulary.as_json(),
            slots=self.encoder.slots,
            positions=self.encoder.positions,
            tensors=own,
        )
