"""What a run computes on: the device, whether its memory is large enough, and the order of its sums."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from babi_memnet.errors import bad_value
from babi_memnet.models.network import Network

_COPIES = 6
"""Of the parameters: they themselves, gradients, two moments of an optimizer, a running mean, the best epoch's."""


def expect_room(network: Network, restarts: int, device: torch.device) -> None:
    """Refuse restarts whose parameters alone are more than the memory holds, before any is drawn.

    Raises:
        RequestError: they are.
    """
    count = sum(values.numel() for values in network.parameters())
    needed = count * restarts * _COPIES * 4
    if device.type == "cuda":
        there = torch.cuda.get_device_properties(device).total_memory
    else:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise bad_value(
            "training.restarts",
            restarts,
            f"fewer: of {count} parameters each, they need {needed / 2**30:.0f} GiB of {there / 2**30:.0f} GiB",
        )


@contextmanager
def in_fixed_order(device: torch.device) -> Iterator[None]:
    """On a CPU, sums of a gradient over equal indices are made in one order, also where several threads make them."""
    deterministic: Any = torch.utils.deterministic
    mode, filled = torch.get_deterministic_debug_mode(), deterministic.fill_uninitialized_memory
    try:
        if device.type == "cpu":
            # As use_deterministic_algorithms(True), which would load torch's compiler for it, a second or two.
            torch.set_deterministic_debug_mode("error")
            deterministic.fill_uninitialized_memory = False  # which takes time, and nobody reads such
        yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        deterministic.fill_uninitialized_memory = filled


def device_of(name: str) -> torch.device:
    """The device of this name.

    Raises:
        RequestError: it is not there.
    """
    device = torch.device(name)
    found = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= found:
        there = f"cpu or cuda:0 to cuda:{found - 1}" if found else "cpu, since torch finds no CUDA device here"
        raise bad_value("runtime.device", name, there)
    return device
