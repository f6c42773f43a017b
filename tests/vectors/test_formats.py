"""Vector files: gensim reads what we write, we read what gensim writes, and what is wrong is said with its place."""

from __future__ import annotations

import gzip
import math
import pickle
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textdl import artifact
from textdl.errors import CorpusError, RunError, TextdlError
from textdl.vectors import formats_binary, formats_safetensors, formats_text
from textdl.vectors.formats import FORMATS, from_gensim, guess_format, load_vectors, save_vectors
from textdl.vectors.word_vectors import VectorsError, WordVectors

SUFFIX = {"safetensors": ".safetensors", "word2vec": ".txt", "word2vec-binary": ".bin", "glove": ".glove"}
TEXT_WORD = st.text(st.characters(codec="utf-8", exclude_characters=" \t\n\r\v\f"), min_size=1, max_size=8)
ODD_WORDS = [
    "naïve",
    "日本",
    "a\u00a0b",
    "3.5",
    "1",
    "nan",
    "-",
    "\u2028",
    "\x1c",
    "#",
    "''",
    "\ufeff",
    "e\u0301",
    "é",
    "😀",
]
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32)


def vectors_of(words: list[str], seed: int = 0, dim: int = 5, counts: bool = False) -> WordVectors:
    matrix = np.random.default_rng(seed).standard_normal((len(words), dim)).astype(np.float32)
    return WordVectors(words, matrix, range(len(words), 0, -1) if counts else None)


def same(one: WordVectors, other: WordVectors) -> bool:
    """Words and every bit of the numbers."""
    bits: Callable[[WordVectors], NDArray[Any]] = lambda v: v.matrix.view(np.uint32)  # noqa: E731
    return one.words == other.words and np.array_equal(bits(one), bits(other))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("pack", ["", ".gz"])
def test_odd_words_come_back(tmp_path: Path, format: str, pack: str) -> None:
    if format == "safetensors" and pack:
        return
    path = tmp_path / f"vectors{SUFFIX[format]}{pack}"
    vectors = vectors_of(ODD_WORDS)
    vectors.save(path)
    assert guess_format(path) == format
    assert same(load_vectors(path), vectors)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), format=st.sampled_from(FORMATS), dim=st.integers(1, 4))
def test_every_vector_comes_back_bit_by_bit(tmp_path: Path, data: st.DataObject, format: str, dim: int) -> None:
    words = data.draw(st.lists(TEXT_WORD, min_size=1, max_size=6, unique=True))
    rows = data.draw(st.lists(st.lists(NUMBER, min_size=dim, max_size=dim), min_size=len(words), max_size=len(words)))
    assume(format != "glove" or not words[0].startswith("\ufeff"))  # at the start of a file it is a byte order mark
    vectors = WordVectors(words, np.array(rows, np.float32))
    save_vectors(vectors, tmp_path / "vectors", format)
    assert same(load_vectors(tmp_path / "vectors", format), vectors)


def test_binary_files_of_few_numbers_are_told_from_text(tmp_path: Path) -> None:
    for seed in range(60):
        vectors = vectors_of(["king", "queen", "man"][: 1 + seed % 3], seed, dim=1 + seed % 4)
        vectors.save(tmp_path / "v.bin")
        assert same(load_vectors(tmp_path / "v.bin"), vectors), seed


@pytest.mark.parametrize("change", [lambda m: m, lambda m: m.astype(np.float16)])
def test_a_newer_format_is_told_whatever_is_in_it(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    vectors_of(["a", "b"]).save(tmp_path / "v.safetensors")
    arrays, facts = artifact.load_arrays_and_facts(tmp_path / "v.safetensors")
    more = {**arrays, "matrix": change(arrays["matrix"]), "more": np.zeros(3, np.float32)}
    artifact.save_arrays(tmp_path / "v.safetensors", more, {**facts, "format": 2})
    with pytest.raises(VectorsError, match=r"newer textdl \(format 2\); upgrade"):
        load_vectors(tmp_path / "v.safetensors")


def test_a_header_that_nests_without_end_is_damage(tmp_path: Path) -> None:
    header = b'{"a":' * 100_000
    (tmp_path / "v").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(VectorsError, match="damaged"):
        load_vectors(tmp_path / "v")


def test_a_vector_file_may_be_written_over_while_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    vectors_of(["a", "b", "c"]).save(path)
    mapped = load_vectors(path)
    WordVectors(mapped.words[:2], mapped.matrix[:2]).save(path)
    assert same(mapped, vectors_of(["a", "b", "c"]))
    assert same(load_vectors(path), WordVectors(mapped.words[:2], mapped.matrix[:2]))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=1, max_size=6, unique=True))
def test_our_own_format_holds_any_words_and_the_counts(tmp_path: Path, words: list[str]) -> None:
    vectors = vectors_of(words, counts=True)
    vectors.save(tmp_path / "v.safetensors")
    back = load_vectors(tmp_path / "v.safetensors")
    assert same(back, vectors)
    assert back.counts is not None
    assert vectors.counts is not None
    assert back.counts.tolist() == vectors.counts.tolist()


def test_our_own_format_is_mapped_and_is_an_artifact(tmp_path: Path) -> None:
    vectors = vectors_of(ODD_WORDS, counts=True)
    vectors.save(tmp_path / "v.safetensors")
    base: Any = load_vectors(tmp_path / "v.safetensors").matrix
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert base.ctypes.data % 64 == 0
    arrays, facts = artifact.load_arrays_and_facts(tmp_path / "v.safetensors")  # looks at the digest
    assert facts["kind"] == "word vectors"
    assert np.array_equal(arrays["matrix"], vectors.matrix)
    artifact.save_arrays(tmp_path / "again.safetensors", arrays, facts)
    assert same(load_vectors(tmp_path / "again.safetensors"), vectors)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("pack", ["", ".gz"])
def test_gensim_reads_what_we_write(tmp_path: Path, binary: bool, pack: str) -> None:
    path = tmp_path / f"vectors{'.bin' if binary else '.txt'}{pack}"
    vectors = vectors_of(ODD_WORDS)
    vectors.save(path)
    keyed = KeyedVectors.load_word2vec_format(path, binary=binary)
    assert keyed.index_to_key == ODD_WORDS
    assert np.array_equal(keyed.vectors, vectors.matrix)


def test_gensim_reads_our_glove(tmp_path: Path) -> None:
    vectors = vectors_of(ODD_WORDS)
    vectors.save(tmp_path / "v.glove")
    keyed = KeyedVectors.load_word2vec_format(tmp_path / "v.glove", no_header=True)
    assert keyed.index_to_key == ODD_WORDS
    assert np.array_equal(keyed.vectors, vectors.matrix)


@pytest.mark.parametrize("binary, header", [(False, True), (True, True), (False, False)])
@pytest.mark.parametrize("pack", ["", ".gz"])
def test_we_read_what_gensim_writes(tmp_path: Path, binary: bool, header: bool, pack: str) -> None:
    vectors = vectors_of(ODD_WORDS)
    keyed = KeyedVectors(5)
    keyed.add_vectors(ODD_WORDS, np.array(vectors.matrix))
    keyed.save_word2vec_format(str(tmp_path / f"v{pack}"), binary=binary, write_header=header)
    assert same(load_vectors(tmp_path / f"v{pack}"), vectors)


def test_there_and_back_through_gensim_in_memory() -> None:
    vectors = vectors_of(ODD_WORDS, counts=True)
    keyed = vectors.to_gensim()
    assert keyed.most_similar("naïve", topn=3)[0][0] == vectors.nearest("naïve", 3)[0][0]
    assert keyed.get_vecattr("日本", "count") == len(ODD_WORDS) - 1
    back = WordVectors.from_gensim(keyed)
    assert same(back, vectors)
    assert back.counts is not None
    assert back.counts.tolist() == list(range(len(ODD_WORDS), 0, -1))
    assert from_gensim(vectors_of(["a", "b"]).to_gensim()).counts is None
    with pytest.raises(VectorsError, match="got dict; of a model hand over"):
        from_gensim({})  # type: ignore[arg-type]


def test_files_of_the_first_word2vec_and_of_fasttext_are_read(tmp_path: Path) -> None:
    rows = struct.pack("<2f", 1, 2), struct.pack("<2f", 3, 4)
    (tmp_path / "c.bin").write_bytes(b"2 2\nthe " + rows[0] + b"\nof " + rows[1] + b"\n")
    (tmp_path / "fast.vec").write_bytes(b"2 2\nthe 1 2 \nof 3 4 \n")
    (tmp_path / "tabs.txt").write_bytes(b"\xef\xbb\xbf2 2\r\nthe\t1.0\t2e0\r\nof\t.3E+1\t4\r\n\r\n")
    for name in ("c.bin", "fast.vec", "tabs.txt"):
        vectors = load_vectors(tmp_path / name)
        assert (vectors.words, vectors.matrix.tolist()) == (("the", "of"), [[1, 2], [3, 4]]), name


def test_words_with_spaces_as_glove_has_them(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text(". . . 0.5 1\nat name@domain.com 2 3\nword 4 5")
    vectors = load_vectors(tmp_path / "g.txt")
    assert vectors.words == (". . .", "at name@domain.com", "word")
    assert vectors.matrix.tolist() == [[0.5, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("format", FORMATS)
def test_only_the_first_words(tmp_path: Path, format: str) -> None:
    vectors = vectors_of([f"w{n}" for n in range(50)])
    path = tmp_path / "v"
    save_vectors(vectors, path, format)
    few = load_vectors(path, most=7)
    assert few.words == vectors.words[:7]
    assert np.array_equal(few.matrix, vectors.matrix[:7])
    assert len(load_vectors(path, most=500)) == 50
    with pytest.raises(VectorsError, match="at least 1, got 0"):
        load_vectors(path, most=0)


@pytest.mark.parametrize("format", ["word2vec", "word2vec-binary", "glove"])
def test_blocks_may_end_anywhere(tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = vectors_of([*ODD_WORDS, *(f"w{n}" for n in range(40))])
    save_vectors(vectors, tmp_path / "v", format)

    def small(size: int) -> Callable[[Path], Any]:
        def blocks(path: Path) -> Any:
            content = path.read_bytes()
            return iter([content[at : at + size] for at in range(0, len(content), size)])

        return blocks

    for size in (1, 2, 3, 7, 64, 1000):
        monkeypatch.setattr(formats_text, "read_blocks", small(size))
        monkeypatch.setattr(formats_binary, "read_blocks", small(size))
        assert same(load_vectors(tmp_path / "v", format), vectors)


@pytest.mark.parametrize("suffix", [".txt", ".bin", ".safetensors"])
def test_memory_is_little_more_than_the_matrix(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats_safetensors, "PIECE", 1 << 20)
    matrix = np.random.default_rng(0).standard_normal((500, 1000)).astype(np.float32)  # 2 MB, 5.5 MB as text
    vectors = WordVectors([f"w{n}" for n in range(500)], matrix)
    path = tmp_path / f"v{suffix}"
    tracemalloc.start()
    try:
        vectors.save(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
        tracemalloc.reset_peak()
        assert same(load_vectors(path), vectors)
        assert tracemalloc.get_traced_memory()[1] < 2e6 + 7e6
    finally:
        tracemalloc.stop()


GOOD = b"3 2\na 1 2\nb 3 4\nc 5 6\n"
BINARY = b"2 2\na " + struct.pack("<2f", 1, 2) + b"b " + struct.pack("<2f", -3e-9, 1e9)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"4 2\na 1.5 2.5\nb 3 4\nc 5 6\n", "truncated, or its header is wrong: 4 words are promised, 3 are there"),
        (b"2 2\na 1 2\nb 3 4\nc 5 6\n", "wrong header: line 4 is one word more than the 2 that it promises"),
        (b"3 3\na 1 2\nb 3 4\nc 5 6\n", "wrong header or is truncated: 3 words of 3 dimensions"),
        (b"3 1\na 1 2\nb 3 4\nc 5 6\n", "line 2 is too long: 2 numbers, where the vectors have 1"),
        (b"0 2\na 1 2\n", "wrong header: 0 words of 2 dimensions"),
        (b"99999999999 300\na 1 2\n", "wrong header or is truncated: 99,999,999,999 words"),
        (b"3 2\na 1.25 2.5\nb 3.25\nc 5 6\n", "line 3 is too short: 1 numbers, where the vectors have 2"),
        (b"3 2\na 1 2\nb 3 4 4.5\nc 5 6\n", "line 3 is too long: 3 numbers"),
        (b"3 2\na 1.5\nb 2.5 3 4\nc 5 6\n", "line 2 is too short: 1 numbers"),  # as many in all as there should be
        (b"3 2\na 1 2\nb 3 x\nc 5 6\n", "line 3: 'x' is not a number"),
        (b"3 2\na 1 2\nb 3 1,5\nc 5 6\n", "line 3: '1,5' is not a number"),
        (b"3 2\na 1 2\nb nan 4\nc 5 6\n", "line 3: the vector of 'b' holds NaN or infinity"),
        (b"3 2\na 1 2\nb 3 4\nc 5 -inf\n", "line 4: the vector of 'c' holds NaN or infinity"),
        (b"3 2\na 1 2\nb 3 1e99\nc 5 6\n", "line 3: the vector of 'b' holds NaN or infinity"),
        (b"3 2\na 1 2\nb 3 4\na 5 6\n", "line 4: the word 'a' is repeated, it stands in line 2 already"),
        (b"3 2\na 1 2\nb\xe9 3 4\nc 5 6\n", r"line 3: the word b'b\\xe9' is not UTF-8 \(byte 0xe9\)"),
        (b"3 2\na 1 2\n\nb 3 4\nc 5 6\n", "line 3 is blank"),
        (b"2 3\na 1 2 3\n 4 5 6\n", "line 3 is too short: 2 numbers"),  # a word is missing
        (b"a 1 2\nb 3 4\n a 5 6\n", "line 3: the word 'a' is repeated, it stands in line 1"),
        (b"a 1 2\nb 3\n", "line 2 is too short"),
        (b"a 1 2\nb 3 4 5.5\n", "line 2 is too long"),
        (b"a 1 2\nb inf 4\n", "line 2: the vector of 'b' holds NaN"),
        (b"once upon a time\n", "no vectors that textdl knows"),
        (b"x" * 100_000, "no vectors that textdl knows"),
        (BINARY[:-1], "truncated, or its header is wrong: 2 words of 2 dimensions are promised, and it ends in word 2"),
        (BINARY[:14], "wrong header or is truncated"),
        (BINARY + b"rest of something", "wrong header: it goes on after the 2 words"),
        (BINARY.replace(b"2 2", b"9 2", 1), "wrong header or is truncated"),
        (BINARY.replace(b"b ", b"a "), "word 2: the word 'a' is repeated, it stands in word 1"),
        (BINARY.replace(b"b ", b"\xe9 "), "word 2: the word .* is not UTF-8"),
        (BINARY[:-4] + struct.pack("<f", math.nan), "word 2: the vector of 'b' holds NaN"),
        (pickle.dumps({"a": 1}), "a pickle, as gensim's own .kv files are"),
        (b"PK\x03\x04...", "a zip archive"),
        (struct.pack("<2i", 793712314, 12), "a model of fastText"),
        (gzip.compress(GOOD), "packed by gzip; give it a name that ends in .gz"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.vectors"
    path.write_bytes(content)
    with pytest.raises(VectorsError, match=message) as caught:
        load_vectors(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_bad_ones_are_made_of_is_good(tmp_path: Path) -> None:
    (tmp_path / "good").write_bytes(GOOD)
    assert load_vectors(tmp_path / "good").matrix.tolist() == [[1, 2], [3, 4], [5, 6]]
    (tmp_path / "binary").write_bytes(BINARY)
    assert load_vectors(tmp_path / "binary").words == ("a", "b")


@pytest.mark.parametrize("format", ["word2vec", "word2vec-binary"])
def test_a_wrong_format_is_told(tmp_path: Path, format: str) -> None:
    (tmp_path / "v").write_bytes(b"a 1 2\nb 3 4\n")
    with pytest.raises(VectorsError, match="wrong header: the first line must be two whole numbers"):
        load_vectors(tmp_path / "v", format)
    with pytest.raises(VectorsError, match="'word3vec'; did you mean 'word2vec'"):
        load_vectors(tmp_path / "v", "word3vec")


def test_the_first_of_repeated_words_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "v").write_bytes(b"a 1 2\nb 3 4\na 5 6\nc 7 8\n")
    vectors = load_vectors(tmp_path / "v", repeated="first")
    assert (vectors.words, vectors.matrix.tolist()) == (("a", "b", "c"), [[1, 2], [3, 4], [7, 8]])
    with pytest.raises(VectorsError, match="no rule 'last'"):
        load_vectors(tmp_path / "v", repeated="last")  # type: ignore[arg-type]


def test_a_missing_or_truncated_packed_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="can not be read"):
        load_vectors(tmp_path / "none")
    (tmp_path / "v.gz").write_bytes(gzip.compress(GOOD * 1000)[:-20])
    with pytest.raises(CorpusError, match="truncated or damaged"):
        load_vectors(tmp_path / "v.gz", "glove")


def test_damage_to_our_own_format_is_noticed_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    vectors_of(ODD_WORDS, counts=True).save(path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for place in generator.choice(len(content), 150, replace=False).tolist():
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(bytes(spoilt))
        try:
            back = load_vectors(path, "safetensors")
        except TextdlError as error:
            assert str(path) in str(error)  # noqa: PT017  (white space of the header may change unnoticed)
        else:
            assert same(back, vectors_of(ODD_WORDS))
    for size in range(0, len(content), 37):
        path.write_bytes(content[:size])
        with pytest.raises(TextdlError, match=r"damaged|empty|no vectors"):
            load_vectors(path)


def test_other_safetensors_and_newer_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    artifact.save_arrays(path, {"w": np.zeros(3, np.float32)})
    with pytest.raises(VectorsError, match="not of word vectors"):
        load_vectors(path)
    artifact.save_arrays(path, {"matrix": np.zeros((1, 3), np.float32)}, {"kind": "word vectors", "format": 2})
    with pytest.raises(VectorsError, match="newer textdl"):
        load_vectors(path)


@pytest.mark.parametrize("word", ["", "a b", "a\tb", "a\nb", "a\r", "\ud800"])
@pytest.mark.parametrize("format", ["word2vec", "word2vec-binary", "glove"])
def test_a_word_that_a_format_can_not_hold_leaves_the_old_file(tmp_path: Path, word: str, format: str) -> None:
    path = tmp_path / "v"
    path.write_text("old")
    with pytest.raises(VectorsError, match="can not be written"):
        save_vectors(vectors_of(["good", word]), path, format)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name, message",
    [
        ("v.kv", "pickled"),
        ("v.json", "says no format"),
        ("v", "says no format"),
        ("v.safetensors.gz", "not packed"),
        ("v.txt.xz", "by gzip only"),
    ],
)
def test_a_name_that_can_not_be_written(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        vectors_of(["a"]).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="can not be written"):
        vectors_of(["a"]).save(tmp_path / "none" / "v.bin")
