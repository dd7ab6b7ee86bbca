"""MemN2N on a CPU: training and answering of one restart, compiled, with the same digits on every machine.

The network is computed as `models.memn2n` writes it. What makes it fast: a sentence that is told many times in a batch
gets its vector, and that vector its gradient, once; the tables of all hops lie side by side, so that a word is looked
up for all of them together; and loops go over the questions of a batch, which do not wait for each other's results.

What makes it the same everywhere: each operation is one of IEEE 754, in an order that this file and `lanes` decide, and
nothing of the libraries of a machine takes part.

Legend: N questions, B batch, M memory slots, J positions of a sentence, S different sentences, P those of a batch, V
words with the time words, D dimensions, filled up with zeros to whole lanes, K hops, T tables, E steps of an epoch.
Slot 0 holds the latest statement; word 0 is padding and ends a sentence. `tests/models/kernels` holds the two together.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from babi_memnet.models.kernels.lanes import (
    LANES,
    add_product,
    add_scaled,
    add_scaled_pairs,
    add_scaled_rows,
    add_weighted_words,
    clear,
    copy,
    dot,
    dot_of_sum,
    exponential,
    multiply_apart,
    scale,
    total,
    weigh,
)
from babi_memnet.models.kernels.sentences import Stories

COMPILED_WITH = "8172d18635"
"""The start of the SHA-256 of lanes.py. numba compiles anew when this file has changed, and looks at no other."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]

# These make no arrays, and so need not count who refers to one, which would take longer than what they compute.
_OPTIONS: dict[str, Any] = {"_nrt": False}
_compiled = njit(nogil=True, cache=True, error_model="numpy", **_OPTIONS)

_ZERO = np.float32(0)
_ONE = np.float32(1)


class Parts(NamedTuple):
    """One restart's parameters and the constants of its architecture."""

    tables: Floats  # [V T, D] the rows of a word in all tables, one after the other
    hop_map: Floats  # [D, D], or [0, 0] without one
    weights: Floats  # [(J + 1) T, D] l_j, for each table once more; the last is that of a time word
    table_count: int  # T
    question_table: int
    input_tables: Integers  # [K]
    output_tables: Integers  # [K]
    answer_table: int
    first_time_word: int  # 0 without time encoding
    relu: bool
    masked: bool


class Scratch(NamedTuple):
    """What a batch is computed in; rows of scores are filled up to whole lanes.

    Questions lie inside of hops: row k B + b is of hop k and question b.
    """

    asked: Integers  # [B] the questions
    counts: Integers  # [B] and how many statements each remembers
    memories: Integers  # [B, M] the first row of each statement among the vectors,
    ages: Integers  # [B, M] and of its time word among the times
    attention: Floats  # [K B, M]
    d_attention: Floats  # [B, M]
    states: Floats  # [(K + 1) B, D]
    logits: Floats  # [B, V]
    d_states: Floats  # [B, D]
    carried: Floats  # [1, D]
    chosen: Integers  # [B]
    present: Integers  # [P] the sentences of a batch, in the order they are met
    place_of: Integers  # [S] the place of a sentence in it, -1 for none
    vectors: Floats  # [P T, D] theirs, and those of the time words, in every table,
    times: Floats  # [M T, D]
    d_vectors: Floats  # and the gradients of them
    d_times: Floats
    gradient: Floats  # [V T, D]
    hop_gradient: Floats

    @classmethod
    def of(cls, network: Parts, stories: Stories, batch: int, sentences: int) -> Self:
        """For batches of so many questions, with at most so many different sentences in each."""
        d, slots = network.tables.shape[1], stories.told.shape[1]

        def rows(count: int, columns: int = d) -> Floats:
            return np.zeros((count, columns), np.float32)

        hops = len(network.input_tables)
        scores, words = (-(-size // LANES) * LANES for size in (slots, len(network.tables) // network.table_count))
        return cls(
            asked=np.zeros(batch, np.int64),
            counts=np.zeros(batch, np.int64),
            memories=np.zeros((batch, slots), np.int64),
            ages=np.zeros((batch, slots), np.int64),
            attention=rows(hops * batch, scores),
            d_attention=rows(batch, scores),
            states=rows((hops + 1) * batch),
            logits=rows(batch, words),
            d_states=rows(batch),
            carried=rows(1),
            chosen=np.zeros(batch, np.int32),
            present=np.zeros(sentences, np.int64),
            place_of=np.full(len(stories.sentences), -1, np.int64),
            vectors=rows(sentences * network.table_count),
            times=rows(slots * network.table_count),
            d_vectors=rows(sentences * network.table_count),
            d_times=rows(slots * network.table_count),
            gradient=np.zeros_like(network.tables),
            hop_gradient=np.zeros_like(network.hop_map),
        )


@_compiled
def _log(x):  # type: ignore[no-untyped-def]
    """ln x of a float32 of at least 1, to about 1e-15.

    x = 2^n m with m from sqrt(1/2) to sqrt(2), and ln m = 2 artanh((m - 1) / (m + 1)) as a series.
    """
    m, n = np.float64(x), 0
    if not m < np.inf:  # of a restart that has diverged
        return m
    while m > 1.4142135623730951:
        m *= 0.5
        n += 1
    z = (m - 1.0) / (m + 1.0)
    square, power, series = z * z, z, 0.0
    for k in range(1, 24, 2):
        series += power / k
        power *= square
    return n * 0.6931471805599453 + 2.0 * series


@_compiled
def _embed(vectors, place, weights, wide, stories, s):  # type: ignore[no-untyped-def]
    """vectors[place] = sum_j l_j * the row of word j of a sentence, of all tables at once."""
    clear(vectors, place)
    add_weighted_words(vectors, place, weights, wide, stories.sentences, s, stories.lengths[s])


@_compiled
def _spread(gradient, weights, stories, s, d_vectors, place):  # type: ignore[no-untyped-def]
    """The transpose of `_embed`: the gradient of a vector is that of its words."""
    for j in range(stories.lengths[s]):
        add_product(gradient, stories.sentences[s, j], weights, j, d_vectors, place)


@_compiled
def _ask(network, stories, b, n, ages, scratch):  # type: ignore[no-untyped-def]
    """Put a question into a place of the batch."""
    scratch.asked[b] = n
    scratch.counts[b] = stories.counts[n]
    for m in range(scratch.counts[b]):
        scratch.memories[b, m] = scratch.place_of[stories.told[n, m]] * network.table_count
        scratch.ages[b, m] = np.int64(ages[m]) * network.table_count


@_compiled
def _softmax(attention, row, count, empty):  # type: ignore[no-untyped-def]
    """In place, over the scores of the statements and as many empty slots, which score 0 and read nothing."""
    if count == 0:
        return
    top = _ZERO if empty else attention[row, 0]
    for m in range(count):
        top = max(top, attention[row, m])
    weigh(attention, row, top, count)
    weight = total(attention, row)
    if empty:
        weight += np.float32(empty) * exponential(-top)
    scale(attention, row, _ONE / weight)


@_compiled
def _forward(network, stories, linear, scratch):  # type: ignore[no-untyped-def]
    """Fills scratch: the attention of every hop, the states before and after each, and the logits.

    A memory vector is the sum of that of its statement and that of its time word. Rows of one statement or word lie
    together, one for each table. Each loop goes over questions, which do not wait for each other.
    """
    counts, memories, ages, attention = scratch.counts, scratch.memories, scratch.ages, scratch.attention
    vectors, times, states = scratch.vectors, scratch.times, scratch.states
    tables, of = network.tables, network.table_count
    questions, weights, batch = stories.questions, network.weights, scratch.asked.size
    for b in range(batch):
        n = scratch.asked[b]
        clear(states, b)
        for j in range(questions.shape[1]):
            word = np.int64(questions[n, j])
            if word == 0:
                break
            add_product(states, b, weights, j * of, tables, word * of + network.question_table)
    for k in range(network.input_tables.size):
        a, c = network.input_tables[k], network.output_tables[k]
        before, after = k * batch, (k + 1) * batch
        for b in range(batch):
            for m in range(counts[b]):
                attention[before + b, m] = dot_of_sum(
                    vectors, memories[b, m] + a, times, ages[b, m] + a, states, before + b
                )
        if not linear:
            for b in range(batch):
                empty = 0 if network.masked else memories.shape[1] - counts[b]
                _softmax(attention, before + b, counts[b], empty)
        for b in range(batch):
            if network.hop_map.size:
                for i in range(states.shape[1]):
                    states[after + b, i] = dot(network.hop_map, i, states, before + b)
            else:
                copy(states, after + b, states, before + b)
            add_scaled_pairs(states, after + b, vectors, memories, times, ages, b, c, attention, before + b, counts[b])
            if network.relu:
                for i in range(states.shape[1]):
                    states[after + b, i] = max(states[after + b, i], _ZERO)
    last = network.input_tables.size * batch
    for b in range(batch):
        for v in range(1, len(tables) // of):
            scratch.logits[b, v] = dot(tables, v * of + network.answer_table, states, last + b)


@_compiled
def _cross_entropy(logits, b, words, answer):  # type: ignore[no-untyped-def]
    """The most likely word and the loss; logits become the gradient with respect to them. Padding is no answer."""
    best = 1
    for v in range(2, words):
        if logits[b, v] > logits[b, best]:
            best = v
    top = logits[b, best]
    right = logits[b, answer] - top if answer else np.float32(-np.inf)
    weigh(logits, b, top, words)
    logits[b, 0] = _ZERO
    weight = total(logits, b)
    scale(logits, b, _ONE / weight)
    logits[b, answer] -= _ONE
    return best, _log(weight) - np.float64(right)


@_compiled
def _answer(network, stories, count, linear, scratch):  # type: ignore[no-untyped-def]
    """The summed loss of the first ``count`` questions of a batch, and what `_forward` and `_cross_entropy` leave."""
    _forward(network, stories, linear, scratch)
    loss = 0.0
    for b in range(count):
        answer = stories.answers[scratch.asked[b]]
        scratch.chosen[b], lost = _cross_entropy(scratch.logits, b, len(network.tables) // network.table_count, answer)
        loss += lost
    return loss


@_compiled
def _backward(network, stories, linear, scratch):  # type: ignore[no-untyped-def]
    """Adds the gradients of a batch, from that of the logits that scratch holds."""
    counts, memories, ages, attention = scratch.counts, scratch.memories, scratch.ages, scratch.attention
    vectors, times, states = scratch.vectors, scratch.times, scratch.states
    tables, of = network.tables, network.table_count
    d_vectors, d_times, d_states = scratch.d_vectors, scratch.d_times, scratch.d_states
    d_attention = scratch.d_attention
    questions, weights, gradient, batch = stories.questions, network.weights, scratch.gradient, scratch.asked.size
    last = network.input_tables.size * batch
    differences, columns, answer = scratch.logits, scratch.logits.shape[1], network.answer_table
    words = len(tables) // of - 1  # without the padding
    for b in range(batch):
        clear(d_states, b)
        add_scaled_rows(d_states, b, tables, of + answer, of, differences, b * columns + 1, 1, words)
    for v in range(1, 1 + words):
        add_scaled_rows(gradient, v * of + answer, states, last, 1, differences, v, columns, batch)
    for k in range(network.input_tables.size - 1, -1, -1):
        a, c = network.input_tables[k], network.output_tables[k]
        before, after = k * batch, (k + 1) * batch
        if network.relu:
            for b in range(batch):
                for i in range(states.shape[1]):
                    if states[after + b, i] <= 0:
                        d_states[b, i] = 0
        for b in range(batch):
            for m in range(counts[b]):
                memory, age = memories[b, m] + c, ages[b, m] + c
                d_attention[b, m] = dot_of_sum(vectors, memory, times, age, d_states, b)
                add_scaled(d_vectors, memory, d_states, b, attention[before + b, m])
                add_scaled(d_times, age, d_states, b, attention[before + b, m])
        if not linear:
            for b in range(batch):
                # Behind the last statement there may be anything, which meets a weight of 0.
                mean = dot(attention, before + b, d_attention, b)
                multiply_apart(d_attention, b, attention, before + b, mean)
        for b in range(batch):
            if network.hop_map.size:
                clear(scratch.carried, 0)
                for i in range(states.shape[1]):
                    add_scaled(scratch.hop_gradient, i, states, before + b, d_states[b, i])
                    add_scaled(scratch.carried, 0, network.hop_map, i, d_states[b, i])
                copy(d_states, b, scratch.carried, 0)
            add_scaled_pairs(d_states, b, vectors, memories, times, ages, b, a, d_attention, b, counts[b])
            for m in range(counts[b]):
                memory, age, difference = memories[b, m] + a, ages[b, m] + a, d_attention[b, m]
                add_scaled(d_vectors, memory, states, before + b, difference)
                add_scaled(d_times, age, states, before + b, difference)
    for b in range(batch):
        n = scratch.asked[b]
        for j in range(questions.shape[1]):
            word = np.int64(questions[n, j])
            if word == 0:
                break
            add_product(gradient, word * of + network.question_table, weights, j * of, d_states, b)


@_compiled
def _descend(values, gradient, first, stride, rate, largest_norm):  # type: ignore[no-untyped-def]
    """One step of gradient descent on every ``stride``-th row, its gradient clipped to ``largest_norm``."""
    square = _ZERO
    for row in range(first, len(values), stride):
        square += dot(gradient, row, gradient, row)
    norm = np.sqrt(square)
    factor = rate * largest_norm / norm if norm > largest_norm else rate
    for row in range(first, len(values), stride):
        add_scaled(values, row, gradient, row, -factor)


@_compiled
def train_epoch(network, stories, order, ages, linear, rate, largest_norm, scratch):  # type: ignore[no-untyped-def]
    """One epoch of one restart, its parameters updated in place.

    Args:
        network: the `Parts` of one restart; `tables` and `hop_map` are changed.
        stories: the `Stories` that `order` points into.
        order: [E, B] which question each place of each batch holds.
        ages: [E, B, M] age of every slot.
        linear: attention without its softmax (linear start, section 4.3).
        rate, largest_norm: float32; step size on the summed loss, and where each table's gradient is clipped.
        scratch: for batches of this size.

    Returns:
        The summed loss and the number of wrong answers, both as met during training.
    """
    steps, batch, slots = ages.shape
    of, tables, gradient = network.table_count, network.tables, scratch.gradient
    place_of, present = scratch.place_of, scratch.present
    # The same with the rows of all tables as one.
    width = of * tables.shape[1]
    wide, wide_gradient = tables.reshape(-1, width), gradient.reshape(-1, width)
    weights = network.weights.reshape(-1, width)
    vectors, d_vectors = scratch.vectors.reshape(-1, width), scratch.d_vectors.reshape(-1, width)
    times, d_times = scratch.times.reshape(-1, width), scratch.d_times.reshape(-1, width)
    loss, wrong = 0.0, 0
    for step in range(steps):
        count = 0
        for b in range(batch):
            n = order[step, b]
            for m in range(stories.counts[n]):
                s = stories.told[n, m]
                if place_of[s] < 0:
                    place_of[s], present[count] = count, s
                    _embed(vectors, count, weights, wide, stories, s)
                    clear(d_vectors, count)
                    count += 1
            _ask(network, stories, b, n, ages[step, b], scratch)
        _embed_times(network, wide, weights, times)
        for m in range(slots):
            clear(d_times, m)
        for v in range(len(wide)):
            clear(wide_gradient, v)
        for i in range(len(network.hop_map)):
            clear(scratch.hop_gradient, i)
        loss += _answer(network, stories, batch, linear, scratch)
        for b in range(batch):
            wrong += scratch.chosen[b] != stories.answers[scratch.asked[b]]
        _backward(network, stories, linear, scratch)
        for place in range(count):
            _spread(wide_gradient, weights, stories, present[place], d_vectors, place)
            place_of[present[place]] = -1
        if network.first_time_word:
            for m in range(slots):
                add_product(wide_gradient, network.first_time_word + m, weights, len(weights) - 1, d_times, m)
        clear(wide_gradient, 0)  # the padding word stays at zero
        for table in range(of):
            _descend(tables, gradient, table, of, rate, largest_norm)
        if network.hop_map.size:
            _descend(network.hop_map, scratch.hop_gradient, 0, 1, rate, largest_norm)
    return loss, wrong


@_compiled
def _embed_times(network, wide, weights, times):  # type: ignore[no-untyped-def]
    """The vectors of the time words, of all tables; zeros without time encoding."""
    for m in range(len(times)):
        clear(times, m)
        if network.first_time_word:
            add_product(times, m, weights, len(weights) - 1, wide, network.first_time_word + m)


@_compiled
def evaluate(network, stories, linear, scratch, ages, chosen):  # type: ignore[no-untyped-def]
    """The summed loss of one restart, and in ``chosen`` [N] the word that it answers to each question.

    Nothing else is changed but ``scratch``, for batches of any size with all sentences; ``ages`` [M] are those of the
    slots.
    """
    width = network.table_count * network.tables.shape[1]
    wide, weights = network.tables.reshape(-1, width), network.weights.reshape(-1, width)
    vectors = scratch.vectors.reshape(-1, width)
    for s in range(len(stories.sentences)):
        scratch.place_of[s] = s
        _embed(vectors, s, weights, wide, stories, s)
    _embed_times(network, wide, weights, scratch.times.reshape(-1, width))
    batch, loss = scratch.asked.size, 0.0
    for first in range(0, len(chosen), batch):
        filled = min(batch, len(chosen) - first)
        for b in range(filled):
            _ask(network, stories, b, first + b, ages, scratch)
        loss += _answer(network, stories, filled, linear, scratch)
        for b in range(filled):
            chosen[first + b] = scratch.chosen[b]
    return loss
