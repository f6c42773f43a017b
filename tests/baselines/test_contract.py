"""Linear classifiers in scikit-learn's tools, and what they refuse."""

import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from textdl.baselines.linear import LinearClassifier
from textdl.errors import ConfigError, CorpusError, RunError, TextdlError
from textdl.vectors.word_vectors import WordVectors

from .corpora import a_corpus, pairs_of, several_of, some_vectors

TWO = ["a b", "c d"]
WRONG = [
    ({}, TWO, ["x", "x"], CorpusError, "at least two classes, but all are 'x'"),
    ({}, [], [], CorpusError, "no text"),
    ({}, "one text", ["x"], CorpusError, "list of texts"),
    ({}, TWO, ["x"], CorpusError, "as many labels as texts, got 1 of 2"),
    ({}, TWO, "xy", CorpusError, "labels must be a list"),
    ({}, TWO, [("x",), ("y",)], CorpusError, "several=True"),
    ({}, TWO, ["x", 1], CorpusError, "one kind"),
    ({}, ["...", "!"], ["x", "y"], CorpusError, "no feature"),
    ({}, ["a", None], ["x", "y"], CorpusError, "text 2 must be a text, got None"),
    ({}, ["a", ("b", "c")], ["x", "y"], CorpusError, "text 2 must be a text, got a pair"),
    ({}, [("a", "b"), "a"], ["x", "y"], CorpusError, "text 2 must be a pair of texts, got a text"),
    ({"least_documents": 2}, TWO, ["x", "y"], CorpusError, "least_documents=2"),
    ({"several": True}, TWO, ["x", "y"], CorpusError, "leave several out"),
    ({"several": True}, TWO, [(), ()], CorpusError, "there is none"),
    ({"several": True}, TWO, [("x",), ("x",)], CorpusError, "all are 'x'"),
    ({"several": True}, TWO, np.eye(2, dtype=int), CorpusError, "the labels themselves"),
    (
        {"features": "vectors", "method": "logistic", "vectors": some_vectors()},
        TWO,
        ["x", "y"],
        CorpusError,
        "no word of the 2 texts has a vector",
    ),
    ({}, TWO, [1.0, float("nan")], CorpusError, "label 2 is missing"),
    ({}, TWO, np.array([np.nan, 2.0]), CorpusError, "label 1 is missing"),
    ({"several": True}, TWO, [[1.0], [2.0, float("nan")]], CorpusError, "label 3 is missing"),
    ({"method": "nb-svn"}, TWO, ["x", "y"], ConfigError, "did you mean 'nb-svm'"),
    ({"features": "count"}, TWO, ["x", "y"], ConfigError, "did you mean 'counts'"),
    ({"unit": "line"}, TWO, ["x", "y"], ConfigError, "unit has no choice"),
    ({"ngrams": 0}, TWO, ["x", "y"], ConfigError, "ngrams must be at least 1"),
    ({"most_features": 0}, TWO, ["x", "y"], ConfigError, "most_features must be at least 1"),
    ({"strength": 0}, TWO, ["x", "y"], ConfigError, "strength"),
    ({"strength": "x"}, TWO, ["x", "y"], ConfigError, "strength"),
    ({"class_weights": "even"}, TWO, ["x", "y"], ConfigError, "class_weights has no choice"),
    ({"features": "vectors"}, TWO, ["x", "y"], ConfigError, "counts words"),
    ({"features": "vectors", "method": "logistic"}, TWO, ["x", "y"], ConfigError, "give both"),
    ({"vectors": "vectors.txt", "method": "logistic"}, TWO, ["x", "y"], ConfigError, "give both"),
    ({"features": "vectors", "method": "logistic", "vectors": "nowhere"}, TWO, ["x", "y"], RunError, "nowhere"),
]


class TestRefused:
    @pytest.mark.parametrize(("settings", "texts", "labels", "kind", "message"), WRONG, ids=[w[-1] for w in WRONG])
    def test_in_one_line(self, settings, texts, labels, kind, message):
        with pytest.raises(kind, match=message) as caught:
            LinearClassifier(**settings).fit(texts, labels)
        assert isinstance(caught.value, TextdlError)
        assert "\n" not in str(caught.value)

    def test_texts_of_the_other_kind(self):
        single, pair = LinearClassifier().fit(TWO, [0, 1]), LinearClassifier().fit([("a", "b"), ("c", "d")], [0, 1])
        with pytest.raises(CorpusError, match="got a pair"):
            single.predict([("a", "b")])
        with pytest.raises(CorpusError, match="got a text"):
            pair.predict(["a"])
        with pytest.raises(CorpusError, match=r"\[text\]"):
            single.predict("a")
        assert single.predict([]).tolist() == []
        assert single.predict_proba([]).shape == (0, 2)

    def test_not_fitted(self):
        for name in ("predict", "predict_proba", "decision_function", "contributions", "token_weights"):
            with pytest.raises(NotFittedError):
                getattr(LinearClassifier(), name)(["a"])


#: scikit-learn's own takes the scores of two classes for one column, which they are not here.
AREA = make_scorer(lambda truth, made: roc_auc_score(truth, made), response_method="predict_proba")


class TestContract:
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
    def test_checks_that_need_no_numbers(self, check_plainly):
        check_plainly(LinearClassifier())

    def test_cross_validation(self):
        texts, labels = a_corpus(19)
        assert cross_val_score(LinearClassifier(), texts, labels, cv=4).mean() > 0.8
        assert cross_val_score(LinearClassifier(), texts, labels, cv=3, scoring=AREA).mean() > 0.9
        assert cross_val_score(LinearClassifier(), pairs_of(texts), labels, cv=3).mean() > 0.7
        assert cross_val_score(LinearClassifier(), *a_corpus(20, 3), cv=3, scoring="neg_log_loss").mean() > -1.1
        several = cross_val_score(LinearClassifier(several=True), texts, several_of(texts), cv=KFold(3))
        assert several.mean() > 0.5

    def test_grid_search(self):
        texts, labels = a_corpus(21)
        grid = {"method": ["logistic", "naive-bayes"], "strength": np.array([1, 10])}
        search = GridSearchCV(LinearClassifier(), grid, cv=2).fit(np.array(texts, object), np.array(labels))
        assert len(search.cv_results_["params"]) == 4
        assert search.best_estimator_.predict(texts[:1]).shape == (1,)
        numbers = LinearClassifier(ngrams=np.int64(1), least_documents=np.int64(2), seed=np.int64(3))
        assert json.loads(json.dumps(numbers.fit(texts, labels).facts()))["ngrams"] == 1

    def test_a_clone_shares_the_vectors(self):
        vectors = some_vectors()
        assert clone(LinearClassifier("logistic", "vectors", vectors=vectors)).vectors is vectors

    def test_vectors_from_a_file(self, tmp_path):
        vectors, (texts, labels) = some_vectors(), a_corpus(22)
        vectors.save(tmp_path / "v.safetensors")
        one, other = (
            LinearClassifier("logistic", "vectors", vectors=given).fit(texts, labels)
            for given in (vectors, tmp_path / "v.safetensors")
        )
        assert np.array_equal(one.weights_, other.weights_)

    def test_no_torch(self):
        code = "import sys, textdl.baselines.linear; print('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"

    def test_vectors_that_know_capitals(self):
        vectors = WordVectors(["May", "may"], np.eye(2))
        model = LinearClassifier("logistic", "vectors", vectors=vectors).fit(["May", "may"], ["month", "verb"])
        assert model.predict(["in May", "it may"]).tolist() == ["month", "verb"]
