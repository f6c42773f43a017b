"""Opening any corpus: what the user gave comes out, once, in the split it belongs to; and what is wrong is said."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textdl.corpus import Card, Corpus, CorpusConfig, open_corpus
from textdl.errors import ConfigError, CorpusError
from textdl.text import dividing

CARD = """+++
name = "small"
title = "A small corpus"
licence = "CC0-1.0"
language = "en"
source = "Written for a test."
text_fields = ["title", "steps"]

[splits]
train = "train.jsonl"
validation = "validation.jsonl"
test = "test.jsonl"
+++

# Small
"""
RECIPES = [{"title": f"Soup {n}", "serves": n, "steps": ["Boil.", f"Wait {n} minutes."]} for n in range(300)]
ALL_TRAIN = CorpusConfig(validation=0, test=0)


def write(path: Path, content: str | bytes | list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def everything(corpus: Corpus) -> dict[str, list[str]]:
    return {split: list(corpus.split(split)) for split in corpus.splits}


def joined(splits: dict[str, list[str]]) -> list[str]:
    return [text for texts in splits.values() for text in texts]


def complaint(source: Any, config: CorpusConfig = CorpusConfig()) -> str:
    with pytest.raises(CorpusError) as caught:
        everything(open_corpus(source, config))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def small(folder: Path, card: str = CARD) -> Path:
    write(folder / "CARD.md", card)
    for split, rows in (("train", RECIPES[:200]), ("validation", RECIPES[200:250]), ("test", RECIPES[250:])):
        write(folder / f"{split}.jsonl", rows)
    return folder


# What can be given


def test_a_folder_with_a_card(tmp_path: Path) -> None:
    corpus = open_corpus(small(tmp_path / "small"))
    assert corpus.card == Card("small", "A small corpus", "CC0-1.0", "en", "Written for a test.", "# Small")
    assert corpus.splits == ("train", "validation", "test")
    assert next(corpus.split("validation")) == "Soup 200\n\nBoil.\nWait 200 minutes."
    assert list(corpus.records("test")) == RECIPES[250:]
    other = open_corpus(tmp_path / "small", CorpusConfig(text_field=("serves",)))
    assert list(other.split("test")) == [str(n) for n in range(250, 300)]


def test_every_kind_of_file_gives_the_same_texts(tmp_path: Path) -> None:
    texts = [f"text {n}, with é" for n in range(120)]
    rows = [{"text": text} for text in texts]
    files = [
        write(tmp_path / "a.txt", "\n".join(texts)),
        write(tmp_path / "b.log", "\r\n".join(texts) + "\r\n"),
        write(tmp_path / "noextension", "\n".join(texts)),
        write(tmp_path / "c.txt.gz", gzip.compress("\n".join(texts).encode())),
        write(tmp_path / "d.jsonl", rows),
        write(tmp_path / "e.json", json.dumps(rows)),
        write(tmp_path / "f.csv", "id,text\n" + "".join(f'1,"{text}"\n' for text in texts)),
        write(tmp_path / "g.tsv", "id\ttext\n" + "".join(f"1\t{text}\n" for text in texts)),
    ]
    wanted = everything(open_corpus(texts))
    assert sorted(joined(wanted)) == sorted(texts)
    assert all(wanted.values())
    for path in files:
        for given_as in (path, str(path)):
            assert everything(open_corpus(given_as, CorpusConfig(documents="line"))) == wanted, path.name


def test_a_folder_of_files(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "the second\n\nfile")
    write(tmp_path / "a/c.txt", "the first")
    write(tmp_path / "blank.txt", " \n")
    write(tmp_path / "empty.txt", "")
    write(tmp_path / "z.jsonl", [{"text": "the last", "label": 3}])
    corpus = open_corpus(tmp_path, ALL_TRAIN)
    assert list(corpus.split("train")) == ["the first", "the second\n\nfile", "the last"]
    assert list(corpus.records("train")) == [
        {"text": "the first", "file": "a/c.txt"},
        {"text": "the second\n\nfile", "file": "b.txt"},
        {"text": "the last", "label": 3},
    ]
    paragraphs = open_corpus(tmp_path, CorpusConfig(documents="paragraph", validation=0, test=0))
    assert list(paragraphs.split("train")) == ["the first", "the second", "file", "the last"]


def test_python_objects(tmp_path: Path) -> None:
    class Again:
        def __iter__(self) -> Iterator[str]:
            return iter(("one", "two"))

    assert list(open_corpus(Again(), ALL_TRAIN).split("train")) == ["one", "two"]
    corpus = open_corpus({"train": ["a", "b"], "dev": [{"text": "c", "label": 1}], "extra": ["d"]}, ALL_TRAIN)
    assert everything(corpus) == {"train": ["a", "b"], "validation": ["c"], "test": [], "extra": ["d"]}
    assert list(corpus.records("validation")) == [{"text": "c", "label": 1}]
    assert open_corpus(corpus) is corpus
    texts = ["one", "two"]
    corpus = open_corpus(texts, ALL_TRAIN)
    texts.append("three")
    assert list(corpus.split("train")) == ["one", "two"], "a corpus is frozen"


def test_a_built_in_name_goes_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import textdl_corpora

    monkeypatch.setattr(textdl_corpora, "NAMES", ("small",))
    monkeypatch.setattr(textdl_corpora, "__file__", str(tmp_path / "package" / "__init__.py"))
    small(tmp_path / "package" / "small")
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "small", "a file of that name")
    assert open_corpus("small").card.licence == "CC0-1.0"
    for path in ("./small", tmp_path / "small", Path("small")):
        assert "".join(joined(everything(open_corpus(path)))) == "a file of that name"


# Records


def test_records_without_text_are_skipped_and_counted(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "a", "n": 1},
        {"text": None, "n": 2},
        {"n": 3},
        {"text": " \n", "n": 4},
        {"text": "b", "n": 5},
    ]
    corpus = open_corpus(write(tmp_path / "a.jsonl", rows), ALL_TRAIN)
    assert list(corpus.split("train")) == ["a", "b"]
    assert corpus.skipped == 3
    assert [record["n"] for record in corpus.records("train")] == [1, 5]
    assert list(open_corpus(tmp_path / "a.jsonl", CorpusConfig(limit=1)).split("train")) == ["a"]


# Splits


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=40), st.randoms())
def test_dealt_splits(texts: list[str], random: Any) -> None:
    config = CorpusConfig(validation=0.3, test=0.2)
    first = everything(open_corpus(texts * 2, config))
    assert Counter(joined(first)) == Counter(texts * 2)
    assert first["train"]
    assert sum(len(set(split)) for split in first.values()) == len(set(texts)), "equal texts in different splits"
    for split, some in first.items():
        assert some == [text for text in texts * 2 if text in set(some)], f"{split} is out of order"
    again = texts * 2
    random.shuffle(again)
    assert {k: sorted(v) for k, v in everything(open_corpus(again, config)).items()} == {
        k: sorted(v) for k, v in first.items()
    }


def test_missing_splits_are_dealt_out_of_train(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(400)]
    corpus = open_corpus({"train": texts, "test": ["t"]})
    assert list(corpus.split("test")) == ["t"]
    validation = set(corpus.split("validation"))
    assert 5 <= len(validation) <= 40
    assert list(corpus.split("train")) == [text for text in texts if text not in validation]


@pytest.mark.parametrize("own", [(), ("test",), ("validation",)])
def test_one_text_is_cut_at_line_ends(own: tuple[str, ...], tmp_path: Path) -> None:
    text = "".join(f"line {n}\n" for n in range(1000))
    write(tmp_path / "train.txt", text)
    for split in own:
        write(tmp_path / f"{split}.txt", "own\n")
    corpus = open_corpus(tmp_path)
    parts = {split: docs for split, docs in everything(corpus).items() if split not in own}
    assert all(len(docs) == 1 and docs[0].endswith("\n") for docs in parts.values())
    assert "".join(docs[0] for docs in parts.values()) == text
    for split in parts.keys() - {"train"}:
        assert len(parts[split][0]) == pytest.approx(0.05 * len(text), abs=10)
        assert list(corpus.records(split)) == [{"text": parts[split][0], "file": "train.txt"}]
    for split in own:
        assert list(corpus.split(split)) == ["own\n"]


@pytest.mark.parametrize("text", ["x", "one\ntwo", "word " * 50])
def test_train_is_never_empty(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", text)
    for source in (path, [text]):
        for config in (CorpusConfig(), CorpusConfig(validation=0.5, test=0.45)):
            splits = everything(open_corpus(source, config))
            assert splits["train"]
            assert "".join(joined(splits)) == text
    lines = everything(open_corpus(path, CorpusConfig(documents="line", validation=0.5, test=0.45)))
    assert lines["train"]


def test_limit_stops_reading(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", '{"text": "one"}\n' * 100 + '{"text": "two"}\n' + '{"text": "x"}\n' * 50 + "broken"
    )
    corpus = open_corpus(path, CorpusConfig(limit=101))
    assert Counter(joined(everything(corpus))) == {"one": 100, "two": 1}
    assert "is not JSON" in complaint(path)
    own = open_corpus({"train": ["a", "b"], "validation": ["c", "d"]}, CorpusConfig(limit=1, test=0))
    assert everything(own) == {"train": ["a"], "validation": ["c"], "test": []}


def test_streaming_gives_the_same_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "PIECE", 50)
    for n in range(30):
        write(tmp_path / f"{n}.txt", f"line {n} é\n" * (n * n) + "x" * n)
    one = write(tmp_path / "sub" / "one.txt", "some words\n" * 100)
    for corpus in (open_corpus(tmp_path, CorpusConfig(validation=0.3)), open_corpus(one)):
        for split in corpus.splits:
            documents, held = [], ""
            for piece, last in corpus.stream(split):
                assert len(piece) <= 50
                held += piece
                if last:
                    documents.append(held)
                    held = ""
            assert not held
            assert documents == list(corpus.split(split)) == list(corpus.split(split)), "restartable"
            assert documents


# Digest, size, settings


def test_digest_tells_content_roles_and_settings(tmp_path: Path) -> None:
    text = "one\n\ntwo\nthree\n"
    path = write(tmp_path / "a.txt", text)
    same = write(tmp_path / "elsewhere" / "b.txt", text)
    digest = open_corpus(path).digest
    assert digest == open_corpus(same).digest == open_corpus(path, CorpusConfig(documents="file")).digest
    others = [
        open_corpus(path, CorpusConfig(documents="line")).digest,
        open_corpus(path, CorpusConfig(limit=1)).digest,
        open_corpus(path, CorpusConfig(test=0.2)).digest,
        open_corpus([text]).digest,
        open_corpus(["one", "two"]).digest,
        open_corpus(["one\ntwo"]).digest,
        open_corpus({"train": ["one"], "test": ["two"]}).digest,
        open_corpus({"train": ["two"], "test": ["one"]}).digest,
        open_corpus([{"text": "one", "label": 1}]).digest,
        open_corpus([{"text": "one", "label": 2}]).digest,
        open_corpus(small(tmp_path / "s")).digest,
        open_corpus(tmp_path / "s", CorpusConfig(text_field=("title",))).digest,
    ]
    assert len({digest, *others}) == 1 + len(others)
    # Where nothing is held out, the shares change nothing.
    assert others[-2] == open_corpus(tmp_path / "s", CorpusConfig(test=0.2)).digest
    path.write_text(text + "more")
    assert open_corpus(path).digest != digest


def test_size_hint(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "x" * 1000)
    assert [open_corpus(path).size_hint(split) for split in ("train", "validation", "test")] == [900, 50, 50]
    assert open_corpus(["x" * 100], ALL_TRAIN).size_hint("train") == 100
    assert open_corpus(write(tmp_path / "a.txt.gz", gzip.compress(b"x"))).size_hint("train") is None


def test_settings_are_checked() -> None:
    for bad in ({"validation": 0.6, "test": 0.4}, {"limit": 0}, {"documents": "page"}, {"text_field": "text"}):
        with pytest.raises(ConfigError):
            CorpusConfig(**bad)  # type: ignore[arg-type]


# Mistakes


def test_missing_paths_suggest_near_names(tmp_path: Path) -> None:
    write(tmp_path / "shakespeare.txt", "x")
    assert "did you mean 'recipes'?" in complaint("recipse")
    assert "did you mean 'shakespeare.txt'?" in complaint(tmp_path / "shakespear.txt")
    assert "built-in corpus (recipes, news" in complaint(str(tmp_path / "nowhere" / "a.txt"))
    for odd in ("", "a text " * 1000, "zero\0byte", "two\nlines"):
        assert "there is no corpus, file or folder" in complaint(odd)
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in complaint(tmp_path / "pipe")


def test_nothing_in_it(tmp_path: Path) -> None:
    assert "is empty" in complaint(write(tmp_path / "a.txt", ""))
    assert "is empty" in complaint(write(tmp_path / "a.jsonl", ""))
    assert "holds no text" in complaint(write(tmp_path / "a.txt", " \n\n"))
    assert "holds no records" in complaint(write(tmp_path / "a.jsonl", "\n\n"))
    assert "holds no records" in complaint(write(tmp_path / "a.csv", "id,text\n"))
    assert "holds no text in text" in complaint(write(tmp_path / "b.jsonl", [{"text": ""}]))
    assert "memory is empty" in complaint([])
    (tmp_path / "folder").mkdir()
    assert "it is empty" in complaint(tmp_path / "folder")
    write(tmp_path / "folder" / "a.txt", "")
    assert "is empty" in complaint(tmp_path / "folder")


def test_fields_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", [{"title": "a", "body": "b"}])
    assert f"{path} has no field 'titel'; did you mean 'title'?" in complaint(path, CorpusConfig(text_field=("titel",)))
    assert "set text_field to one or more of title, body" in complaint(path)
    plain = write(tmp_path / "a.txt", "text")
    assert "is plain text and has no fields" in complaint(plain, CorpusConfig(text_field=("text",)))
    write(tmp_path / "two" / "a.jsonl", [{"text": "a"}])
    second = write(tmp_path / "two" / "b.jsonl", [{"body": "b"}])
    assert f"{second} has no field 'text'" in complaint(tmp_path / "two")


def test_python_objects_that_can_not_be_read_again() -> None:
    assert "generator, which can be gone through only once; write list(texts)" in complaint(text for text in "ab")
    assert "must be a list of texts, got int" in complaint(3)
    assert "must be a list of texts, got str; write [text]" in complaint({"train": "text"})
    assert "no split 'train', only test" in complaint({"test": ["a"]})
    assert "memory, document 2 must be text or a dict, got int" in complaint(["a", 2])


def test_an_unknown_split_is_told_at_the_call() -> None:
    corpus = open_corpus(["a"])
    for read in (corpus.split, corpus.records, corpus.stream, corpus.size_hint):
        with pytest.raises(CorpusError, match="no split 'valdation'; did you mean 'validation'"):
            read("valdation")


def test_broken_cards(tmp_path: Path) -> None:
    for cut, words in (
        ('licence = "CC0-1.0"\n', "lacks 'licence'"),
        ('name = "small"', "not well-formed"),
        ('train = "train.jsonl"\n', "names no train"),
        ("[splits]\n", "lacks 'splits'"),
    ):
        card = CARD.replace(cut, "name = small" if cut.startswith("name") else "")
        assert words in complaint(small(tmp_path, card))
    small(tmp_path)
    (tmp_path / "test.jsonl").unlink()
    assert f"{tmp_path / 'test.jsonl'} can not be read: No such file" in complaint(tmp_path)


def test_broken_files_are_told_at_once(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(5000).hex().encode())
    assert "truncated or damaged" in complaint(write(tmp_path / "a.txt.gz", whole[:3000]))
    with pytest.raises(CorpusError, match="line 2 is not UTF-8"):
        open_corpus(write(tmp_path / "a.txt", b"ok\n\xff"))
    with pytest.raises(CorpusError, match="zero byte"):
        open_corpus(write(tmp_path / "a.bin", b"\x01\0"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").symlink_to(tmp_path / "gone.txt")
    assert "No such file" in complaint(tmp_path / "folder")


def test_opening_is_light() -> None:
    code = (
        "import sys; from textdl.corpus import open_corpus; list(open_corpus(['a']).split('train'));"
        "print([m for m in ('torch', 'datasets', 'pyarrow', 'zstandard') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
