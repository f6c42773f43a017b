"""The products of word2vec in vector instructions: up to six rows of the output matrix at a time in registers.

A tile is six rows of the output matrix against any number of rows of the input matrix. Both products that a step of
gradient descent needs, the scores and the changes, read each input row once a tile. numba's own loops are not
vectorised here, since LLVM can not know that the rows do not overlap; so the instructions are written out.

numba knows of a change of this file only by one of word2vec.py: who changes it removes the compiled code from disk.

Legend: D width of a row, a multiple of :data:`LANES`; W input rows of a step, at most :data:`ROWS`; K output rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Floats of one vector instruction; a machine with narrower ones takes two or four.
LANES = 16
#: Output rows of a tile: their values and changes, an input row and its factor fit 16 registers.
TILE = 6
#: Input rows of a step at most.
ROWS = 16
#: Floats from one input row's factors in a tile to the next one's: TILE, and two that stay 0.
STEP = 8

#: Sums in any order, fused multiply-adds; NaN and infinity are kept.
_FLAGS = ("reassoc", "nsz", "arcp", "contract")
_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_WORD = ir.IntType(64)
_SCORES = ir.VectorType(_FLOAT, STEP)


class _Matrix:
    """A C-contiguous float32 matrix inside a function that is being made."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, array.data
        self.width = builder.extract_value(array.shape, 1) if kind.ndim > 1 else None

    def at(self, offset: Any) -> Any:
        """Pointer to a float."""
        return self.builder.gep(self.data, [offset])

    def row(self, number: Any) -> Any:
        """Pointer to the first float of a row."""
        return self.at(self.builder.mul(number, self.width))


def _number(builder: Any, array: Any, place: Any) -> Any:
    """``array[place]`` of an int64 array."""
    return builder.load(builder.gep(array.data, [place]))


def _vector(builder: Any, row: Any, offset: Any) -> Any:
    """Pointer to the vector that begins ``offset`` floats into a row."""
    return builder.bitcast(builder.gep(row, [offset]), _VECTOR.as_pointer())


def _spread(builder: Any, value: Any, kind: Any = _VECTOR) -> Any:
    """A vector with ``value`` in every lane."""
    nothing, lanes = ir.Constant(kind, ir.Undefined), ir.VectorType(ir.IntType(32), kind.count)
    single = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(single, nothing, ir.Constant(lanes, [0] * kind.count))


def _add_product(builder: Any, total: Any, left: Any, right: Any) -> Any:
    return builder.fadd(total, builder.fmul(left, right, flags=_FLAGS), flags=_FLAGS)


def _sums(builder: Any, vectors: Sequence[Any]) -> Any:
    """The sums of up to STEP vectors' lanes, as a vector of STEP: pairs are folded into one, half of it each."""
    zero, level = _VECTOR(None), list(vectors)
    level += [zero] * (STEP - len(level))
    parts = 1  # vectors of which a vector of the level holds partial sums
    while len(level) > 1:
        run = LANES // parts // 2
        low = [part * 2 * run + lane for part in range(2 * parts) for lane in range(run)]
        high = [lane + run for lane in low]
        level = [_fold(builder, *pair, low, high) for pair in zip(level[::2], level[1::2], strict=True)]
        parts *= 2
    return _fold(builder, level[0], level[0], list(range(0, LANES, 2)), list(range(1, LANES, 2)))


def _fold(builder: Any, left: Any, right: Any, low: list[int], high: list[int]) -> Any:
    """The lanes ``low`` of two vectors, seen as one, plus the lanes ``high``."""
    kind = ir.VectorType(ir.IntType(32), len(low))
    first, second = (builder.shuffle_vector(left, right, ir.Constant(kind, lanes)) for lanes in (low, high))
    return builder.fadd(first, second, flags=_FLAGS)


def _lane_sum(builder: Any, vector: Any) -> Any:
    """The sum of a vector's lanes."""
    while vector.type.count > 1:
        half = list(range(vector.type.count // 2))
        vector = _fold(builder, vector, vector, half, [lane + len(half) for lane in half])
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _polynomial(builder: Any, x: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule; the coefficient of the highest power first."""
    total = _constant(coefficients[0])
    for coefficient in coefficients[1:]:
        total = _add_product(builder, _constant(coefficient), total, x)
    return total


def _constant(value: float) -> Any:
    return ir.Constant(_SCORES, [value] * STEP)


def _slope_and_loss(builder: Any, margin: Any) -> tuple[Any, Any]:
    """``sigmoid(-m)`` and ``log(1 + exp(-m))`` of margins m, to 1e-6 of their size (and 1e-10)."""
    zero, one = _constant(0.0), _constant(1.0)
    positive = builder.fcmp_ordered(">", margin, zero)
    negated = builder.fsub(zero, margin, flags=_FLAGS)
    least = builder.select(positive, negated, margin)
    least = builder.select(builder.fcmp_ordered("<", least, _constant(-24.0)), _constant(-24.0), least)
    power = builder.fmul(least, _constant(1 / 32), flags=_FLAGS)
    power = _polynomial(builder, power, [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0])
    for _ in range(5):
        power = builder.fmul(power, power, flags=_FLAGS)  # in the end exp(-|m|)
    share = builder.fdiv(one, builder.fadd(one, power, flags=_FLAGS), flags=_FLAGS)
    slope = builder.select(positive, builder.fmul(power, share, flags=_FLAGS), share)
    # log(1 + e) = 2 artanh(e / (2 + e)), an odd series
    t = builder.fdiv(power, builder.fadd(_constant(2.0), power, flags=_FLAGS), flags=_FLAGS)
    series = _polynomial(builder, builder.fmul(t, t, flags=_FLAGS), [2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3, 2.0])
    logarithm = builder.fmul(series, t, flags=_FLAGS)
    return slope, builder.fadd(logarithm, builder.select(positive, zero, negated), flags=_FLAGS)


def _chunks(builder: Any, width: Any) -> Any:
    """A loop over the vectors of a row; its index counts them."""
    return cgutils.for_range(builder, builder.udiv(width, ir.Constant(_WORD, LANES)))


def _in_blocks(builder: Any, width: Any, body: Callable[[Any, int], None]) -> None:
    """Call ``body(offset, vectors)`` for the whole of a row, four vectors at a time as long as there are so many."""
    chunks = builder.udiv(width, ir.Constant(_WORD, LANES))
    with cgutils.for_range(builder, builder.lshr(chunks, ir.Constant(_WORD, 2))) as four:
        body(builder.mul(four.index, ir.Constant(_WORD, 4 * LANES)), 4)
    for size, mask in ((2, ~3), (1, ~1)):
        left = builder.and_(chunks, ir.Constant(_WORD, size))
        with builder.if_then(builder.icmp_unsigned("!=", left, ir.Constant(_WORD, 0))):
            done = builder.and_(chunks, ir.Constant(_WORD, mask))
            body(builder.mul(done, ir.Constant(_WORD, LANES)), size)


def _parts(builder: Any, row: Any, offset: Any, size: int) -> list[Any]:
    """Pointers to ``size`` vectors of a row."""
    return [_vector(builder, row, builder.add(offset, ir.Constant(_WORD, k * LANES))) for k in range(size)]


def _unpack(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> list[Any]:
    """Arrays as what can be pointed into, numbers as they are."""
    made = []
    for kind, value in zip(signature.args, arguments, strict=True):
        made.append(_Matrix(context, builder, kind, value) if isinstance(kind, types.Array) else value)
    return made


def _tile_rows(builder: Any, matrix: _Matrix, names: _Matrix, tile: Any) -> list[Any]:
    """Pointers to the six rows."""
    start = builder.mul(tile, ir.Constant(_WORD, TILE))
    return [matrix.row(_number(builder, names, builder.add(start, ir.Constant(_WORD, k)))) for k in range(TILE)]


def _factors(builder: Any, factors: _Matrix, tile: Any, row: Any) -> Any:
    """Pointer to the factors of an input row."""
    return builder.gep(factors.row(tile), [builder.mul(row, ir.Constant(_WORD, STEP))])


def _load_scores(builder: Any, row: Any) -> Any:
    return builder.load(builder.bitcast(row, _SCORES.as_pointer()), align=4)


@intrinsic
def score_tile(
    typing: Any, inputs: Any, rows: Any, start: Any, count: Any, outputs: Any, columns: Any, tile: Any, signs: Any,
    weights: Any, stride: Any, lr: Any, factors: Any,
) -> Any:  # fmt: skip
    """The loss of a tile, and what :func:`change_tile` multiplies its rows with to make it smaller.

    With the margin m = sign * (x . y) of x = ``inputs[rows[start + w]]`` and y = ``outputs[columns[tile * TILE + k]]``
    the loss is weight * log(1 + exp(-m)), and ``factors[tile, w * STEP + k]`` becomes lr * weight * sign * sigmoid(-m).
    The sign is ``signs[tile, k]``, the weight ``weights[tile, w * stride + k]``: with a ``stride`` of 0 the same for
    all input rows.

    ``inputs``, ``outputs`` [., D] float32; ``rows``, ``columns``, ``count``, ``tile``, ``stride`` int64; ``signs``
    [tiles, STEP]; ``weights``, ``factors`` [tiles, ROWS * STEP]; ``lr`` and the loss, a sum over w < count and
    k < TILE, float32.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        unpacked = _unpack(context, builder, signature, arguments)
        source, places, begin, number, target, names, tile, signs, weights, stride, lr, result = unpacked
        right = _tile_rows(builder, target, names, tile)
        sign = _load_scores(builder, signs.row(tile))
        scale = builder.fmul(sign, _spread(builder, lr, _SCORES), flags=_FLAGS)
        sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(TILE)]
        losses = cgutils.alloca_once(builder, _SCORES)
        builder.store(_SCORES(None), losses)
        with cgutils.for_range(builder, number) as every:
            left = source.row(_number(builder, places, builder.add(begin, every.index)))
            for total in sums:
                builder.store(_VECTOR(None), total)
            with _chunks(builder, source.width) as chunk:
                offset = builder.mul(chunk.index, ir.Constant(_WORD, LANES))
                x = builder.load(_vector(builder, left, offset), align=4)
                for row, total in zip(right, sums, strict=True):
                    y = builder.load(_vector(builder, row, offset), align=4)
                    builder.store(_add_product(builder, builder.load(total), x, y), total)
            margin = builder.fmul(_sums(builder, [builder.load(total) for total in sums]), sign, flags=_FLAGS)
            slope, loss = _slope_and_loss(builder, margin)
            weight = _load_scores(builder, builder.gep(weights.row(tile), [builder.mul(every.index, stride)]))
            place = builder.bitcast(_factors(builder, result, tile, every.index), _SCORES.as_pointer())
            factor = builder.fmul(builder.fmul(slope, weight, flags=_FLAGS), scale, flags=_FLAGS)
            builder.store(factor, place, align=4)
            builder.store(_add_product(builder, builder.load(losses), loss, weight), losses)
        return _lane_sum(builder, builder.load(losses))

    return types.float32(
        inputs, rows, start, count, outputs, columns, tile, signs, weights, stride, lr, factors
    ), generate


@intrinsic
def change_tile(
    typing: Any, inputs: Any, rows: Any, start: Any, count: Any, outputs: Any, columns: Any, tile: Any, factors: Any
) -> Any:
    """Add g * y to x and g * x to y, for k < TILE, w < count, all from the values before; shapes as of score_tile.

    g = ``factors[tile, w * STEP + k]``, x = ``inputs[rows[start + w]]``, y = ``outputs[columns[tile * TILE + k]]``.

    A row that is there twice gets both changes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, places, begin, number, target, names, tile, strengths = _unpack(context, builder, signature, arguments)
        right = _tile_rows(builder, target, names, tile)
        sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(TILE)]
        with _chunks(builder, source.width) as chunk:
            offset = builder.mul(chunk.index, ir.Constant(_WORD, LANES))
            before = [builder.load(_vector(builder, row, offset), align=4) for row in right]
            for total in sums:
                builder.store(_VECTOR(None), total)
            with cgutils.for_range(builder, number) as every:
                left = _vector(builder, source.row(_number(builder, places, builder.add(begin, every.index))), offset)
                x = builder.load(left, align=4)
                new = x
                base = _factors(builder, strengths, tile, every.index)
                for k, (y, total) in enumerate(zip(before, sums, strict=True)):
                    g = _spread(builder, builder.load(builder.gep(base, [ir.Constant(_WORD, k)])))
                    new = _add_product(builder, new, g, y)
                    builder.store(_add_product(builder, builder.load(total), g, x), total)
                builder.store(new, left, align=4)
            for row, total in zip(right, sums, strict=True):  # read again: it may be there twice
                place = _vector(builder, row, offset)
                builder.store(
                    builder.fadd(builder.load(place, align=4), builder.load(total), flags=_FLAGS), place, align=4
                )
        return context.get_dummy_value()

    return types.void(inputs, rows, start, count, outputs, columns, tile, factors), generate


@intrinsic
def score_pairs(
    typing: Any, means: Any, count: Any, outputs: Any, columns: Any, start: Any, lr: Any, factors: Any
) -> Any:
    """Like :func:`score_tile` for ``means[2 * w]`` against ``outputs[columns[start + w]]`` alone, w < count <= STEP.

    The signs and weights are 1; ``factors`` [1, STEP].
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, number, target, names, begin, lr, result = _unpack(context, builder, signature, arguments)
        margins = cgutils.alloca_once(builder, _SCORES)
        builder.store(_SCORES(None), margins)
        total, single = cgutils.alloca_once(builder, _VECTOR), builder.bitcast(margins, _FLOAT.as_pointer())
        with cgutils.for_range(builder, number) as every:
            left = source.row(builder.mul(every.index, ir.Constant(_WORD, 2)))
            right = target.row(_number(builder, names, builder.add(begin, every.index)))
            builder.store(_VECTOR(None), total)
            with _chunks(builder, source.width) as chunk:
                offset = builder.mul(chunk.index, ir.Constant(_WORD, LANES))
                x, y = (builder.load(_vector(builder, row, offset), align=4) for row in (left, right))
                builder.store(_add_product(builder, builder.load(total), x, y), total)
            builder.store(_lane_sum(builder, builder.load(total)), builder.gep(single, [every.index]))
        slope, loss = _slope_and_loss(builder, builder.load(margins))
        kind = ir.VectorType(ir.IntType(32), STEP)
        most = _spread(builder, builder.trunc(number, ir.IntType(32)), kind)
        there = builder.icmp_signed("<", ir.Constant(kind, list(range(STEP))), most)
        factor = builder.fmul(slope, _spread(builder, lr, _SCORES), flags=_FLAGS)
        place = builder.bitcast(result.row(ir.Constant(_WORD, 0)), _SCORES.as_pointer())
        builder.store(factor, place, align=4)
        return _lane_sum(builder, builder.select(there, loss, _constant(0.0)))

    return types.float32(means, count, outputs, columns, start, lr, factors), generate


@intrinsic
def change_pairs(typing: Any, means: Any, count: Any, outputs: Any, columns: Any, start: Any, factors: Any) -> Any:
    """Add g * y to ``means[2 * w]``, and g * ``means[2 * w + 1]`` to y, w < count: that one was kept as it had been.

    g = ``factors[0, w]``, y = ``outputs[columns[start + w]]``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, number, target, names, begin, strengths = _unpack(context, builder, signature, arguments)
        with cgutils.for_range(builder, number) as every:
            first = builder.mul(every.index, ir.Constant(_WORD, 2))
            left, before = source.row(first), source.row(builder.add(first, ir.Constant(_WORD, 1)))
            right = target.row(_number(builder, names, builder.add(begin, every.index)))
            g = _spread(builder, builder.load(builder.gep(strengths.row(ir.Constant(_WORD, 0)), [every.index])))
            with _chunks(builder, source.width) as chunk:
                offset = builder.mul(chunk.index, ir.Constant(_WORD, LANES))
                places = [_vector(builder, row, offset) for row in (left, right, before)]
                new, y, old = (builder.load(place, align=4) for place in places)
                builder.store(_add_product(builder, new, g, y), places[0], align=4)
                builder.store(_add_product(builder, y, g, old), places[1], align=4)
        return context.get_dummy_value()

    return types.void(means, count, outputs, columns, start, factors), generate


@intrinsic
def prefetch_row(typing: Any, matrix: Any, number: Any) -> Any:
    """Tell the machine that this row is soon wanted, to be read and written."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, place = _unpack(context, builder, signature, arguments)
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        start = source.row(place)
        with _chunks(builder, source.width) as chunk:  # a vector is a line of the cache
            line = builder.gep(start, [builder.mul(chunk.index, ir.Constant(_WORD, LANES))])
            builder.call(fetch, [builder.bitcast(line, pointer), flag(1), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(matrix, number), generate


@intrinsic
def average_rows(typing: Any, source: Any, rows: Any, start: Any, count: Any, means: Any, place: Any) -> Any:
    """Write the mean of ``source[rows[start + w]]``, w < count, to ``means[place]`` and ``means[place + 1]``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, places, begin, number, result, goal = _unpack(context, builder, signature, arguments)
        shares = _spread(builder, builder.fdiv(ir.Constant(_FLOAT, 1.0), builder.sitofp(number, _FLOAT)))
        targets = [result.row(builder.add(goal, ir.Constant(_WORD, k))) for k in range(2)]

        def average(offset: Any, size: int) -> None:
            totals = [cgutils.alloca_once(builder, _VECTOR) for _ in range(size)]
            for total in totals:
                builder.store(_VECTOR(None), total)
            with cgutils.for_range(builder, number) as every:
                row = matrix.row(_number(builder, places, builder.add(begin, every.index)))
                for part, total in zip(_parts(builder, row, offset, size), totals, strict=True):
                    x = builder.load(part, align=4)
                    builder.store(builder.fadd(builder.load(total), x, flags=_FLAGS), total)
            means = [builder.fmul(builder.load(total), shares, flags=_FLAGS) for total in totals]
            for target in targets:
                for part, mean in zip(_parts(builder, target, offset, size), means, strict=True):
                    builder.store(mean, part, align=4)

        _in_blocks(builder, matrix.width, average)
        return context.get_dummy_value()

    return types.void(source, rows, start, count, means, place), generate


@intrinsic
def add_difference(typing: Any, target: Any, rows: Any, start: Any, count: Any, means: Any, place: Any) -> Any:
    """Add ``means[place] - means[place + 1]`` to each of ``target[rows[start + w]]``, w < count."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix, places, begin, number, source, goal = _unpack(context, builder, signature, arguments)
        values = [source.row(builder.add(goal, ir.Constant(_WORD, k))) for k in range(2)]

        def add(offset: Any, size: int) -> None:
            new, old = ([builder.load(part, align=4) for part in _parts(builder, row, offset, size)] for row in values)
            changes = [builder.fsub(*both, flags=_FLAGS) for both in zip(new, old, strict=True)]
            with cgutils.for_range(builder, number) as every:
                row = matrix.row(_number(builder, places, builder.add(begin, every.index)))
                for part, change in zip(_parts(builder, row, offset, size), changes, strict=True):
                    builder.store(builder.fadd(builder.load(part, align=4), change, flags=_FLAGS), part, align=4)

        _in_blocks(builder, matrix.width, add)
        return context.get_dummy_value()

    return types.void(target, rows, start, count, means, place), generate
