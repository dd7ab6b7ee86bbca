"""The memory of a Recurrent Entity Network goes through stories: equations 2 to 5 of arXiv 1612.03969, and back.

Forward, for each statement t:

    g_j  = sigmoid(s_t . h_j + k_tj)                  how far slot j is opened
    z_j  = U h_j + x_j + y_t,   c_j = phi(z_j)        its candidate
    r_j  = h_j + g_j c_j,       h_j <- r_j / |r_j|

where k_tj, x_j and y_t are what does not depend on the contents h, worked out for all statements at once by whoever
calls. phi(z) is z where it is above 0, and a z elsewhere. Backward, with ' for the gradient of the loss:

    r'_j = (h'_j - h_j (h_j . h'_j)) / |r_j|                         along h_j nothing can change
    g'_j = r'_j . c_j,          k'_tj = g'_j g_j (1 - g_j)
    z'_j = g_j r'_j phi'(z_j)
    h'_j <- r'_j + U^T z'_j + k'_tj s_t                              what was written before

Autograd would do the same with several times as many passes over the slots, which are most of the work.

Legend: B stories, T statements, S slots, d dimension; `*` any axes in front of the stories, such as that of restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Written(NamedTuple):
    """A memory that stories have been told to, time first.

    Attributes:
        contents: [T + 1, *, B, S, d] h before the first statement and after each.
        gates: [T, *, B, S] g; 0 where no statement is told.
        candidates: [T, *, B, S, d] z; only contents have a gradient.
        lengths: [T, *, B, S] |r|.
    """

    contents: Tensor
    gates: Tensor
    candidates: Tensor
    lengths: Tensor


class Telling(NamedTuple):
    """What is told to a memory, and what it makes of it.

    Attributes:
        statements: [T, *, B, d] s.
        gate_terms: [T, *, B, S] k.
        candidate_terms: [T, *, B, d] y.
        told: [T, *, B] 1 where a statement is told, 0 where there is none, which changes no direction of a slot.
        start: [*, S, d] the contents before the first statement.
        slot_terms: [*, S, d] x.
        from_content: [*, d, d] U.
        slopes: [*, d] a.
    """

    statements: Tensor
    gate_terms: Tensor
    candidate_terms: Tensor
    told: Tensor
    start: Tensor
    slot_terms: Tensor
    from_content: Tensor
    slopes: Tensor


def write(telling: Telling) -> Written:
    """Tell stories to a memory, statement by statement."""
    return Written(*_Write.apply(*telling))  # type: ignore[no-untyped-call]


_SMALLEST = 1e-12
"""No length of a slot is below, lest one of zero be divided by it."""


def _written(telling: Telling) -> Written:
    s = telling.statements
    shape = (*s.shape[1:-1], *telling.start.shape[-2:])  # [*, B, S, d]
    contents = s.new_empty(len(s) + 1, *shape)
    candidates = s.new_empty(len(s), *shape)
    gates, lengths = (s.new_empty(len(s), *shape[:-1]) for _ in range(2))
    contents[0] = telling.start.unsqueeze(-3)
    back = telling.from_content.mT  # of rows h: h U^T
    less = telling.slopes[..., None, None, :] - 1  # phi(z) = z + (a - 1) min(z, 0)
    for t in range(len(s)):
        h, z, new = contents[t], candidates[t], contents[t + 1]
        match = (h @ s[t].unsqueeze(-1)).squeeze(-1).add_(telling.gate_terms[t])
        gates[t] = match.sigmoid_().mul_(telling.told[t].unsqueeze(-1))
        torch.matmul(h.flatten(-3, -2), back, out=z.flatten(-3, -2))
        z.add_(telling.slot_terms.unsqueeze(-3)).add_(telling.candidate_terms[t].unsqueeze(-2))
        torch.addcmul(z, less, z.clamp(max=0), out=new)
        new.mul_(gates[t].unsqueeze(-1)).add_(h)  # r
        lengths[t] = torch.linalg.vector_norm(new, dim=-1).clamp_(min=_SMALLEST)
        new.div_(lengths[t].unsqueeze(-1))
    return Written(contents, gates, candidates, lengths)


def _gradients(grown: Tensor, telling: Telling, written: Written) -> Telling:
    """Those of all that is told but ``told``, from that of the contents, ``grown`` [T + 1, *, B, S, d]."""
    found = Telling(*(torch.zeros_like(tensor) for tensor in telling))
    slopes = telling.slopes[..., None, None, :]
    h_grown = grown[-1].clone()  # h'
    for t in reversed(range(len(telling.statements))):
        h, new, z, s = written.contents[t], written.contents[t + 1], written.candidates[t], telling.statements[t]
        gate, length = written.gates[t].unsqueeze(-1), written.lengths[t].unsqueeze(-1)
        along = (new * h_grown).sum(dim=-1, keepdim=True)
        r = h_grown.addcmul_(new, along, value=-1).div_(length)  # r'
        below = z.clamp(max=0)
        candidate = torch.addcmul(z, slopes - 1, below)  # c
        opened = candidate.mul_(r).sum(dim=-1)  # g'
        match = opened * written.gates[t] * (1 - written.gates[t])  # k'
        through = r * gate  # c'
        sloped = below.sign().mul_(through)  # -c' where phi has a slope, else 0: many times as fast as torch.where
        z_grown = torch.addcmul(through, sloped, 1 - slopes)  # z'
        found.slopes.add_(below.mul_(through).sum(dim=(-3, -2)))
        flat = z_grown.flatten(-3, -2)
        found.from_content.add_(flat.mT @ h.flatten(-3, -2))
        found.slot_terms.add_(z_grown.sum(dim=-3))
        found.candidate_terms[t] = z_grown.sum(dim=-2)
        found.gate_terms[t] = match
        found.statements[t] = (match.unsqueeze(-2) @ h).squeeze(-2)
        before = (flat @ telling.from_content).view(r.shape)
        h_grown = r.add_(before).addcmul_(match.unsqueeze(-1), s.unsqueeze(-2)).add_(grown[t])
    found.start.add_(h_grown.sum(dim=-3))
    return found


class _Write(torch.autograd.Function):
    """`_written`, for autograd and vmap."""

    @staticmethod
    def forward(*tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(_written(Telling(*tensors)))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(*inputs, *output)

    @staticmethod
    def backward(ctx: Any, grown: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        found = Telling(*_Gradients.apply(grown, *ctx.saved_tensors))  # type: ignore[no-untyped-call]
        return tuple(found._replace(told=None))  # type: ignore[arg-type]

    @staticmethod
    def vmap(info: Any, in_dims: Sequence[int | None], *tensors: Tensor) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        return _with_one_axis_more(_Write.apply, info.batch_size, in_dims, tensors, _TOLD), (1,) * len(Written._fields)


class _Gradients(torch.autograd.Function):
    """`_gradients`, for vmap; nothing is differentiated twice."""

    @staticmethod
    def forward(grown: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        told = len(Telling._fields)
        return tuple(_gradients(grown, Telling(*tensors[:told]), Written(*tensors[told:])))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
        """Keeps nothing."""

    @staticmethod
    def vmap(info: Any, in_dims: Sequence[int | None], *tensors: Tensor) -> tuple[tuple[Tensor, ...], tuple[int, ...]]:
        axes = (1, *_TOLD, *[1] * len(Written._fields))
        return _with_one_axis_more(_Gradients.apply, info.batch_size, in_dims, tensors, axes), _TOLD


_TOLD = (1, 1, 1, 1, 0, 0, 0, 0)
"""Where the first axis of `*` stands in what is told: behind time, where there is time."""


def _with_one_axis_more(
    compute: Callable[..., Any],
    size: int,
    in_dims: Sequence[int | None],
    tensors: Sequence[Tensor],
    axes: Sequence[int],
) -> tuple[Tensor, ...]:
    """``compute`` with the axis of vmap put where ``axes`` say."""
    placed = [
        tensor.unsqueeze(to).expand(*tensor.shape[:to], size, *tensor.shape[to:])
        if at is None
        else tensor.movedim(at, to)
        for tensor, at, to in zip(tensors, in_dims, axes, strict=True)
    ]
    return tuple(compute(*placed))
