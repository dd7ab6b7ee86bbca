"""The heads of `models.heads` on a CPU: readers read slots, row by row, and nothing of the size of the weights is kept.

A row is one reader of one head: its matches with the slots it sees, the weights, and what they read, all in a few
arrays that stay in the processor's cache. The backward pass computes the row once more. Every sum runs in one order,
whatever vectors a processor has, and the exponential is our own; so the digits are those of any machine.

Legend: S stories, N readers, T slots, H heads of e dimensions, the first P of which walk back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from numba import njit
from torch import Tensor

# No licence to reorder sums or to fuse products with them: both would depend on the processor.
_compiled = njit(nogil=True, cache=True, fastmath=False, error_model="numpy")

_ROWS = 4
"""Rows whose gradients are added to keys and values in one go."""

_ZERO = np.float32(0)
_ONE = np.float32(1)
_LOWEST = np.float32(-np.inf)

# e^x = 2^k e^r with |r| <= log(2) / 2; log(2) in two parts, and the polynomial of Cephes (Moshier 1989, expf).
_LARGEST = np.float32(87)
_PER_LOG_2 = np.float32(1.44269504)
_LOG_2_HIGH, _LOG_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_C7, _C6, _C5 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_C4, _C3, _C2 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
_HALF = np.float32(0.5)
_EXPONENT_OF_ONE, _BITS_OF_FRACTION = np.int32(127), np.int32(23)


def read(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, seen: Tensor) -> Tensor:
    """What every reader reads, [S, N, H, e]; see `models.heads.read_slots`, with a bias [S, P] for each story."""
    out = torch.empty(query.shape, dtype=torch.float32)
    _over_stories(_read, (query, keys, values, bias, seen, out))
    return out


def gradients(
    grown: Tensor, query: Tensor, keys: Tensor, values: Tensor, bias: Tensor, seen: Tensor
) -> tuple[Tensor, ...]:
    """The gradients of query, keys, values and bias, from that of what was read, ``grown`` [S, N, H, e]."""
    out = tuple(torch.empty(tensor.shape, dtype=torch.float32) for tensor in (query, keys, values, bias))
    _over_stories(_gradients, (grown, query, keys, values, bias, seen, *out))
    return out


def _over_stories(compute: Callable[..., None], tensors: Sequence[Tensor]) -> None:
    """Call ``compute(*arrays, first, last)`` for all stories, in as many threads as torch has."""
    arrays = [tensor.detach().contiguous().numpy() for tensor in tensors]
    stories = len(arrays[0])
    threads = max(1, min(torch.get_num_threads(), stories))
    bounds = np.linspace(0, stories, threads + 1).astype(int).tolist()
    parts = [(*arrays, *part) for part in pairwise(bounds)]
    if threads == 1:
        compute(*parts[0])
        return
    for done in [_pool(threads).submit(compute, *part) for part in parts]:
        done.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="heads")


@_compiled
def _exponential(x, n, bits):  # type: ignore[no-untyped-def]
    """The first n of x become e^x; ``bits`` is scratch, int32."""
    for j in range(n):
        y = min(max(x[j], -_LARGEST), _LARGEST)
        k = np.floor(y * _PER_LOG_2 + _HALF)
        r = y - k * _LOG_2_HIGH - k * _LOG_2_LOW
        p = ((((_C7 * r + _C6) * r + _C5) * r + _C4) * r + _C3) * r + _C2
        x[j] = p * (r * r) + r + _ONE
        bits[j] = (np.int32(k) + _EXPONENT_OF_ONE) << _BITS_OF_FRACTION  # of the number 2^k
    powers = bits.view(np.float32)
    for j in range(n):
        x[j] = x[j] * powers[j]


@_compiled
def _match(vector, across, n, start, scale, out):  # type: ignore[no-untyped-def]
    """out[j] = start + scale sum_c vector[c] across[c, j], for the first n."""
    for j in range(n):
        out[j] = start
    size, c = vector.size, 0
    while c + 4 <= size:
        a0, a1, a2, a3 = vector[c] * scale, vector[c + 1] * scale, vector[c + 2] * scale, vector[c + 3] * scale
        for j in range(n):
            out[j] = out[j] + a0 * across[c, j] + a1 * across[c + 1, j] + a2 * across[c + 2, j] + a3 * across[c + 3, j]
        c += 4
    while c < size:
        a0 = vector[c] * scale
        for j in range(n):
            out[j] = out[j] + a0 * across[c, j]
        c += 1


@_compiled
def _gather(weights, n, along, out):  # type: ignore[no-untyped-def]
    """out[c] = sum_j weights[j] along[j, c], over the first n."""
    size, j = out.size, 0
    for c in range(size):
        out[c] = _ZERO
    while j + 4 <= n:
        a0, a1, a2, a3 = weights[j], weights[j + 1], weights[j + 2], weights[j + 3]
        for c in range(size):
            out[c] = out[c] + a0 * along[j, c] + a1 * along[j + 1, c] + a2 * along[j + 2, c] + a3 * along[j + 3, c]
        j += 4
    while j < n:
        a0 = weights[j]
        for c in range(size):
            out[c] = out[c] + a0 * along[j, c]
        j += 1


@_compiled
def _add(vectors, rows, n, across):  # type: ignore[no-untyped-def]
    """across[c, j] += sum_r vectors[r, c] rows[r, j], over four rows."""
    for c in range(across.shape[0]):
        a0, a1, a2, a3 = vectors[0, c], vectors[1, c], vectors[2, c], vectors[3, c]
        for j in range(n):
            across[c, j] = across[c, j] + a0 * rows[0, j] + a1 * rows[1, j] + a2 * rows[2, j] + a3 * rows[3, j]


@_compiled
def _weigh(row, n, walks, stop, go, bits):  # type: ignore[no-untyped-def]
    """The first n matches become weights; ``stop`` and ``go`` the chances of a walk to end at a slot, or not to."""
    if walks:
        for j in range(n):
            stop[j] = -row[j]
        _exponential(stop, n, bits)
        for j in range(n):
            against = stop[j]
            stop[j] = _ONE / (_ONE + against)
            go[j] = against * stop[j]
        arrives = _ONE
        for j in range(n - 1, -1, -1):
            row[j] = stop[j] * arrives
            arrives *= go[j]
    else:
        largest, total = _LOWEST, _ZERO
        for j in range(n):
            largest = max(largest, row[j])
        for j in range(n):
            row[j] = row[j] - largest
        _exponential(row, n, bits)
        for j in range(n):
            total += row[j]
        for j in range(n):
            row[j] = row[j] / total


@_compiled
def _room(slots, size):  # type: ignore[no-untyped-def]
    """Place for one head of a story, as [T, e] and as [e, T]."""
    return np.empty((slots, size), np.float32), np.empty((size, slots), np.float32)


@_compiled
def _turn(story, head, along, across):  # type: ignore[no-untyped-def]
    """One head of a story [T, H, e], as [T, e] and as [e, T]."""
    for j in range(story.shape[0]):
        for c in range(story.shape[2]):
            along[j, c] = story[j, head, c]
            across[c, j] = story[j, head, c]


@_compiled
def _read(query, keys, values, bias, seen, out, first, last):  # type: ignore[no-untyped-def]
    slots, heads, size = keys.shape[1:]
    f, scale = np.float32, np.float32(1 / math.sqrt(size))
    keys_along, keys_across = _room(slots, size)
    values_along, values_across = _room(slots, size)
    row, stop, go, bits = np.empty(slots, f), np.empty(slots, f), np.empty(slots, f), np.empty(slots, np.int32)
    for s in range(first, last):
        for h in range(heads):
            walks = h < bias.shape[1]
            start = bias[s, h] if walks else _ZERO
            _turn(keys[s], h, keys_along, keys_across)
            _turn(values[s], h, values_along, values_across)
            for i in range(query.shape[1]):
                n = seen[s, i]
                if n > 0:
                    _match(query[s, i, h], keys_across, n, start, scale, row)
                    _weigh(row, n, walks, stop, go, bits)
                _gather(row, n, values_along, out[s, i, h])


@_compiled
def _gradients(  # type: ignore[no-untyped-def]
    grown, query, keys, values, bias, seen, d_query, d_keys, d_values, d_bias, first, last
):
    """Row by row, as `_read` goes.

    With g_j the gradient of weight w_j and p_j the chance to stop, that of match j of a head that walks back is
    ``g_j w_j - p_j sum_{i <= j} g_i w_i``: the match is in w_j by p_j, and in the weights of earlier slots by 1 - p_j.
    """
    slots, heads, size = keys.shape[1:]
    readers = query.shape[1]
    f, scale = np.float32, np.float32(1 / math.sqrt(size))
    keys_along, keys_across = _room(slots, size)
    values_along, values_across = _room(slots, size)
    d_keys_across, d_values_across = np.empty((size, slots), f), np.empty((size, slots), f)
    rows, d_rows = np.empty((_ROWS, slots), f), np.empty((_ROWS, slots), f)
    asked, gained = np.empty((_ROWS, size), f), np.empty((_ROWS, size), f)
    stop, go, bits = np.empty(slots, f), np.empty(slots, f), np.empty(slots, np.int32)
    d_start = np.empty(slots, f)
    for s in range(first, last):
        for h in range(heads):
            walks = h < bias.shape[1]
            start = bias[s, h] if walks else _ZERO
            _turn(keys[s], h, keys_along, keys_across)
            _turn(values[s], h, values_along, values_across)
            d_keys_across[:] = _ZERO
            d_values_across[:] = _ZERO
            d_start[:] = _ZERO
            for block in range(0, readers, _ROWS):
                longest = 0
                for r in range(min(_ROWS, readers - block)):
                    longest = max(longest, seen[s, block + r])
                for r in range(_ROWS):
                    row, d_row, n, i = rows[r], d_rows[r], 0, block + r
                    asked[r] = _ZERO  # where there is no such reader, what is in its place may be no number
                    gained[r] = _ZERO
                    if i < readers:
                        n = seen[s, i]
                        asked[r] = query[s, i, h]
                        gained[r] = grown[s, i, h]
                    if n > 0:
                        _match(asked[r], keys_across, n, start, scale, row)
                        _weigh(row, n, walks, stop, go, bits)
                        _match(gained[r], values_across, n, _ZERO, _ONE, d_row)
                        sofar = _ZERO
                        if walks:
                            for j in range(n):
                                share = d_row[j] * row[j]
                                sofar += share
                                d_row[j] = share - stop[j] * sofar
                            for j in range(n):
                                d_start[j] += d_row[j]
                        else:
                            for j in range(n):
                                sofar += d_row[j] * row[j]
                            for j in range(n):
                                d_row[j] = row[j] * (d_row[j] - sofar)
                        for j in range(n):
                            d_row[j] = d_row[j] * scale
                    row[n:longest] = _ZERO
                    d_row[n:longest] = _ZERO
                    if i < readers:
                        _gather(d_row, n, keys_along, d_query[s, i, h])
                _add(gained, rows, longest, d_values_across)
                _add(asked, d_rows, longest, d_keys_across)
            if walks:
                total = _ZERO
                for j in range(slots):
                    total += d_start[j]
                d_bias[s, h] = total
            for j in range(slots):
                for c in range(size):
                    d_keys[s, j, h, c] = d_keys_across[c, j]
                    d_values[s, j, h, c] = d_values_across[c, j]
