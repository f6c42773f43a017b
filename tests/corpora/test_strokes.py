"""The corpus "strokes": the committed files, the script that makes them, and what its splits promise."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
import textdl_corpora.strokes
from textdl_corpora.strokes import make, pen, texts

from textdl.stroke_corpus import StrokeCorpus, open_strokes
from textdl.strokes.line import to_strokes

HOME = Path(textdl_corpora.strokes.__file__).parent
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def corpus() -> StrokeCorpus:
    return open_strokes(HOME)


def test_figures(corpus: StrokeCorpus) -> None:
    assert corpus.own_splits == SPLITS
    lines = {split: corpus.lines(split) for split in SPLITS}
    assert make.figures(lines) in (HOME / "CARD.md").read_text(), "run make.py"
    assert len(lines["train"]) >= 6000
    assert len(set(lines["train"].groups)) >= 40
    assert sum((HOME / f"{split}.npz").stat().st_size for split in SPLITS) < 5_000_000
    train = lines["train"]
    assert 15 <= len(train.deltas) / sum(map(len, train.texts)) <= 20
    assert all(3 <= len(text) <= 30 for some in lines.values() for text in some.texts)
    assert all(some.deltas.dtype == np.int16 for some in lines.values())


def test_no_writer_and_no_text_in_two_splits(corpus: StrokeCorpus) -> None:
    for one, other in itertools.combinations(SPLITS, 2):
        assert not set(corpus.lines(one).groups) & set(corpus.lines(other).groups)
    every = [text.lower() for split in SPLITS for text in corpus.lines(split).texts]
    assert max(Counter(every).values()) == 1


def test_characters_come_often(corpus: StrokeCorpus) -> None:
    counts = Counter("".join(corpus.lines("train").texts))
    assert set(corpus.alphabet) >= set(pen.SMALL + pen.CAPITALS + "0123456789 .,!?'-:;\"()&")
    assert min(counts.values()) >= 50
    for split in ("validation", "test"):
        assert set("".join(corpus.lines(split).texts)) <= set(corpus.alphabet)


def test_texts_read_as_english(corpus: StrokeCorpus) -> None:
    for text in corpus.lines("train").texts:
        assert not re.search(r"[{}_]|  |^ | $", text), text
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n (?!hour)[^aeiou]", text), text
        if found := re.fullmatch(r"(\d+) ([+x]) (\d+) = (\d+)", text):
            one, sign, other, total = found.groups()
            assert int(total) == (int(one) + int(other) if sign == "+" else int(one) * int(other))


def test_the_files_are_what_the_script_makes(corpus: StrokeCorpus) -> None:
    pytest.importorskip("HersheyFonts", reason="the fonts are of the package Hershey-Fonts (extra dev)")
    # The first writer that is made: no text is taken yet. Another machine may round a place the other way.
    number = make.WRITERS["train"] + make.WRITERS["validation"]
    writer = make.writer_of(number)
    there = {line.text: line.points for line in corpus.lines("test") if line.group == writer.name}
    wanted = texts.texts(make.LINES["test"], Random(f"{make.SALT}/texts/{number}"), set())
    assert sorted(there) == sorted(wanted)
    for place, text in list(enumerate(wanted))[:25]:
        ways = [np.rint(way * make.GRID) for way in pen.written(writer, text, np.random.default_rng([number, place]))]
        points = make.of_strokes(ways)
        assert points.shape == there[text].shape, text
        assert np.abs(points - there[text]).max() <= 2, text


def test_a_word_lies_where_it_should(corpus: StrokeCorpus) -> None:
    """From left to right, about a capital high, with steps that are no leaps."""
    for line in corpus.lines("test")[:100]:
        strokes = to_strokes(line.points)
        places = np.concatenate(strokes) / make.GRID
        width, height = np.ptp(places, axis=0)
        assert 7 < height < 70, line.text
        assert 4 < width / len(line.text) < 30, line.text
        assert strokes[-1][:, 0].max() > strokes[0][:, 0].min()
        inside = np.concatenate([np.hypot(*np.diff(stroke, axis=0).T) for stroke in strokes if len(stroke) > 1])
        assert np.quantile(inside, 0.99) < 8 * make.GRID
        assert len(strokes) <= 3 * len(line.text)


def test_two_thirds_power_law() -> None:
    """On a spiral, speed goes with the curvature as the law says, away from the ends."""
    writer = make.writer_of(1)
    turn = np.linspace(np.pi, 8 * np.pi, 4000)
    way = pen.fine(np.stack([3 * turn * np.cos(turn), 3 * turn * np.sin(turn)], 1))
    timed = pen.timed(writer, way, np.random.default_rng(0))[8:-8]
    steps = np.hypot(*np.diff(timed, axis=0).T)
    radius = np.hypot(*((timed[1:] + timed[:-1]) / 2).T)
    wanted = (0.08 / (1 / radius + 0.08)) ** (1 / 3)  # the curvature of a wide spiral is about 1 / radius
    share = steps / wanted
    assert np.ptp(share) < 0.06 * share.mean()
