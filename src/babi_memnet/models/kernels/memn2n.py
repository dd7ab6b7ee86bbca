"""MemN2N on a CPU: forward, backward and update of one restart without ever forming a sentence vector.

A memory vector is a weighted sum of word vectors, so its match with the controller state is a weighted sum of numbers,
one a word: project the state onto the whole vocabulary once, then look numbers up. Reading the memory is the transpose:
spread the attention over the words, then one matrix product. With position encoding the weight of word j in dimension i
is ``1 + h_i g_j`` (see `position_factors`), so a second map with h multiplied in, whose numbers are multiplied by g_j,
does the rest; the two maps are the halves of one matrix. A time word is a word like any other, in the last position.

`models.memn2n` says the same in the equations of the paper; a property test holds the two together, gradients included.
Every restart is computed alone, in the same order of operations whatever runs beside it, so that its numbers do not
depend on how many restarts there are. The functions release the interpreter lock: restarts run in threads.

Legend: B batch, M memory slots, J positions of a sentence, V words with the time words, d dimension, K hops, T tables,
N questions, S steps. Slot 0 holds the latest statement; word 0 is padding and ends a sentence.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

# numba takes its matrix products from here. Loaded now, so that whoever limits the threads of BLAS finds it: with
# threads of its own below ours, a product of this size takes ten times as long.
import scipy.linalg.cython_blas  # noqa: F401
import torch
from filelock import FileLock
from numba import njit
from torch import Tensor

from babi_memnet.encoding.questions import Questions
from babi_memnet.models.memn2n import MemN2N

log = logging.getLogger(__name__)

NETWORK = MemN2N
"""What these kernels compute."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer]

# Reordering of sums is allowed, assumptions about NaN are not: a diverging restart must be seen.
_FAST = {"reassoc", "contract", "arcp", "nsz"}
_compiled = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")

_ONE = np.float32(1)
_ZERO = np.float32(0)


class Parts(NamedTuple):
    """One restart's parameters and the constants of its architecture."""

    tables: Floats  # [T, V, d]
    hop_map: Floats  # [d, d], or [0, 0] without one
    question_table: int
    input_tables: Integers  # [K]
    output_tables: Integers  # [K]
    answer_table: int
    h: Floats  # [d], zeros for a bag of words
    g: Floats  # [J]
    relu: bool
    masked: bool


class Stories(NamedTuple):
    """Questions and the statements they are asked about."""

    words: Integers  # [N, M, J]
    counts: Integers  # [N] statements remembered
    questions: Integers  # [N, J]
    answers: Integers  # [N]


# Scratch space of one batch: weights l [J, d], pair_* [2B, d], maps and d_spread [2B, V], spread [K, 2B, V],
# attention [K, B, M], states [K+1, B, d], logits [B, V], d_state [B, d], d_attention [B, M], d_table [V, d].
_Scratch = namedtuple(
    "_Scratch", "weights pair_state pair_read maps spread attention states logits d_state d_attention d_spread d_table"
)


@_compiled
def _scratch(network, batch, slots):  # type: ignore[no-untyped-def]
    words, d = network.tables.shape[1:]
    hops = network.input_tables.size
    f = np.float32
    weights = np.ones((network.g.size, d), f)
    for j in range(network.g.size):
        weights[j] += network.g[j] * network.h
    return _Scratch(
        weights,
        np.zeros((2 * batch, d), f),
        np.zeros((2 * batch, d), f),
        np.zeros((2 * batch, words), f),
        np.zeros((hops, 2 * batch, words), f),
        np.zeros((hops, batch, slots), f),
        np.zeros((hops + 1, batch, d), f),
        np.zeros((batch, words), f),
        np.zeros((batch, d), f),
        np.zeros((batch, slots), f),
        np.zeros((2 * batch, words), f),
        np.zeros((words, d), f),
    )


@_compiled
def _exp(x):  # type: ignore[no-untyped-def]
    """e^x for x up to 88, to the last bit or two of a float32, in operations that vectorise; libm's does not.

    x = n ln 2 + r with a whole n and |r| <= ln 2 / 2. A polynomial gives e^r, and 2^n is put together from its bits.
    The constants are those of expf in the Cephes library (Moshier 1989).
    """
    f = np.float32
    x = max(x, f(-87))
    n = np.floor(x * f(1.44269504) + f(0.5))
    r = x - n * f(0.693359375) + n * f(2.12194440e-4)
    p = f(1.9875691500e-4)
    p = p * r + f(1.3981999507e-3)
    p = p * r + f(8.3334519073e-3)
    p = p * r + f(4.1665795894e-2)
    p = p * r + f(1.6666665459e-1)
    p = p * r + f(5.0000001201e-1)
    p = p * r * r + r + f(1)
    return p * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)


@_compiled
def _pair(state, h, pair):  # type: ignore[no-untyped-def]
    """pair = [state; h * state], both halves of the map over the vocabulary at once."""
    batch, d = state.shape
    for b in range(batch):
        for i in range(d):
            pair[b, i] = state[b, i]
            pair[batch + b, i] = h[i] * state[b, i]


@_compiled
def _gather(stories, g, index, times, maps, out):  # type: ignore[no-untyped-def]
    """out[b, m] = sum over the words of statement m, the time word last, of maps[b, word] + g_j maps[B + b, word]."""
    words, counts = stories.words, stories.counts
    batch, positions = index.size, words.shape[2]
    for b in range(batch):
        n = index[b]
        for m in range(counts[n]):
            time = times[b, m]
            total = maps[b, time] + g[positions] * maps[batch + b, time]
            for j in range(positions):
                word = words[n, m, j]
                total += maps[b, word] + g[j] * maps[batch + b, word]
            out[b, m] = total


@_compiled
def _scatter(stories, g, index, times, values, spread):  # type: ignore[no-untyped-def]
    """The transpose of `_gather`: what each slot holds is laid on its words."""
    words, counts = stories.words, stories.counts
    batch, positions = index.size, words.shape[2]
    spread[:] = 0
    for b in range(batch):
        n = index[b]
        for m in range(counts[n]):
            value = values[b, m]
            time = times[b, m]
            spread[b, time] += value
            spread[batch + b, time] += value * g[positions]
            for j in range(positions):
                word = words[n, m, j]
                spread[b, word] += value
                spread[batch + b, word] += value * g[j]


@_compiled
def _softmax(network, counts, index, scores):  # type: ignore[no-untyped-def]
    """In place, over the statements and, unless masked, the empty slots: those score 0 and read nothing."""
    slots = scores.shape[1]
    for b in range(index.size):
        count = counts[index[b]]
        empty = 0 if network.masked else slots - count
        top = _ZERO if empty else np.float32(-np.inf)
        for m in range(count):
            top = max(top, scores[b, m])
        total = np.float32(empty) * _exp(-top) if empty else _ZERO
        for m in range(count):
            weight = _exp(scores[b, m] - top)
            scores[b, m] = weight
            total += weight
        for m in range(count):
            scores[b, m] /= total


@_compiled
def _forward(network, stories, index, times, linear, scratch):  # type: ignore[no-untyped-def]
    """Fills scratch: the states after every hop, the attention of every hop and the logits."""
    batch = index.size
    h = network.h
    d = h.size
    state = scratch.states[0]
    state[:] = 0
    table = network.tables[network.question_table]
    for b in range(batch):
        question = stories.questions[index[b]]
        for j in range(question.size):
            if question[j] == 0:
                break
            for i in range(d):
                state[b, i] += table[question[j], i] * scratch.weights[j, i]
    for k in range(network.input_tables.size):
        state, following, attention = scratch.states[k], scratch.states[k + 1], scratch.attention[k]
        _pair(state, h, scratch.pair_state)
        np.dot(scratch.pair_state, network.tables[network.input_tables[k]].T, scratch.maps)
        _gather(stories, network.g, index, times, scratch.maps, attention)
        if not linear:
            _softmax(network, stories.counts, index, attention)
        _scatter(stories, network.g, index, times, attention, scratch.spread[k])
        np.dot(scratch.spread[k], network.tables[network.output_tables[k]], scratch.pair_read)
        if network.hop_map.size:
            np.dot(state, network.hop_map.T, following)
        else:
            following[:] = state
        for b in range(batch):
            for i in range(d):
                following[b, i] += scratch.pair_read[b, i] + h[i] * scratch.pair_read[batch + b, i]
        if network.relu:
            np.maximum(following, _ZERO, following)
    np.dot(scratch.states[-1], network.tables[network.answer_table].T, scratch.logits)


@_compiled
def _cross_entropy(stories, index, logits, chosen):  # type: ignore[no-untyped-def]
    """The summed loss; logits become the gradient with respect to them, chosen the most likely words."""
    loss = 0.0
    for b in range(index.size):
        row = logits[b]
        row[0] = -np.inf  # padding is no answer
        best = 1
        for v in range(2, row.size):
            if row[v] > row[best]:
                best = v
        top = row[best]
        answer = stories.answers[index[b]]
        right = row[answer] - top
        total = _ZERO
        for v in range(row.size):
            weight = _exp(row[v] - top)
            row[v] = weight
            total += weight
        for v in range(row.size):
            row[v] /= total
        row[answer] -= _ONE
        loss += np.log(total) - right
        chosen[b] = best
    return loss


@_compiled
def _backward(network, stories, index, times, linear, gradients, hop_gradient, scratch):  # type: ignore[no-untyped-def]
    """Adds the gradients of one batch, from the gradient of the logits that scratch holds."""
    batch = index.size
    h = network.h
    d = h.size
    d_state = scratch.d_state
    np.dot(scratch.logits, network.tables[network.answer_table], d_state)
    np.dot(scratch.logits.T, scratch.states[-1], scratch.d_table)
    gradients[network.answer_table] += scratch.d_table
    for k in range(network.input_tables.size - 1, -1, -1):
        state, attention = scratch.states[k], scratch.attention[k]
        if network.relu:
            for b in range(batch):
                for i in range(d):
                    if scratch.states[k + 1, b, i] <= 0:
                        d_state[b, i] = 0
        # The output table: what was read, o = spread . C, with both halves in one product.
        _pair(d_state, h, scratch.pair_read)
        np.dot(scratch.spread[k].T, scratch.pair_read, scratch.d_table)
        gradients[network.output_tables[k]] += scratch.d_table
        np.dot(scratch.pair_read, network.tables[network.output_tables[k]].T, scratch.maps)
        d_attention = scratch.d_attention
        _gather(stories, network.g, index, times, scratch.maps, d_attention)
        if not linear:
            for b in range(batch):
                count = stories.counts[index[b]]
                mean = _ZERO
                for m in range(count):
                    mean += attention[b, m] * d_attention[b, m]
                for m in range(count):
                    d_attention[b, m] = attention[b, m] * (d_attention[b, m] - mean)
        # The input table: the scores, s = gather(u . A).
        _scatter(stories, network.g, index, times, d_attention, scratch.d_spread)
        _pair(state, h, scratch.pair_state)
        np.dot(scratch.d_spread.T, scratch.pair_state, scratch.d_table)
        gradients[network.input_tables[k]] += scratch.d_table
        np.dot(scratch.d_spread, network.tables[network.input_tables[k]], scratch.pair_read)
        if network.hop_map.size:
            hop_gradient += np.dot(d_state.T, state)
            d_state[:] = np.dot(d_state, network.hop_map)
        for b in range(batch):
            for i in range(d):
                d_state[b, i] += scratch.pair_read[b, i] + h[i] * scratch.pair_read[batch + b, i]
    gradient = gradients[network.question_table]
    for b in range(batch):
        question = stories.questions[index[b]]
        for j in range(question.size):
            if question[j] == 0:
                break
            for i in range(d):
                gradient[question[j], i] += d_state[b, i] * scratch.weights[j, i]


@_compiled
def _descend(values, gradient, rate, largest_norm):  # type: ignore[no-untyped-def]
    """One step of gradient descent on one table (or hop map), its gradient clipped to ``largest_norm``."""
    norm = np.sqrt(np.sum(gradient * gradient))
    scale = rate * largest_norm / norm if norm > largest_norm else rate
    rows, columns = values.shape
    for v in range(rows):
        for i in range(columns):
            values[v, i] -= scale * gradient[v, i]


@_compiled
def train_epoch(network, stories, order, times, linear, rate, largest_norm):  # type: ignore[no-untyped-def]
    """One epoch of one restart, its parameters updated in place.

    Args:
        network: the `Parts` of one restart; `tables` and `hop_map` are changed.
        stories: the `Stories` that `order` points into.
        order: [S, B] which question each place of each batch holds.
        times: [S, B, M] time word of every slot (0, the padding, without time encoding).
        linear: attention without its softmax (linear start, section 4.3).
        rate, largest_norm: float32; step size on the summed loss, and where each table's gradient is clipped.

    Returns:
        The summed loss and the number of wrong answers, both as met during training.
    """
    scratch = _scratch(network, order.shape[1], times.shape[2])
    gradients = np.zeros_like(network.tables)
    hop_gradient = np.zeros_like(network.hop_map)
    chosen = np.zeros(order.shape[1], np.int32)
    loss = 0.0
    wrong = 0
    for step in range(order.shape[0]):
        index = order[step]
        _forward(network, stories, index, times[step], linear, scratch)
        loss += _cross_entropy(stories, index, scratch.logits, chosen)
        for b in range(index.size):
            wrong += chosen[b] != stories.answers[index[b]]
        gradients[:] = 0
        hop_gradient[:] = 0
        _backward(network, stories, index, times[step], linear, gradients, hop_gradient, scratch)
        for table in range(gradients.shape[0]):
            gradients[table, 0] = 0  # the padding word stays at zero
            _descend(network.tables[table], gradients[table], rate, largest_norm)
        if network.hop_map.size:
            _descend(network.hop_map, hop_gradient, rate, largest_norm)
    return loss, wrong


@_compiled
def evaluate(network, stories, time_words, linear, batch):  # type: ignore[no-untyped-def]
    """The word that one restart answers to each question, [N], and the summed loss; nothing is changed."""
    questions, slots = stories.words.shape[0], stories.words.shape[1]
    chosen = np.zeros(questions, np.int32)
    scratch = _scratch(network, batch, slots)
    times = np.zeros((batch, slots), time_words.dtype)
    times[:] = time_words
    loss = 0.0
    for start in range(0, questions, batch):
        # The last batch is filled up with question 0 so that one scratch space serves; its extra answers are dropped.
        filled = min(batch, questions - start)
        index = np.zeros(batch, np.uint32)
        for b in range(filled):
            index[b] = start + b
        _forward(network, stories, index, times, linear, scratch)
        part = np.zeros(batch, np.int32)
        loss += _cross_entropy(stories, index[:filled], scratch.logits, part)
        chosen[start : start + filled] = part[:filled]
    return chosen, loss


class Kernels:
    """One restart of `MemN2N`, see `kernels.Kernel`."""

    def __init__(self, parts: Parts, time_words: Integers) -> None:
        self._parts, self._time_words = parts, time_words

    @classmethod
    def of(cls, network: MemN2N, parameters: dict[str, Tensor]) -> list[Self]:
        """One for each restart; its tables are put into one array, and ``parameters`` become views of that."""
        compile_once()
        names = [f"tables.{table}" for table in range(network.tying.count)]
        tables = np.stack([parameters[name].numpy() for name in names], axis=1)  # [R, T, V, d]
        parameters |= {name: torch.from_numpy(tables[:, table]) for table, name in enumerate(names)}
        hop_maps = (
            parameters["hop_map"].numpy() if "hop_map" in parameters else np.zeros((len(tables), 0, 0), np.float32)
        )
        shape, settings, tying = network.shape, network.settings, network.tying
        # The time word of each age; padding without time encoding.
        time_words = np.arange(shape.words, shape.words + shape.slots, dtype=np.uint16) * settings.time_encoding
        return [
            cls(
                Parts(
                    tables=tables[restart],
                    hop_map=hop_maps[restart],
                    question_table=tying.question,
                    input_tables=np.array(tying.input, dtype=np.uint32),
                    output_tables=np.array(tying.output, dtype=np.uint32),
                    answer_table=tying.answer,
                    h=network.dimension_factor.numpy(),
                    g=network.position_factor.numpy(),
                    relu=settings.nonlinearity == "relu",
                    masked=settings.empty_slots == "masked",
                ),
                time_words.astype(np.uint16),
            )
            for restart in range(len(tables))
        ]

    def train_epoch(
        self, questions: Questions, order: Integers, ages: Integers, linear: bool, rate: float, largest_norm: float
    ) -> tuple[float, int]:
        """As `kernels.Kernel` says."""
        times, steps = self._time_words[ages], (np.float32(rate), np.float32(largest_norm))
        loss, wrong = train_epoch(self._parts, _stories(questions), order, times, linear, *steps)
        return float(loss), int(wrong)

    def evaluate(self, questions: Questions, linear: bool, batch: int) -> tuple[Integers, float]:
        """As `kernels.Kernel` says."""
        answers, loss = evaluate(self._parts, _stories(questions), self._time_words, linear, batch)
        return np.asarray(answers), float(loss)


def _stories(questions: Questions) -> Stories:
    return Stories(questions.words, questions.counts, questions.questions, questions.answers)


def compile_once() -> None:
    """Compile the kernels in a process of their own, unless an earlier one has done so since this file was written.

    What numba compiles and runs in one process can differ in the last bits from what another loads from its cache. So
    nobody runs what he has compiled himself: the first run on a machine gives the numbers of all others.
    """
    cache, source = Path(str(train_epoch.stats.cache_path)), os.stat(__file__)
    # numba takes nothing from its cache that was compiled from an earlier version of the file.
    compiled = cache / f"memn2n-{source.st_mtime_ns}-{source.st_size}.compiled"
    if compiled.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "memn2n.lock"):
        if not compiled.exists():
            log.info("compiling, once per machine: about half a minute")
            subprocess.run([sys.executable, "-c", f"from {__name__} import _compile; _compile()"], check=True)
            compiled.touch()


def _compile() -> None:
    """Call both entry points as `Kernels` does, on one question about one statement."""
    table, index = np.zeros((2, 3, 1), np.float32), np.zeros(1, np.uint32)
    h, g = np.ones(1, np.float32), np.ones(2, np.float32)
    network = Parts(table, table[:1, :0, 0], 0, index, index, 1, h, g, False, False)
    word = np.ones((1, 1), np.uint16)
    stories = Stories(word[None], index + np.uint32(1), word, index + np.uint32(1))
    train_epoch(network, stories, index[None], word[None], False, np.float32(0), np.float32(1))
    evaluate(network, stories, word[0], False, 1)
