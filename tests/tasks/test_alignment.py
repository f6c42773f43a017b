"""The attention of tokens as that of words."""

from __future__ import annotations

import numpy as np
import pytest

from textdl.tasks.alignment import align, groups
from textdl.tasks.pair_reader import PairReader, PairsConfig, Texts

PAIRS = Texts(
    ["the red cat", "the big red dog", "a cat and a dog"], ["le chat rouge", "le gros chien rouge", "un chat"]
)


@pytest.mark.parametrize(
    "told, every, wanted",
    [
        (["the", " c", "at"], False, [[0], [1, 2]]),
        ([" the", " ", "c", "at"], False, [[0], [2, 3]]),
        ([" the", " ", "c", "at"], True, [[0, 1], [2, 3]]),
        (["a", "", "", "é", " ", "b"], True, [[0, 1, 2, 3, 4], [5]]),
        ([" ", "a"], True, [[1]]),
        (["a ", "b"], False, [[0], [1]]),
        ([], False, []),
    ],
)
def test_tokens_make_words(told: list[str], every: bool, wanted: list[list[int]]) -> None:
    assert groups(told, every) == wanted


@pytest.mark.parametrize("kind", ["words", "bpe", "characters", "bytes"])
def test_words_have_the_attention_of_their_tokens(kind: str) -> None:
    reader = PairReader.train(PAIRS, PairsConfig(tokenizer=kind, vocabulary=300))
    (source,), (target,) = (
        reader.encode(side, [text]) for side, text in ((reader.source, "the red cat"), (reader.target, "le chat rouge"))
    )
    attention = np.random.default_rng(0).dirichlet(np.ones(len(source)), len(target)).astype(np.float32)
    found = align(reader, source.tolist(), target.tolist(), attention)
    assert found.source == ("the", "red", "cat")
    assert found.target == ("le", "chat", "rouge")
    assert found.text == "le chat rouge"
    assert found.weights.shape == (3, 3)
    assert found.weights.sum(1) == pytest.approx(1, abs=1e-5)
    if kind == "words":
        assert np.array_equal(found.weights, attention)
    if kind == "characters":  # t h e _ r e d _ c a t; l e _ c h a t _ ...
        assert found.weights[0, 1] == pytest.approx(attention[0:2, 4:8].sum(1).mean(), abs=1e-5)
        assert found.weights[1, 2] == pytest.approx(attention[3:7, 8:11].sum(1).mean(), abs=1e-5)


def test_an_unknown_word_is_the_source_word_it_looked_at() -> None:
    reader = PairReader.train(PAIRS, PairsConfig(tokenizer="words"))
    target = [*reader.encode(reader.target, ["le"])[0].tolist(), reader.target.unknown_id]
    attention = np.array([[0.8, 0.2], [0.1, 0.9]], np.float32)
    words = ["the", "Zorro"]
    ids = reader.encode(reader.source, ["the Zorro"])[0].tolist()
    found = align(reader, ids, target, attention, words)  # type: ignore[arg-type]
    assert (found.text, found.target, found.source) == ("le Zorro", ("le", "Zorro"), ("the", "Zorro"))
    words, target = ["``", "Zorro", "''"], [reader.target.unknown_id] * 3
    ids = reader.encode(reader.source, ['"Zorro"'])[0].tolist()
    found = align(reader, ids, target, np.eye(3, dtype=np.float32), words)
    assert (found.text, found.target, found.source) == ('"Zorro"', ('"', "Zorro", '"'), ('"', "Zorro", '"'))
