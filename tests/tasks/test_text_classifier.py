"""``textdl.TextClassifier``: scikit-learn's contract over the models of the task classify."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import textdl
from textdl.baselines.linear import LinearClassifier
from textdl.errors import ConfigError, CorpusError
from textdl.labelled import LabelledConfig, open_labelled
from textdl.tasks.text_classifier import _with_every_class
from textdl.text.dividing import deal

#: Which word stands first decides, so that a bag of words can not tell.
TEXTS = [f"{a} then {b} number {n}" for n in range(12) for a, b in (("good", "bad"), ("bad", "good"))]
FIRST = [5 if text.startswith("good") else -2 for text in TEXTS]
PLAIN = ["good fun", "fine fun", "bad fun", "poor fun"] * 8
KIND = ["yes", "yes", "no", "no"] * 8
QUICK = {"device": "cpu", "settings": {"hidden": 8, "threads": 1}}


def bag(**settings: object) -> textdl.TextClassifier:
    return textdl.TextClassifier("bag", epochs=20, lr=0.05, device="cpu", **{"settings": {"threads": 1}, **settings})


def test_it_learns_what_needs_the_order_of_words_and_gives_the_labels_as_they_were() -> None:
    made = textdl.TextClassifier("gru", epochs=30, lr=0.02, **QUICK).fit(TEXTS, FIRST)
    assert made.classes_.tolist() == [-2, 5]
    assert made.predict(TEXTS).tolist() == FIRST
    assert made.score(TEXTS, FIRST) == 1.0
    rows = made.predict_proba(TEXTS)
    assert rows.shape == (len(TEXTS), 2)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert (made.classes_[rows.argmax(axis=1)] == FIRST).all()
    assert (made.classes_[made.decision_function(TEXTS).argmax(axis=1)] == FIRST).all()


def test_a_linear_model_is_the_estimator_of_that_name() -> None:
    """With nothing held out, what both are fitted to is the same."""
    ours = textdl.TextClassifier("nb-svm", validation=0.0).fit(PLAIN, KIND)
    theirs = LinearClassifier("nb-svm").fit(PLAIN, KIND)
    np.testing.assert_allclose(ours.decision_function(PLAIN), theirs.decision_function(PLAIN), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_checks_that_need_no_numbers(check_plainly: Callable[[object], None]) -> None:
    check_plainly(textdl.TextClassifier())


def test_it_goes_through_scikit_learns_tools() -> None:
    assert cross_val_score(bag(), PLAIN, KIND, cv=2).tolist() == [1.0, 1.0]
    search = GridSearchCV(bag(), {"epochs": [0.05, 20], "lr": [0.05]}, cv=2)
    assert search.fit(PLAIN, KIND).best_params_ == {"epochs": 20, "lr": 0.05}
    made = Pipeline([("lower", FunctionTransformer(lambda texts: [t.lower() for t in texts])), ("judge", bag())])
    assert made.fit([t.upper() for t in PLAIN], KIND).predict(["GOOD FUN"]).tolist() == ["yes"]


def test_constructing_does_nothing_and_a_copy_learns_the_same() -> None:
    made = bag(seed=3)
    assert not [name for name in vars(made) if name.endswith("_")]
    copy = clone(made)
    assert copy.get_params() == made.get_params()
    first, second = (one.fit(PLAIN, KIND).decision_function(PLAIN) for one in (made, copy))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, bag(seed=4).fit(PLAIN, KIND).decision_function(PLAIN))


def test_the_callers_random_numbers_are_left_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    bag().fit(PLAIN, KIND)
    assert torch.equal(torch.rand(3), expected)


def test_several_labels() -> None:
    labels = [["fun", kind] if kind == "yes" else [] for kind in KIND]
    made = bag(several=True).fit(PLAIN, labels)
    assert made.classes_.tolist() == ["fun", "yes"]
    assert made.predict(["good fun", "poor fun"]) == [("fun", "yes"), ()]
    assert made.score(PLAIN, labels) == 1.0


def test_pairs() -> None:
    pairs = [(a, b) for a in ("good", "bad") for b in ("good", "bad")] * 10
    same = [a == b for a, b in pairs]
    made = textdl.TextClassifier("bag", epochs=40, lr=0.05, validation=0.0, **{**QUICK, "dropout": 0.0}).fit(
        pairs, same
    )
    assert made.classes_.tolist() == [False, True]
    assert made.predict(pairs).tolist() == same


def test_a_class_is_learnt_however_few_texts_it_has() -> None:
    """By its hash, a single text of a class would fall to the validation split or to training; it is learnt from."""
    rare = [f"odd number {n}" for n in range(12)]
    assert any(deal(text, {"validation": 0.3}) == "validation" for text in rare)
    for text in rare:
        made = bag(validation=0.3).fit([*PLAIN, text], [*KIND, "other"])
        assert made.run_.labels == ("000000000", "000000001", "000000002")
        linear = textdl.TextClassifier("nb-svm", validation=0.3)
        assert linear.fit(["fun", "joy", text], ["a", "a", "b"]).run_.labels == ("000000000", "000000001")
        linear.set_params(several=True).fit(["fun", "joy", text], [["a"], ["a"], []])
        assert linear.run_.labels == ("000000000",)
        tagged = bag(validation=0.3, several=True).fit([*PLAIN, text], [*([kind] for kind in KIND), ["no", "other"]])
        assert len(tagged.run_.labels) == 3


def test_a_class_of_blank_texts_only_is_never_told() -> None:
    made = bag().fit([*PLAIN, " "], [*KIND, "other"])
    rows = made.predict_proba(["good fun", " "])
    assert made.classes_.tolist() == ["no", "other", "yes"]
    assert rows[:, 1].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    with pytest.raises(CorpusError, match="all are 'yes'"):
        bag().fit(["good", "", "fine"], ["yes", "no", "yes"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_what_is_held_out_is_what_a_corpus_holds_out(share: float) -> None:
    """With texts of each class on both sides, the task by itself holds out the same ones."""
    examples = list(zip(TEXTS, FIRST, strict=True))
    corpus = open_labelled(examples, LabelledConfig(validation=share, test=0.0))
    held_out = {example.text for example in corpus.examples("validation")}
    dealt = _with_every_class(examples, share)
    assert {text for text, _ in dealt.get("validation", [])} == held_out


def test_what_is_refused_in_one_line() -> None:
    with pytest.raises(CorpusError, match="at least two classes"):
        bag().fit(PLAIN, ["yes"] * len(PLAIN))
    with pytest.raises(CorpusError, match="as many labels as texts"):
        bag().fit(PLAIN, KIND[1:])
    with pytest.raises(ConfigError, match="did you mean 'lstm'"):
        textdl.TextClassifier("lstn").fit(PLAIN, KIND)
    with pytest.raises(ConfigError, match="no setting is called 'hiden'"):
        textdl.TextClassifier("lstm", settings={"hiden": 3}).fit(PLAIN, KIND)
    with pytest.raises(ConfigError, match="nb-svm needs none"):
        textdl.TextClassifier("nb-svm", lr=0.1).fit(PLAIN, KIND)
    with pytest.raises(ConfigError, match="settings must be a dict"):
        bag(settings=["hidden"]).fit(PLAIN, KIND)
    for missing in (np.nan, float("nan")):
        with pytest.raises(CorpusError, match=r"label 2 is missing \(nan\)"):
            bag().fit(PLAIN, np.array([1.0, missing] * 16))
