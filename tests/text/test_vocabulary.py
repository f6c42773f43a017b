"""Vocabularies, and files counted and encoded as collections.Counter over str.split would have it."""

import functools
import gzip
import json
import lzma
import random
import re
from collections import Counter

import numpy as np
import pytest

from textdl.errors import ConfigError, CorpusError, RunError
from textdl.text import vocabulary as module
from textdl.text.vocabulary import (
    Counted,
    Vocabulary,
    VocabularyConfig,
    count_file,
    count_sentences,
    encode_file,
    encode_sentences,
)

SENTENCES = [["b", "a", "c"], [], ["a", "b", "d"], ["a"]]


def as_counts(vocabulary: Vocabulary) -> dict[str, int]:
    return dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))


def lines_of(text: str) -> list[str]:
    lines = re.split("\r\n|\n|\r", text)
    return lines if lines[-1] else lines[:-1]


def ids_of(text: str, vocabulary: Vocabulary) -> list[int]:
    """What encode_file is to give, the slow way."""
    found = []
    for line in lines_of(text):
        ids = [vocabulary.get(word, vocabulary.unknown_id) for word in line.split()]
        found += [*(id for id in ids if id is not None), -1]
    return found


@pytest.fixture
def in_pieces(monkeypatch):
    """Files come in pieces of 64 bytes, so that small ones have many."""
    monkeypatch.setattr(module, "read_pieces", functools.partial(module.read_pieces, size=64))


def a_text(seed: int, words: int = 2000) -> str:
    draw = random.Random(seed)
    known = ["the", "über", "日本語", "don't", "incomprehensibilities", "x" * 90, "naïve-looking", "a", "🙂"]
    known += [f"w{n}" for n in range(100)]
    ends = [" ", " ", " ", " ", "\n", "\r\n", "\r", "\n\n", "\u2003", "\u00a0\t", "\u3000 "]
    return "".join(draw.choice(known) + draw.choice(ends) for _ in range(words))


class TestVocabulary:
    def test_most_frequent_first_ties_by_word(self):
        v = count_sentences(SENTENCES)
        assert v.words == ("a", "b", "c", "d")
        assert v.counts.tolist() == [3, 2, 1, 1]
        assert v.counts.dtype == np.int64
        assert (v.seen, v.missed, len(v)) == (7, 0, 4)
        assert [v.id(word) for word in "abcd"] == [0, 1, 2, 3]
        assert "a" in v
        assert "x" not in v
        assert list(v) == list(v.words)
        assert (v.get("x"), v.get("x", 9), v.get("b")) == (None, 9, 1)

    def test_ties_are_ordered_by_character_whatever_the_order_of_the_text(self):
        assert count_sentences([["é", "z", "Z", "𝒂", "ﬁ"]]).words == ("Z", "z", "é", "ﬁ", "𝒂")

    def test_least_count_and_most_words(self):
        assert count_sentences(SENTENCES, VocabularyConfig(least_count=2)).words == ("a", "b")
        assert count_sentences(SENTENCES, VocabularyConfig(most_words=3)).words == ("a", "b", "c")
        assert count_sentences(SENTENCES, VocabularyConfig(least_count=2)).seen == 7

    def test_special_tokens_come_first_and_keep_their_count(self):
        config = VocabularyConfig(least_count=2, most_words=3, special=("<pad>", "d"), unknown="d")
        v = count_sentences(SENTENCES, config)
        assert as_counts(v) == {"<pad>": 0, "d": 1, "a": 3}
        assert v.special == ("<pad>", "d")
        assert v.unknown_id == v.id("nowhere") == 1

    def test_can_not_be_changed(self):
        v = count_sentences(SENTENCES)
        with pytest.raises(ValueError, match="read-only"):
            v.counts[0] = 5
        with pytest.raises(TypeError):
            v.ids["new"] = 9
        given = np.array([2, 1])
        v = Vocabulary(["a", "b"], given)
        given[0] = 7
        assert v.counts.tolist() == [2, 1]

    def test_unknown_word_suggests_near_ones(self):
        v = count_sentences([["colour", "flavour", "London"]])
        with pytest.raises(CorpusError, match="no word 'colours'; did you mean 'colour'"):
            v.id("colours")
        with pytest.raises(CorpusError, match="did you mean 'London'"):
            v.id("london")
        with pytest.raises(CorpusError, match="rarer than least_count"):
            v.id("xyzzy")

    def test_grown_keeps_the_ids(self):
        one = count_sentences(SENTENCES, VocabularyConfig(special=("<unk>",), unknown="<unk>"))
        grown = one.grown(count_sentences([["new", "new", "a", "b", "zoo"]]))
        assert grown.words == ("<unk>", "a", "b", "c", "d", "new", "zoo")
        assert grown.counts.tolist() == [0, 4, 3, 1, 1, 2, 1]
        assert (grown.seen, grown.special, grown.unknown_id) == (12, ("<unk>",), 0)

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ({"words": ["a", "a"], "counts": [1, 2]}, "'a' twice"),
            ({"words": ["a", ""], "counts": [1, 2]}, "got ''"),
            ({"words": ["a", 5], "counts": [1, 2]}, "got 5"),
            ({"words": ["a", None], "counts": [1, 2]}, "got None"),
            ({"words": ["a", "\ud800"], "counts": [1, 2]}, "whole characters"),
            ({"words": ["a"], "counts": [1, 2]}, "as many counts"),
            ({"words": ["a"], "counts": [-1]}, "whole numbers"),
            ({"words": ["a"], "counts": [0.5]}, "whole numbers"),
            ({"words": ["a", "b"], "counts": [1, 2], "special": ["b"]}, "first words"),
            ({"words": ["a", "b"], "counts": [1, 2], "unknown": "a"}, "special"),
        ],
    )
    def test_bad_parts(self, arguments, says):
        with pytest.raises(CorpusError, match=says):
            Vocabulary(**arguments)

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"least_count": 0}, "least_count must be at least 1"),
            ({"most_words": 1, "special": ("a", "b")}, "most_words must be at least 2"),
            ({"special": ("a", "a")}, "distinct"),
            ({"unknown": "<unk>"}, "got '<unk>'; add it to special"),
        ],
    )
    def test_bad_settings(self, settings, says):
        with pytest.raises(ConfigError, match=says):
            VocabularyConfig(**settings)


class TestOnDisk:
    def test_comes_back(self, tmp_path):
        config = VocabularyConfig(special=("<unk>",), unknown="<unk>", least_count=2)
        v = count_sentences([["é", "é", "日本", "日本", '"', '"', "\u2028x", "\u2028x", "rare"]], config)
        path = v.save(tmp_path / "v.json")
        assert Vocabulary.load(path) == v
        assert Vocabulary.load(path).unknown_id == 0
        assert json.loads(path.read_text())["words"] == list(v.words)

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda data: data["counts"].__setitem__(0, 99), "changed"),
            (lambda data: data["words"].__setitem__(0, "x"), "changed"),
            (lambda data: data.pop("sha256"), "changed"),
            (lambda data: data.__setitem__("format", 99), "format 99.*newer"),
            (lambda data: data.clear(), "no vocabulary"),
        ],
    )
    def test_damage_is_said(self, tmp_path, change, says):
        path = count_sentences(SENTENCES).save(tmp_path / "v.json")
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))
        with pytest.raises(RunError, match=says):
            Vocabulary.load(path)

    def test_cut_short_or_missing(self, tmp_path):
        path = count_sentences(SENTENCES).save(tmp_path / "v.json")
        path.write_text(path.read_text()[:-20])
        with pytest.raises(RunError, match="can not be read"):
            Vocabulary.load(path)
        with pytest.raises(RunError, match="missing"):
            Vocabulary.load(tmp_path / "none.json")


@pytest.mark.usefixtures("in_pieces")
class TestFiles:
    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("seed", range(5))
    def test_as_counter_and_split(self, tmp_path, seed, threads):
        text = a_text(seed)
        path = tmp_path / "a.txt"
        path.write_bytes(text.encode())
        v = count_file(path, threads=threads)
        assert as_counts(v) == Counter(text.split())
        assert v.seen == len(text.split())
        assert v == count_sentences([line.split() for line in lines_of(text)])
        v = count_file(path, VocabularyConfig(least_count=5, special=("<unk>", "w3"), unknown="<unk>"))
        for known in (v, count_file(path, VocabularyConfig(most_words=20))):
            ids = encode_file(path, known, threads=threads)
            assert ids.dtype == np.int32
            assert ids.tolist() == ids_of(text, known)
            assert ids.tolist() == encode_sentences([line.split() for line in lines_of(text)], known).tolist()

    @pytest.mark.parametrize(
        "text",
        [
            *("a", "a\n", "a b\n\n\nb", "\n\na", "a\r\nb\r\n", "a\rb\r\r", "a \n b ", "a\u2028b\u0085c\nd"),
            *("\n" * 200 + "a", "a b\r\n" * 60, "a" * 63 + "\nb", "a" * 64 + "\nb", "a" * 500, "a " * 300),
            *("é\u3000" * 50, "ab\r" * 70),
        ],
    )
    def test_line_ends(self, tmp_path, text):
        path = tmp_path / "a.txt"
        path.write_bytes(text.encode())
        v = count_file(path, threads=2)
        assert as_counts(v) == Counter(text.split())
        assert encode_file(path, v, threads=2).tolist() == ids_of(text, v)

    def test_a_byte_order_mark_is_no_part_of_the_first_word(self, tmp_path):
        (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone two\none")
        assert as_counts(count_file(tmp_path / "a.txt")) == {"one": 2, "two": 1}

    @pytest.mark.parametrize("ending", ["gz", "xz", "bz2", "zst"])
    def test_packed(self, tmp_path, ending):
        import bz2

        import zstandard

        pack = {"gz": gzip, "xz": lzma, "bz2": bz2, "zst": zstandard}[ending].compress
        text = a_text(7)
        path = tmp_path / f"a.txt.{ending}"
        path.write_bytes(pack(text.encode()))
        v = count_file(path, threads=2)
        assert as_counts(v) == Counter(text.split())
        assert encode_file(path, v).tolist() == ids_of(text, v)

    def test_ids_in_a_file(self, tmp_path):
        text = a_text(8)
        path, out = tmp_path / "a.txt", tmp_path / "a.ids"
        path.write_bytes(text.encode())
        v = count_file(path)
        ids = encode_file(path, v, out)
        assert isinstance(ids, np.memmap)
        assert ids.tolist() == ids_of(text, v) == np.fromfile(out, "<i4").tolist()
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.ids", "a.txt"]
        assert out.stat().st_mode == path.stat().st_mode  # as of any file that is written
        with pytest.raises(ValueError, match="read-only"):
            ids[0] = 3

    def test_a_failed_encoding_leaves_the_old_file_and_no_other(self, tmp_path):
        path, out = tmp_path / "a.txt", tmp_path / "a.ids"
        path.write_bytes(b"good words\n" * 100 + b"bad \xff word\n")
        out.write_bytes(b"old")
        with pytest.raises(CorpusError, match="line 101 is not UTF-8"):
            encode_file(path, count_sentences(SENTENCES), out)
        assert out.read_bytes() == b"old"
        assert sorted(file.name for file in tmp_path.iterdir()) == ["a.ids", "a.txt"]
        with pytest.raises(RunError, match="can not be written"):
            encode_file(path, count_sentences(SENTENCES), tmp_path / "none" / "a.ids")

    def test_nothing_known_gives_line_ends_only(self, tmp_path):
        (tmp_path / "a.txt").write_text("x y\nz\n")
        (tmp_path / "empty.txt").write_text("")
        v = count_sentences(SENTENCES)
        assert encode_file(tmp_path / "a.txt", v).tolist() == [-1, -1]
        assert encode_file(tmp_path / "empty.txt", v).tolist() == []
        assert encode_file(tmp_path / "empty.txt", v, tmp_path / "out").tolist() == []

    def test_words_that_no_line_can_hold_match_none(self, tmp_path):
        (tmp_path / "a.txt").write_text("new york a\n")
        v = Vocabulary(["new york", "york", "a\0", "a", "b\nnew"], [1, 1, 1, 1, 1])
        assert encode_file(tmp_path / "a.txt", v).tolist() == [1, 3, -1]

    def test_bounded_memory_says_what_is_missed(self, tmp_path):
        draw = random.Random(1)
        words = [f"rare{n}" for n in range(20_000)] + ["often"] * 3000
        draw.shuffle(words)
        path = tmp_path / "a.txt"
        path.write_text("\n".join(words))
        told: list[Counted] = []
        v = count_file(path, VocabularyConfig(least_count=100), threads=2, memory_mb=0.2, tell=told.append)
        assert v.words == ("often",)
        assert v.missed > 0
        assert 3000 - v.missed <= v.counts[0] <= 3000
        assert v.seen == len(words)
        assert told[-1].pruned > 0
        assert told[-1].words == len(words)
        assert told[-1].size == path.stat().st_size
        assert max(t.distinct for t in told) < 10_000
        assert count_file(path, memory_mb=100).missed == 0
        assert count_file(path, memory_mb=float("inf")) == count_file(path)

    def test_progress(self, tmp_path):
        path = tmp_path / "a.txt"
        path.write_text("one two\n" * 100)
        told: list[Counted] = []
        v = count_file(path, threads=2, tell=told.append)
        assert told[-1] == Counted(800, 200, told[-1].distinct, 0)
        told.clear()
        encode_file(path, v, tell=told.append)
        assert told[-1] == Counted(800)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "no word to count"),
            (b" \n\n", "no word to count"),
            (b"ok\nb\xe4d\n", "line 2 is not UTF-8"),
            (b"a\n" * 100 + b"\xe2\x82", "line 101 is not UTF-8"),
            (b"a\0b", "not text"),
            (b"a b\n" * 50 + b"c\0d", "not text"),
            (b"%PDF-1.4 x", "a PDF document"),
        ],
    )
    def test_bad_files(self, tmp_path, content, says):
        path = tmp_path / "a.txt"
        path.write_bytes(content)
        with pytest.raises(CorpusError, match=says):
            count_file(path)

    def test_other_mistakes(self, tmp_path):
        with pytest.raises(CorpusError, match=re.escape("none.txt")):
            count_file(tmp_path / "none.txt")
        path = tmp_path / "a.txt"
        path.write_text("one one two")
        with pytest.raises(CorpusError, match="no word is seen 3 times"):
            count_file(path, VocabularyConfig(least_count=3))
        with pytest.raises(ConfigError, match="threads must be at least 1, got 0"):
            count_file(path, threads=0)
        with pytest.raises(ConfigError, match="memory_mb must be more than 0"):
            count_file(path, memory_mb=0)
        with pytest.raises(ConfigError, match="memory_mb must be more than 0"):
            count_file(path, memory_mb=float("nan"))
        with pytest.raises(ConfigError, match="processes must be at least 1"):
            count_file(path, cut=str.split, processes=0)
        (tmp_path / "a.jsonl").write_text('{"text": "one"}\n')
        with pytest.raises(CorpusError, match="holds records"):
            count_file(tmp_path / "a.jsonl")


@pytest.mark.parametrize(("late", "says"), [(b"c\0d", "zero byte at 1,200,00"), (b"\xff", "line 300001 is not UTF-8")])
def test_faults_far_into_a_file(tmp_path, late, says):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a b\n" * 300_000 + late)
    with pytest.raises(CorpusError, match=says):
        count_file(path)


def test_a_special_token_of_a_file_keeps_its_count_however_small(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("rare often often")
    v = count_file(path, VocabularyConfig(least_count=2, special=("rare", "<none>")))
    assert as_counts(v) == {"rare": 1, "<none>": 0, "often": 2}


def test_encode_sentences():
    v = count_sentences(SENTENCES, VocabularyConfig(least_count=2))
    assert encode_sentences([["b", "x", "a"], [], ["x"]], v).tolist() == [1, 0, -1, -1, -1]
    v = count_sentences(SENTENCES, VocabularyConfig(special=("<unk>",), unknown="<unk>", least_count=2))
    assert encode_sentences(iter([["b", "x", "a"], ["x"]]), v).tolist() == [2, 0, 1, -1, 0, -1]
    assert encode_sentences([], v).dtype == np.int32


def test_sentences_that_are_none():
    with pytest.raises(CorpusError, match="got one text"):
        count_sentences("one text")
    with pytest.raises(CorpusError, match="sentence 2 must be a list of words, got a text"):
        count_sentences([["a"], "b c"])
    with pytest.raises(CorpusError, match="sentence 2 must be a list of words, got list for a word"):
        count_sentences([["a"], [["b", "c"], "d"]])
    with pytest.raises(CorpusError, match=r"a word of a vocabulary must be a text .*, got None"):
        count_sentences([["a", None]])
    with pytest.raises(CorpusError, match="sentence 1 must be a list of words, got int"):
        encode_sentences([3], count_sentences(SENTENCES))


def test_importing_it_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, textdl.text.vocabulary; print({'numba', 'torch', 'nltk', 'scipy', 'sklearn'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
