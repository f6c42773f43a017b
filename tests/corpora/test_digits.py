"""The corpus "digits": what scikit-learn has, no more and no less."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import textdl_corpora
from sklearn.datasets import load_digits

from textdl.corpus import open_corpus
from textdl.errors import CorpusError
from textdl.image_corpus import ImagesConfig, open_images


def test_it_is_the_array_of_scikit_learn() -> None:
    assert "digits" in textdl_corpora.NAMES
    wanted = load_digits()
    corpus = open_images("digits", ImagesConfig(validation=0, test=0))
    pixels, labels = corpus.images("train")
    assert corpus.labels == tuple("0123456789")
    assert corpus.shape == (8, 8, 1)
    assert (pixels.dtype, pixels.max(), pixels.min()) == (np.uint8, 255, 0)
    np.testing.assert_array_equal(np.rint(pixels[..., 0] / 255 * 16), wanted.images)
    np.testing.assert_array_equal(labels, wanted.target)


def test_what_is_held_out() -> None:
    corpus = open_images("digits")
    assert corpus.own_splits == ("train",)
    counts = {split: len(corpus.images(split).labels) for split in corpus.splits}
    assert sum(counts.values()) == 1797
    for split in ("validation", "test"):
        assert 60 <= counts[split] <= 120
        assert len(Counter(corpus.images(split).labels.tolist())) == 10, "every digit is there"
    # Known by heart: a change of how images are dealt moves them, and makes figures incomparable.
    assert counts == {"train": 1616, "validation": 88, "test": 93}
    few = open_images("digits", ImagesConfig(limit=100, validation=0, test=0))
    np.testing.assert_array_equal(few.images("train").labels, load_digits().target[:100])


def test_the_card() -> None:
    card = open_images("digits").card
    assert (card.name, card.holds) == ("digits", "images")
    assert "scikit-learn" in card.body
    assert "hash of each image's pixels" in " ".join(card.body.split())


def test_it_is_no_corpus_of_text() -> None:
    with pytest.raises(CorpusError, match="digits is a corpus of images, and this needs one of text"):
        open_corpus("digits")
