"""Heads that read slots: the kernels against the equations, gradients and restarts included."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import grad, vmap

from babi_memnet.models.heads import read_slots, slot_weights


class Asked(NamedTuple):
    """The arguments of `read_slots`."""

    query: Tensor
    keys: Tensor
    values: Tensor
    bias: Tensor
    seen: Tensor

    def double(self) -> Asked:
        """In double precision, which the equations answer."""
        return Asked(*(tensor.double() if tensor.is_floating_point() else tensor for tensor in self))


def asked(*, stories: int, readers: int, slots: int, walking: int, others: int, size: int, seed: int = 0) -> Asked:
    drawn = torch.Generator().manual_seed(seed)
    heads = walking + others
    query, keys, values = (
        2 * torch.randn(stories, count, heads, size, generator=drawn) for count in (readers, slots, slots)
    )
    seen = torch.randint(slots + 1, (stories, readers), generator=drawn)
    return Asked(query, keys, values, torch.randn(walking, generator=drawn), seen)


def gradients(case: Asked, grown: Tensor) -> tuple[Tensor, ...]:
    leaves = [tensor.clone().requires_grad_() for tensor in case[:4]]
    return torch.autograd.grad(read_slots(*leaves, case.seen), leaves, grown)


SHAPES = st.fixed_dictionaries(
    {
        "stories": st.integers(1, 3),
        "readers": st.integers(1, 9),
        "slots": st.integers(1, 21),
        "walking": st.integers(0, 2),
        "others": st.integers(0, 2),
        "size": st.integers(1, 9),
        "seed": st.integers(0, 2**31),
    }
)


@given(SHAPES.filter(lambda shape: shape["walking"] + shape["others"] > 0))
@settings(deadline=None)
def test_kernels_read_what_the_equations_say(shape: dict[str, int]):
    case = asked(**shape)
    exact = read_slots(*case.double())
    torch.testing.assert_close(read_slots(*case).double(), exact, rtol=1e-4, atol=1e-5)
    grown = torch.randn(exact.shape, generator=torch.Generator().manual_seed(1))
    for found, expected in zip(gradients(case, grown), gradients(case.double(), grown.double()), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-4)


def test_who_sees_nothing_reads_nothing():
    case = asked(stories=2, readers=3, slots=4, walking=1, others=1, size=3)
    case = case._replace(seen=torch.zeros_like(case.seen))
    assert not read_slots(*case).any()
    assert not slot_weights(case.query, case.keys, case.bias, case.seen).any()
    assert not any(found.any() for found in gradients(case, torch.ones_like(case.query)))


@pytest.mark.parametrize("large", [1e3, 1e30, np.inf])
def test_matches_of_any_size_are_weighed(large: float):
    """Of a slot that matches beyond measure all is read; one that matches against measure is walked past."""
    keys = torch.tensor([1.0, -large, -1.0]).reshape(1, 3, 1, 1).repeat(1, 1, 2, 1)
    values = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 3, 1, 1).repeat(1, 1, 2, 1)
    query = torch.full((1, 1, 2, 1), 30.0)
    found = read_slots(query, keys, values, torch.zeros(1), torch.tensor([[3]]))
    torch.testing.assert_close(found.flatten(), torch.tensor([1.0, 1.0]))


def test_what_is_no_number_is_seen():
    case = asked(stories=1, readers=2, slots=3, walking=1, others=1, size=2)
    case.values[0, 0] = torch.nan
    case = case._replace(seen=torch.tensor([[1, 0]]))
    found = read_slots(*case)
    assert found[0, 0].isnan().all()
    assert not found[0, 1].any()


def test_restarts_are_computed_as_if_alone():
    """Digit for digit, whichever axes are theirs, in one thread or in several."""
    cases = [asked(stories=3, readers=4, slots=7, walking=2, others=1, size=4, seed=seed) for seed in range(3)]
    shared = cases[0].seen

    def total(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        return read_slots(query, keys, values, bias, shared).square().sum()

    stacked = [torch.stack(tensors, dim=1) for tensors in zip(*(case[:3] for case in cases), strict=True)]
    bias = torch.stack([case.bias for case in cases])
    every = vmap(grad(total, argnums=(0, 1, 2, 3)), in_dims=(1, 1, 1, 0))
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            together = every(*stacked, bias)
            for place, case in enumerate(cases):
                alone = grad(total, argnums=(0, 1, 2, 3))(*case[:4])
                assert all(torch.equal(some[place], one) for some, one in zip(together, alone, strict=True))
    finally:
        torch.set_num_threads(threads)


def test_memory_that_held_no_numbers_leaves_no_trace():
    """One reader of a block of rows: what the places of the others held before must not count."""
    case = asked(stories=1, readers=1, slots=40, walking=1, others=1, size=300)
    grown = torch.ones_like(case.query)
    for _ in range(20):
        held = [np.full((4, 300), np.nan, dtype=np.float32) for _ in range(50)]
        held += [np.full((4, 40), np.nan, dtype=np.float32) for _ in range(50)]
        del held
        assert all(found.isfinite().all() for found in gradients(case, grown))
