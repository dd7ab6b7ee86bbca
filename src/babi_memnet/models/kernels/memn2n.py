"""MemN2N on a CPU: the parameters of each restart, laid out as `memn2n_steps` computes them.

Every restart is computed alone, so that its numbers do not depend on how many restarts there are. The compiled
functions release the interpreter lock: restarts run in threads.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.kernels.lanes import LANES
from babi_memnet.models.kernels.memn2n_steps import Parts, Scratch, evaluate, train_epoch
from babi_memnet.models.kernels.sentences import stories_of
from babi_memnet.models.memn2n import MemN2N

log = logging.getLogger(__name__)

NETWORK = MemN2N
"""What these kernels compute."""

KNOWN = {"write": "none", "answer": "sum", "controller": "fixed"}
"""With which settings alone."""

_TOGETHER = 32
"""Questions that are answered at a time; their scores fit into the nearest cache."""

Integers = npt.NDArray[np.integer[Any]]


class Kernels:
    """One restart of `MemN2N`, see `kernels.Kernel`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @classmethod
    def of(cls, network: MemN2N, parameters: dict[str, Tensor]) -> list[Self]:
        """One for each restart; its tables are put into one array, and ``parameters`` become views of that."""
        _tell_of_compiling()
        settings, tying, shape = network.settings, network.tying, network.shape
        names = [f"tables.{table}" for table in range(tying.count)]
        d = parameters[names[0]].shape[-1]
        # [R, V, T, D], filled up with zeros to whole lanes
        tables = _filled(np.stack([parameters[name].numpy() for name in names], axis=2), 1)
        parameters |= {name: torch.from_numpy(tables[:, :, table, :d]) for table, name in enumerate(names)}
        hop_maps = np.zeros((len(tables), 0, 0), np.float32)
        if "hop_map" in parameters:
            hop_maps = _filled(parameters["hop_map"].numpy(), 2)
            parameters["hop_map"] = torch.from_numpy(hop_maps[:, :d, :d])
        g, h = network.position_factor.numpy(), network.dimension_factor.numpy()
        weights = _filled(np.ones((len(g), d), np.float32) + g[:, None] * h, 1)
        return [
            cls(
                Parts(
                    tables=tables[restart].reshape(-1, tables.shape[-1]),
                    hop_map=hop_maps[restart],
                    weights=np.repeat(weights, tying.count, axis=0),
                    table_count=tying.count,
                    question_table=tying.question,
                    input_tables=np.array(tying.input, dtype=np.uint32),
                    output_tables=np.array(tying.output, dtype=np.uint32),
                    answer_table=tying.answer,
                    first_time_word=shape.words if settings.time_encoding else 0,
                    relu=settings.nonlinearity == "relu",
                    masked=settings.empty_slots == "masked",
                )
            )
            for restart in range(len(tables))
        ]

    def train_epoch(
        self, questions: Questions, order: Integers, ages: Integers, linear: bool, rate: float, largest_norm: float
    ) -> tuple[float, int]:
        """As `kernels.Kernel` says."""
        stories, steps = stories_of(questions), (np.float32(rate), np.float32(largest_norm))
        batch = order.shape[1]
        together = min(len(stories.sentences), batch * stories.told.shape[1])
        scratch = Scratch.of(self._parts, stories, batch, together)
        loss, wrong = train_epoch(self._parts, stories, order, ages, linear, *steps, scratch)
        return float(loss), int(wrong)

    def evaluate(self, questions: Questions, linear: bool) -> tuple[Integers, float]:
        """As `kernels.Kernel` says."""
        stories, chosen = stories_of(questions), np.zeros(len(questions), np.int32)
        scratch = Scratch.of(self._parts, stories, max(1, min(_TOGETHER, len(questions))), len(stories.sentences))
        ages = np.arange(stories.told.shape[1], dtype=np.uint16)
        return chosen, float(evaluate(self._parts, stories, linear, scratch, ages, chosen))


def _filled(values: npt.NDArray[np.float32], axes: int) -> npt.NDArray[np.float32]:
    """With zeros at the end of the last axes, so that these are whole lanes long."""
    missing = [(0, 0)] * (values.ndim - axes) + [(0, -size % LANES) for size in values.shape[values.ndim - axes :]]
    return np.ascontiguousarray(np.pad(values, missing))


def _tell_of_compiling() -> None:
    """What takes a while the first time on a machine is announced."""
    lines = train_epoch.py_func.__code__.co_firstlineno
    if not list(Path(str(train_epoch.stats.cache_path)).glob(f"memn2n_steps.train_epoch-{lines}.*")):
        log.info("compiling, once per machine: about ten seconds")
