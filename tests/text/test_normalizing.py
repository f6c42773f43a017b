"""Normalising: hand-worked steps, and properties over any text."""

import itertools
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import ConfigError
from textdl.text.normalizing import NormalizingConfig, normalize, normalize_pieces, normalizer

# Letters whose forms, cases and accents get in each other's way; digits, marks, white space, markup.
ODD = "aAéÉßẞİıſﬁΣςσⅣ½²ǅŉΐḍ̇å\u0301\u0307\u0323\u0345̈йøłกำव़\u0b3c가각ᄀ１٣0123.,:-_ \t\n\r\u00a0\u2028\u3000\x1c<>&;/!#x"
TEXTS = st.one_of(st.text(ODD, max_size=30), st.text(max_size=30))
CONFIGS = st.builds(
    NormalizingConfig,
    form=st.sampled_from(["none", "NFC", "NFD", "NFKC", "NFKD"]),
    case=st.sampled_from(["keep", "lower", "fold"]),
    accents=st.booleans(),
    number=st.sampled_from([None, "num", "0"]),
    space=st.sampled_from(["keep", "collapse", "lines"]),
)


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        ({}, "e\u0301 A  b", "é A  b"),
        ({"form": "NFKC"}, "ﬁve ②", "five 2"),
        ({"form": "NFD"}, "é", "e\u0301"),
        ({"form": "none"}, "e\u0301", "e\u0301"),
        ({"case": "lower"}, "Straße ΑΣ", "straße ας"),
        ({"case": "fold"}, "Straße", "strasse"),
        ({"accents": True}, "Café naïve Å й ø ł ñ", "Cafe naive A и ø ł n"),
        ({"accents": True}, "हिन्दी", "हिन्दी"),
        ({"number": "num"}, "3 of 1,234.50 at 12:30, mp3 4th v1.2x 5.", "num of num at num, mp3 4th v1.2x num."),
        ({"number": "0"}, "(7) -8 9%", "(0) -0 0%"),
        ({"space": "collapse"}, " a \t b\n\u00a0 c\u2028", "a b c"),
        ({"space": "lines"}, " a \t b \n\u00a0 c\r\n", "a b\nc\n"),
        ({"tags": True}, "one<br /><br>two <b>three</b><!-- not <i> this -->.", "one\n\ntwo three."),
        ({"tags": True}, "1 < 2 and 3 > 2; a <3 b", "1 < 2 and 3 > 2; a <3 b"),
        ({"tags": True}, "<P class='x'>One</P>", "\nOne\n"),
        ({"tags": True}, "a <b\nc> d", "a <b\nc> d"),
        ({"entities": True}, "a &amp; b &#233; &lt;br&gt; &unknown;", "a & b é <br> &unknown;"),
        # Entities are read after tags, so that what was written as text is not taken for a tag; and only once.
        ({"tags": True, "entities": True}, "&lt;br&gt;<br>&amp;lt;", "<br>\n&lt;"),
        ({"entities": True, "space": "collapse"}, "a&nbsp;&nbsp;b", "a b"),
        (
            {"tags": True, "entities": True, "case": "fold", "accents": True, "number": "num", "space": "collapse"},
            "<p>Crème  Brûlée &amp; 2 CAFÉS</p>",
            "creme brulee & num cafes",
        ),
    ],
)
def test_hand_worked(settings, text, expected):
    assert normalize(text, NormalizingConfig(**settings)) == expected


@settings(max_examples=400, deadline=None)
@given(TEXTS, CONFIGS)
def test_again_changes_nothing(text, config):
    once = normalize(text, config)
    assert normalize(once, config) == once


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_each_step_leaves_what_it_says(text):
    assert unicodedata.is_normalized("NFKD", normalize(text, NormalizingConfig(form="NFKD")))
    lower = normalize(text, NormalizingConfig(case="lower"))
    assert lower == lower.lower()
    assert normalize(text, NormalizingConfig(form="none", space="collapse")).split() == text.split()
    kept = normalize(text, NormalizingConfig(form="none", space="lines"))
    assert [line.split() for line in kept.split("\n")] == [line.split() for line in text.split("\n")]
    assert normalize(text, NormalizingConfig(form="none")) == text


@settings(max_examples=300, deadline=None)
@given(TEXTS, CONFIGS, st.booleans(), st.data())
def test_pieces_cut_anywhere_give_the_same(text, config, markup, data):
    config = NormalizingConfig(**{**vars(config), "tags": markup, "entities": markup})
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
    assert "".join(normalize_pieces(pieces, config)) == normalize(text, config)


def test_pieces_come_line_by_line():
    config = NormalizingConfig(tags=True, case="lower")
    stream = normalize_pieces(iter(["One <b", "r>two\nTh", "ree"]), config)
    assert list(stream) == ["one \ntwo\n", "three"]


def test_no_pieces():
    for space in ("keep", "collapse", "lines"):
        assert list(normalize_pieces([], NormalizingConfig(space=space))) == []


def test_as_a_function_for_another_process():
    import pickle

    function = pickle.loads(pickle.dumps(normalizer(NormalizingConfig(case="lower"))))
    assert function("ABC") == "abc"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"form": "NFX"}, "form has no choice 'NFX'"),
        ({"case": "upper"}, "case has no choice 'upper'"),
        ({"number": "NUM", "case": "lower"}, "number must be a mark that the other settings leave alone, got 'NUM'"),
        ({"number": " 0 ", "space": "collapse"}, "number must be a mark"),
        ({"number": "a\nb"}, "number must be a mark"),
    ],
)
def test_bad_settings(settings, says):
    with pytest.raises(ConfigError, match=says):
        NormalizingConfig(**settings)


def test_one_text_is_no_pieces():
    from textdl.errors import CorpusError

    with pytest.raises(CorpusError, match="normalize"):
        list(normalize_pieces("one text"))


def test_a_line_of_unclosed_comments_takes_no_square_of_its_length():
    import time

    config = NormalizingConfig(tags=True)
    assert normalize("<!-- <!a> <!-- b\n<!-- c --> d <!-- <?e?> f", config) == "<!--  <!-- b\n d <!--  f"
    start = time.perf_counter()
    assert normalize("<!-- " * 20_000, config) == "<!-- " * 20_000
    assert time.perf_counter() - start < 5  # it took half a minute
