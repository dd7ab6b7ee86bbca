"""How a statement becomes one vector: the weights of its words (section 4.1 of arXiv 1503.08895)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def position_factors(
    encoding: str, dimension: int, positions: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Factors h [dimension] and g [positions] of the word weights l_ij = 1 + h_i g_j, i a dimension, j a position.

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
