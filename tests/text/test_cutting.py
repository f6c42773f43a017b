"""Text that a function cuts into words, counted and encoded in one process and in two."""

import functools
import random
import sys
import types
from collections import Counter

import pytest

from textdl.errors import ConfigError, CorpusError
from textdl.text import cutting, word_rules
from textdl.text.cutting import Tally
from textdl.text.vocabulary import Counted, Vocabulary, VocabularyConfig, count_file, count_texts, encode_file

TEXTS = ("one-two", "", "two--two-three", "one two-one")


def cut_at_dashes(text: str) -> list[str]:
    return [word for word in text.split("-") if word]


def cut_nowhere(text: str) -> list[str]:
    return text.split()


cut_nowhere.__module__, cut_nowhere.__qualname__ = "only_here", "cut"


def as_counts(vocabulary: Vocabulary) -> dict[str, int]:
    return dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))


def a_text(seed: int) -> str:
    draw = random.Random(seed)
    known = ["the", "über", "日本語", *(f"w{n}" for n in range(100))]
    return "".join(draw.choice(known) + draw.choice(" \n\u3000 ") for _ in range(3000))


def test_counts():
    v = count_texts(TEXTS, cut_at_dashes)
    assert as_counts(v) == {"two": 3, "one": 2, "three": 1, "one two": 1}


def test_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(TEXTS))
    v = count_file(path, VocabularyConfig(least_count=2), cut=cut_at_dashes)
    assert v.words == ("two", "one")
    assert encode_file(path, v, cut=cut_at_dashes).tolist() == [1, 0, -1, -1, 0, 0, -1, 1, -1]
    out = encode_file(path, v, tmp_path / "ids", cut=cut_at_dashes)
    assert out.tolist() == [1, 0, -1, -1, 0, 0, -1, 1, -1]


def test_nltk_words():
    assert "n't" in count_texts(["I don't."], word_rules.words)


def test_two_processes_give_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(cutting, "BATCH", 2000)
    text = a_text(9)
    path = tmp_path / "a.txt"
    path.write_text(text)
    v = count_file(path, cut=str.split)
    assert count_file(path, cut=str.split, processes=2) == v == count_file(path)
    ids = encode_file(path, v, cut=str.split, processes=2)
    assert ids.tolist() == encode_file(path, v).tolist()


def test_bounded_memory():
    texts = [f"often-rare{n % 1500}-often-sometimes{n % 60}" for n in range(3000)]
    told: list[Counted] = []
    tally, total = Tally(150 * 100), Counter()
    for text in texts:
        total.update(cut_at_dashes(text))
        tally.add(Counter(cut_at_dashes(text)))
    assert len(tally.counts) <= 100
    assert tally.seen == 12000 == tally.pruned + tally.counts.total()
    assert tally.counts["often"] == 6000
    # Of no word more has been forgotten than is said, and of some that much.
    assert 0 < max(total[word] - tally.counts[word] for word in total) <= tally.missed < 6000
    v = count_texts(texts, cut_at_dashes, memory_mb=1e-3, tell=told.append)
    assert told[-1].words == v.seen == 12000
    assert v.missed > 0


def test_mistakes(tmp_path, monkeypatch):
    with pytest.raises(CorpusError, match="got one text"):
        count_texts("one text", str.split)
    with pytest.raises(CorpusError, match="text 2 must be a text, got int"):
        count_texts(["a", 2], str.split)
    with pytest.raises(ConfigError, match="top of a module"):
        count_texts(["a"], lambda text: text.split(), processes=2)
    with pytest.raises(ConfigError, match="top of a module"):
        count_texts(["a"], functools.partial(lambda text: text.split()), processes=2)
    monkeypatch.setitem(sys.modules, "only_here", types.SimpleNamespace(cut=cut_nowhere))
    with pytest.raises(ConfigError, match="top of a module"):
        count_texts(["a"], cut_nowhere, processes=2)
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\n')
    with pytest.raises(CorpusError, match="holds records"):
        count_file(tmp_path / "a.jsonl", cut=str.split)
    with pytest.raises(CorpusError, match="holds records"):
        encode_file(tmp_path / "a.jsonl", count_texts(["a"], str.split), cut=str.split)
