"""Texts written on a condition: how a corpus of them is read, and which of its tokens count."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import textdl
from textdl.errors import ConfigError, CorpusError, PromptError
from textdl.tasks.conditioned import ConditionConfig, ConditionedCorpus, conditions_record, open_texts
from textdl.tasks.conditioned_text import (
    IGNORED,
    MARK,
    ConditionedText,
    conditioned_text,
    mark_id,
    shuffled,
    text_mask,
    windows_of,
)
from textdl.tasks.conditions import Conditions
from textdl.text.dividing import PIECE
from textdl.text.encoded import encode_pieces
from textdl.text.tokenizers import TokenizerConfig, train_tokenizer
from textdl.text.windows import windows

MARKED, END = 7, 9


def opened(source: Any, *fields: str, **settings: Any) -> ConditionedCorpus:
    corpus = open_texts(source, ConditionConfig(condition_field=fields, **{"validation": 0.0, "test": 0.0, **settings}))
    assert isinstance(corpus, ConditionedCorpus)
    return corpus


def documents(corpus: ConditionedCorpus, split: str = "train") -> list[tuple[str, str]]:
    """``(condition, text)`` of each document of the stream."""
    whole, held = [], ""
    for piece, last in corpus.stream(split):
        held += piece
        if last:
            condition, text = held.split(MARK)
            whole.append((condition, text))
            held = ""
    assert not held
    return whole


def some_ids(seed: int, number: int) -> tuple[np.ndarray, list[bool]]:
    """Documents of random lengths, and the obvious list of what counts."""
    random = np.random.default_rng(seed)
    ids: list[int] = []
    counts: list[bool] = []
    for _ in range(number):
        condition, text = (random.integers(0, 6, size).tolist() for size in random.integers(0, 9, 2))
        ids += [*condition, MARKED, *text, END]
        counts += [False] * (len(condition) + 1) + [True] * (len(text) + 1)
    return np.array(ids, np.uint8), counts


@pytest.mark.parametrize("number", [0, 1, 2, 50])
def test_what_counts_is_the_text_and_its_end(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids, counts = some_ids(number, number)
    for step in (1, 3, 1 << 22):
        monkeypatch.setattr("textdl.tasks.conditioned_text._STEP", step)
        found, tokens = text_mask(ids, MARKED, END)
        assert (found.tolist(), tokens) == (counts, sum(counts))
    if number:
        mapped, tokens = text_mask(ids, MARKED, END, tmp_path / "cache")
        assert isinstance(mapped, np.memmap)
        assert (mapped.tolist(), tokens) == (counts, sum(counts))
        assert not list((tmp_path / "cache").iterdir()), "the file is gone with the process"


def test_a_mask_that_can_not_be_kept_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match="can not be written"):
        text_mask(some_ids(1, 5)[0], MARKED, END, tmp_path / "file")


@pytest.mark.parametrize(
    "lanes, length, shift, context, start", list(itertools.product((1, 4), (3, 64), (0, 77), (0, 5), (0, 2)))
)
def test_in_windows_only_targets_of_texts_are_left(
    lanes: int, length: int, shift: int, context: int, start: int
) -> None:
    ids, counts = some_ids(3, 60)
    encoded = ConditionedText(ids, 0, 60, 0, np.array(counts), sum(counts))
    places = list(windows(np.arange(len(ids)), lanes, length, shift, context, start))
    found = list(windows_of(encoded, lanes, length, shift, context, start))
    assert len(found) == len(places)
    for (inputs, targets), (before, after) in zip(found, places, strict=True):
        assert (inputs == ids[before]).all(), "the model reads the conditions"
        slow = [[int(ids[at]) if counts[at] else IGNORED for at in row] for row in after.tolist()]
        assert targets.tolist() == slow


def test_documents_are_mixed_whole_and_always_alike() -> None:
    ids, _ = some_ids(5, 40)

    def parts(some: np.ndarray) -> list[tuple[int, ...]]:
        ends = np.flatnonzero(some == END) + 1
        return [tuple(part.tolist()) for part in np.split(some, ends)[:-1]]

    mixed = shuffled(ids, END)
    assert sorted(parts(mixed)) == sorted(parts(ids))
    assert parts(mixed) != parts(ids)
    assert (shuffled(ids, END) == mixed).all()


@pytest.mark.parametrize("kind", ["characters", "bytes", "words", "bpe"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_every_tokenizer_keeps_the_mark_a_token_of_its_own(kind: str, lowercase: bool) -> None:
    rows = [
        {"who": "O'Brien's (old)", "text": '\'tis "so" ... (ünder) it. Yes'},
        {"who": "...", "text": "\n\n  ''x''."},
        {"who": "Ünal 12", "text": "12\n"},
    ] * 4
    corpus = opened(rows, "who")
    pieces = list(corpus.stream("train"))
    config = TokenizerConfig(tokenizer=kind, vocabulary=400, lowercase=lowercase)
    tokenizer = train_tokenizer((piece for piece, _ in pieces), config)
    mark = mark_id(tokenizer)
    encoded = encode_pieces(iter(pieces), tokenizer)
    tally = corpus.tally("train")
    whole = conditioned_text(encoded, tokenizer, tally.characters, tally.documents, None, mixed=False)
    slow: list[int] = []
    counts: list[bool] = []
    for row in rows:
        before, after = tokenizer.encode(row["who"]).tolist(), tokenizer.encode(row["text"]).tolist()
        assert mark not in before + after
        slow += [*before, mark, *after, tokenizer.end]
        counts += [False] * (len(before) + 1) + [True] * (len(after) + 1)
    assert whole.ids.tolist() == slow
    assert whole.counts.tolist() == counts
    assert whole.tokens == sum(counts)
    assert whole.characters == sum(len(row["text"]) + 1 for row in rows)
    assert whole.documents == len(rows)


def test_a_vocabulary_without_room_for_the_mark_is_refused() -> None:
    tokenizer = train_tokenizer(["a b"], TokenizerConfig(tokenizer="words"))
    with pytest.raises(ConfigError, match=r"no room for the mark .* larger --vocabulary"):
        mark_id(tokenizer)
    with pytest.raises(ConfigError, match="no room for the mark"):
        mark_id(train_tokenizer(["a b", "c d" + chr(0x3042)], TokenizerConfig(min_count=2, tokenizer="characters")))


def test_a_folder_of_files_is_written_on_their_names(tmp_path: Path) -> None:
    names = {"Italian": ["Rossi", "Verdi", "Neri"], "Greek": ["Samaras", "Rallis"]}
    for who, some in names.items():
        (tmp_path / f"{who}.txt").write_text("\n".join(some) + "\n")
    found = documents(corpus := opened(tmp_path, "file", documents="line"))
    assert sorted(found) == sorted((who, name) for who, some in names.items() for name in some)
    assert corpus.size_hint("train") == sum(path.stat().st_size for path in tmp_path.iterdir())
    folders = tmp_path / "folders"
    for who, some in names.items():
        (folders / who).mkdir(parents=True)
        for number, name in enumerate(some):
            (folders / who / f"{number}.txt").write_text(name)
    assert sorted(documents(opened(folders, "folder"))) == sorted(found)
    with pytest.raises(CorpusError, match=r"has no field 'nation'; --condition-field file takes the name of each file"):
        opened(tmp_path, "nation", documents="line")
    with pytest.raises(CorpusError, match="one place only"):
        opened(tmp_path, "file", "folder", documents="line")
    with pytest.raises(CorpusError, match="has not 2 files whose names could be conditions"):
        opened(tmp_path / "Greek.txt", "file", documents="line")


def test_records_are_written_on_their_fields(tmp_path: Path) -> None:
    rows = [
        {"title": f"Soup {n}", "needs": ["water", "salt", f"{n} leeks"], "number": n, "steps": f"Boil {n}."}
        for n in range(6)
    ]
    file = tmp_path / "soups.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for source in (file, rows):
        found = documents(opened(source, "title", "needs", text_field=("steps",)))
        assert found == [(f"Soup {n}\n\nwater\nsalt\n{n} leeks", f"Boil {n}.") for n in range(6)]
    assert documents(opened(file, "number", "title", "needs"))[2] == ("2\n\nSoup 2\n\nwater\nsalt\n2 leeks", "Boil 2.")
    with pytest.raises(CorpusError, match="has no field 'titel'; did you mean 'title'"):
        opened(file, "titel")
    with pytest.raises(CorpusError, match="the field 'title' can not be the text and its condition"):
        opened(file, "title", text_field=("title",))
    with pytest.raises(CorpusError, match="no field of text beside title, needs, number, steps"):
        opened(file, "title", "needs", "number", "steps")
    with pytest.raises(CorpusError, match="has no field 'file'"):
        opened(["a text"], "file")
    whole = textdl.open_corpus(file, textdl.corpus.CorpusConfig(text_field=("title", "steps")))
    with pytest.raises(CorpusError, match="the field 'title' can not be the text and its condition"):
        opened(whole, "title")
    with pytest.raises(CorpusError, match="no field 'nonsense'"):
        opened(whole, "nonsense")


def test_of_a_dataset_only_the_columns_that_are_needed_are_read() -> None:
    datasets = pytest.importorskip("datasets")
    rows = [{"who": f"W{n}", "text": f"t {n}", "large": "x" * 10} for n in range(5)]
    corpus = opened(datasets.Dataset.from_list(rows), "who", text_field=("text",))
    assert documents(corpus) == [(f"W{n}", f"t {n}") for n in range(5)]
    assert {name for record in corpus.records("train") for name in record} == {"who", "text"}


def test_a_built_in_corpus_loses_its_condition_from_the_text() -> None:
    corpus = opened("recipes", "title", limit=3)
    plain = textdl.open_corpus("recipes", textdl.corpus.CorpusConfig(limit=3))
    assert corpus.text_fields == tuple(name for name in plain.text_fields if name != "title")
    for (title, text), record in zip(documents(corpus), plain.records("train"), strict=True):
        assert title == record["title"]
        assert "\n".join(record["steps"]) in text
        assert not text.startswith(title)


def test_what_has_no_condition_is_left_out_and_a_mark_becomes_a_space() -> None:
    rows = [
        {"who": " A ", "text": f"a{MARK}b"},
        {"who": "", "text": "lost"},
        {"text": "lost too"},
        {"who": f"B{MARK}C", "text": "d"},
        {"who": [], "text": "lost as well"},
    ]
    corpus = opened(rows, "who")
    assert documents(corpus) == [("A", "a b"), ("B C", "d")]
    tally = corpus.tally("train")
    assert (tally.documents, tally.characters, tally.left_out, tally.marked) == (2, 3 + 1 + 2, 3, 1)
    assert corpus.facts["without a condition"] == "3 documents, left out"
    assert corpus.facts["with U+0002"] == "1 pieces of text, where it is read as a space"
    with pytest.raises(CorpusError, match="no document holds anything in who"):
        documents(opened([{"who": "", "text": "a"}, {"who": None, "text": "b"}], "who"))


def test_a_long_text_has_one_condition_and_many_pieces() -> None:
    text = "abc\n" * 600_000
    corpus = opened([{"who": "x", "text": text}, {"who": "y", "text": "short"}], "who")
    pieces = list(corpus.stream("train"))
    assert len(pieces) > 6
    assert max(len(piece) for piece, _ in pieces) <= PIECE
    assert documents(corpus) == [("x", text), ("y", "short")]


def test_the_field_is_part_of_the_digest_and_the_texts_are_dealt_as_ever() -> None:
    rows = [{"a": f"A{n}", "b": f"B{n}", "text": f"text {n}"} for n in range(200)]
    held = {"validation": 0.2, "test": 0.2}
    first, other = opened(rows, "a", **held), opened(rows, "b", **held)
    plain = textdl.open_corpus(rows, textdl.corpus.CorpusConfig(**held))
    assert len({first.digest, other.digest, plain.digest}) == 3
    for split in ("train", "validation", "test"):
        assert [text for _, text in documents(first, split)] == list(plain.split(split))
        assert all(condition[1:] == text[5:] for condition, text in documents(first, split))


def test_few_conditions_are_kept_as_a_list_and_many_as_examples() -> None:
    def record(conditions: list[str]) -> dict[str, Any]:
        return conditions_record(opened([{"who": who, "text": "t"} for who in conditions], "who"))

    few = record(["b"] * 3 + ["a"] * 5 + ["c"] * 3)
    assert few == {"fields": ["who"], "counts": {"a": 5, "b": 3, "c": 3}, "examples": []}
    assert list(few["counts"]) == ["a", "b", "c"]
    assert record(["a", "b", "c"]) == {"fields": ["who"], "counts": None, "examples": ["a", "b", "c"]}
    fifty, more = ([f"{n}" for n in range(number)] * 3 for number in (50, 51))
    assert len(record(fifty)["counts"]) == 50
    assert (record(more)["counts"], len(record(more)["examples"])) == (None, 5)


def test_a_condition_is_put_together_as_the_corpus_does() -> None:
    one, two = Conditions(("needs",), ("x",), False), Conditions(("title", "needs"), ("x",), False)
    assert one.text(["water", "salt"]) == "water\nsalt"
    assert two.text(["Soup", "water\nsalt"]) == "Soup\n\nwater\nsalt"
    assert two.text("Soup\n\nwater") == two.text(["Soup\n\nwater"]) == "Soup\n\nwater"
    assert one.text(" a\r\nb ") == "a\nb"
    with pytest.raises(PromptError, match=r"has 2 parts \(title, needs\), got 3; give one for each"):
        two.text(["a", "b", "c"])
    with pytest.raises(PromptError, match="is empty"):
        one.text(" ")
    wrong: Any
    for wrong in (5, [1, 2], b"a", {"needs": "a"}):
        with pytest.raises(PromptError, match="the condition must be a text, or a list of texts, got"):
            one.text(wrong)
    closed, tokenizer = Conditions(("who",), ("red\a", "x"), True), train_tokenizer(["red"], TokenizerConfig())
    assert closed.example == "TEXT", "what a terminal would act on is no example"
    with pytest.raises(PromptError, match=r"knows no condition 'y{40}…'; known: "):
        closed.ids("y" * 500, tokenizer)
