"""The n-grams of sentences, each as one number."""

from __future__ import annotations

import torch
from torch import Tensor


def grams(words: Tensor, base: int, longest: int) -> Tensor:
    """The runs of 1 to ``longest`` words of each sentence [..., J], as numbers [..., G]; 0 for what holds padding.

    The words, all below ``base``, are the digits of the number: no two n-grams have the same one. G is the sum of
    J - n + 1 over the lengths n that fit into a sentence.
    """
    found, run = [words], words
    for length in range(2, min(longest, words.shape[-1]) + 1):
        earlier, last = run[..., :-1], words[..., length - 1 :]
        run = torch.where((earlier > 0) & (last > 0), earlier * base + last, 0)
        found.append(run)
    return torch.cat(found, dim=-1)
