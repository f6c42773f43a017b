"""Linear classifiers against scikit-learn's own pipelines."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MultiLabelBinarizer, Normalizer, StandardScaler
from sklearn.svm import LinearSVC

from textdl.baselines.linear import LinearClassifier

from .corpora import a_corpus, several_of, some_vectors

PATTERN = {"token_pattern": r"[^\W_]+(?:['’\-][^\W_]+)*", "ngram_range": (1, 2)}


def decided(pipeline, texts) -> np.ndarray:
    """scikit-learn's scores, with a column for each class."""
    scores = pipeline.decision_function(texts)
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


class Ratio:
    """NB-SVM's features as the paper has them, one class against the rest, slowly and by itself."""

    def __init__(self, texts, truth):
        self.counter = CountVectorizer(binary=True, **PATTERN)
        rows = self.counter.fit_transform(texts).toarray()
        p, q = np.ones(rows.shape[1]), np.ones(rows.shape[1])
        for row, is_it in zip(rows, truth, strict=True):
            (p if is_it else q)[row > 0] += 1
        self.ratio = np.log((p / sum(p)) / (q / sum(q)))
        machine = LinearSVC(random_state=1, tol=1e-6, max_iter=100000).fit(self.rows(texts) * self.ratio, truth)
        weights = machine.coef_[0]
        self.weights = (np.mean(np.abs(weights)) + weights) / 2 * self.ratio
        self.bias = machine.intercept_[0]

    def rows(self, texts):
        return Normalizer().fit_transform(self.counter.transform(texts).toarray().astype(float))

    def decide(self, texts):
        return self.rows(texts) @ self.weights + self.bias


class TestAsScikitLearn:
    @pytest.mark.parametrize("classes", [2, 3])
    def test_linear_svm(self, classes):
        (texts, labels), (new, _) = a_corpus(1, classes), a_corpus(2, classes)
        theirs = make_pipeline(TfidfVectorizer(**PATTERN), LinearSVC(C=0.7)).fit(texts, labels)
        ours = LinearClassifier("linear-svm", strength=0.7).fit(texts, labels)
        assert ours.classes_.tolist() == theirs.classes_.tolist()
        np.testing.assert_allclose(ours.decision_function(new), decided(theirs, new), atol=2e-3)
        assert ours.predict(new).tolist() == theirs.predict(new).tolist()

    @pytest.mark.parametrize("classes", [2, 3])
    def test_logistic(self, classes):
        (texts, labels), (new, _) = a_corpus(3, classes), a_corpus(4, classes)
        theirs = make_pipeline(CountVectorizer(**PATTERN), LogisticRegression(C=0.5, max_iter=1000)).fit(texts, labels)
        ours = LinearClassifier("logistic", "counts", strength=0.5).fit(texts, labels)
        np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), atol=2e-3)
        assert ours.predict(new).tolist() == theirs.predict(new).tolist()

    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("features", ["one-hot", "counts", "tfidf"])
    def test_naive_bayes(self, classes, features):
        (texts, labels), (new, _) = a_corpus(5, classes), a_corpus(6, classes)
        counter = TfidfVectorizer(**PATTERN) if features == "tfidf" else CountVectorizer(binary=features == "one-hot")
        counter.set_params(**PATTERN)
        theirs = make_pipeline(counter, MultinomialNB(alpha=0.5)).fit(texts, labels)
        ours = LinearClassifier("naive-bayes", features, strength=2).fit(texts, labels)
        np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), atol=1e-4)

    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("features", [None, "counts"])
    def test_nb_svm(self, classes, features):
        (texts, labels), (new, _) = a_corpus(7, classes), a_corpus(8, classes)
        ours = LinearClassifier("nb-svm", features).fit(texts, labels)
        scores = np.stack(
            [Ratio(texts, [label == name for label in labels]).decide(new) for name in ours.classes_], axis=1
        )
        np.testing.assert_allclose(ours.decision_function(new), scores, atol=5e-3)
        assert ours.predict(new).tolist() == ours.classes_[scores.argmax(axis=1)].tolist()

    def test_characters(self):
        (texts, labels), (new, _) = a_corpus(9), a_corpus(10)
        theirs = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), min_df=2), LinearSVC())
        ours = LinearClassifier("linear-svm", unit="within", ngrams=3, least_documents=2).fit(texts, labels)
        np.testing.assert_allclose(ours.decision_function(new), decided(theirs.fit(texts, labels), new), atol=2e-3)

    @pytest.mark.parametrize("method", ["logistic", "linear-svm"])
    def test_vectors(self, method):
        (texts, labels), (new, _) = a_corpus(11, 3), a_corpus(12, 3)
        vectors = some_vectors()

        def mean(texts):
            known = [[vectors[word] for word in text.split() if word in vectors] for text in texts]
            return np.array([np.mean(rows, axis=0) if rows else np.zeros(5) for rows in known])

        model = LogisticRegression() if method == "logistic" else LinearSVC()
        theirs = make_pipeline(StandardScaler(), model).fit(mean(texts), labels)
        ours = LinearClassifier(method, "vectors", strength=1.0, vectors=vectors).fit(texts, labels)
        new.append("nothing known")
        np.testing.assert_allclose(ours.decision_function(new), decided(theirs, mean(new)), atol=2e-3)

    @pytest.mark.parametrize("method", ["linear-svm", "logistic", "naive-bayes"])
    def test_several_labels(self, method):
        (texts, _), (new, _) = a_corpus(13), a_corpus(14)
        labels = several_of(texts)
        assert () in labels
        marks = MultiLabelBinarizer()
        truth = marks.fit_transform(labels)
        models = {
            "linear-svm": LinearSVC(),
            "logistic": LogisticRegression(),
            "naive-bayes": MultinomialNB(),
        }
        theirs = make_pipeline(TfidfVectorizer(**PATTERN), OneVsRestClassifier(models[method])).fit(texts, truth)
        ours = LinearClassifier(method, "tfidf", strength=1.0, several=True).fit(texts, labels)
        assert ours.classes_.tolist() == marks.classes_.tolist()
        assert ours.predict(new) == marks.inverse_transform(theirs.predict(new))
        if method == "linear-svm":
            np.testing.assert_allclose(ours.decision_function(new), theirs.decision_function(new), atol=2e-3)
        else:
            np.testing.assert_allclose(ours.predict_proba(new), theirs.predict_proba(new), atol=2e-3)

    @pytest.mark.parametrize("several", [False, True])
    def test_balanced_classes(self, several):
        """As a text of a small class given again and again."""
        texts, labels = ["a b", "a c", "a d", "b d", "c c", "b b"], [*"xxxxyy"]
        again = [*texts, *texts[4:]]
        for method in ("logistic", "linear-svm"):
            balanced = LinearClassifier(method, "counts", class_weights="balanced", strength=1.0, several=several)
            plain = LinearClassifier(method, "counts", several=several, vectors=None)
            wide = [(label,) for label in labels] if several else labels
            # weights 6 / (2 * 4) and 6 / (2 * 2): as 0.75 of each, the small class's twice
            plain.strength = 0.75
            made = balanced.fit(texts, wide).decision_function(texts)
            wanted = plain.fit(again, [*wide, *wide[4:]]).decision_function(texts)
            np.testing.assert_allclose(made, wanted, atol=1e-3)
            unweighted = clone(balanced).set_params(class_weights="none").fit(texts, wide).decision_function(texts)
            assert np.abs(made - unweighted).max() > 0.05
