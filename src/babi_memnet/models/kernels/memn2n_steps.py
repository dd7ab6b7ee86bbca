"""MemN2N on a CPU: training and answering of one restart, compiled, with the same digits on every machine.

The network is computed as `models.memn2n` writes it, one question after another. What makes it fast: a sentence that is
told many times in a batch gets its vector, and that vector its gradient, once; the tables of all hops lie side by side,
so that a word is looked up for all of them together; and everything that a question needs stays in the nearest cache.

What makes it the same everywhere: each operation is one of IEEE 754, in an order that this file alone decides. Sums
along the dimensions of a vector are `LANES` sums side by side, which are then folded in halves; all others go term by
term. The vector instructions of a processor change nothing in that, however wide they are, and neither multiply-adds
nor the libraries of a machine take part.

Legend: N questions, B batch, M memory slots, J positions of a sentence, S different sentences, P those of a batch, V
words with the time words, D dimensions, filled up with zeros to whole lanes, K hops, T tables, E steps of an epoch. Slot
0 holds the latest statement; word 0 is padding and ends a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer]

LANES = 8
"""Floats that are computed together; an array of them is a whole number of these long."""

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}

# These make no arrays, and so need not count who refers to one: counting would take longer than what they compute.
_compiled = njit(_nrt=False, **_OPTIONS)

_ZERO = np.float32(0)
_ONE = np.float32(1)


class Parts(NamedTuple):
    """One restart's parameters and the constants of its architecture."""

    tables: Floats  # [V T, D] the rows of a word in all tables, one after the other
    hop_map: Floats  # [D, D], or [0, 0] without one
    weights: Floats  # [(J + 1) T, D] l_j, for each table once more; the last is that of a time word
    count: int  # T
    question_table: int
    input_tables: Integers  # [K]
    output_tables: Integers  # [K]
    answer_table: int
    first_time_word: int  # 0 without time encoding
    relu: bool
    masked: bool


class Stories(NamedTuple):
    """Questions and the statements they are asked about."""

    sentences: Integers  # [S, J]
    told: Integers  # [N, M] the sentence in each slot
    counts: Integers  # [N] statements remembered
    questions: Integers  # [N, J]
    answers: Integers  # [N]


# --- operations on rows of arrays [rows, columns], of whole lanes; a row is an array and its number


_USUAL = 3
"""How many times `LANES` long most vectors are: those of 17 to 24 dimensions."""

_Vector = ir.VectorType(ir.FloatType(), LANES)
_Lane = ir.IntType(32)


class _Rows:
    """The rows that an operation works on, lane by lane."""

    def __init__(self, context: Any, builder: Any, kinds: Sequence[Any], arguments: Sequence[Any]) -> None:
        """``kinds`` and ``arguments``: array, number, array, number and so on."""
        self._builder = builder
        self._starts = []
        for place in range(0, len(kinds), 2):
            array = context.make_array(kinds[place])(context, builder, arguments[place])
            number = context.cast(builder, arguments[place + 1], kinds[place + 1], types.intp)
            columns = builder.extract_value(array.shape, 1)
            start = builder.gep(array.data, [builder.mul(number, columns)])
            self._starts.append(builder.bitcast(start, _Vector.as_pointer()))
        self._lanes = builder.udiv(columns, ir.Constant(columns.type, LANES))

    def each(self, body: Callable[[Any], None]) -> None:
        """Do this for every place of the rows; for the usual number of places in a straight line, without a loop."""
        builder, kind = self._builder, self._lanes.type
        with builder.if_else(builder.icmp_unsigned("==", self._lanes, kind(_USUAL))) as (usual, other):
            with usual:
                for place in range(_USUAL):
                    body(kind(place))
            with other, cgutils.for_range(builder, self._lanes) as loop:
                body(loop.index)

    def read(self, row: int, place: Any) -> Any:
        """The lanes at a place of a row."""
        return self._builder.load(self._builder.gep(self._starts[row], [place]), align=4)

    def write(self, row: int, place: Any, values: Any) -> None:
        """Put lanes there."""
        self._builder.store(values, self._builder.gep(self._starts[row], [place]), align=4)


def _in_all_lanes(builder: Any, value: Any, kind: Any = _Vector) -> Any:
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _Lane(0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(_Lane, LANES), [0] * LANES))


def _folded(builder: Any, vector: Any) -> Any:
    """The sum of the lanes: the first half is added to the second, and so on."""
    width = LANES
    while width > 1:
        width //= 2
        halves = (range(width), range(width, 2 * width))
        kind = ir.VectorType(_Lane, width)
        vector = builder.fadd(*(builder.shuffle_vector(vector, vector, ir.Constant(kind, list(h))) for h in halves))
    return builder.extract_element(vector, _Lane(0))


def _dot(terms: int) -> Callable[..., Any]:
    """The scalar product of the sum of so many rows with the row after them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args, arguments)
        total = cgutils.alloca_once_value(builder, ir.Constant(_Vector, [0.0] * LANES))

        def at(place: Any) -> None:
            left = rows.read(0, place)
            for term in range(1, terms):
                left = builder.fadd(left, rows.read(term, place))
            product = builder.fmul(left, rows.read(terms, place))
            builder.store(builder.fadd(builder.load(total), product), total)

        rows.each(at)
        return _folded(builder, builder.load(total))

    return generate


def _add_scaled(terms: int) -> Callable[..., Any]:
    """To a row is added a number times the sum of so many rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        out, out_row, x, *summed = zip(signature.args, arguments, strict=True)
        rows = _Rows(context, builder, *zip(out, out_row, *summed, strict=True))
        factor = _in_all_lanes(builder, context.cast(builder, x[1], x[0], types.float32))

        def at(place: Any) -> None:
            right = rows.read(1, place)
            for term in range(1, terms):
                right = builder.fadd(right, rows.read(1 + term, place))
            rows.write(0, place, builder.fadd(rows.read(0, place), builder.fmul(factor, right)))

        rows.each(at)
        return context.get_dummy_value()

    return generate


@intrinsic
def dot(_context, a, i, b, j):  # type: ignore[no-untyped-def]
    """a[i] . b[j]"""
    return types.float32(a, i, b, j), _dot(1)


@intrinsic
def dot_of_sum(_context, a, i, b, j, c, k):  # type: ignore[no-untyped-def]
    """(a[i] + b[j]) . c[k]"""
    return types.float32(a, i, b, j, c, k), _dot(2)


@intrinsic
def add_scaled(_context, out, o, x, a, i):  # type: ignore[no-untyped-def]
    """out[o] += x a[i]"""
    return types.void(out, o, x, a, i), _add_scaled(1)


@intrinsic
def add_scaled_sum(_context, out, o, x, a, i, b, j):  # type: ignore[no-untyped-def]
    """out[o] += x (a[i] + b[j])"""
    return types.void(out, o, x, a, i, b, j), _add_scaled(2)


@intrinsic
def add_product(_context, out, o, a, i, b, j):  # type: ignore[no-untyped-def]
    """out[o] += a[i] * b[j], element by element"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args, arguments)

        def at(place: Any) -> None:
            product = builder.fmul(rows.read(1, place), rows.read(2, place))
            rows.write(0, place, builder.fadd(rows.read(0, place), product))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, a, i, b, j), generate


@intrinsic
def scale(_context, out, o, x):  # type: ignore[no-untyped-def]
    """out[o] *= x"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args[:2], arguments[:2])
        factor = _in_all_lanes(builder, arguments[2])

        def at(place: Any) -> None:
            rows.write(0, place, builder.fmul(factor, rows.read(0, place)))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, types.float32), generate


@intrinsic
def centre(_context, out, o, a, i, mean):  # type: ignore[no-untyped-def]
    """out[o] = a[i] * (out[o] - mean)"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args[:4], arguments[:4])
        subtracted = _in_all_lanes(builder, arguments[4])

        def at(place: Any) -> None:
            apart = builder.fsub(rows.read(0, place), subtracted)
            rows.write(0, place, builder.fmul(rows.read(1, place), apart))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, a, i, types.float32), generate


@intrinsic
def clear(_context, out, o):  # type: ignore[no-untyped-def]
    """out[o] = 0"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args, arguments)

        def at(place: Any) -> None:
            rows.write(0, place, ir.Constant(_Vector, [0.0] * LANES))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o), generate


@intrinsic
def copy(_context, out, o, a, i):  # type: ignore[no-untyped-def]
    """out[o] = a[i]"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args, arguments)

        def at(place: Any) -> None:
            rows.write(0, place, rows.read(1, place))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, a, i), generate


@intrinsic
def total(_context, a, i):  # type: ignore[no-untyped-def]
    """The sum of a[i]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args, arguments)
        found = cgutils.alloca_once_value(builder, ir.Constant(_Vector, [0.0] * LANES))

        def at(place: Any) -> None:
            builder.store(builder.fadd(builder.load(found), rows.read(0, place)), found)

        rows.each(at)
        return _folded(builder, builder.load(found))

    return types.float32(a, i), generate


# --- functions of numbers, without the library of the machine


def _exponential(builder: Any, x: Any) -> Any:
    """e^x of floats up to 88, one or lanes of them, to the last bit or two.

    x = n ln 2 + r with a whole n and |r| <= ln 2 / 2. A polynomial gives e^r, and 2^n is put together from its bits.
    The constants are those of expf in the Cephes library (Moshier 1989).
    """
    kind = x.type
    whole = ir.VectorType(ir.IntType(32), LANES) if kind == _Vector else ir.IntType(32)

    def constant(value: float, of: Any = kind) -> Any:
        return ir.Constant(of, [value] * LANES if kind == _Vector else value)

    def fitted(left: Any, right: Any, plus: Any) -> Any:
        return builder.fadd(builder.fmul(left, right), plus)

    lowest = constant(-87.0)
    x = builder.select(builder.fcmp_ordered(">", x, lowest), x, lowest)
    rounding = constant(12582912.0)  # 1.5 2^23: what is added to it is rounded to a whole number
    n = builder.fsub(fitted(x, constant(1.4426950216293335), rounding), rounding)
    r = fitted(n, constant(2.1219444170128554e-4), builder.fsub(x, builder.fmul(n, constant(0.693359375))))
    p = constant(1.9875691214110702e-4)
    for coefficient in (1.3981999363750219e-3, 8.3334520459175110e-3, 4.1665796190500259e-2, 0.16666665673255920, 0.5):
        p = fitted(p, r, constant(coefficient))
    p = builder.fadd(fitted(builder.fmul(p, r), r, r), constant(1.0))
    bits = builder.add(builder.fptosi(n, whole), constant(127, whole))
    return builder.fmul(p, builder.bitcast(builder.shl(bits, constant(23, whole)), kind))


@intrinsic
def exponential(_context, x):  # type: ignore[no-untyped-def]
    """e^x"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _exponential(builder, arguments[0])

    return types.float32(types.float32), generate


@intrinsic
def weigh(_context, out, o, count, top):  # type: ignore[no-untyped-def]
    """out[o] = e^(out[o] - top), and 0 from the place ``count`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature.args[:2], arguments[:2])
        count = context.cast(builder, arguments[2], signature.args[2], types.int32)
        highest = _in_all_lanes(builder, arguments[3])
        numbers = ir.VectorType(ir.IntType(32), LANES)
        counts = _in_all_lanes(builder, count, numbers)

        def at(place: Any) -> None:
            first = builder.mul(builder.trunc(place, ir.IntType(32)), ir.IntType(32)(LANES))
            places = builder.add(_in_all_lanes(builder, first, numbers), ir.Constant(numbers, list(range(LANES))))
            weights = _exponential(builder, builder.fsub(rows.read(0, place), highest))
            there = builder.icmp_signed("<", places, counts)
            rows.write(0, place, builder.select(there, weights, ir.Constant(_Vector, [0.0] * LANES)))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, types.int64, types.float32), generate


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


# --- sentences


@njit(**_OPTIONS)
def different_sentences(words, counts):  # type: ignore[no-untyped-def]
    """The sentences [S, J] that are told in words [N, M, J], each once, and which of them each slot holds, [N, M]."""
    questions, slots, positions = words.shape
    size = 16
    while size < 2 * questions * slots:
        size *= 2
    table = np.full(size, -1, np.int32)  # a hash table with open addressing: the number of a sentence
    told = np.zeros((questions, slots), np.int32)
    first = np.zeros((questions * slots, 2), np.int32)  # where each was told first
    count = 0
    for n in range(questions):
        for m in range(counts[n]):
            key = np.uint64(14695981039346656037)  # FNV-1a
            for j in range(positions):
                key = (key ^ np.uint64(words[n, m, j])) * np.uint64(1099511628211)
            place = np.int64(key >> np.uint64(33)) & (size - 1)
            while True:
                s = table[place]
                if s < 0:
                    s = table[place] = count
                    first[count, 0], first[count, 1] = n, m
                    count += 1
                    break
                same = True
                for j in range(positions):
                    if words[first[s, 0], first[s, 1], j] != words[n, m, j]:
                        same = False
                        break
                if same:
                    break
                place = (place + 1) & (size - 1)
            told[n, m] = s
    sentences = np.zeros((count, positions), words.dtype)
    for s in range(count):
        sentences[s] = words[first[s, 0], first[s, 1]]
    return sentences, told


@_compiled
def _embed(vectors, place, weights, wide, sentences, s):  # type: ignore[no-untyped-def]
    """vectors[place] = sum_j l_j * the row of word j of a sentence, of all tables at once."""
    clear(vectors, place)
    for j in range(sentences.shape[1]):
        if sentences[s, j] == 0:
            break
        add_product(vectors, place, weights, j, wide, sentences[s, j])


@_compiled
def _spread(gradient, weights, sentences, s, d_vectors, place):  # type: ignore[no-untyped-def]
    """The transpose of `_embed`: the gradient of a vector is that of its words."""
    for j in range(sentences.shape[1]):
        if sentences[s, j] == 0:
            break
        add_product(gradient, sentences[s, j], weights, j, d_vectors, place)


# --- a batch


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
        scores, words = (-(-size // LANES) * LANES for size in (slots, len(network.tables) // network.count))
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
            vectors=rows(sentences * network.count),
            times=rows(slots * network.count),
            d_vectors=rows(sentences * network.count),
            d_times=rows(slots * network.count),
            gradient=np.zeros_like(network.tables),
            hop_gradient=np.zeros_like(network.hop_map),
        )


@_compiled
def _ask(network, stories, b, n, ages, scratch):  # type: ignore[no-untyped-def]
    """Put a question into a place of the batch."""
    scratch.asked[b] = n
    scratch.counts[b] = stories.counts[n]
    for m in range(scratch.counts[b]):
        scratch.memories[b, m] = scratch.place_of[stories.told[n, m]] * network.count
        scratch.ages[b, m] = np.int64(ages[m]) * network.count


@_compiled
def _softmax(attention, row, count, empty):  # type: ignore[no-untyped-def]
    """In place, over the scores of the statements and as many empty slots, which score 0 and read nothing."""
    if count == 0:
        return
    top = _ZERO if empty else attention[row, 0]
    for m in range(count):
        top = max(top, attention[row, m])
    weigh(attention, row, count, top)
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
    vectors, times, states, tables, of = scratch.vectors, scratch.times, scratch.states, network.tables, network.count
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
            for m in range(counts[b]):
                weight = attention[before + b, m]
                add_scaled_sum(states, after + b, weight, vectors, memories[b, m] + c, times, ages[b, m] + c)
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
    weigh(logits, b, words, top)
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
        scratch.chosen[b], lost = _cross_entropy(scratch.logits, b, len(network.tables) // network.count, answer)
        loss += lost
    return loss


@_compiled
def _backward(network, stories, linear, scratch):  # type: ignore[no-untyped-def]
    """Adds the gradients of a batch, from that of the logits that scratch holds."""
    counts, memories, ages, attention = scratch.counts, scratch.memories, scratch.ages, scratch.attention
    vectors, times, states, tables, of = scratch.vectors, scratch.times, scratch.states, network.tables, network.count
    d_vectors, d_times, d_states, d_attention = scratch.d_vectors, scratch.d_times, scratch.d_states, scratch.d_attention
    questions, weights, gradient, batch = stories.questions, network.weights, scratch.gradient, scratch.asked.size
    last = network.input_tables.size * batch
    for b in range(batch):
        clear(d_states, b)
        for v in range(1, len(tables) // of):
            row, difference = v * of + network.answer_table, scratch.logits[b, v]
            add_scaled(d_states, b, difference, tables, row)
            add_scaled(gradient, row, difference, states, last + b)
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
                add_scaled(d_vectors, memory, attention[before + b, m], d_states, b)
                add_scaled(d_times, age, attention[before + b, m], d_states, b)
        if not linear:
            for b in range(batch):
                # Behind the last statement there may be anything, which meets a weight of 0.
                mean = dot(attention, before + b, d_attention, b)
                centre(d_attention, b, attention, before + b, mean)
        for b in range(batch):
            if network.hop_map.size:
                clear(scratch.carried, 0)
                for i in range(states.shape[1]):
                    add_scaled(scratch.hop_gradient, i, d_states[b, i], states, before + b)
                    add_scaled(scratch.carried, 0, d_states[b, i], network.hop_map, i)
                copy(d_states, b, scratch.carried, 0)
            for m in range(counts[b]):
                memory, age, difference = memories[b, m] + a, ages[b, m] + a, d_attention[b, m]
                add_scaled_sum(d_states, b, difference, vectors, memory, times, age)
                add_scaled(d_vectors, memory, difference, states, before + b)
                add_scaled(d_times, age, difference, states, before + b)
    for b in range(batch):
        n = scratch.asked[b]
        for j in range(questions.shape[1]):
            word = np.int64(questions[n, j])
            if word == 0:
                break
            add_product(gradient, word * of + network.question_table, weights, j * of, d_states, b)


# --- an epoch


@_compiled
def _descend(values, gradient, first, stride, rate, largest_norm):  # type: ignore[no-untyped-def]
    """One step of gradient descent on every ``stride``-th row, its gradient clipped to ``largest_norm``."""
    square = _ZERO
    for row in range(first, len(values), stride):
        square += dot(gradient, row, gradient, row)
    norm = np.sqrt(square)
    factor = rate * largest_norm / norm if norm > largest_norm else rate
    for row in range(first, len(values), stride):
        add_scaled(values, row, -factor, gradient, row)


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
    of, tables, gradient = network.count, network.tables, scratch.gradient
    place_of, present, sentences = scratch.place_of, scratch.present, stories.sentences
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
                    _embed(vectors, count, weights, wide, sentences, s)
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
            _spread(wide_gradient, weights, sentences, present[place], d_vectors, place)
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
    sentences, width = stories.sentences, network.count * network.tables.shape[1]
    wide, weights = network.tables.reshape(-1, width), network.weights.reshape(-1, width)
    vectors = scratch.vectors.reshape(-1, width)
    for s in range(len(sentences)):
        scratch.place_of[s] = s
        _embed(vectors, s, weights, wide, sentences, s)
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
