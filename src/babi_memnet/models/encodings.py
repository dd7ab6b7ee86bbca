"""How a statement becomes one vector: the sum of its words' vectors with weights by place and dimension.

Legend: J words of a sentence, V words, d dimension, F terms of the weights.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def position_factors(
    encoding: str, dimension: int, positions: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Factors h [dimension] and g [positions] of the word weights l_ij = 1 + h_i g_j, i a dimension, j a position.

    Section 4.1 of arXiv 1503.08895.

    For position encoding that is the released code's l_ij = 1 + 4 (i - (d+1)/2)(j - (J+1)/2) / (d J), with J the
    longest sentence plus one: the last position belongs to the time word. For a bag of words all weights are 1, h = 0.

    Differs from the paper: section 4.1 prints l_kj = (1 - j/J) - (k/d)(1 - 2j/J), which is the same shape shifted and
    scaled; the released code, whose numbers the paper prints, uses the form above.
    """
    i = np.arange(1, dimension + 1, dtype=np.float64)
    j = np.arange(1, positions + 1, dtype=np.float64)
    h = 4 * (i - (dimension + 1) / 2) / (dimension * positions)
    if encoding == "bag_of_words":
        h = np.zeros_like(h)
    return h.astype(np.float32), (j - (positions + 1) / 2).astype(np.float32)


def counted(words: Tensor, factors: Tensor, size: int) -> Tensor:
    """How often each of ``size`` words occurs in sentences [..., J], counted with factors [F, J]: [..., F, V]."""
    both = words.unsqueeze(-2).expand(*words.shape[:-1], *factors.shape)  # [..., F, J]
    counts = torch.zeros(*words.shape[:-1], len(factors), size, dtype=factors.dtype, device=words.device)
    return counts.scatter_add(-1, both, factors.expand(both.shape))


def summed(counts: Tensor, table: Tensor, scales: Tensor) -> Tensor:
    """sum_j l_j * table[words_j], [..., d], with l_j = sum_f factors_fj scales_f: of what was `counted`.

    As places and dimensions weigh in products, that is one small matrix for all sentences of a story, of table [V, d]
    with scales [F, d]. It costs a third of looking up each word, and is counted once for all tables.
    """
    return counts.flatten(-2) @ (table * scales.unsqueeze(-2)).flatten(0, 1)
