"""Networks once more, in code for one kind of machine: faster, with the values and gradients of the network itself.

The kernels of a network are the file of its name in this folder, which defines a class ``Kernels``; ``NETWORK``, the
class of what they compute; and ``KNOWN``, the settings that they know in one value alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.network import Network

Integers = npt.NDArray[np.integer[Any]]


class Kernel(Protocol):
    """One restart, trained by gradient descent on the summed loss, each tensor's gradient clipped by itself."""

    @classmethod
    def of(cls, network: Network, parameters: dict[str, Tensor]) -> Sequence[Self]:
        """One for each restart. What they train is the memory of ``parameters`` [R, ...], which may be replaced."""

    def train_epoch(
        self, questions: Questions, order: Integers, ages: Integers, linear: bool, rate: float, largest_norm: float
    ) -> tuple[float, int]:
        """One epoch of the batches ``order`` [S, B], with the ages [S, B, M] of their statements.

        The summed loss and the number of wrong answers.
        """

    def evaluate(self, questions: Questions, linear: bool) -> tuple[Integers, float]:
        """The answer to each question, [N], and the summed loss."""


def kernel_of(network: Network) -> type[Kernel] | None:
    """The kernels for a network: those of exactly its class, as they compute what that class says and nothing else.

    None where there are none, or where they do not know its settings.
    """
    name = type(network).__module__.rpartition(".")[2]
    if find_spec(f"{__name__}.{name}") is None:
        return None
    module = import_module(f"{__name__}.{name}")
    known = all(getattr(network.settings, key, value) == value for key, value in module.KNOWN.items())
    return module.Kernels if type(network) is module.NETWORK and known else None
