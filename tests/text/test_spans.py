"""Spans in tags: against seqeval, against spellings written out from random spans, and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from textdl.text.spans import Span, scheme_of, spans, to_iob2

SCHEMES = {"iob1": IOB1, "iob2": IOB2, "iobes": IOBES, "bilou": BILOU}
KINDS = ("PER", "LOC", "a-b")


def written(found: list[Span], length: int, scheme: str) -> list[str]:
    """Spans in a spelling, by its definition."""
    tags = ["O"] * length
    for kind, start, end in found:
        letters = ["I"] * (end - start)
        touches = any((other, until) == (kind, start) for other, _, until in found)
        if scheme != "iob1" or touches:
            letters[0] = "B"
        if scheme in ("iobes", "bilou"):
            letters[-1] = "E" if scheme == "iobes" else "L"
            if end - start == 1:
                letters = ["S" if scheme == "iobes" else "U"]
        tags[start:end] = [f"{letter}-{kind}" for letter in letters]
    return tags


@st.composite
def some_spans(draw: st.DrawFn) -> tuple[list[Span], int]:
    found, at = [], 0
    for kind, gap, length in draw(
        st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 2), st.integers(1, 4)), max_size=6)
    ):
        found.append((kind, at + gap, at + gap + length))
        at += gap + length
    return found, at + draw(st.integers(0, 2))


@given(some_spans(), st.sampled_from(sorted(SCHEMES)))
def test_spans_come_back_from_every_spelling(drawn: tuple[list[Span], int], scheme: str) -> None:
    found, length = drawn
    tags = written(found, length, scheme)
    assert spans(tags) == found
    assert to_iob2(tags, scheme) == written(found, length, "iob2")
    strict = [(one.tag, one.start, one.end) for one in Entities([tags], SCHEMES[scheme]).entities[0]]
    assert spans(tags) == strict


@given(st.lists(st.tuples(st.sampled_from("BIES"), st.sampled_from(KINDS)).map("-".join) | st.just("O"), max_size=12))
def test_ill_formed_tags_are_read_as_seqeval_does(tags: list[str]) -> None:
    assert spans(tags) == [(kind, start, last + 1) for kind, start, last in get_entities(tags)]
    assert spans([tag.replace("E-", "L-").replace("S-", "U-") for tag in tags]) == spans(tags)
    assert spans(to_iob2(tags, "iobes")) == spans(tags)
    strict = Entities([to_iob2(tags, "iobes")], IOB2).entities[0]
    assert [(one.tag, one.start, one.end) for one in strict] == spans(tags), "well-formed now"


@given(st.lists(some_spans(), min_size=1, max_size=4), st.sampled_from(sorted(SCHEMES)))
def test_the_spelling_is_told(drawn: list[tuple[list[Span], int]], scheme: str) -> None:
    sentences = [written(found, length, scheme) for found, length in drawn]
    told = scheme_of(sentences)
    if not any(found for found, _ in drawn):
        assert told is None
        return
    # Where no last token and no span of one shows, B and I may be another's; no tag may then belie what was told.
    assert told == scheme or [written(found, length, str(told)) for found, length in drawn] == sentences


@pytest.mark.parametrize(
    "sentences, scheme",
    [
        ([["O", "I-PER", "I-PER", "B-PER"], ["I-LOC"]], "iob1"),
        ([["I-PER", "I-LOC"]], "iob1"),
        ([["B-PER", "I-PER"], ["O"]], "iob2"),
        ([["B-PER", "I-LOC"]], "iob2"),  # one slip in it
        ([["O", "S-PER"], ["B-PER", "E-PER"]], "iobes"),
        ([["O", "U-PER"], ["B-PER", "L-PER"]], "bilou"),
        ([["B", "I", "O"]], "iob2"),
        ([["O", "O"]], None),
        ([], None),
        ([["NOUN", "VERB"]], None),
        ([["B-PER", "NOUN"]], None),
        ([["S-PER", "L-PER"]], None),
        ([["PRP$", "I"]], None),
    ],
)
def test_scheme(sentences: list[list[str]], scheme: str | None) -> None:
    assert scheme_of(sentences) == scheme


def test_by_hand() -> None:
    assert spans(["I-PER", "I-PER", "B-PER", "O", "I-LOC"]) == [("PER", 0, 2), ("PER", 2, 3), ("LOC", 4, 5)]
    assert spans(["U-A", "B-A", "L-A", "L-A"]) == [("A", 0, 1), ("A", 1, 3), ("A", 3, 4)]
    assert spans(["B", "I", "O"]) == [("", 0, 2)]
    assert to_iob2(["I", "I", "O"], "iob1") == ["B", "I", "O"]
    assert spans([]) == []
    assert to_iob2(["NOUN", "O"], None) == ["NOUN", "O"]
