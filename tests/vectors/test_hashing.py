"""Hashed features: by hand, and as a bag of words with other columns."""

import hashlib
import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from textdl.errors import ConfigError, CorpusError
from textdl.vectors import features, hashing
from textdl.vectors.counts import BagOfWords
from textdl.vectors.hashing import Hashing, feature_hash

TEXTS = ["The cat and the dog", "a dog", "", "Cat: über-cat!\nDOG"]


def a_corpus(seed: int, texts: int = 60) -> list[str]:
    draw = random.Random(seed)
    known = [f"w{n}" for n in range(40)] + ["Über", "naïve", "日本語", "it's", "well-known", "x" * 30]
    return [" ".join(draw.choices(known, k=draw.randint(0, 40))) for _ in range(texts)]


def test_the_columns_are_what_the_hash_says():
    rows = Hashing(columns=1000, norm=None).transform(["cat dog cat", ""])
    expected = np.zeros((2, 1000))
    for word, count in {"cat": 2, "dog": 1}.items():
        number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")
        expected[0, (number >> 1) % 1000] += -count if number & 1 else count
    assert np.abs(expected).sum() == 3
    np.testing.assert_array_equal(rows.toarray(), expected)
    assert rows.dtype == np.float32


def test_the_hash_stays_as_it_is():
    # Vectors that people have stored depend on it. The numbers are those of coreutils' b2sum -l 64.
    assert feature_hash("cat") == 0x2F989D7B2CDD2733
    assert feature_hash("new york") == 0xE7CFACEBFD898695


@pytest.mark.parametrize("remembered", [10, 1 << 20])
def test_as_a_bag_of_words_with_other_columns(monkeypatch, remembered):
    monkeypatch.setattr(hashing, "REMEMBERED", remembered)
    monkeypatch.setattr(features, "BATCH", 300)
    texts = a_corpus(7)
    for signed in (True, False):
        for settings in (
            {"cut": "space", "ngrams": (1, 2)},
            {"unit": "within", "ngrams": (2, 3)},
            {"binary": True},
        ):
            bag = BagOfWords(**settings)
            counts = bag.fit_transform(texts).toarray()
            expected = np.zeros((len(texts), 50))
            for place, name in enumerate(bag.get_feature_names_out()):
                number = feature_hash(name)
                expected[:, (number >> 1) % 50] += counts[:, place] * (-1 if signed and number & 1 else 1)
            rows = Hashing(columns=50, signed=signed, norm=None, **settings).transform(texts)
            np.testing.assert_array_equal(rows.toarray(), expected)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_as_near_as_scikit_learn(norm):
    # With columns enough that none is shared, products of rows do not depend on which columns there are.
    texts = a_corpus(8)
    ours = Hashing(cut="space", norm=norm).transform(texts)
    theirs = HashingVectorizer(token_pattern=r"\S+", norm=norm).transform(texts)
    np.testing.assert_allclose((ours @ ours.T).toarray(), (theirs @ theirs.T).toarray(), atol=1e-5)


def test_needs_no_fit_and_keeps_nothing():
    hashing = Hashing(columns=32)
    before = dict(hashing.__dict__)
    assert hashing.transform([]).shape == (0, 32)
    assert hashing.fit(TEXTS).partial_fit(TEXTS).fit_transform(TEXTS).shape == (4, 32)
    assert hashing.__dict__ == before


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"columns": 0}, "columns must be from 1"),
        ({"columns": 2.5}, "columns must be a whole number"),
        ({"norm": "x"}, "norm has no choice"),
        ({"unit": "x"}, "unit has no choice"),
    ],
)
def test_bad_settings(settings, says):
    with pytest.raises(ConfigError, match=says):
        Hashing(**settings).transform(TEXTS)
    with pytest.raises(CorpusError, match="got one text"):
        Hashing().transform("one text")
