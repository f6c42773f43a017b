"""Dividing documents: pieces that join to the whole, shares that come out, cuts where a slow search puts them."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.text import dividing

TEXT = st.text(alphabet="ab\n", max_size=60)


def parts_of(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dividing, "PIECE", 10)
        yield


@settings(deadline=None)
@given(TEXT, st.integers(1, 30))
def test_pieces(text: str, size: int) -> None:
    pieces = list(dividing.in_pieces(parts_of(text, size)))
    assert "".join(piece for piece, _ in pieces) == text
    assert [last for _, last in pieces] == [False] * (len(pieces) - 1) + [True] * bool(text)
    assert all(0 < len(piece) <= 10 for piece, _ in pieces)
    assert pieces == list(dividing.in_pieces([text])), "where it is cut must not depend on the parts"
    for piece, last in pieces:
        assert last or piece.endswith("\n") or "\n" not in piece[5:]


def target_of(text: str, end: float) -> int:
    """The share rounded up, but with a character on both sides where there are two."""
    return max(1, min(math.ceil(len(text) * end), len(text) - 1))


def slow_cuts(text: str, ends: tuple[float, ...]) -> list[int]:
    """For each end, the distance of the best allowed cut to its target: by trying every place."""
    distances = []
    for end in ends:
        target = target_of(text, end)
        lines = [i for i in range(1, len(text)) if text[i - 1] == "\n" and abs(i - target) <= 10]
        distances.append(min((abs(i - target) for i in lines), default=0))
    return distances


@settings(deadline=None)
@given(TEXT.filter(bool), st.integers(1, 30), st.sampled_from([(0.5, 0.75), (0.9, 0.95), (0.25, 0.5)]))
def test_cuts(text: str, size: int, ends: tuple[float, ...]) -> None:
    places = dividing.cuts(lambda: parts_of(text, size), ends)
    assert places[0] == 0
    assert places[-1] == len(text)
    assert 0 < places[1] <= places[2] <= len(text)
    targets = [target_of(text, end) for end in ends]
    assert [abs(p - t) for p, t in zip(places[1:-1], targets, strict=True)] == slow_cuts(text, ends)
    split = ["".join(dividing.between(parts_of(text, size), a, b)) for a, b in itertools.pairwise(places)]
    assert split == [text[a:b] for a, b in itertools.pairwise(places)]


def test_nothing_is_cut_off_where_nothing_is_held_out() -> None:
    assert dividing.cuts(lambda: ["one\ntwo\nthree"], (0.6, 1.0)) == (0, 8, 13, 13)


def test_dealing_gives_the_shares() -> None:
    shares = {"test": 0.1, "validation": 0.2}
    dealt = [dividing.deal(f"document {n}", shares) for n in range(20_000)]
    # Four standard deviations of a binomial of 20,000.
    assert dealt.count("test") == pytest.approx(2000, abs=170)
    assert dealt.count("validation") == pytest.approx(4000, abs=230)
    assert dividing.deal("a", {}) == "train"
    assert dividing.deal("half \ud83d", shares) in ("train", "test", "validation")


def test_more_validation_moves_nothing_into_or_out_of_test() -> None:
    texts = [f"document {n}" for n in range(500)]
    for text in texts:
        few = dividing.deal(text, {"test": 0.1, "validation": 0.1})
        more = dividing.deal(text, {"test": 0.1, "validation": 0.3})
        assert few == more or (few, more) == ("train", "validation")


def test_dealing_is_the_same_for_ever() -> None:
    # printf a | b2sum -l 64 gives 40f89e395b66422f, which is 0.2538 of 2**64.
    assert dividing.deal("a", {"x": 0.253, "y": 0.7}) == "y"
    assert dividing.deal("a", {"x": 0.254, "y": 0.7}) == "x"
    assert dividing.deal("a", {"x": 0.2, "y": 0.05}) == "train"
