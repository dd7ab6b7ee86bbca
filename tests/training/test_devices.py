"""What a run computes on."""

from __future__ import annotations

import torch

from babi_memnet.training.devices import in_fixed_order


def test_sums_on_a_processor_have_a_fixed_order_and_nothing_is_left_changed() -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    with in_fixed_order(torch.device("cpu")):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    with in_fixed_order(torch.device("cuda")):
        assert not torch.are_deterministic_algorithms_enabled()


def test_gradients_by_equal_indices_are_the_same_with_two_threads() -> None:
    """Added up by several threads as they come, they are not."""
    generator = torch.Generator().manual_seed(0)
    places = torch.randint(3, (200_000,), generator=generator)
    values = torch.randn(200_000, 4, generator=generator)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with in_fixed_order(torch.device("cpu")):
            found = []
            for _ in range(5):
                table = torch.zeros(3, 4, requires_grad=True)
                (table[places] * values).sum().backward()
                found.append(table.grad)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(found[0], other) for other in found)
