"""Document vectors by hand, against scikit-learn's TF-IDF, and against slow formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from textdl.errors import ConfigError, CorpusError
from textdl.vectors.cooccurrence import CoOccurrence
from textdl.vectors.documents import DocumentVectors
from textdl.vectors.word_vectors import WordVectors

WORDS = ["cat", "dog", "sun", "rain", "never"]
VECTORS = WordVectors(WORDS, np.random.default_rng(0).standard_normal((5, 3)), [40, 30, 20, 10, 0])
TRAINING = ["cat dog cat", "sun rain unheard", "dog", "unheard", "", "rain cat rain sun sun"]
OTHERS = ["cat", "never sun", "nothing known"]


def slow_sif(documents: list[str], share: dict[str, float], smoothing: float) -> Any:
    made = np.zeros((len(documents), 3))
    for number, document in enumerate(documents):
        known = [word for word in document.split() if word in WORDS]
        for word in known:
            made[number] += smoothing / (smoothing + share[word]) * VECTORS[word].astype(float) / len(known)
    return made


def test_the_average_by_hand() -> None:
    vectors = WordVectors(["a", "b"], [[1, 2], [4, 8]])
    made = DocumentVectors(vectors, "mean").fit_transform(["a b a", ["b", "unheard"], "unheard", ""])
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, [[2, 4], [4, 8], [0, 0], [0, 0]], rtol=1e-6)


def test_tfidf_weighs_as_scikit_learn_does() -> None:
    made = DocumentVectors(VECTORS, "tfidf").fit(TRAINING)
    theirs = TfidfVectorizer(vocabulary=WORDS, norm="l1", token_pattern=r"\w+").fit(TRAINING)
    for documents in (TRAINING, OTHERS):
        np.testing.assert_allclose(
            made.transform(documents), theirs.transform(documents) @ VECTORS.matrix, rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("components", [0, 1, 2])
@pytest.mark.parametrize("frequencies", ["documents", "vectors"])
def test_smooth_inverse_frequency_is_that_of_the_slow_formula(components: int, frequencies: str) -> None:
    estimator = DocumentVectors(VECTORS, smoothing=0.1, components=components, frequencies=frequencies)
    learned = estimator.fit(TRAINING).transform(TRAINING)
    if frequencies == "vectors":
        share = dict(zip(WORDS, [0.4, 0.3, 0.2, 0.1, 0.0], strict=True))
    else:  # of the 11 known words of the training documents
        share = dict(zip(WORDS, [3 / 11, 2 / 11, 3 / 11, 3 / 11, 0.0], strict=True))
    plain = slow_sif(TRAINING, share, 0.1)
    _, _, directions = np.linalg.svd(plain, full_matrices=False)
    common = directions[:components]
    np.testing.assert_allclose(learned, plain - plain @ common.T @ common, atol=1e-5)
    np.testing.assert_allclose(np.abs(estimator.components_), np.abs(common), atol=1e-5)
    # Of other documents that of the training ones is taken off, and their words weigh what they weighed there.
    later = slow_sif(OTHERS, share, 0.1)
    np.testing.assert_allclose(estimator.transform(OTHERS), later - later @ common.T @ common, atol=1e-5)
    np.testing.assert_array_equal(clone(estimator).fit_transform(TRAINING), learned)


def test_a_document_is_the_same_whatever_stands_beside_it() -> None:
    for weighting in ("mean", "tfidf", "sif"):
        estimator = DocumentVectors(VECTORS, weighting).fit(TRAINING)
        alone = np.concatenate([estimator.transform([document]) for document in OTHERS])
        np.testing.assert_allclose(estimator.transform(OTHERS), alone, atol=1e-6)


def test_a_search_over_settings_in_a_pipeline() -> None:
    random = np.random.default_rng(1)
    kinds = random.integers(2, size=60)
    documents = [" ".join(random.choice([["cat", "dog"], ["sun", "rain"]][kind], 4)) for kind in kinds]
    pipeline = make_pipeline(DocumentVectors(VECTORS), LogisticRegression())
    search = GridSearchCV(pipeline, {"documentvectors__weighting": ["mean", "tfidf", "sif"]}, cv=3, error_score="raise")
    search.fit(documents, kinds)
    assert search.best_score_ == 1.0
    assert search.best_estimator_[0].vectors is VECTORS  # shared, not copied
    assert pipeline[:1].fit(documents).get_feature_names_out().tolist() == ["dimension0", "dimension1", "dimension2"]


def test_word_vectors_are_fitted_to_the_documents() -> None:
    inner = CoOccurrence(window=2, dim=2, least_count=1)
    made = DocumentVectors(inner, "mean").fit(TRAINING)
    assert not hasattr(inner, "vectors_")
    expected = clone(inner).fit([document.split() for document in TRAINING]).vectors_
    assert made.vectors_.words == expected.words
    np.testing.assert_array_equal(made.vectors_.matrix, expected.matrix)
    np.testing.assert_allclose(made.transform(["cat rain"])[0], (expected["cat"] + expected["rain"]) / 2, rtol=1e-5)


def test_documents_are_cut_by_the_tokenizer() -> None:
    made = DocumentVectors(VECTORS, "mean", tokenizer=lambda text: text.lower().split(",")).fit_transform(["CAT,Sun"])
    np.testing.assert_allclose(made[0], (VECTORS["cat"] + VECTORS["sun"]) / 2, rtol=1e-6)


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"weighting": "tf-idf"}, "did you mean 'tfidf'"),
        ({"frequencies": "vector"}, "did you mean 'vectors'"),
        ({"smoothing": 0}, "smoothing must be more than 0"),
        ({"components": -1}, "components must be"),
        ({"components": 1.5}, "components must be a whole number"),
        ({"vectors": "vectors.bin"}, r"textdl\.open_vectors"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        DocumentVectors(**{"vectors": VECTORS, **settings}).fit(TRAINING)


def test_wrong_documents_are_said() -> None:
    estimator = DocumentVectors(VECTORS).fit(TRAINING)
    for wrong in (estimator.fit, estimator.transform):
        with pytest.raises(CorpusError, match="got one text"):
            wrong("cat dog")
        for document in (3, b"cat dog"):
            with pytest.raises(CorpusError, match="document 1 must be"):
                wrong(["cat", document])
    with pytest.raises(CorpusError, match="no documents"):
        estimator.fit([])
    assert estimator.transform([]).shape == (0, 3)
    with pytest.raises(ConfigError, match="have no counts"):
        DocumentVectors(WordVectors(["a"], [[1.0]]), frequencies="vectors").fit(["a"])
    with pytest.raises(CorpusError, match="sentence 1 must be"):  # of the vectors, which are fitted first
        DocumentVectors(CoOccurrence(dim=2)).fit([3])
