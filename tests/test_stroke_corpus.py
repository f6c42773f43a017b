"""Opening strokes: where they come from, and how they are held out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.errors import ConfigError, CorpusError
from textdl.stroke_corpus import StrokesConfig, open_strokes
from textdl.strokes.line import Line, Lines
from textdl.strokes.npz import write_lines


def line(text: str, group: str = "", points: int = 3, seed: int = 0) -> Line:
    made = np.zeros((points, 3), np.float32)
    made[1:, :2] = np.random.default_rng([seed, points]).integers(-9, 10, (points - 1, 2))
    made[-1, 2] = 1
    return Line(made, text, group)


FORMS = [line(f"{form} {at}", f"form {form}", 3 + at) for form in range(200) for at in range(3)]
SHARES = StrokesConfig(validation=0.2, test=0.2)


def told(lines: Lines) -> list[tuple[str, str, Any]]:
    return [(one.text, one.group, one.points.tolist()) for one in lines]


def test_no_form_straddles_splits_and_nothing_is_lost() -> None:
    corpus = open_strokes(FORMS, SHARES)
    assert corpus.splits == ("train", "validation", "test")
    assert corpus.own_splits == ("train",)
    groups = [set(corpus.lines(split).groups) for split in corpus.splits]
    assert not (groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2])
    dealt = [one for split in corpus.splits for one in told(corpus.lines(split))]
    assert sorted(dealt) == sorted(told(Lines.of(FORMS)))
    assert [round(len(some) / 200, 1) for some in groups] == [0.6, 0.2, 0.2]


def test_neither_order_nor_growth_moves_a_line() -> None:
    few = open_strokes(FORMS[::-1][:300], SHARES)
    whole = open_strokes(FORMS, SHARES)
    for split in few.splits:
        assert set(few.lines(split).texts) < set(whole.lines(split).texts)


def test_without_groups_equal_texts_stay_together() -> None:
    some = [line(str(at % 50), seed=at) for at in range(150)]
    for lines in (some, [one._replace(group="me") for one in some]):
        corpus = open_strokes(lines, SHARES)
        texts = [set(corpus.lines(split).texts) for split in corpus.splits]
        assert all(texts)
        assert sum(map(len, texts)) == 50


def test_drawings_are_dealt_by_their_points() -> None:
    some = [line("", points=3 + at % 40, seed=at % 40) for at in range(80)]
    with pytest.raises(CorpusError, match="line 1 has no text; give it one, leave it out, or train on strokes alone"):
        open_strokes(some, SHARES)
    corpus = open_strokes(some, SHARES, texts=False)
    homes = [{one.points.tobytes() for one in corpus.lines(split)} for split in corpus.splits]
    assert all(homes)
    assert sum(map(len, homes)) == 40
    assert corpus.alphabet == ""


def test_too_little_to_hold_out() -> None:
    for text in "abcdefgh":
        corpus = open_strokes([line(text)], StrokesConfig(validation=0.45, test=0.45))
        assert [len(corpus.lines(split)) for split in corpus.splits] == [1, 0, 0]


def test_own_splits_are_kept() -> None:
    lists = {"train": FORMS[:300], "dev": FORMS[300:303], "test": FORMS[303:310]}
    corpus = open_strokes(lists)
    assert corpus.own_splits == ("train", "validation", "test")
    assert told(corpus.lines("validation")) == told(Lines.of(FORMS[300:303]))
    held = open_strokes({"train": FORMS[:300], "test": FORMS[303:310]}, SHARES)
    assert told(held.lines("test")) == told(Lines.of(FORMS[303:310]))
    assert 30 < len(held.lines("validation")) < 90


def test_limit_longest_and_alphabet() -> None:
    some = [line("ab"), line("ü", points=9), line("c c", points=4), line("zz")]
    config = StrokesConfig(limit=3, longest=4, validation=0, test=0)
    corpus = open_strokes(some, config)
    assert corpus.lines("train").texts == ("ab", "c c")
    assert corpus.alphabet == " abc"
    assert corpus.too_long == 1
    assert "left 1 of 3 training lines out: they have more than 4 points" in corpus.notes[-1]
    with pytest.raises(CorpusError, match="no line of at most 2 points to train on, the shortest has 3"):
        open_strokes(some, StrokesConfig(longest=2))
    kept = open_strokes({"train": some, "test": some}, StrokesConfig(longest=4, validation=0))
    assert len(kept.lines("test")) == 4, "figures are of all that is held out"


def test_the_digest_is_of_all_that_counts() -> None:
    base = open_strokes(FORMS, SHARES)
    assert open_strokes(list(FORMS), SHARES).digest == base.digest
    moved = FORMS[0].points.copy()
    moved[1, 0] += 1
    for other in (
        open_strokes([FORMS[0]._replace(text="x"), *FORMS[1:]], SHARES),
        open_strokes([FORMS[0]._replace(points=moved), *FORMS[1:]], SHARES),
        open_strokes(FORMS, StrokesConfig(validation=0.1, test=0.2)),
        open_strokes(FORMS[1:], SHARES),
    ):
        assert other.digest != base.digest


def test_files_and_folders(tmp_path: Path) -> None:
    write_lines(tmp_path / "mine.npz", FORMS)
    corpus = open_strokes(tmp_path / "mine.npz", SHARES)
    assert corpus.name == "mine"
    assert corpus.digest == open_strokes(FORMS, SHARES).digest, "it does not matter where lines come from"
    assert open_strokes(tmp_path, SHARES).digest == corpus.digest, "one file in a folder"
    folder = tmp_path / "splits"
    folder.mkdir()
    for name, some in (("train", FORMS[:9]), ("valid", FORMS[9:12]), ("test", FORMS[12:])):
        write_lines(folder / f"{name}.npz", some)
    assert open_strokes(folder).lines("validation").texts == tuple(one.text for one in FORMS[9:12])
    assert open_strokes(corpus) is corpus


def test_what_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "mine.npz", FORMS[:2])
    for source, said in (
        (tmp_path / "mine.npy", "did you mean 'mine.npz'"),
        ("stroke", "did you mean 'strokes'"),
        ("", "there is no corpus of strokes"),
        ([], "holds no lines"),
        ({"test": FORMS}, "has no split 'train', only test"),
        (7, "must be the name of a corpus, a path or a list of lines, got int"),
        ([(np.full((3, 3), np.nan), "x")], "the lines given, line 1, point 1 has NaN"),
        ([(np.zeros((1, 3)), "x")], "line 1 has one point"),
        ({"train": FORMS, "dev": [line(" ")]}, "validation, line 1 has no text"),
    ):
        with pytest.raises(CorpusError) as error:
            open_strokes(source)
        assert said in str(error.value)
    with pytest.raises(CorpusError, match="no split 'tests'; did you mean 'test'"):
        open_strokes(FORMS).lines("tests")
    with pytest.raises(ConfigError, match=r"at most 0\.95 together"):
        StrokesConfig(validation=0.5, test=0.5)
