from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nltk.tokenize.destructive import NLTKWordTokenizer

from textdl.text.word_rules import Spacing, sentences, words

CHUNKS = st.text(st.sampled_from("ab.,'\"`()-:!$%1—’“»*cnt[]{}<>&é"), min_size=1, max_size=6)
TYPICAL = st.sampled_from(
    [
        *["can't", "cannot", "gonna", "wanna", "more'n", "'tis", "'Twas", "d'ye", "boys'", "'s", "n't", "Lemme"],
        *["U.S.", "Mr.", "it.", 'it."', "...", "1,000.5", "a:", "``b", "--", "x--y", ")", '"', "'", ",,"],
        *['"Why?"', "''a''"],
    ]
)


@given(st.lists(CHUNKS | TYPICAL, max_size=8).map(" ".join))
@settings(max_examples=600)
@example('He said: "no. " )')
@example("wait. ' \" '' x,, y")
def test_the_fast_way_gives_nltk_s_words(line: str) -> None:
    plain = NLTKWordTokenizer()
    expected = [word for chunks in sentences(line) for word in plain.tokenize(" ".join(chunks))]
    assert words(line) == expected


@pytest.mark.parametrize(
    "line, first",
    [
        ("It rained. We left.", ["It", "rained."]),
        ('"It rained." We left.', ['"It', 'rained."']),
        ("Mr. Smith left. He ran.", ["Mr.", "Smith", "left."]),
        ("J. Smith left.", None),
        ("The U.S. Army left.", None),
        ("approx. Monday", None),
        ("see e.g. Smith", None),
        ("wait... What", None),
        ("it weighs 3. grams", None),
        ("No 3. 4 men", None),
        ("(It rained.) We left.", ["(It", "rained.)"]),
    ],
)
def test_sentences(line: str, first: list[str] | None) -> None:
    assert next(sentences(line)) == (first or line.split())


def test_words_worked_by_hand() -> None:
    assert words('It rained. "Don\'t go," he said.\n\nOK?') == (
        ["It", "rained", ".", "``", "Do", "n't", "go", ",", "''", "he", "said", ".", "\n", "\n", "OK", "?"]
    )
    assert words("") == words("  \t ") == []
    assert words("\n") == ["\n"]


@pytest.mark.parametrize(
    "text",
    [
        "It rained. We left; nobody cared!",
        '"Why," she asked, "don\'t we go?" They\'ll say: "No."',
        "The boys' toys cost $5.50 (about 10% more), didn't they?",
        "He said 'no way' and left.",
        "I cannot, I'm gonna try; it's what we've got.",
        "First line.\nSecond line: [a, b] {c}.\n\nThird...",
        "“Yes,” she said – «oui».",
        "I don’t know what it’s for.",
        "Tom & Ann went #out @home.",
        "'Tis true that 'twas late.",
    ],
)
def test_print_spacing_comes_back(text: str) -> None:
    spacing = Spacing()
    assert "".join(map(spacing.piece, words(text))) == text
