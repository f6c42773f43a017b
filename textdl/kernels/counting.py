"""Counting the words of UTF-8 bytes and turning them into ids: an open-addressing hash table of byte spans.

A word is what stands between white space, and white space is what Python's ``str.split`` takes for it, in its UTF-8
form: the ASCII bytes 9 to 13, 28 to 31 and 32, and U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F,
U+205F, U+3000. A line ends at ``\\n``, ``\\r\\n`` or a lone ``\\r``.

Text is read eight bytes at a time: the first byte among them that is white space or no ASCII is found by arithmetic on
all eight at once, so that a word of common length costs no loop over its bytes. A word of up to eight bytes is its own
key, so that finding it compares no text. A longer one has a hashed key whose lowest byte is zero, which no short word's
is (text holds no zero bytes), and is compared in full.

Nothing here decodes, and many threads may run at once, each on its own table.

Legend: B bytes of text, S slots (a power of two), C room for distinct words, P eights of bytes of the long words.
Everything compiled is in this one file, see :mod:`textdl.kernels.stepping`. Importing it imports numba.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiling import Entry, F

Bytes = NDArray[np.uint8]
Eights = NDArray[np.uint64]
Longs = NDArray[np.int64]
Ids = NDArray[np.int32]

WORD, SPACE, LINE, MAYBE = 0, 1, 2, 3
#: Kind of each byte value: inside a word, white space, line end, or the first byte of what may be white space.
KINDS = np.zeros(256, np.uint8)
KINDS[[9, 11, 12, 28, 29, 30, 31, 32]] = SPACE
KINDS[[10, 13]] = LINE
KINDS[[0xC2, 0xE1, 0xE2, 0xE3]] = MAYBE

EIGHT = 8  # bytes of the longest word that is its own key
# uint64 all of them: with a plain integer numba would go over to floats.
ONE, THREE, SEVEN, HALF, TOP, ALL = (np.uint64(n) for n in (1, 3, 7, 32, 56, 63))
HIGH = np.uint64(0x8080808080808080)  # the highest bit of each byte
ABOVE_SPACE = np.uint64(0x2121212121212121)  # the first byte value that is no ASCII white space, eight times
PLACES = np.uint64(0x0001020304050607)  # times 256 ** n it has n as its highest byte
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 / golden ratio
FIRST = np.uint64(255)  # the lowest byte of a key: zero says that the word is long
LEFT_OUT = -2  # stands for an unknown word that is to be skipped


def borrowing(function: F) -> F:
    """Like :func:`.compiling.part`, but the arrays handed over are not counted as in use.

    Counting them, which is atomic and the same memory for all threads, takes longer than all that these functions do.
    They must not keep, make or give back an array.
    """
    import numba

    compiled: F = numba.njit(error_model="numpy", _nrt=False)(function)
    return compiled


class Spans(NamedTuple):
    """The arrays of a table."""

    slots: Eights  # [S, 2] key and number of a word, that from 1 on; 0 is an empty slot
    keys: Eights  # [C] of the words
    starts: Longs  # [C] in the pool, in eights
    lengths: Longs  # [C] in bytes
    counts: Longs  # [C]
    pool: Eights  # [P] the long words


@borrowing
def _load(eights: Any, at: int) -> Any:
    """The eight bytes from ``at`` on, the first one lowest."""
    place = np.uint64(at)  # numba lets a signed one count from the end, which costs a comparison
    shift = (place & SEVEN) << THREE
    # Two shifts for the second: one by 64 is not defined.
    return (eights[place >> THREE] >> shift) | ((eights[(place >> THREE) + ONE] << ONE) << (ALL - shift))


@borrowing
def _special(eight: Any) -> Any:
    """The highest bit of the first byte that is below 33 or above 127; 0 when there is none."""
    found = (((eight - ABOVE_SPACE) & ~eight) | eight) & HIGH
    return found & (~found + ONE)


@borrowing
def _white(data: Any, at: int) -> int:
    """Bytes of the white space outside ASCII that begins at ``at``; 0 when there is none. ``data`` ends in zeros."""
    first, second, third = data[at], data[at + 1], data[at + 2]
    if first == 0xC2:
        return 2 if second == 0x85 or second == 0xA0 else 0
    if first == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:
        return 3 if 0x80 <= third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF else 0
    return 3 if second == 0x81 and third == 0x9F else 0


@borrowing
def _end(data: Any, eights: Any, at: Any, size: int, kinds: Any) -> Any:
    """Where the word ends in which ``at`` is."""
    while at < size:
        bit = _special(_load(eights, at))
        if bit == 0:
            at += EIGHT
            continue
        at += np.int64(((bit >> SEVEN) * PLACES) >> TOP)
        while at < size:
            kind = kinds[data[at]]
            if kind in (SPACE, LINE) or (kind == MAYBE and _white(data, at) > 0):
                return at
            if data[at] < 0x80 and data[at] > 32:
                break
            at += 1
    return size


@borrowing
def _lowest(count: int) -> Any:
    """Ones in the lowest bytes, so many."""
    return ~np.uint64(0) if count >= EIGHT else (ONE << np.uint64(8 * count)) - ONE


@borrowing
def _mixed(key: Any, eight: Any) -> Any:
    """The hash of a long word so far and its next eight bytes."""
    mixed = (key ^ eight) * SPREAD
    return mixed ^ (mixed >> HALF)


@borrowing
def _key(eights: Any, start: int, length: int) -> Any:
    """The key of a word: itself, or a hash of its eights."""
    if length <= EIGHT:
        return _load(eights, start) & _lowest(length)
    key = np.uint64(length)
    for at in range(0, length, EIGHT):
        key = _mixed(key, _load(eights, start + at) & _lowest(length - at))
    return key & ~FIRST


@borrowing
def _word(data: Any, eights: Any, start: int, size: int, kinds: Any) -> tuple[Any, Any]:
    """The end and the key of the word that begins at ``start``; without a loop if it is ASCII of at most 15 bytes."""
    eight = _load(eights, start)
    bit = _special(eight) >> SEVEN
    if bit != 0:
        end = start + np.int64((bit * PLACES) >> TOP)
        if kinds[data[end]] in (SPACE, LINE):
            return end, eight & (bit - ONE)
    else:
        second = _load(eights, start + EIGHT)
        bit = _special(second) >> SEVEN
        count = np.int64((bit * PLACES) >> TOP)
        end = start + EIGHT + count
        if bit != 0 and kinds[data[end]] in (SPACE, LINE):
            if count == 0:
                return end, eight
            return end, _mixed(_mixed(np.uint64(EIGHT + count), eight), second & (bit - ONE)) & ~FIRST
    end = _end(data, eights, start, size, kinds)
    return end, _key(eights, start, end - start)


@borrowing
def _find(eights: Any, start: int, length: int, key: Any, shift: Any, table: Any) -> Any:
    """The slot of a word, or the empty one where it belongs; ``shift`` is 64 less the bits of S."""
    mask = np.uint64(table.slots.shape[0]) - ONE
    place = ((key ^ (key >> HALF)) * SPREAD) >> shift
    while True:
        number = table.slots[place, 1]
        if number == 0:
            return place
        if table.slots[place, 0] == key and (key & FIRST != 0 or _same(eights, start, length, number, table)):
            return place
        place = (place + ONE) & mask


@borrowing
def _same(eights: Any, start: int, length: int, number: Any, table: Any) -> bool:
    """Whether a long word is that one of the table, counted from 1."""
    id = number - ONE
    if table.lengths[id] != length:
        return False
    first = table.starts[id]
    for at in range(0, length, EIGHT):
        if _load(eights, start + at) & _lowest(length - at) != table.pool[first + (at >> 3)]:
            return False
    return True


@borrowing
def _add(eights: Any, start: int, length: int, key: Any, count: int, place: Any, state: Any, table: Any) -> bool:
    """Put a new word at its slot; False when there is no room for it."""
    id, used = state[0], state[1]
    needed = (length + 7) >> 3 if length > EIGHT else 0
    # One eight is left over, because reading any eight reads the next one too.
    if id == table.starts.shape[0] or used + needed >= table.pool.shape[0]:
        return False
    table.slots[place, 0] = key
    table.slots[place, 1] = id + 1
    table.keys[id] = key
    table.starts[id] = used
    table.lengths[id] = length
    table.counts[id] = count
    for i in range(needed):
        table.pool[used + i] = _load(eights, start + 8 * i) & _lowest(length - 8 * i)
    state[0] = id + 1
    state[1] = used + needed
    return True


@Entry
def count_words(data: Bytes, eights: Eights, size: int, kinds: Bytes, shift: Any, state: Longs, table: Spans) -> bool:
    """Count the words of a text from ``state[2]`` on; False when the table is full, to be called again with more.

    ``data`` and ``eights`` are the same ``size`` bytes and some zeros. ``state`` [4]: distinct words, eights of the
    pool in use, place in the text, words seen.
    """
    at = state[2]
    seen = 0
    slots, counts = table.slots, table.counts
    while at < size:
        kind = kinds[data[at]]
        if kind != WORD:
            width = _white(data, at) if kind == MAYBE else 1
            if width > 0:
                at += width
                continue
        end, key = _word(data, eights, at, size, kinds)
        place = _find(eights, at, end - at, key, shift, table)
        number = slots[place, 1]
        if number != 0:
            counts[number - ONE] += 1
        elif not _add(eights, at, end - at, key, 1, place, state, table):
            state[2] = at
            state[3] += seen
            return False
        seen += 1
        at = end
    state[2] = at
    state[3] += seen
    return True


@Entry
def merge_words(other: Spans, size: int, shift: Any, state: Longs, table: Spans) -> bool:
    """Add the words of another table from its word ``state[2]`` on; False when this one is full."""
    for id in range(state[2], size):
        start, length, key = 8 * other.starts[id], other.lengths[id], other.keys[id]
        place = _find(other.pool, start, length, key, shift, table)
        there = table.slots[place, 1]
        if there != 0:
            table.counts[there - ONE] += other.counts[id]
        elif not _add(other.pool, start, length, key, other.counts[id], place, state, table):
            state[2] = id
            return False
    state[2] = size
    return True


@Entry
def fill_slots(size: int, shift: Any, table: Spans) -> None:
    """Find slots for words that have none yet; all slots are empty before."""
    mask = np.uint64(table.slots.shape[0]) - ONE
    for id in range(size):
        key = table.keys[id]
        place = ((key ^ (key >> HALF)) * SPREAD) >> shift
        while table.slots[place, 1] != 0:
            place = (place + ONE) & mask
        table.slots[place, 0] = key
        table.slots[place, 1] = id + 1


@Entry
def spell(which: Longs, table: Spans, out: Bytes) -> None:
    """Write the words ``which`` one after another, a line end after each."""
    at = 0
    for i in range(which.shape[0]):
        id = which[i]
        length = table.lengths[id]
        for k in range(length):
            eight = table.keys[id] if length <= EIGHT else table.pool[table.starts[id] + (k >> 3)]
            out[at] = np.uint8((eight >> (np.uint64(k & 7) << THREE)) & FIRST)
            at += 1
        out[at] = 10
        at += 1


@Entry
def encode_words(
    data: Bytes, eights: Eights, size: int, kinds: Bytes, shift: Any, ids: Ids, unknown: int, out: Ids, table: Spans
) -> int:
    """Write the ids of the words of a text, and -1 at each line end, into ``out`` [at least B]; returns how many.

    ``ids`` [C] are those of the table's words; an unknown word becomes ``unknown``, or nothing if that is -2.
    """
    at = 0
    written = 0
    slots = table.slots
    while at < size:
        kind = kinds[data[at]]
        if kind == LINE:
            if data[at] == 13 or at == 0 or data[at - 1] != 13:  # of "\r\n" only the first counts
                out[written] = -1
                written += 1
            at += 1
            continue
        if kind != WORD:
            width = _white(data, at) if kind == MAYBE else 1
            if width > 0:
                at += width
                continue
        end, key = _word(data, eights, at, size, kinds)
        number = slots[_find(eights, at, end - at, key, shift, table), 1]
        at = end
        if number != 0:
            out[written] = ids[number - ONE]
            written += 1
        elif unknown != LEFT_OUT:
            out[written] = unknown
            written += 1
    return written
