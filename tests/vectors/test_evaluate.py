"""Evaluation against gensim, scipy and counts made by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from textdl.errors import CorpusError
from textdl.vectors import evaluate
from textdl.vectors.evaluate import (
    correlation,
    evaluate_analogies,
    evaluate_similarity,
    ranks,
    read_analogies,
    read_similarity,
)
from textdl.vectors.word_vectors import Method, VectorsError, WordVectors

#: man, king, woman, queen span a parallelogram; duke and duchess lie beside it.
ROYAL = WordVectors(
    ["man", "woman", "king", "queen", "duke", "duchess", "apple"],
    [[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0.5, 0.3], [0, 1, 0.5, 0.3], [0, 0, 0, 1]],
)


def planted(seed: int = 0, variants: bool = True) -> WordVectors:
    """60 pairs whose second is the first and a common difference, noisily; some words come in two cases."""
    generator = np.random.default_rng(seed)
    first = generator.standard_normal((60, 20))
    second = first + 1.5 * generator.standard_normal(20) + 0.6 * generator.standard_normal((60, 20))
    words = [f"one{n}" for n in range(60)] + [f"Two{n}" for n in range(60)]
    rows = [*first, *second]
    if variants:
        words += [f"ONE{n}" for n in range(30)] + [f"two{n}" for n in range(30)]
        rows += [*(first[:30] + 0.3 * generator.standard_normal((30, 20))), *(generator.standard_normal((30, 20)))]
    order = generator.permutation(len(words))
    return WordVectors([words[n] for n in order], np.array(rows, np.float32)[order])


def questions_file(folder: Path) -> Path:
    """Three sections with questions in odd cases and with unknown words."""
    lines = [": near"]
    lines += [f"one{n} two{n} ONE{n + 7} Two{n + 7}" for n in range(40)]
    lines += ["", ": backwards"]
    lines += [f"Two{n} one{n} Two{n + 3} one{n + 3}" for n in range(57)]
    lines += [": strange", "one1 Two1 one2 nothing", "nothing Two1 one2 Two2", "one5 Two5 one5 Two5"]
    lines += [": never", "no nay never nothing"]
    path = folder / "questions.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def gensim_of(vectors: WordVectors) -> KeyedVectors:
    keyed = KeyedVectors(vectors.dim)
    keyed.add_vectors(list(vectors.words), np.array(vectors.matrix))
    return keyed


@pytest.mark.parametrize("most", [None, 100, 40])
@pytest.mark.parametrize("fold", [True, False])
def test_analogies_agree_with_gensim(
    tmp_path: Path, most: int | None, fold: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "QUESTIONS", 16)
    monkeypatch.setattr(evaluate, "CELLS", 1)  # columns of 256 at the least
    vectors = planted()
    score, sections = gensim_of(vectors).evaluate_word_analogies(
        str(questions_file(tmp_path)), restrict_vocab=most or len(vectors), case_insensitive=fold
    )
    ours = evaluate_analogies(vectors, questions_file(tmp_path), most=most, fold=fold)
    theirs = [(s["section"], len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections[:-1]]
    assert [(s.name, s.correct, s.answered) for s in ours.sections] == theirs
    assert (ours.total.accuracy if ours.total.answered else 0.0) == score
    assert sum(s.answered + s.unknown for s in ours.sections) == 101
    if most is None:
        assert 0.1 < score < 0.99  # there is something to agree on
    wrong_too, _ = gensim_of(vectors).evaluate_word_analogies(
        str(questions_file(tmp_path)), most or len(vectors), fold, dummy4unknown=True
    )
    assert ours.total.accuracy_of_all == wrong_too


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("columns", [7, 1000])
def test_analogies_are_those_of_one_question_after_the_other(
    method: Method, columns: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(evaluate, "LEAST_COLUMNS", 1)
    monkeypatch.setattr(evaluate, "COLUMNS", columns)
    monkeypatch.setattr(evaluate, "QUESTIONS", 10)
    vectors = planted(3, variants=False)
    sections = read_analogies(questions_file(tmp_path))
    folded = {word.casefold(): word for word in vectors.words}
    right = 0
    for question in [q for listed in sections.values() for q in listed]:
        words = [folded.get(word.casefold(), "") for word in question]
        if all(words):
            right += vectors.analogy(words[0], words[1], words[2], method=method)[0][0] == words[3]
    found = evaluate_analogies(vectors, sections, method=method)
    assert found.total.correct == right > 10


def test_counts_by_hand() -> None:
    sections = {
        "royal": [
            ("man", "king", "woman", "queen"),
            ("man", "king", "woman", "duchess"),
            ("Man", "KING", "woman", "Queen"),
        ],
        "peers": [("king", "queen", "duke", "duchess"), ("king", "queen", "earl", "countess")],
        "fruit": [("pear", "pears", "apple", "apples")],
    }
    found = evaluate_analogies(ROYAL, sections)
    assert [(s.name, s.correct, s.answered, s.unknown) for s in found.sections] == [
        ("royal", 2, 3, 0),
        ("peers", 1, 1, 1),
        ("fruit", 0, 0, 1),
    ]
    total = found.total
    assert (total.correct, total.answered, total.unknown) == (3, 4, 2)
    assert (total.accuracy, total.accuracy_of_all, total.unknown_share) == (3 / 4, 3 / 6, 2 / 6)
    assert math.isnan(found.sections[2].accuracy)
    assert found.sections[2].accuracy_of_all == 0
    strict = evaluate_analogies(ROYAL, sections, fold=False)
    assert (strict.sections[0].correct, strict.sections[0].answered, strict.sections[0].unknown) == (1, 2, 1)
    lines = str(found).splitlines()
    assert lines[-1].split() == ["total", "75.0%", "50.0%", "33.3%", "6"]
    assert len(lines) == 5


def test_no_known_question_is_told_and_no_error() -> None:
    found = evaluate_analogies(ROYAL, {"s": [("a", "b", "c", "d")], "t": []})
    assert (found.total.correct, found.total.answered, found.total.unknown) == (0, 0, 1)
    assert str(found).splitlines()[-1].split() == ["total", "-", "0.0%", "100.0%", "1"]


def test_frequency_is_by_counts() -> None:
    counts = [1, 9, 9, 9, 1, 1, 1]  # "man" is rare
    vectors = WordVectors(ROYAL.words, ROYAL.matrix, counts)
    sections = {"s": [("woman", "queen", "king", "queen"), ("man", "king", "woman", "queen")]}
    assert evaluate_analogies(vectors, sections, most=3).total.unknown == 1


def test_the_real_files_are_read_whole() -> None:
    sections = read_analogies(datapath("questions-words.txt"))
    assert len(sections) == 14
    assert sum(map(len, sections.values())) == 19_544
    assert sections["family"][0] == ("boy", "girl", "brother", "sister")
    assert len(read_similarity(datapath("wordsim353.tsv"))) == 353
    assert read_similarity(datapath("simlex999.txt"))[0] == ("old", "new", 1.58)


@pytest.mark.parametrize(
    "text, pairs",
    [
        (
            "Word 1,Word 2,Human (mean)\nlove,sex,6.77\ntiger,cat,7.35\n",
            [("love", "sex", 6.77), ("tiger", "cat", 7.35)],
        ),
        ("sun sunlight 50.000000\nriver  water 49\n", [("sun", "sunlight", 50), ("river", "water", 49)]),
        ("word1\tword2\tPOS\tSimLex999\tconc\nold\tnew\tA\t1.58\t2.72\n", [("old", "new", 1.58)]),
        ("squishing\tsquirt\t5.88\t8\t3\t9\n", [("squishing", "squirt", 5.88)]),
        ("# a comment, of three, words\n\nnew york\tcity\t7\n", [("new york", "city", 7)]),
        ("take,remove,V,6.81,SYNONYMS\n", [("take", "remove", 6.81)]),
        ("word1 word2 score\ntiger cat 7\n", [("tiger", "cat", 7)]),
    ],
)
def test_shapes_of_similarity_sets(tmp_path: Path, text: str, pairs: list[tuple[str, str, float]]) -> None:
    (tmp_path / "set.txt").write_text(text)
    assert read_similarity(tmp_path / "set.txt") == pairs


@pytest.mark.parametrize("most", [None, 60])
@pytest.mark.parametrize("fold", [True, False])
def test_similarity_agrees_with_gensim(tmp_path: Path, most: int | None, fold: bool) -> None:
    vectors = planted(5)
    generator = np.random.default_rng(2)
    known = [str(word) for word in generator.choice([*vectors.words, "ONE1", "tWO3", "unknown"], 400)]
    lines = [f"{a}\t{b}\t{generator.integers(0, 20) / 2}" for a, b in zip(known[:200], known[200:], strict=True)]
    (tmp_path / "set.tsv").write_text("\n".join([*lines, "nothing\tone1\t3", "nothing\tnever\t9"]))
    pearson, spearman, unknown = gensim_of(vectors).evaluate_word_pairs(
        str(tmp_path / "set.tsv"), restrict_vocab=most or len(vectors), case_insensitive=fold
    )
    ours = evaluate_similarity(vectors, tmp_path / "set.tsv", most=most, fold=fold)
    assert ours.name == "set"
    assert ours.pairs == 202
    assert ours.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert ours.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert 100 * ours.unknown_share == pytest.approx(unknown)
    assert ours.unknown >= 2
    _, all_spearman, _ = gensim_of(vectors).evaluate_word_pairs(
        str(tmp_path / "set.tsv"), restrict_vocab=most or len(vectors), case_insensitive=fold, dummy4unknown=True
    )
    assert ours.spearman_of_all == pytest.approx(all_spearman[0], abs=1e-6)


class Guess:
    def vector(self, word: str) -> NDArray[np.float32] | None:
        return np.array([1, 0, 0.9, 0], np.float32) if word == "kingly" else None


def test_subwords_give_unknown_words_a_similarity() -> None:
    pairs = [("kingly", "king", 9.0), ("apple", "king", 1.0), ("man", "king", 5.0), ("nobody", "king", 2.0)]
    assert evaluate_similarity(ROYAL, pairs).unknown == 2
    guessed = evaluate_similarity(WordVectors(ROYAL.words, ROYAL.matrix, subwords=Guess()), pairs, name="mine")
    assert (guessed.unknown, guessed.spearman) == (1, pytest.approx(1))
    assert str(guessed).startswith("mine: Spearman 1.0000")
    assert str(guessed).endswith("1 of 4 pairs with unknown words (25.0%)")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=30))
def test_ranks_are_those_of_scipy(values: list[int]) -> None:
    assert ranks(np.array(values)).tolist() == stats.rankdata(values).tolist()


def test_nothing_to_correlate_is_not_a_number() -> None:
    assert math.isnan(evaluate_similarity(ROYAL, [("a", "b", 1.0), ("c", "d", 2.0)]).spearman)
    assert math.isnan(evaluate_similarity(ROYAL, [("man", "king", 1.0), ("man", "woman", 1.0)]).spearman)
    assert math.isnan(correlation(np.full(3, 0.1), np.array([1.0, 2.0, 4.0])))  # the mean of the first is not 0.1


def test_where_every_word_is_in_the_question_there_is_no_answer() -> None:
    three = WordVectors(["man", "king", "woman"], np.eye(3))
    assert evaluate_analogies(three, {"s": [("man", "king", "woman", "man")]}).total.correct == 0


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "holds no analogy"),
        (": only\n: sections\n", "holds no analogy"),
        (": s\na b c d\na b c\n", "line 3 must hold four words or ': section', got 'a b c'"),
        (": s\na b c d e\n", "line 2 must hold four words"),
    ],
)
def test_a_wrong_analogy_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "q.txt").write_text(text)
    with pytest.raises(VectorsError, match=message):
        evaluate_analogies(ROYAL, tmp_path / "q.txt")


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "holds no pair"),
        ("# nothing\nword1 word2 score\n", "holds no pair"),
        ("a\tb\t1\na\tb\tc\n", "line 2 must hold two words and a number"),
        ("a b 1\na b\n", "line 2 must hold two words and a number, got 'a b'"),
        ("a b 1\na b nan\n", "line 2 must hold"),
    ],
)
def test_a_wrong_similarity_set(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(VectorsError, match=message):
        evaluate_similarity(ROYAL, tmp_path / "s.txt")


def test_other_mistakes(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="'cos'"):
        evaluate_analogies(ROYAL, {"s": [("man", "king", "woman", "queen")]}, method="cos")  # type: ignore[arg-type]
    with pytest.raises(VectorsError, match="no pair to judge"):
        evaluate_similarity(ROYAL, [])
    with pytest.raises(CorpusError, match="can not be read"):
        read_analogies(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tiger cat\ntiger cat 7\n", 1),
        ("tiger\tcat\tnan\ntiger\tcat\t7\n", 1),
        ("tiger\t\t7\ntiger\tcat\t7\n", 1),
        ("new york city 7\ntiger cat 7\n", 1),
        ("tiger cat 7\nnew york city 7\n", 2),
        ("word1 word2 score\nword1 word2 score\ntiger cat 7\n", 2),
    ],
)
def test_what_is_neither_a_pair_nor_a_heading_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "set.txt").write_text(text)
    with pytest.raises(VectorsError, match=rf"set\.txt line {line} must hold two words and a number"):
        read_similarity(tmp_path / "set.txt")
