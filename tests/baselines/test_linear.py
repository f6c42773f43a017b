"""Linear classifiers: restored from what is stored, and how their scores are made up."""

import json
import random

import numpy as np
import pytest

from textdl import artifact
from textdl.baselines.linear import METHODS, LinearClassifier
from textdl.errors import CorpusError, RunError
from textdl.text.known_words import Vocabulary

from .corpora import KNOWN, MANY, a_corpus, fitted


class TestKept:
    @pytest.mark.parametrize("kind", ["two", "three", "several", "pairs"])
    @pytest.mark.parametrize("settings", MANY, ids=str)
    def test_restored_is_what_was_fitted(self, tmp_path, settings, kind):
        model, new = fitted(settings, kind)
        model.temperature_ = 1.7
        model.vocabulary_.save(tmp_path / "words.json")
        artifact.save_arrays(tmp_path / "model.safetensors", model.arrays(), model.facts())
        arrays, facts = artifact.load_arrays_and_facts(tmp_path / "model.safetensors")
        again = LinearClassifier.restored(Vocabulary.load(tmp_path / "words.json"), arrays, facts)
        assert np.array_equal(again.decision_function(new), model.decision_function(new))
        assert np.array_equal(again.predict_proba(new), model.predict_proba(new))
        assert list(again.predict(new)) == list(model.predict(new))
        assert again.token_weights(new[0])[1].tolist() == model.token_weights(new[0])[1].tolist()
        assert again.facts() == model.facts()
        assert again.vocabulary_ == model.vocabulary_
        assert all(array.dtype == np.float32 for array in model.arrays().values())
        assert model.arrays()["weights"].shape == (len(model.vocabulary_), len(model.classes_))

    @pytest.mark.parametrize("labels", [[3, 1, 3, 1], [True, False, True, False], [0.5, 1.5, 0.5, 1.5]])
    def test_labels_keep_their_type(self, labels):
        model = LinearClassifier().fit(["a", "b", "a c", "b d"], labels)
        again = LinearClassifier.restored(model.vocabulary_, model.arrays(), json.loads(json.dumps(model.facts())))
        assert model.predict(["a", "b"]).tolist() == again.predict(["a", "b"]).tolist() == labels[:2]
        assert model.classes_.dtype == again.classes_.dtype

    def test_what_does_not_fit_is_refused(self):
        model, other = (LinearClassifier("linear-svm").fit(*a_corpus(seed)) for seed in (1, 2))
        with pytest.raises(RunError, match="features by classes"):
            LinearClassifier.restored(Vocabulary(["a"], [1]), model.arrays(), model.facts())
        for arrays, facts in (
            ({**model.arrays(), "idf": other.arrays()["idf"][:-1]}, model.facts()),
            ({"weights": model.weights_}, model.facts()),
            (model.arrays(), {}),
            (model.arrays(), {**model.facts(), "method": "no"}),
            (model.arrays(), {**model.facts(), "novel": 1}),
        ):
            with pytest.raises(RunError):
                LinearClassifier.restored(model.vocabulary_, arrays, facts)


class TestScores:
    @pytest.mark.parametrize("kind", ["two", "three", "several", "pairs"])
    @pytest.mark.parametrize("settings", MANY, ids=str)
    def test_contributions_add_up(self, settings, kind):
        model, new = fitted(settings, kind)
        scores = model.decision_function(new)
        assert scores.shape == (len(new), len(model.classes_))
        for text, row in zip(new, scores, strict=True):
            names, parts = model.contributions(text)
            assert parts.shape == (len(names), len(model.classes_))
            np.testing.assert_allclose(parts.sum(axis=0) + model.bias_, row, atol=1e-4)
            whole = text if isinstance(text, str) else "\n".join(text)
            label = model.classes_.tolist()[-1]
            pieces, weights = model.token_weights(text, label)
            assert "".join(pieces) == whole
            assert all(weight == 0 for piece, weight in zip(pieces, weights, strict=True) if piece.isspace())
            if settings.get("unit") != "character":  # there a space is a feature, and no piece has it
                blank = parts[[not name.split(": ")[-1].strip() for name in names], -1].sum()
                assert weights.sum() + blank + model.bias_[-1] == pytest.approx(row[-1], abs=1e-4)

    @pytest.mark.parametrize("method", METHODS)
    def test_two_classes_are_symmetric(self, method):
        texts, labels = a_corpus(17)
        scores = LinearClassifier(method).fit(texts, labels).decision_function(texts)
        np.testing.assert_allclose(scores[:, 0], -scores[:, 1], atol=1e-5)
        swapped = ["label 1" if label == "label 0" else "label 0" for label in labels]
        other = LinearClassifier(method).fit(texts, swapped).decision_function(texts)
        np.testing.assert_allclose(other, scores[:, ::-1], atol=2e-3)

    def test_probabilities(self):
        for kind in ("two", "three", "several"):
            for method in METHODS:
                model, new = fitted({"method": method}, kind)
                scores, probabilities = model.decision_function(new), model.predict_proba(new)
                assert ((probabilities >= 0) & (probabilities <= 1)).all()
                if kind == "several":
                    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-scores)), rtol=1e-6)
                    assert model.predict(new)[0] == tuple(model.classes_[probabilities[0] > 0.5])
                else:
                    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
                    ratio = np.log(probabilities[:, 1] / probabilities[:, 0])
                    np.testing.assert_allclose(ratio, scores[:, 1] - scores[:, 0], atol=1e-5)
                    model.temperature_ = 2.0
                    cooler = model.predict_proba(new)
                    np.testing.assert_allclose(np.log(cooler[:, 1] / cooler[:, 0]), ratio / 2, atol=1e-5)

    def test_the_same_seed_gives_the_same_bits(self):
        for method in METHODS:
            texts, labels = a_corpus(18)
            one, other = (LinearClassifier(method).fit(texts, labels) for _ in range(2))
            assert np.array_equal(one.weights_, other.weights_)

    def test_alone_as_among_others(self):
        model, new = fitted({"method": "nb-svm"}, "three")
        alone = np.concatenate([model.decision_function([text]) for text in new])
        assert np.array_equal(alone, model.decision_function(new))

    def test_a_label_that_every_text_has(self):
        labels = [("all", "some"), ("all",), ("all", "some"), ("all",)]
        for method in METHODS:
            model = LinearClassifier(method, several=True).fit(["a b", "c d", "a a", "c e"], labels)
            assert model.predict(["a", "c"]) == [("all", "some"), ("all",)]
            assert model.score(["a b", "c d"], [("some", "all"), ("some",)]) == 0.5


class TestPairs:
    def test_features_by_hand(self):
        pairs = [("a cat", "the cat"), ("a dog", "a cat")]
        model = LinearClassifier("naive-bayes", "counts", ngrams=1).fit(pairs, [1, 0])
        names, parts = model.contributions(("A cat", "a cat the dog"))
        assert set(names) == {
            "first: a",
            "first: cat",
            "second: the",
            "second: cat",
            "second: a",
            "both: a",
            "both: cat",
        }
        by_name = dict(zip(names, parts[:, 1], strict=True))
        assert set(model.vocabulary_.words) == set(names) | {"first: dog"}
        ones, zeros = 5 + 8, 5 + 8  # of each class its own, and one more of each of the 8 features
        assert by_name["both: cat"] == pytest.approx(np.log((2 / ones) / (1 / zeros)) / 2, abs=1e-6)
        assert by_name["first: a"] == pytest.approx(0, abs=1e-6)

    def test_shared_words_tell_what_single_words_can_not(self):
        draw = random.Random(1)
        pairs, labels = [], []
        for number in range(300):
            one, other = draw.sample(KNOWN[:20], 2)
            pairs.append((f"see {one}", f"saw {other if number % 2 else one}"))
            labels.append("other" if number % 2 else "same")
        for method, least in (("linear-svm", 1.0), ("logistic", 1.0), ("nb-svm", 0.9)):
            assert LinearClassifier(method).fit(pairs[:250], labels[:250]).score(pairs[250:], labels[250:]) >= least
        apart = LinearClassifier("logistic").fit([" ".join(pair) for pair in pairs[:250]], labels[:250])
        assert apart.score([" ".join(pair) for pair in pairs[250:]], labels[250:]) < 0.8

    def test_the_most_frequent_features_of_each_part(self):
        model = LinearClassifier(ngrams=1, most_features=2).fit([("a a b c", "d"), ("a b", "a")], [0, 1])
        assert model.vocabulary_.words == ("first: a", "first: b", "second: a", "second: d", "both: a")

    def test_pairs_that_share_nothing(self):
        model = LinearClassifier().fit([("a b", ""), ("c d", "")], [0, 1])
        assert {word.split(":")[0] for word in model.vocabulary_.words} == {"first"}
        assert model.predict([("a", "a"), ("d", "c")]).tolist() == [0, 1]

    def test_token_weights_of_both(self):
        model = LinearClassifier("naive-bayes", ngrams=1).fit([("a b", "b"), ("c", "d"), ("c b", "e")], [0, 1, 1])
        pieces, weights = model.token_weights(("b, a", "B"), 0)
        assert pieces == ("b", ",", " ", "a", "\n", "B")
        names, parts = model.contributions(("b, a", "B"))
        part = dict(zip(names, parts[:, 0], strict=True))
        wanted = [
            part["first: b"] + part["both: b"] / 2,
            0,
            0,
            part["first: a"],
            0,
            part["second: b"] + part["both: b"] / 2,
        ]
        np.testing.assert_allclose(weights, wanted, atol=1e-6)


class TestTokenWeights:
    def test_by_hand(self):
        model = LinearClassifier("naive-bayes", "counts").fit(["good film", "bad film"], ["yes", "no"])
        names, parts = model.contributions("A good Film, film!")
        part = dict(zip(names, parts[:, 1], strict=True))
        assert set(part) == {"good", "film", "good film"}
        pieces, weights = model.token_weights("A good Film, film!", "yes")
        assert pieces == ("A", " ", "good", " ", "Film", ",", " ", "film", "!")
        half = part["good film"] / 2
        one = part["film"] / 2
        np.testing.assert_allclose(weights, [0, 0, part["good"] + half, 0, one + half, 0, 0, one, 0], atol=1e-6)
        assert weights[2] > 0.3

    def test_characters_by_hand(self):
        model = LinearClassifier("naive-bayes", unit="within", ngrams=2).fit(["ab", "cb"], [0, 1])
        names, parts = model.contributions("  ab xb")
        part = dict(zip(names, parts[:, 0], strict=True))
        assert set(part) == {" ", " a", "a", "ab", "b", "b "}
        pieces, weights = model.token_weights("  ab xb", 0)
        assert pieces == ("  ", "ab", " ", "xb")
        first = part[" a"] + part["a"] + part["ab"] + part["b"] / 2 + part["b "] / 2
        np.testing.assert_allclose(weights, [0, first, 0, part["b"] / 2 + part["b "] / 2], atol=1e-6)

    def test_the_label_is_the_predicted_one_unless_said(self):
        model, new = fitted({"method": "logistic"}, "three")
        label = model.predict([new[0]])[0]
        assert np.array_equal(model.token_weights(new[0])[1], model.token_weights(new[0], label)[1])
        with pytest.raises(CorpusError, match="no class 'label 7'"):
            model.token_weights(new[0], "label 7")

    def test_no_text(self):
        pieces, weights = fitted({"method": "logistic"}, "two")[0].token_weights("")
        assert (pieces, weights.tolist()) == ((), [])

    def test_what_is_no_character_is_the_one_that_stands_for_it(self):
        model = LinearClassifier("naive-bayes", unit="character", ngrams=1).fit(["\ufffd", "b"], [0, 1])
        for text in ("\ud800", "\x01", "\0"):
            names, parts = model.contributions(text)
            assert names == ("\ufffd",)
            assert model.token_weights(text, 0)[1].tolist() == parts[:, 0].tolist()
