"""Initial values, from the generator of a restart alone."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def normal(generator: np.random.Generator, like: Tensor) -> Tensor:
    """Values from N(0, 1) in the shape of ``like``, float32."""
    return torch.from_numpy(generator.standard_normal(tuple(like.shape), dtype=np.float32))


def uniform(generator: np.random.Generator, like: Tensor) -> Tensor:
    """Values from U(-1, 1) in the shape of ``like``, float32."""
    return torch.from_numpy(2 * generator.random(tuple(like.shape), dtype=np.float32) - 1)


def glorot(generator: np.random.Generator, like: Tensor) -> Tensor:
    """Values from U(-1, 1) sqrt(6 / (rows + columns)) for a matrix like this (Glorot & Bengio 2010, equation 16)."""
    return uniform(generator, like) * math.sqrt(6 / sum(like.shape))
