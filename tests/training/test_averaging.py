"""The running mean of parameters: of each restart by itself, the plain mean at first."""

from __future__ import annotations

import torch

from babi_memnet.training.averaging import Average


def test_it_is_the_plain_mean_at_first_and_forgets_later() -> None:
    values = torch.zeros(2, 3)
    average = Average({"w": values}, kept=0.5)
    for step in (2.0, 4.0):
        values.fill_(step)
        average.step()
    torch.testing.assert_close(average.values["w"], torch.full((2, 3), 3.0))  # (2 + 4) / 2
    values.fill_(9.0)
    average.step()
    torch.testing.assert_close(average.values["w"], torch.full((2, 3), 6.0))  # half of 3, half of 9


def test_restarts_that_have_ended_keep_their_mean() -> None:
    values = torch.ones(3, 1)
    average = Average({"w": values}, kept=0.9)
    average.step()
    values.fill_(5.0)
    average.step(torch.tensor([0, 2]))
    assert average.values["w"].flatten().tolist() == [3.0, 1.0, 3.0]
    average.take_over()
    assert values.flatten().tolist() == [3.0, 1.0, 3.0]


def test_it_goes_on_where_it_was() -> None:
    values = torch.zeros(2, 1)
    first = Average({"w": values}, kept=0.9)
    for step in (1.0, 2.0, 6.0):
        values.fill_(step)
        first.step(torch.tensor([1]))
    saved = {name: tensor.clone() for name, tensor in first.tensors().items()}
    second = Average({"w": torch.zeros(2, 1)}, kept=0.9)
    second.restore(saved)
    for average in (first, second):
        average._parameters["w"].fill_(8.0)
        average.step()
    torch.testing.assert_close(first.values["w"], second.values["w"])
    assert first.values["w"][0].item() == 8.0, "its first step"
