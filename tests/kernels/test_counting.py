"""The compiled counting against collections.Counter over str.split, on text made to hit its corners."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from textdl.kernels.counting import LEFT_OUT, fill_slots
from textdl.kernels.word_table import WordTable

# Every character that is white space to Python: the compiled code knows them by their bytes.
SPACES = [chr(c) for c in range(0x110000) if chr(c).isspace()]
# Characters whose bytes begin like those of white space, control characters that are none, and zero-width ones.
NEAR = (
    "\u0080\u0084\u0086\u009f\u00a1\u1681\u167f\u180e\u1fff\u200b\u200d\u2027\u202a\u202e\u2030\u205e\u2060\u2061\u3001"
    "\u2fff\ufeff\x01\x08\x0e\x1b\x7f"
)
LENGTHS = (1, 2, 6, 7, 8, 9, 10, 14, 15, 16, 17, 23, 24, 25, 40, 200)


def bytes_of(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def counted(text: str, **options) -> dict[str, int]:
    table = WordTable(**options)
    table.count(bytes_of(text))
    return dict(zip(table.words(), table.counts.tolist(), strict=True))


def random_word(draw: random.Random) -> str:
    alphabet = draw.choice(["a", "ab", "abcdefgh", "aé", "я", "日本", "a🙂", "a" + NEAR, "x!~"])
    return "".join(draw.choices(alphabet, k=draw.choice(LENGTHS)))


def random_text(draw: random.Random, words: int) -> str:
    known = [random_word(draw) for _ in range(12)]
    spaces = [" ", " ", " ", "\n", "\r\n", "\r", *draw.choices(SPACES, k=4)]
    parts = [draw.choice(["", *spaces])]
    for _ in range(words):
        parts.append(draw.choice(known) if draw.random() < 0.7 else random_word(draw))
        parts += draw.choices(spaces, k=draw.choice([1, 1, 1, 2, 3]))
    return "".join(parts[: draw.choice([len(parts), len(parts) - 1])])


def slow_ids(text: str, ids: dict[str, int], unknown: int) -> list[int]:
    """Line by line with str.split; what stands after the last line end has no -1."""
    found: list[int] = []
    for number, line in enumerate(re.split("\r\n|\n|\r", text)):
        found += [-1] if number else []
        found += [i for i in (ids.get(word, unknown) for word in line.split()) if i != LEFT_OUT]
    return found


def test_every_white_space_of_python_and_nothing_else():
    assert len(SPACES) == 29  # of Unicode 16; another number means that the table of bytes needs another look
    for space in SPACES:
        assert counted(f"{space}one{space}two{space}{space}one") == {"one": 2, "two": 1}, hex(ord(space))
    for other in NEAR:
        assert counted(f"one{other}two {other} one{other}") == Counter(f"one{other}two {other} one{other}".split())


def test_every_character_alone_and_between_others():
    characters = [chr(c) for c in range(1, 0x3100) if not 0xD800 <= c < 0xE000] + ["\U0001f600", "\uffff"]
    text = " ".join(f"a{c}b {c} longer{c}words{c}still" for c in characters)
    assert counted(text) == Counter(text.split())


@pytest.mark.parametrize("seed", range(150))
def test_counts_as_counter_does(seed):
    text = random_text(random.Random(seed), 80)
    assert counted(text) == Counter(text.split())


def test_words_of_every_length_at_every_place():
    # Eight bytes are read at a time, from any place, up to the very end of the text.
    for length in range(1, 40):
        for before in range(9):
            text = " " * before + "w" * length + " " + "é" * (length // 2 + 1)
            assert counted(text) == Counter(text.split())


def test_words_that_begin_alike_are_told_apart():
    words = ["a" * n for n in range(1, 60)] + ["a" * n + "b" for n in range(1, 60)] + ["b" + "a" * n for n in range(60)]
    text = " ".join(word for number, word in enumerate(words) for _ in range(number % 5 + 1))
    assert counted(text, room=1) == Counter(text.split())


def test_equal_keys_of_different_long_words_are_told_apart():
    # Force what chance gives once in 2 ** 56: a word of the table has another one's key.
    one, other = "abcdefghijklmnop", "ponmlkjihgfedcba"
    probe, table = WordTable(), WordTable()
    probe.count(bytes_of(one))
    table.count(bytes_of(other))
    table._spans.keys[0] = probe._spans.keys[0]
    table._spans.slots[:] = 0
    fill_slots(1, table._shift, table._spans)
    table.count(bytes_of(f"{one} {one}"))
    assert dict(zip(table.words(), table.counts.tolist(), strict=True)) == {other: 1, one: 2}


def test_growing_from_nothing():
    text = " ".join(f"w{n % 30_000:x}{'-' * (n % 13)}" for n in range(90_000))
    assert counted(text, room=1) == Counter(text.split())


@pytest.mark.parametrize("seed", range(30))
def test_merged_tables_hold_the_sum(seed):
    draw = random.Random(seed)
    texts = [random_text(draw, 60) for _ in range(3)]
    whole = WordTable(room=1)
    for text in texts:
        other = WordTable(room=1)
        other.count(bytes_of(text))
        whole.merge(other)
    expected = sum((Counter(text.split()) for text in texts), Counter())
    assert dict(zip(whole.words(), whole.counts.tolist(), strict=True)) == expected
    assert whole.seen == expected.total()


@pytest.mark.parametrize("seed", range(100))
def test_encodes_as_the_slow_way_does(seed):
    draw = random.Random(seed)
    text, known = random_text(draw, 80), random_text(draw, 30)
    table = WordTable()
    table.count(bytes_of(known + " " + text[: len(text) // 2].rsplit(maxsplit=1)[0]))
    words = table.words()
    ids = np.array(draw.sample(range(len(words)), len(words)), np.int32)
    of_word = dict(zip(words, ids.tolist(), strict=True))
    for unknown in (LEFT_OUT, 77):
        assert table.encode(bytes_of(text), ids, unknown).tolist() == slow_ids(text, of_word, unknown)


def test_nothing():
    table = WordTable()
    table.count(bytes_of(""))
    table.count(bytes_of(" \n\u3000"))
    assert (len(table), table.words(), table.seen) == (0, [], 0)
    assert table.encode(bytes_of(""), np.empty(0, np.int32)).tolist() == []
    assert table.encode(bytes_of("a\n\nb"), np.empty(0, np.int32)).tolist() == [-1, -1]


def test_forgetting_keeps_the_frequent_and_says_how_much_is_missed():
    draw = random.Random(3)
    often = [f"often{n}" for n in range(20)]
    table = WordTable(room=16, most_bytes=40_000)
    total: Counter[str] = Counter()
    for part in range(40):
        words = [f"rare{part}x{n}" for n in range(500)] + often * 10
        draw.shuffle(words)
        total.update(words)
        table.count(bytes_of(" ".join(words)))
    found = dict(zip(table.words(), table.counts.tolist(), strict=True))
    assert table.seen == total.total()
    assert min(table.pruned, table.missed) > 0
    assert sum(found.values()) + table.pruned == table.seen
    assert len(found) < 1000 < len(total)
    for word, count in total.items():  # also of words that are not here
        assert count - table.missed <= found.get(word, 0) <= count
    assert set(often) <= set(found)


def test_one_huge_word_makes_room_without_forgetting():
    text = "a b c " * 50 + "x" * 1_000_000 + " a"
    assert counted(text, room=16, most_bytes=100_000) == Counter(text.split())


def test_pruning_to_a_size():
    table = WordTable()
    table.count(bytes_of("a a a a longer-than-eight longer-than-eight longer-than-eight c c d d e"))
    table.prune(3)
    assert dict(zip(table.words(), table.counts.tolist(), strict=True)) == {"a": 4, "longer-than-eight": 3}
    assert (table.pruned, table.missed, table.seen) == (5, 2, 12)
    table.count(bytes_of("e longer-than-eight"))
    assert dict(zip(table.words(), table.counts.tolist(), strict=True)) == {"a": 4, "longer-than-eight": 4, "e": 1}
