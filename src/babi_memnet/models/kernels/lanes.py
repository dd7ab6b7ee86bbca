"""Operations on rows of float32, `LANES` of them at a time, that compiled functions call: the same digits everywhere.

Each is written down in the instructions of LLVM, so that no compiler decides about the order of a sum or contracts a
multiplication and an addition into one rounding. Sums go over the lanes side by side, and these are then folded in
halves. How wide the vectors of a processor are makes no difference, as long as it computes by IEEE 754.

A row is an array [rows, columns] and its number; the columns are whole lanes. numba keeps compiled functions by the
file that they are in, and looks for changes nowhere else: files that use these name the digest of this one
(`COMPILED_WITH`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 8

_USUAL = 3
"""How many times `LANES` long most vectors are: those of 17 to 24 dimensions."""

_flow: Any = cgutils
_operation: Any = intrinsic  # whose types are those of what it is given, not of what it makes of that

_Float = ir.FloatType()
_Vector = ir.VectorType(_Float, LANES)
_Int = ir.IntType(32)
_Ints = ir.VectorType(_Int, LANES)
_ZEROS = ir.Constant(_Vector, [0.0] * LANES)


class _Arguments:
    """What an operation is called with, by place."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> None:
        self._context, self._builder, self._kinds, self._arguments = context, builder, signature.args, arguments

    def number(self, place: int) -> Any:
        """A whole number of the width of an address."""
        return self._context.cast(self._builder, self._arguments[place], self._kinds[place], types.intp)

    def array(self, place: int) -> tuple[Any, Any]:
        """Where the elements of an array begin, and how many columns it has."""
        if self._kinds[place].layout != "C":
            raise TypeError(f"argument {place}: expected an array whose rows lie one after the other")
        array = self._context.make_array(self._kinds[place])(self._context, self._builder, self._arguments[place])
        return array.data, self._builder.extract_value(array.shape, 1)


def _start(builder: Any, array: tuple[Any, Any], row: Any) -> Any:
    """Where the lanes of a row begin."""
    return builder.bitcast(builder.gep(array[0], [builder.mul(row, array[1])]), _Vector.as_pointer())


def _read(builder: Any, start: Any, place: Any) -> Any:
    return builder.load(builder.gep(start, [place]), align=4)


def _write(builder: Any, start: Any, place: Any, lanes: Any) -> None:
    builder.store(lanes, builder.gep(start, [place]), align=4)


class _Rows:
    """The rows that an operation works on, lanes by lanes, and the numbers that it takes besides."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> None:
        self._builder, kinds = builder, signature.args
        called = _Arguments(context, builder, signature, arguments)
        count = sum(isinstance(kind, types.Array) for kind in kinds)
        self._starts = []
        for place in range(0, 2 * count, 2):
            array, row = called.array(place), called.number(place + 1)
            self._starts.append(_start(builder, array, row))
        self._places = builder.udiv(array[1], array[1].type(LANES))
        rest = zip(arguments[2 * count :], kinds[2 * count :], strict=True)
        self.numbers = [in_all_lanes(builder, value) for value, kind in rest if kind == types.float32]

    def lanes(self, place: Any) -> list[Any]:
        """The lanes at a place of every row."""
        return [_read(self._builder, start, place) for start in self._starts]

    def write(self, place: Any, lanes: Any) -> None:
        """Put lanes at a place of the first row."""
        _write(self._builder, self._starts[0], place, lanes)

    def each(self, body: Callable[[Any], None]) -> None:
        """Do this for every place; for the usual number of places in a straight line, without a loop."""
        builder, kind = self._builder, self._places.type
        with builder.if_else(builder.icmp_unsigned("==", self._places, kind(_USUAL))) as (usual, other):
            with usual:
                for place in range(_USUAL):
                    body(kind(place))
            with other, _flow.for_range(builder, self._places) as loop:
                body(loop.index)


def in_all_lanes(builder: Any, value: Any) -> Any:
    """Lanes of one value, a float or a whole number."""
    kind = _Vector if value.type == _Float else _Ints
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _Int(0))
    return builder.shuffle_vector(first, first, ir.Constant(_Ints, [0] * LANES))


def _into(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The first row becomes what is computed from the lanes of all rows and the numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature, arguments)

        def at(place: Any) -> None:
            rows.write(place, compute(builder, *rows.lanes(place), *rows.numbers))

        rows.each(at)
        return context.get_dummy_value()

    return generate


def _summed(compute: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of what is computed from the lanes of all rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature, arguments)
        found = _flow.alloca_once_value(builder, _ZEROS)
        builder.store(_ZEROS, found)

        def at(place: Any) -> None:
            builder.store(builder.fadd(builder.load(found), compute(builder, *rows.lanes(place))), found)

        rows.each(at)
        vector, width = builder.load(found), LANES
        while width > 1:
            width //= 2
            halves = (ir.Constant(ir.VectorType(_Int, width), list(range(at, at + width))) for at in (0, width))
            vector = builder.fadd(*(builder.shuffle_vector(vector, vector, half) for half in halves))
        return builder.extract_element(vector, _Int(0))

    return generate


@_operation
def dot(_context, a, i, b, j):  # type: ignore[no-untyped-def]
    """a[i] . b[j]"""
    return types.float32(a, i, b, j), _summed(lambda it, a, b: it.fmul(a, b))


@_operation
def dot_of_sum(_context, a, i, b, j, c, k):  # type: ignore[no-untyped-def]
    """(a[i] + b[j]) . c[k]"""
    return types.float32(a, i, b, j, c, k), _summed(lambda it, a, b, c: it.fmul(it.fadd(a, b), c))


@_operation
def total(_context, a, i):  # type: ignore[no-untyped-def]
    """The sum of a[i]."""
    return types.float32(a, i), _summed(lambda it, a: a)


@_operation
def clear(_context, out, o):  # type: ignore[no-untyped-def]
    """out[o] = 0"""
    return types.void(out, o), _into(lambda it, out: _ZEROS)


@_operation
def copy(_context, out, o, a, i):  # type: ignore[no-untyped-def]
    """out[o] = a[i]"""
    return types.void(out, o, a, i), _into(lambda it, out, a: a)


@_operation
def scale(_context, out, o, x):  # type: ignore[no-untyped-def]
    """out[o] *= x"""
    return types.void(out, o, types.float32), _into(lambda it, out, x: it.fmul(out, x))


@_operation
def add_product(_context, out, o, a, i, b, j):  # type: ignore[no-untyped-def]
    """out[o] += a[i] * b[j], element by element"""
    return types.void(out, o, a, i, b, j), _into(lambda it, out, a, b: it.fadd(out, it.fmul(a, b)))


@_operation
def add_scaled(_context, out, o, a, i, x):  # type: ignore[no-untyped-def]
    """out[o] += a[i] x"""
    return types.void(out, o, a, i, types.float32), _into(lambda it, out, a, x: it.fadd(out, it.fmul(a, x)))


@_operation
def multiply_apart(_context, out, o, a, i, x):  # type: ignore[no-untyped-def]
    """out[o] = a[i] * (out[o] - x), element by element"""
    return types.void(out, o, a, i, types.float32), _into(lambda it, out, a, x: it.fmul(a, it.fsub(out, x)))


def _accumulate(builder: Any, out: Any, columns: Any, count: Any, term: Callable[[Any], Callable[[Any], Any]]) -> None:
    """Add to a row what ``term`` of 0, 1, ... gives at each place of it, one after the other.

    Several places are gone through together, and their sums stay in registers meanwhile.
    """
    kind = columns.type
    places = builder.udiv(columns, kind(LANES))

    def together(some: Sequence[Any]) -> None:
        sums = [_flow.alloca_once(builder, _Vector) for _ in some]
        for place, found in zip(some, sums, strict=True):
            builder.store(_read(builder, out, place), found)
        with _flow.for_range(builder, count) as loop:
            lanes_at = term(loop.index)
            for place, found in zip(some, sums, strict=True):
                builder.store(builder.fadd(builder.load(found), lanes_at(place)), found)
        for place, found in zip(some, sums, strict=True):
            _write(builder, out, place, builder.load(found))

    with builder.if_else(builder.icmp_unsigned("==", places, kind(_USUAL))) as (usual, other):
        with usual:
            together([kind(place) for place in range(_USUAL)])
        with other:
            fours = builder.udiv(places, kind(4))
            with _flow.for_range(builder, fours) as loop:
                together([builder.add(builder.mul(loop.index, kind(4)), kind(place)) for place in range(4)])
            with _flow.for_range(builder, builder.urem(places, kind(4))) as loop:
                together([builder.add(builder.mul(fours, kind(4)), loop.index)])


@_operation
def add_scaled_rows(_context, out, o, a, i, step, x, at, x_step, count):  # type: ignore[no-untyped-def]
    """out[o] += a[i + n step] x_n for n = 0, 1, ... below ``count``; x_n is the element at + n x_step of x."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        called = _Arguments(context, builder, signature, arguments)
        row, first, step, at, x_step, count = (called.number(place) for place in (1, 3, 4, 6, 7, 8))
        out, rows, numbers = (called.array(place) for place in (0, 2, 5))

        def term(n: Any) -> Callable[[Any], Any]:
            start = _start(builder, rows, builder.add(first, builder.mul(n, step)))
            x = builder.load(builder.gep(numbers[0], [builder.add(at, builder.mul(n, x_step))]))
            factors = in_all_lanes(builder, x)
            return lambda place: builder.fmul(_read(builder, start, place), factors)

        _accumulate(builder, _start(builder, out, row), out[1], count, term)
        return context.get_dummy_value()

    return types.void(out, o, a, i, step, x, at, x_step, count), generate


@_operation
def add_scaled_pairs(_context, out, o, a, i, b, j, n, shift, x, k, count):  # type: ignore[no-untyped-def]
    """out[o] += (a[i[n, m] + shift] + b[j[n, m] + shift]) x[k, m] for m = 0, 1, ... below ``count``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        called = _Arguments(context, builder, signature, arguments)
        row, n, shift, k, count = (called.number(place) for place in (1, 6, 7, 9, 10))
        out, one, ones, other, others, numbers = (called.array(place) for place in (0, 2, 3, 4, 5, 8))

        def element(array: tuple[Any, Any], row: Any, column: Any) -> Any:
            return builder.load(builder.gep(array[0], [builder.add(builder.mul(row, array[1]), column)]))

        def term(m: Any) -> Callable[[Any], Any]:
            starts = [
                _start(builder, array, builder.add(element(rows, n, m), shift))
                for array, rows in ((one, ones), (other, others))
            ]
            factors = in_all_lanes(builder, element(numbers, k, m))
            return lambda place: builder.fmul(
                builder.fadd(*(_read(builder, start, place) for start in starts)), factors
            )

        _accumulate(builder, _start(builder, out, row), out[1], count, term)
        return context.get_dummy_value()

    return types.void(out, o, a, i, b, j, n, shift, x, k, count), generate


@_operation
def add_weighted_words(_context, out, o, weights, rows, words, s, count):  # type: ignore[no-untyped-def]
    """out[o] += weights[j] * rows[words[s, j]], element by element, for j = 0, 1, ... below ``count``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        called = _Arguments(context, builder, signature, arguments)
        row, s, count = (called.number(place) for place in (1, 5, 6))
        out, weights, rows, words = (called.array(place) for place in (0, 2, 3, 4))

        def term(j: Any) -> Callable[[Any], Any]:
            word = builder.load(builder.gep(words[0], [builder.add(builder.mul(s, words[1]), j)]))
            starts = _start(builder, weights, j), _start(builder, rows, builder.zext(word, j.type))
            return lambda place: builder.fmul(*(_read(builder, start, place) for start in starts))

        _accumulate(builder, _start(builder, out, row), out[1], count, term)
        return context.get_dummy_value()

    return types.void(out, o, weights, rows, words, s, count), generate


@_operation
def weigh(_context, out, o, top, count):  # type: ignore[no-untyped-def]
    """out[o] = e^(out[o] - top), and 0 from column ``count`` on; no element may be larger than top by more than 88."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = _Rows(context, builder, signature, arguments)
        end = in_all_lanes(builder, context.cast(builder, arguments[3], signature.args[3], types.int32))

        def at(place: Any) -> None:
            first = in_all_lanes(builder, builder.mul(builder.trunc(place, _Int), _Int(LANES)))
            columns = builder.add(first, ir.Constant(_Ints, list(range(LANES))))
            weights = _exponential(builder, builder.fsub(rows.lanes(place)[0], rows.numbers[0]))
            rows.write(place, builder.select(builder.icmp_signed("<", columns, end), weights, _ZEROS))

        rows.each(at)
        return context.get_dummy_value()

    return types.void(out, o, types.float32, count), generate


@_operation
def exponential(_context, x):  # type: ignore[no-untyped-def]
    """e^x of a number up to 88"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = _exponential(builder, in_all_lanes(builder, arguments[0]))
        return builder.extract_element(lanes, _Int(0))

    return types.float32(types.float32), generate


def _exponential(builder: Any, x: Any) -> Any:
    """e^x of lanes up to 88, to the last bit or two of a float32.

    x = n ln 2 + r with a whole n and |r| <= ln 2 / 2. A polynomial gives e^r, and 2^n is put together from its bits.
    The constants are those of expf in the Cephes library (Moshier 1989).
    """

    def all_lanes(value: float) -> Any:
        return ir.Constant(_Vector, [value] * LANES)

    def fitted(left: Any, right: Any, plus: Any) -> Any:
        return builder.fadd(builder.fmul(left, right), plus)

    # What is added to 1.5 2^23 is rounded to a whole number.
    lowest, whole = all_lanes(-87.0), all_lanes(12582912.0)
    x = builder.select(builder.fcmp_unordered(">", x, lowest), x, lowest)  # NaN stays
    n = builder.fsub(fitted(x, all_lanes(1.4426950216293335), whole), whole)
    r = fitted(n, all_lanes(2.1219444170128554e-4), builder.fsub(x, builder.fmul(n, all_lanes(0.693359375))))
    p = all_lanes(1.9875691214110702e-4)
    for factor in (1.3981999363750219e-3, 8.333452045917511e-3, 4.166579619050026e-2, 0.1666666567325592, 0.5):
        p = fitted(p, r, all_lanes(factor))
    p = builder.fadd(fitted(builder.fmul(p, r), r, r), all_lanes(1.0))
    known = builder.select(builder.fcmp_ordered("ord", n, n), n, _ZEROS)  # NaN is no whole number; it is in p already
    exponent = builder.add(builder.fptosi(known, _Ints), ir.Constant(_Ints, [127] * LANES))
    return builder.fmul(p, builder.bitcast(builder.shl(exponent, ir.Constant(_Ints, [23] * LANES)), _Vector))
