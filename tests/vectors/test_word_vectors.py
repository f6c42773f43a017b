"""Word vectors against hand-worked values, the slow obvious way, and gensim."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from textdl.errors import TextdlError
from textdl.text.spelling import near_spellings
from textdl.vectors import word_vectors
from textdl.vectors.searching import largest
from textdl.vectors.word_vectors import VectorsError, WordVectors

#: On a plane: east and north at a right angle, northeast between them, west opposite east.
PLANE = WordVectors(["east", "north", "northeast", "west", "nowhere"], [[2, 0], [0, 3], [1, 1], [-1, 0], [0, 0]])


def random_vectors(size: int = 300, dim: int = 8, seed: int = 0) -> WordVectors:
    matrix = np.random.default_rng(seed).standard_normal((size, dim)).astype(np.float32)
    return WordVectors([f"w{n}" for n in range(size)], matrix)


def gensim_of(vectors: WordVectors) -> KeyedVectors:
    keyed = KeyedVectors(vectors.dim)
    keyed.add_vectors(list(vectors.words), np.array(vectors.matrix))
    return keyed


def obvious_cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    lengths = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other))
    return product / lengths if lengths else 0.0


def obvious_nearest(vectors: WordVectors, query: NDArray[np.float32], without: set[str], count: int) -> list[str]:
    rows = vectors.matrix.astype(float).tolist()
    scores = {w: obvious_cosine(row, query.tolist()) for w, row in zip(vectors.words, rows, strict=True)}
    return sorted((w for w in vectors.words if w not in without), key=lambda w: -scores[w])[:count]


def test_what_it_is() -> None:
    vectors = WordVectors(["a", "b"], [[1, 2, 3], [4, 5, 6]], [7, 3])
    assert (len(vectors), vectors.dim, vectors.words, list(vectors)) == (2, 3, ("a", "b"), ["a", "b"])
    assert "a" in vectors
    assert "c" not in vectors
    assert vectors["b"].tolist() == [4, 5, 6]
    assert vectors.matrix.dtype == np.float32
    assert vectors.counts is not None
    assert vectors.counts.tolist() == [7, 3]
    assert vectors.place("b") == 1


def test_the_matrix_is_not_copied_and_can_not_be_changed_through_it() -> None:
    matrix = np.ones((2, 3), np.float32)
    vectors = WordVectors(["a", "b"], matrix)
    assert np.shares_memory(vectors.matrix, matrix)
    with pytest.raises(ValueError, match="read-only"):
        vectors.matrix[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        vectors["a"][0] = 5


def test_cosines_on_a_plane() -> None:
    half = math.sqrt(0.5)
    assert PLANE.similarity("east", "north") == 0
    assert PLANE.similarity("east", "west") == -1
    assert PLANE.similarity("east", "northeast") == pytest.approx(half)
    assert [w for w, _ in PLANE.nearest("east")] == ["northeast", "north", "nowhere", "west"]
    assert [s for _, s in PLANE.nearest("east")] == pytest.approx([half, 0, 0, -1])
    assert PLANE.nearest(np.array([0, 9.0]), 1) == [("north", 1.0)]  # a vector leaves nothing out
    assert [s for _, s in PLANE.nearest("nowhere")] == [0, 0, 0, 0]


def test_concepts_on_a_plane() -> None:
    assert PLANE.combine(["east", "north"], count=1)[0] == ("northeast", pytest.approx(1))
    assert PLANE.combine("east", "northeast", count=4)[-1][0] == "north"
    assert PLANE.combine([("north", 1.0)], [("east", 0.0)], count=1)[0][0] == "northeast"
    assert PLANE.combine(("east", -1.0), count=1)[0][0] == "west"
    # a weight of 3 turns the sum to within atan(1 / 3) of east
    score = dict(PLANE.combine([("east", 3.0), "north"], count=9))["northeast"]
    assert score == pytest.approx(math.cos(math.pi / 4 - math.atan(1 / 3)), abs=1e-6)


def test_odd_one_out_by_hand_and_as_gensim_finds_it() -> None:
    assert PLANE.odd_one_out(["east", "northeast", "north", "west"]) == "west"
    vectors = random_vectors()
    keyed = gensim_of(vectors)
    generator = np.random.default_rng(1)
    for _ in range(50):
        words = [f"w{n}" for n in generator.choice(300, 5, replace=False)]
        assert vectors.odd_one_out(words) == keyed.doesnt_match(words)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 400), st.integers(1, 12))
def test_nearest_is_brute_force(seed: int, size: int, count: int) -> None:
    # Rows of four +-1 have the length 2 and exact cosines, with many ties: the earlier word goes first.
    matrix = np.random.default_rng(seed).choice([-1.0, 1.0, 0.0], (size, 1)) * np.random.default_rng(seed + 1).choice(
        [-1.0, 1.0], (size, 4)
    )
    vectors = WordVectors([f"w{n}" for n in range(size)], matrix)
    found = vectors.nearest("w0", count)
    assert [w for w, _ in found] == obvious_nearest(vectors, vectors["w0"], {"w0"}, count)
    query = np.array([1, 1, -1, 1], np.float32)
    assert [w for w, _ in vectors.nearest(query, count)] == obvious_nearest(vectors, query, set(), count)


def test_nearest_is_what_gensim_finds() -> None:
    vectors = random_vectors(2000)
    keyed = gensim_of(vectors)
    for word in vectors.words[:20]:
        ours, theirs = vectors.nearest(word, 10), keyed.most_similar(word, topn=10)
        assert [w for w, _ in ours] == [w for w, _ in theirs]
        assert [s for _, s in ours] == pytest.approx([s for _, s in theirs], abs=1e-5)


def test_many_at_once_are_the_same_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_vectors, "BLOCK_BYTES", 4 * 300 * 7)  # seven queries at a time
    vectors = random_vectors()
    queries = [*vectors.words[:10], *vectors.matrix[10:20]]
    many = vectors.nearest_many(queries, 5)
    assert len(many) == 20
    for query, found in zip(queries, many, strict=True):
        alone = vectors.nearest(query, 5)
        assert [w for w, _ in found] == [w for w, _ in alone]
        assert [s for _, s in found] == pytest.approx([s for _, s in alone], abs=1e-6)
    assert [found[0][0] for found in vectors.nearest_many(vectors.matrix[:9], 1)] == [f"w{n}" for n in range(9)]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 2000), st.integers(0, 30), st.booleans())
def test_the_largest_are_those_of_a_sort(seed: int, rows: int, width: int, count: int, ties: bool) -> None:
    scores = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    scores = scores.round(0 if ties else 7)
    scores[:, ::5] = -np.inf
    columns, values = largest(scores, count)
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    assert np.array_equal(columns, wanted)
    assert np.array_equal(values, np.take_along_axis(scores, wanted, axis=1))


def test_only_the_most_frequent_are_looked_at() -> None:
    vectors = WordVectors(["a", "b", "c", "d"], [[1, 0], [1, 0.1], [1, 0.2], [1, 0.3]], [5, 1, 9, 7])
    assert vectors.frequent(2).tolist() == [2, 3]
    assert [w for w, _ in vectors.nearest("a", 4, most=2)] == ["c", "d"]
    assert [w for w, _ in vectors.nearest("c", 4, most=2)] == ["d"]
    assert [w for w, _ in WordVectors(vectors.words, vectors.matrix).nearest("a", 4, most=2)] == ["b"]


def royal() -> WordVectors:
    """male, female, royal, fruit as dimensions; king - man + woman = queen."""
    words = ["man", "woman", "king", "queen", "apple", "prince"]
    rows = [[1, 0, 0, 0.1], [0, 1, 0, 0.1], [1, 0, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0.8, 0, 1, 0.3]]
    return WordVectors(words, rows)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_king_is_to_man_as_queen_to_woman(method: word_vectors.Method) -> None:
    assert royal().analogy("man", "king", "woman", method=method)[0][0] == "queen"
    assert {w for w, _ in royal().analogy("man", "king", "woman", 10, method)} == {"queen", "apple", "prince"}


def test_analogies_are_what_gensim_finds() -> None:
    vectors = random_vectors(500)
    keyed = gensim_of(vectors)
    for n in range(40):
        a, b, c = f"w{n}", f"w{n + 50}", f"w{n + 100}"
        theirs = keyed.most_similar(positive=[b, c], negative=[a], topn=5)
        ours = vectors.analogy(a, b, c, 5)
        assert [w for w, _ in ours] == [w for w, _ in theirs]
        assert [s for _, s in ours] == pytest.approx([s for _, s in theirs], abs=1e-5)
        assert vectors.analogy(a, b, c, 1, "mul")[0][0] == keyed.most_similar_cosmul([b, c], [a], topn=1)[0][0]


def test_3cosmul_is_its_formula() -> None:
    vectors = random_vectors(50)
    rows = vectors.matrix.astype(float).tolist()

    def share(x: int, word: int) -> float:
        return (1 + obvious_cosine(rows[x], rows[word])) / 2

    scores = {f"w{x}": share(x, 1) * share(x, 2) / (share(x, 0) + 0.001) for x in range(3, 50)}
    found = vectors.analogy("w0", "w1", "w2", 5, "mul")
    assert [w for w, _ in found] == sorted(scores, key=lambda w: -scores[w])[:5]
    assert [s for _, s in found] == pytest.approx([scores[w] for w, _ in found], rel=1e-4)


class Halves:
    """Gives a vector to words of two known halves."""

    def vector(self, word: str) -> NDArray[np.float64] | None:
        return np.array([1.0, 1.0]) if word == "north-east" else None


def test_an_unknown_word_gets_the_vector_of_its_subwords() -> None:
    vectors = WordVectors(PLANE.words, PLANE.matrix, subwords=Halves())
    assert vectors["north-east"].tolist() == [1, 1]
    assert "north-east" not in vectors
    assert vectors.nearest("north-east", 1)[0][0] == "northeast"
    assert vectors.similarity("north-east", "northeast") == pytest.approx(1)
    assert vectors.odd_one_out(["north-east", "northeast", "west"]) == "west"
    assert vectors.analogy("east", "north", "north-east", count=9)
    assert vectors.find("north-west") is None
    with pytest.raises(VectorsError, match="'north-west' is not among the 5 words; did you mean 'northeast'"):
        vectors["north-west"]


@pytest.mark.parametrize(
    "word, wanted",
    [
        ("Queen", ["queen"]),
        ("quen", ["queen"]),
        ("qeuen", ["queen"]),
        ("queeen", ["queen"]),
        ("quean", ["queen"]),
        ("QUEAN", ["queen"]),
        ("paris", ["Paris"]),
        ("beautyful", ["beautiful"]),
        ("ct", ["cat", "cut"]),
        ("ba", ["ab"]),  # of another first letter: found by the swap only
        ("zzzzzz", []),
        ("", []),
    ],
)
def test_near_spellings(word: str, wanted: list[str]) -> None:
    known = ["cat", "queen", "Paris", "beautiful", "cut", "ab"]
    index = {k: n for n, k in enumerate(known)}
    assert near_spellings(word, index) == wanted


def test_a_zero_or_tiny_row_makes_no_noise() -> None:
    vectors = WordVectors(["a", "b", "c"], np.array([[1e-42, 0], [3e20, 4e20], [0.3, 0.4]], np.float32))
    with np.errstate(all="raise", under="ignore"):
        assert vectors.nearest("b") == [("c", pytest.approx(1)), ("a", 0.0)]
        assert vectors.similarity("a", "b") == 0


NOT_A_NUMBER = [[1, 2], [math.nan, 0]]


@pytest.mark.parametrize(
    "words, matrix, counts, message",
    [
        ([], np.empty((0, 2)), None, "there are no words"),
        (["a", "b", "a"], np.ones((3, 2)), None, "'a' is repeated, at places 0 and 2"),
        ("ab", np.ones((2, 2)), None, "a list of words, got the text 'ab'"),
        (["a", 3], np.ones((2, 2)), None, "must be text, got 3 at place 1"),
        (["a", "b"], np.ones((3, 2)), None, r"\(2, D\), got \(3, 2\)"),
        (["a", "b"], np.ones(2), None, r"got \(2,\)"),
        (["a", "b"], NOT_A_NUMBER, None, "'b' holds NaN or infinity"),
        (["a", "b"], [[1e39, 0], [0, 1]], None, "'a' holds NaN or infinity"),
        (["a", "b"], np.ones((2, 2)), [1], "counts must be 2 whole numbers"),
        (["a", "b"], np.ones((2, 2)), [1.5, 2], "counts must be 2 whole numbers"),
        (["a", "b"], np.ones((2, 2)), [1, -2], "none below 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_what_can_not_be_vectors_is_refused(words: list[str], matrix: object, counts: object, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        WordVectors(words, matrix, counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask, message",
    [
        (lambda v: v.nearest("eest"), "'eest' is not among the 5 words; did you mean 'east'"),
        (lambda v: v["qqqq"], "none of them is spelled like it"),
        (lambda v: v[3], "a word must be text, got 3"),
        (lambda v: v.place("eest"), "did you mean 'east'"),
        (lambda v: v.nearest([1.0, 2.0, 3.0]), r"shape \(2,\), got \(3,\)"),
        (lambda v: v.nearest([1.0, math.nan]), "finite numbers"),
        (lambda v: v.nearest(object()), "a word or a vector"),
        (lambda v: v.nearest("east", 0), "at least 1, got 0"),
        (lambda v: v.nearest("east", most=0), "at least 1, got 0"),
        (lambda v: v.nearest_many("east"), "got the text 'east'"),
        (lambda v: v.combine([], []), "nothing to combine"),
        (lambda v: v.combine([("east", math.inf)]), "finite number, got inf"),
        (lambda v: v.combine([("east", "west")]), "finite number, got 'west'"),
        (lambda v: v.combine([("east", 1.0, 2)]), "finite number, got 1.0, 2"),
        (lambda v: v.combine([()]), "finite number, got none"),
        (lambda v: v.odd_one_out(["east", "west", "east"]), "three different words, got 2"),
        (lambda v: v.odd_one_out("east"), "three different words, got 1"),
        (lambda v: v.analogy("east", "west", "north", method="mull"), "'mull'; did you mean 'mul'"),
    ],
)
def test_a_wrong_question_is_told_in_one_line(ask: object, message: str) -> None:
    with pytest.raises(TextdlError, match=message) as caught:
        ask(PLANE)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_a_row_too_long_for_float32_is_refused_where_it_would_go_wrong() -> None:
    with pytest.raises(VectorsError, match="'b' is 1e\\+35 long"):
        WordVectors(["a", "b"], np.array([[1, 0], [1e35, 0]], np.float32)).nearest("a")


def test_no_similarity_is_beyond_one() -> None:
    vectors = random_vectors(2000)
    assert all(0.999 < vectors.similarity(word, word) <= 1 for word in vectors.words)
