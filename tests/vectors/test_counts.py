"""Counting vectorizers: by hand, against scikit-learn's, and in its pipelines."""

import functools
import pickle
import random
import re
from collections import Counter

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from textdl.errors import ConfigError, CorpusError
from textdl.text.known_words import Vocabulary
from textdl.text.normalizing import NormalizingConfig, normalizer
from textdl.text.stemming import Stemmer
from textdl.text.stop_words import ENGLISH
from textdl.vectors import features
from textdl.vectors.counts import BagOfWords, OneHot
from textdl.vectors.hashing import Hashing
from textdl.vectors.tfidf import TfIdf

ALL = [BagOfWords(), TfIdf(), Hashing(columns=64), OneHot()]
TEXTS = ["The cat and the dog", "a dog", "", "Cat: über-cat!\nDOG"]
NOT_EMPTY = [text for text in TEXTS if text]  # one-hot takes them as words, and no word is empty
#: What each scikit-learn vectorizer is told so that it takes the same features.
SAME = [
    ({}, {"token_pattern": r"[^\W_]+(?:['’\-][^\W_]+)*"}),
    ({"cut": "space"}, {"token_pattern": r"\S+"}),
    ({"cut": "space", "lowercase": False}, {"token_pattern": r"\S+", "lowercase": False}),
    ({"cut": re.compile(r"(?u)\b\w\w+\b").findall}, {}),
    ({"ngrams": (1, 3), "cut": "space"}, {"ngram_range": (1, 3), "token_pattern": r"\S+"}),
    ({"ngrams": (2, 2), "cut": "space"}, {"ngram_range": (2, 2), "token_pattern": r"\S+"}),
    ({"unit": "character", "ngrams": (1, 3)}, {"analyzer": "char", "ngram_range": (1, 3)}),
    ({"unit": "within", "ngrams": (2, 5)}, {"analyzer": "char_wb", "ngram_range": (2, 5)}),
    ({"cut": "space", "binary": True}, {"token_pattern": r"\S+", "binary": True}),
    ({"cut": "space", "least_documents": 3}, {"token_pattern": r"\S+", "min_df": 3}),
    ({"cut": "space", "most_documents": 0.3}, {"token_pattern": r"\S+", "max_df": 0.3}),
    (
        {"cut": "space", "stop_words": ["w0", "w1"], "ngrams": (1, 2)},
        {"token_pattern": r"\S+", "stop_words": ["w0", "w1"], "ngram_range": (1, 2)},
    ),
]


def a_corpus(seed: int, texts: int = 60) -> list[str]:
    draw = random.Random(seed)
    known = [f"w{n}" for n in range(40)] + [
        "Über",
        "naïve",
        "日本語",
        "it's",
        "well-known",
        "x" * 30,
        "a",
        "b_c",
        "Q&A",
    ]
    weights = [1 / (n + 1) for n in range(len(known))]
    return [" ".join(draw.choices(known, weights, k=draw.randint(0, 40))) for _ in range(texts)]


def by_name(vectorizer, rows) -> list[dict[str, float]]:
    """The rows as ``{feature: value}``, whatever the order of the columns."""
    names = vectorizer.get_feature_names_out()
    return [{names[i]: rows[r, i] for i in rows[r].nonzero()[1]} for r in range(rows.shape[0])]


def assert_same(ours, theirs) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        assert all(one[name] == pytest.approx(other[name], rel=1e-5, abs=1e-7) for name in one)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(features, "BATCH", 300)


class TestBagOfWords:
    def test_by_hand(self):
        bag = BagOfWords()
        rows = bag.fit_transform(TEXTS)
        assert bag.vocabulary_.words == ("dog", "cat", "the", "a", "and", "über-cat")
        assert bag.vocabulary_.counts.tolist() == [3, 2, 2, 1, 1, 1]
        assert bag.document_counts_.tolist() == [3, 2, 1, 1, 1, 1]
        assert rows.toarray().tolist() == [[1, 1, 2, 0, 1, 0], [1, 0, 0, 1, 0, 0], [0] * 6, [1, 1, 0, 0, 0, 1]]
        assert scipy.sparse.issparse(rows)
        assert (rows.format, rows.dtype) == ("csr", np.float32)
        assert list(bag.get_feature_names_out()) == list(bag.vocabulary_.words)

    @pytest.mark.usefixtures("small_batches")
    @pytest.mark.parametrize(("ours", "theirs"), SAME, ids=[str(ours) for ours, _ in SAME])
    def test_as_scikit_learn(self, ours, theirs):
        texts, new = a_corpus(1), [*a_corpus(2), "never seen", ""]
        bag, other = BagOfWords(**ours), CountVectorizer(**theirs)
        assert_same(by_name(bag, bag.fit_transform(texts)), by_name(other, other.fit_transform(texts)))
        assert_same(by_name(bag, bag.transform(new)), by_name(other, other.transform(new)))
        assert set(bag.get_feature_names_out()) == set(other.get_feature_names_out())

    @pytest.mark.usefixtures("small_batches")
    @pytest.mark.parametrize("ours", [ours for ours, _ in SAME], ids=str)
    def test_fit_transform_is_fit_and_transform(self, ours):
        texts = a_corpus(3)
        for kind in (BagOfWords, TfIdf):
            one, other = kind(**ours), kind(**ours)
            assert (one.fit_transform(texts) != other.fit(texts).transform(texts)).nnz == 0
            assert one.vocabulary_ == other.vocabulary_

    def test_most_words_are_the_most_frequent(self):
        bag = BagOfWords(cut="space", most_words=7).fit(a_corpus(4))
        counts = Counter(word for text in a_corpus(4) for word in text.lower().split())
        expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:7]
        assert list(zip(bag.vocabulary_.words, bag.vocabulary_.counts.tolist(), strict=True)) == expected
        assert bag.transform(["w0 nowhere w0"]).toarray()[0].tolist()[0] == 2

    def test_least_count_and_shares(self):
        texts = ["a a b", "a c", "b d d", "e"]
        assert BagOfWords(least_count=2).fit(texts).vocabulary_.words == ("a", "b", "d")
        assert BagOfWords(least_documents=2).fit(texts).vocabulary_.words == ("a", "b")
        for settings in ({"least_count": 2, "most_words": 2}, {"least_documents": 2, "most_documents": 2}):
            arrays = {name: np.array([value])[0] for name, value in settings.items()}  # as of np.arange in a grid
            assert BagOfWords(**arrays).fit(texts).vocabulary_.words == ("a", "b")
        assert OneHot(most_words=np.int64(1)).fit("a a b").vocabulary_.words == ("a",)
        assert BagOfWords(least_documents=0.5).fit(texts).vocabulary_.words == ("a", "b")
        assert BagOfWords(most_documents=1).fit(texts).vocabulary_.words == ("d", "c", "e")
        assert BagOfWords(most_documents=0.25).fit(texts).vocabulary_.words == ("d", "c", "e")

    def test_a_given_vocabulary(self):
        texts = ["b a new york", "b b x"]
        for given in (["new york", "b", "zero", "a\tb", "a\0", "c\nd", "y\x01z"], None):
            if given is None:
                given = Vocabulary(["new york", "b", "zero"], [1, 5, 0])
            bag = BagOfWords(vocabulary=given, ngrams=(1, 2))
            rows = bag.fit_transform(texts).toarray()
            assert rows[:, :3].tolist() == [[1, 1, 0], [0, 2, 0]]
            assert not rows[:, 3:].any()
            assert bag.transform(texts).toarray().tolist() == rows.tolist()
            assert bag.vocabulary_.counts.tolist()[:3] == [1, 3, 0]
            assert bag.document_counts_.tolist()[:3] == [1, 2, 0]

    def test_inverse(self):
        bag = BagOfWords()
        rows = bag.fit_transform(TEXTS)
        expected = [["dog", "cat", "the", "and"], ["dog", "a"], [], ["dog", "cat", "über-cat"]]
        assert [list(names) for names in bag.inverse_transform(rows)] == expected
        assert [list(names) for names in bag.inverse_transform(rows.toarray())] == expected
        assert bag.inverse_transform(bag.transform([])) == []
        with pytest.raises(CorpusError, match="6 columns"):
            bag.inverse_transform(np.zeros((1, 5)))

    def test_stop_words_stems_and_preparing(self, tmp_path):
        texts = ["The cats <br/> are running", "Cat runs the"]
        bag = BagOfWords(stop_words="english", stem=Stemmer(), prepare=normalizer(NormalizingConfig(tags=True)))
        assert bag.fit_transform(texts).toarray().tolist() == [[1, 1], [1, 1]]
        assert bag.vocabulary_.words == ("cat", "run")
        path = tmp_path / "stop.txt"
        path.write_text("cats\nare")
        assert "cats" not in BagOfWords(stop_words=path).fit(texts).vocabulary_
        assert BagOfWords(stop_words=["The", "CATS"]).fit(texts).vocabulary_.words[-1] == "runs"
        assert not {"the", "cats"} & {*BagOfWords(stop_words=["The", "CATS"]).fit(texts).vocabulary_.words}
        assert "the" in BagOfWords(stop_words=["The"], lowercase=False).fit(texts).vocabulary_
        assert not set(BagOfWords(stop_words="english").fit([*ENGLISH, "left"]).vocabulary_.words) & ENGLISH

    def test_cutting(self):
        assert BagOfWords(cut="nltk").fit(["I don't.\nNo"]).vocabulary_.words == (".", "do", "i", "n't", "no")
        # A function may give words with white space in them, or empty ones.
        cut = functools.partial(str.split, sep=",")
        bag = BagOfWords(cut=cut).fit(["new york,,rome, \n", "new york"])
        assert bag.vocabulary_.words == ("new york", "rome")
        assert bag.transform(["new york,york"]).toarray().tolist() == [[1, 0]]
        text = "a\x01b\x00 \ud800 c"  # what no text should hold is told from the marks between words
        assert BagOfWords(cut="space", ngrams=(1, 2)).fit([text]).vocabulary_.words == (
            *("a\ufffdb\ufffd", "a\ufffdb\ufffd \ufffd", "c", "\ufffd", "\ufffd c"),
        )

    def test_characters(self):
        bag = BagOfWords(unit="character", ngrams=(2, 2)).fit(["ab \n b"])
        assert bag.vocabulary_.words == (" b", "ab", "b ")
        assert BagOfWords(unit="within", ngrams=(3, 4)).fit(["abc d"]).vocabulary_.words == (
            *(" ab", " abc", " d ", "abc", "abc ", "bc "),
        )

    def test_line_ends_of_all_kinds_stay_in_their_text(self):
        bag = BagOfWords(cut="space")
        rows = bag.fit_transform(["a\nb\r\nc\rd", "a\u2028b", "\n"])
        assert rows.toarray().tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]]

    @pytest.mark.parametrize(
        ("texts", "says"),
        [
            ([], "there is no text"),
            (["", " "], "2 texts have no feature"),
            ("one text", "got one text; write \\[text\\]"),
            (5, "got int"),
            (["a", None], "text 2 must be a text, got None"),
            (["a", float("nan")], "text 2 must be a text, got nan"),
            ([["a", "b"]], "text 1 must be a text, got list"),
        ],
    )
    def test_bad_texts(self, texts, says):
        for kind in (BagOfWords(), TfIdf()):
            with pytest.raises(CorpusError, match=says):
                kind.fit(texts)

    @pytest.mark.parametrize(
        ("settings", "says"),
        [
            ({"unit": "words"}, "unit has no choice 'words'; did you mean 'word'"),
            ({"cut": "spaces"}, "cut has no choice 'spaces'; did you mean 'space'"),
            ({"ngrams": (2, 1)}, "ngrams must be two lengths"),
            ({"ngrams": (0, 1)}, "ngrams must be two lengths"),
            ({"ngrams": 2}, "ngrams must be two lengths"),
            ({"unit": "character", "stop_words": "english"}, "stop_words goes with unit='word'"),
            ({"stop_words": "klingon"}, "stop_words has no list 'klingon'"),
            ({"least_count": 0}, "least_count must be at least 1"),
            ({"most_words": 0}, "most_words must be at least 1"),
            ({"least_documents": 1.5}, "least_documents as a share must be at most 1.0"),
            ({"most_documents": -1}, "most_documents must be"),
            ({"vocabulary": []}, "vocabulary must have a word"),
            ({"vocabulary": ["a", "a"]}, "'a' twice"),
            ({"vocabulary": "dog"}, "a list of words, got str"),
            ({"vocabulary": {"dog": 1, "cat": 0}}, "a list of words, got dict"),
            ({"least_count": 9}, "none of 6 features is left with least_count=9"),
        ],
    )
    def test_bad_settings(self, settings, says):
        bag = BagOfWords(**settings)  # nothing is checked before there is something to do, as scikit-learn wants it
        with pytest.raises((ConfigError, CorpusError), match=says):
            bag.fit(TEXTS)


class TestTfIdf:
    def test_by_hand(self):
        weights = TfIdf(cut="space", norm=None)
        rows = weights.fit_transform(["a a b", "a c"]).toarray()
        rare = np.log(3 / 2) + 1
        assert weights.vocabulary_.words == ("a", "b", "c")
        np.testing.assert_allclose(rows, [[2, rare, 0], [1, 0, rare]], rtol=1e-6)
        np.testing.assert_allclose(weights.idf_, [1, rare, rare], rtol=1e-6)

    @pytest.mark.parametrize("smooth", [True, False])
    @pytest.mark.parametrize("sublinear", [True, False])
    @pytest.mark.parametrize("norm", ["l1", "l2", None])
    def test_as_scikit_learn(self, smooth, sublinear, norm):
        texts, new = a_corpus(5), [*a_corpus(6), "never seen", ""]
        ours = TfIdf(cut="space", ngrams=(1, 2), smooth=smooth, sublinear=sublinear, norm=norm)
        theirs = TfidfVectorizer(
            token_pattern=r"\S+", ngram_range=(1, 2), smooth_idf=smooth, sublinear_tf=sublinear, norm=norm
        )
        assert_same(by_name(ours, ours.fit_transform(texts)), by_name(theirs, theirs.fit_transform(texts)))
        assert_same(by_name(ours, ours.transform(new)), by_name(theirs, theirs.transform(new)))
        assert ours.transform(new).dtype == np.float32

    def test_a_word_of_no_text_weighs_nothing(self):
        ours = TfIdf(vocabulary=["a", "zero"], smooth=False).fit(["a"])
        assert ours.transform(["a zero", "zero"]).toarray().tolist() == [[1, 0], [0, 0]]

    def test_bad_norm(self):
        with pytest.raises(ConfigError, match="norm has no choice 'l3'"):
            TfIdf(norm="l3").fit(TEXTS)


class TestOneHot:
    def test_by_hand(self):
        one = OneHot()
        rows = one.fit_transform("a rose is a rose is a rose")
        assert one.vocabulary_.words == ("a", "rose", "is")
        assert rows.toarray().tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]] * 2 + [[1, 0, 0], [0, 1, 0]]
        assert (rows.format, rows.dtype) == ("csr", np.float32)
        assert one.transform(["rose", "tulip"]).toarray().tolist() == [[0, 1, 0], [0, 0, 0]]
        assert one.inverse_transform(one.transform(["is", "tulip", "a"])) == ["is", None, "a"]
        assert one.inverse_transform(one.transform([])) == []
        assert list(one.get_feature_names_out()) == ["a", "rose", "is"]

    def test_dense_and_limits(self):
        rows = OneHot(sparse=False, most_words=2).fit_transform(["x", "y", "y", "z", "z"])
        assert isinstance(rows, np.ndarray)
        assert rows.tolist() == [[0, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
        assert OneHot(least_count=2).fit("a a b").vocabulary_.words == ("a",)

    def test_as_scikit_learn(self):
        from sklearn.preprocessing import OneHotEncoder

        words = [*a_corpus(9, 5)[0].split(), "a b", "é"]
        ours = OneHot().fit(words)
        theirs = OneHotEncoder(categories=[np.array(ours.vocabulary_.words, object)], handle_unknown="ignore")
        column = np.array([*words, "unknown"], object)[:, None]
        expected = theirs.fit(column).transform(column)
        assert (ours.transform([*words, "unknown"]) != expected).nnz == 0

    def test_mistakes(self):
        with pytest.raises(CorpusError, match="no word 'tulips'; did you mean 'tulip'"):
            OneHot(unknown="error").fit("a tulip").transform(["tulips"])
        with pytest.raises(CorpusError, match="no word to count"):
            OneHot().fit([])
        with pytest.raises(CorpusError, match="word 2 must be a text, got int"):
            OneHot().fit(["a", 3])
        with pytest.raises(ConfigError, match="unknown has no choice 'zero'"):
            OneHot(unknown="zero").fit("a")
        with pytest.raises(CorpusError, match="1 columns"):
            OneHot().fit("a").inverse_transform(np.zeros((1, 3)))


class TestScikitLearn:
    """Its contract. ``check_estimator`` skips whatever takes numbers, which is all that fits or transforms."""

    @pytest.mark.parametrize("estimator", ALL, ids=str)
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
    def test_checks_that_need_no_numbers(self, estimator, check_plainly):
        check_plainly(estimator)

    @pytest.mark.parametrize("estimator", ALL, ids=str)
    def test_fitting_again_forgets_what_was_before(self, estimator):
        one, other = clone(estimator), clone(estimator)
        one.fit(["completely", "different"])
        assert one.fit(NOT_EMPTY) is one
        assert (one.transform(NOT_EMPTY) != other.fit_transform(NOT_EMPTY)).nnz == 0

    @pytest.mark.parametrize("estimator", ALL, ids=str)
    def test_transform_changes_nothing_and_takes_an_iterator(self, estimator):
        fitted = clone(estimator).fit(NOT_EMPTY)
        before = {name: repr(value) for name, value in fitted.__dict__.items()}
        rows = fitted.transform(iter(NOT_EMPTY))
        assert (rows != fitted.transform(np.array(NOT_EMPTY, object))).nnz == 0
        assert {name: repr(value) for name, value in fitted.__dict__.items()} == before

    @pytest.mark.parametrize("estimator", ALL, ids=str)
    def test_comes_back_from_another_process(self, estimator):
        fitted = clone(estimator).fit(NOT_EMPTY)
        again = pickle.loads(pickle.dumps(fitted))
        assert (again.transform(NOT_EMPTY) != fitted.transform(NOT_EMPTY)).nnz == 0

    def test_not_fitted(self):
        for estimator in (BagOfWords(), TfIdf(), OneHot()):
            for method in ("transform", "inverse_transform"):
                with pytest.raises(NotFittedError):
                    getattr(estimator, method)(["a"])
            with pytest.raises(NotFittedError):
                estimator.get_feature_names_out()

    def test_pipeline_and_grid_search(self):
        draw = random.Random(1)
        texts = [" ".join(draw.choices(["good", "fine", "the", "a"], k=6)) for _ in range(30)]
        texts += [" ".join(draw.choices(["bad", "poor", "the", "a"], k=6)) for _ in range(30)]
        labels = [1] * 30 + [0] * 30
        pipe = make_pipeline(TfIdf(), LogisticRegression())
        search = GridSearchCV(pipe, {"tfidf__ngrams": [(1, 1), (1, 2)], "tfidf__norm": ["l2", None]}, cv=3)
        search.fit(texts, labels)
        assert search.best_score_ > 0.95
        assert search.predict(["fine good", "poor bad"]).tolist() == [1, 0]
        assert "good" in search.best_estimator_[:-1].get_feature_names_out()


def test_vowel_signs_part_no_word() -> None:
    """Worked by hand: two words of Hindi and two of pointed Hebrew, each once."""
    bag = BagOfWords().fit(["हिन्दी भाषा", "שָׁלוֹם עֲלֵיכֶם"])
    assert sorted(bag.vocabulary_.words) == sorted(["हिन्दी", "भाषा", "שָׁלוֹם", "עֲלֵיכֶם"])
