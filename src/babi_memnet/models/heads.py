"""Heads that read slots: by a softmax over them, or by walking back through them to the first that matches.

Slots stand in the order in which they were told, and a reader sees some number of the earliest. On a CPU what is read
and its gradients come from kernels, which keep no weights; elsewhere, and for whoever looks, from the equations here.

Legend: B stories, N readers, T slots, H heads of e dimensions each, the first P of which walk back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from babi_memnet.models.kernels import heads as on_cpu


def read_slots(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
    """What each head of each reader reads, [B, N, H, e].

    Args:
        query: [B, N, H, e] what readers look for.
        keys: [B, T, H, e] what slots are found by.
        values: [B, T, H, e] what they give.
        bias: [P] added to the matches of each head that walks back.
        seen: [B, N] how many of the earliest slots a reader sees.
    """
    if query.device.type == "cpu" and query.dtype == torch.float32:
        bias = bias.expand(len(query), -1)
        return _ByKernels.apply(query, keys, values, bias, seen)  # type: ignore[no-untyped-call, no-any-return]
    weights = slot_weights(query, keys, bias, seen)
    return (weights @ values.transpose(-2, -3)).transpose(-2, -3)


def slot_weights(query: Tensor, keys: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
    """What share of each slot the heads of each reader read, [B, H, N, T]; arguments as for `read_slots`."""
    there = torch.arange(keys.shape[-3], device=keys.device) < seen.unsqueeze(-1)  # [B, N, T]
    there = there.unsqueeze(-3)
    matches = query.transpose(-2, -3) @ keys.movedim(-3, -1) / math.sqrt(query.shape[-1])  # [B, H, N, T]
    walking = bias.shape[-1]
    back = walk_back(matches[:, :walking] + bias[:, None, None], there)
    return torch.cat([back, content(matches[:, walking:], there)], dim=1)


def walk_back(stop: Tensor, seen: Tensor) -> Tensor:
    """The chance to stop at each slot on a walk back from the latest seen, [..., T]; may sum to less than one.

    p_j = sigmoid(stop_j) prod_{i > j} (1 - sigmoid(stop_i)), over the slots that are seen.
    """
    passing = functional.logsigmoid(-stop) * seen
    total = passing.cumsum(dim=-1)
    later = total[..., -1:] - total  # the logarithm of the chance to pass all later slots
    return torch.exp(functional.logsigmoid(stop) + later) * seen


def content(matches: Tensor, seen: Tensor) -> Tensor:
    """The softmax of the matches [..., T] over the slots that are seen; zeros where none is."""
    lowest = torch.finfo(matches.dtype).min
    return torch.softmax(torch.where(seen, matches, lowest), dim=-1) * seen


class _ByKernels(torch.autograd.Function):
    """`read_slots` with a bias [B, P] for each story."""

    @staticmethod
    def forward(*tensors: Tensor) -> Tensor:
        return on_cpu.read(*tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grown: Tensor) -> tuple[Tensor | None, ...]:
        return *_Gradients.apply(grown, *ctx.saved_tensors), None  # type: ignore[no-untyped-call]

    @staticmethod
    def vmap(info: Any, in_dims: Sequence[int | None], *tensors: Tensor) -> tuple[Tensor, int]:
        return _with_more_stories(_ByKernels.apply, info.batch_size, in_dims, tensors), 0


class _Gradients(torch.autograd.Function):
    """The backward pass of `_ByKernels`, which has none itself."""

    @staticmethod
    def forward(*tensors: Tensor) -> tuple[Tensor, ...]:
        return on_cpu.gradients(*tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Nothing is differentiated twice."""

    @staticmethod
    def vmap(info: Any, in_dims: Sequence[int | None], *tensors: Tensor) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        return _with_more_stories(_Gradients.apply, info.batch_size, in_dims, tensors), (0, 0, 0, 0)


def _with_more_stories(
    compute: Callable[..., Any], size: int, in_dims: Sequence[int | None], tensors: Sequence[Tensor]
) -> Any:
    """One more axis of this size in front, as stories: they know nothing of each other."""
    whole = [
        tensor.expand(size, *tensor.shape) if at is None else tensor.movedim(at, 0)
        for tensor, at in zip(tensors, in_dims, strict=True)
    ]
    found = compute(*(tensor.flatten(0, 1) for tensor in whole))
    if isinstance(found, Tensor):
        return torch.unflatten(found, 0, (size, -1))
    return tuple(torch.unflatten(tensor, 0, (size, -1)) for tensor in found)
