"""Initial values, from the generator of a restart alone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def normal(generator: np.random.Generator, like: Tensor) -> Tensor:
    """Values from N(0, 1) in the shape of ``like``, float32."""
    return torch.from_numpy(generator.standard_normal(tuple(like.shape), dtype=np.float32))
