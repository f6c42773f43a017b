"""Parallel texts: whatever holds them, each pair comes out once, in its split; and what is wrong is said in a line."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from textdl.corpus import CorpusConfig, open_corpus
from textdl.errors import CorpusError
from textdl.parallel import Pair, ParallelConfig, ParallelCorpus, open_parallel

from .pairs_on_disk import archive, lines, table, train, write

# Each source twice, with two targets: they have to stay together. Some characters end a line for Python's splitlines.
PAIRS = [Pair(f"text {n // 2} \x0c\u2028 end", f"ñ {n}\x85") for n in range(400)]
ROWS = [{"en": source, "es": target} for source, target in PAIRS]


def splits(corpus: ParallelCorpus) -> dict[str, Counter[Pair]]:
    return {split: Counter(corpus.pairs(split)) for split in corpus.splits}


def complaint(source: Any, /, **settings: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        splits(open_parallel(source, ParallelConfig(**settings)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Where pairs are


def test_every_kind_of_source_gives_the_same_pairs_in_the_same_splits(tmp_path: Path) -> None:
    write(tmp_path / "files" / "a.en", lines(0, PAIRS))
    write(tmp_path / "files" / "a.es.gz", gzip.compress(lines(1, PAIRS).encode()))
    write(tmp_path / "named" / "europarl.src.txt", lines(0, PAIRS))
    write(tmp_path / "named" / "europarl.tgt.txt", lines(1, PAIRS).replace("\n", "\r\n"))
    nested = [{"id": str(n), "translation": row} for n, row in enumerate(ROWS)]
    columns = {name: [row[name] for row in ROWS] for name in ("en", "es")}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    hub = datasets.Dataset.from_list(nested)
    hub.save_to_disk(str(tmp_path / "saved"))
    sources: list[tuple[Any, dict[str, Any], tuple[str, str]]] = [
        (tmp_path / "files", {"source": "en", "target": "es"}, ("en", "es")),
        (tmp_path / "files", {"source": ".en"}, ("en", "es")),
        (tmp_path / "files", {"source": "a.en", "target": "a.es.gz"}, ("a.en", "a.es.gz")),
        (
            tmp_path,
            {"source": str(tmp_path / "files" / "a.en"), "target": "files/a.es.gz"},
            ("a.en", "a.es.gz"),
        ),
        (tmp_path / "files" / "a.en", {"target": "a.es.gz"}, ("a.en", "a.es.gz")),
        (tmp_path / "named", {}, ("src", "tgt")),
        (write(tmp_path / "a.tsv", table(PAIRS)), {}, ("1", "2")),
        (write(tmp_path / "a.txt", table(PAIRS)), {"target": "2"}, ("1", "2")),
        (
            write(
                tmp_path / "b.tsv", "es\tnote\ten\n" + table(PAIRS)[:0] + "".join(f"{t}\tx\t{s}\n" for s, t in PAIRS)
            ),
            {"source": "en", "target": "es"},
            ("en", "es"),
        ),
        (write(tmp_path / "d.tsv", "Source\tTarget\n" + table(PAIRS)), {}, ("Source", "Target")),
        (
            archive(
                tmp_path / "en-es.zip", **{"_about.txt": "x" * 20000, "es.txt": table(PAIRS), "__MACOSX/._es.txt": "y"}
            ),
            {},
            ("1", "2"),
        ),
        (
            archive(
                tmp_path / "j.zip",
                **{"LICENSE": "x" * 20000, "in/a.jsonl": "".join(json.dumps(r) + "\n" for r in ROWS)},
            ),
            {},
            ("en", "es"),
        ),
        (write(tmp_path / "a.jsonl", ROWS), {}, ("en", "es")),
        (
            write(tmp_path / "a.json", json.dumps(nested)),
            {"source": "en", "target": "es"},
            ("translation.en", "translation.es"),
        ),
        (write(tmp_path / "b.jsonl", nested), {"target": "translation.es"}, ("translation.en", "translation.es")),
        (write(tmp_path / "c.jsonl", [{"summary": t, "n": 1, "text": s} for s, t in PAIRS]), {}, ("text", "summary")),
        (tmp_path / "a.parquet", {}, ("en", "es")),
        (tmp_path / "saved", {"source": "en", "target": "es"}, ("translation.en", "translation.es")),
        (PAIRS, {}, ("source", "target")),
        ([list(pair) for pair in PAIRS], {}, ("source", "target")),
        (nested, {}, ("translation.en", "translation.es")),
        (open_corpus([{"text": s, "es": t} for s, t in PAIRS]), {"source": "text", "target": "es"}, ("text", "es")),
        (open_corpus(tmp_path / "a.jsonl", CorpusConfig(text_field=("es",))), {}, ("en", "es")),
    ]
    wanted = splits(open_parallel(PAIRS))
    assert sum(wanted.values(), Counter()) == Counter(PAIRS)
    for source, settings, names in sources:
        corpus = open_parallel(source, ParallelConfig(**settings))
        assert (corpus.source_name, corpus.target_name) == names, source
        assert splits(corpus) == wanted, f"held out by the source, so the same everywhere: {source}"
        assert (corpus.own_splits, corpus.skipped, corpus.same) == (("train",), 0, 0)
        assert list(corpus.pairs("train")) == [pair for pair in PAIRS if pair in wanted["train"]]
    assert all(wanted[split] for split in ("validation", "test"))
    held = {split: {pair.source for pair in some} for split, some in wanted.items()}
    assert not any(a & b for a, b in itertools.combinations(held.values(), 2))
    assert all(len(some) == 2 * len(held[split]) for split, some in wanted.items()), "both targets of each source"


@pytest.mark.parametrize("form", ["lines", "table", "records", "lists", "csv"])
def test_the_direction_can_be_turned(form: str, tmp_path: Path) -> None:
    write(tmp_path / "lines" / "a.en", lines(0, PAIRS))
    write(tmp_path / "lines" / "a.es", lines(1, PAIRS))
    plain = [Pair(f"t {n}", f"u {n}") for n in range(9)]
    source, settings = {
        "lines": (tmp_path / "lines", {"source": "es", "target": "en"}),
        "table": (write(tmp_path / "a.tsv", table(PAIRS)), {"source": "2"}),
        "records": (write(tmp_path / "a.jsonl", ROWS), {"source": "es"}),
        "lists": (PAIRS, {"source": "target", "target": "source"}),
        "csv": (
            write(tmp_path / "a.csv", "a,b\n" + "".join(f"{s},{t}\n" for s, t in plain)),
            {"source": "2", "target": "1"},
        ),
    }[form]
    assert train(source, **settings) == [Pair(t, s) for s, t in (plain if form == "csv" else PAIRS)]


def test_splits_by_name_in_a_folder_of_several_languages(tmp_path: Path) -> None:
    files = {
        "train": PAIRS[:50],
        "more/train_2": PAIRS[50:60],
        "val": PAIRS[60:70],
        "test_2016_flickr": PAIRS[70:90],
        "test_2017": PAIRS[90:95],
        "extra": PAIRS[95:97],
    }
    for name, some in files.items():
        for ending, side in (("en", 0), ("fr", 1), ("de", 0)):
            write(tmp_path / f"{name}.{ending}.gz", gzip.compress(lines(side, some).encode()))
    write(tmp_path / "README.md", "about")
    write(tmp_path / "PROVENANCE.txt", "about")
    corpus = open_parallel(tmp_path, ParallelConfig(source="en", target="fr"))
    assert set(corpus.own_splits) == {"train", "validation", "test", "test_2017", "extra"}
    assert list(corpus.pairs("train")) == [*PAIRS[50:60], *PAIRS[:50]]
    assert list(corpus.pairs("validation")) == PAIRS[60:70]
    assert list(corpus.pairs("test")) == PAIRS[70:90]
    assert list(corpus.pairs("test_2017")) == PAIRS[90:95]
    assert corpus.name == tmp_path.name
    said = complaint(tmp_path)
    assert ".de, .en, .fr" in said
    assert "--source de --target en" in said
    assert "does not say which are the target" in complaint(tmp_path, source="en")
    assert "no file or ending 'enn'; did you mean 'en'" in complaint(tmp_path, source="enn", target="fr")
    (tmp_path / "val.fr.gz").unlink()
    assert "val.en.gz has no partner that ends in fr" in complaint(tmp_path, source="en", target="fr")


def test_two_endings_without_a_usual_name_do_not_tell_the_direction(tmp_path: Path) -> None:
    write(tmp_path / "a.en", lines(0, PAIRS))
    write(tmp_path / "a.es", lines(1, PAIRS))
    assert "end in .en, .es, and does not say which" in complaint(tmp_path)


def test_tables_by_split_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "set.train.txt", table(PAIRS[:20]))
    write(tmp_path / "set.valid.txt", table(PAIRS[20:30]))
    corpus = open_parallel(tmp_path, ParallelConfig(test=0))
    assert list(corpus.pairs("train")) + list(corpus.pairs("validation")) == PAIRS[:30]
    swapped = open_parallel(tmp_path, ParallelConfig(source="2", target="1"))
    assert [Pair(*pair[::-1]) for pair in swapped.pairs("validation")] == PAIRS[20:30]
    # The columns of each file are found by its own header.
    write(tmp_path / "b" / "train.tsv", "en\tes\n" + table(PAIRS[:20]))
    write(tmp_path / "b" / "test.tsv", "es\ten\n" + "".join(f"{t}\t{s}\n" for s, t in PAIRS[20:30]))
    corpus = open_parallel(tmp_path / "b", ParallelConfig(source="en", target="es"))
    assert list(corpus.pairs("test")) == PAIRS[20:30]


def test_a_card_names_the_fields(tmp_path: Path) -> None:
    head = ['name = "n"', 'title = "t"', 'licence = "l"', 'language = "en"', 'source = "s"']
    fields = [
        'source_field = "say"',
        'target_field = "heard"',
        "[splits]",
        'train = "train.jsonl"',
        'test = "exam.jsonl"',
    ]
    write(tmp_path / "CARD.md", "\n".join(["+++", *head, *fields, "+++", "# About"]) + "\n")
    for name, some in (("train", PAIRS[:20]), ("exam", PAIRS[20:30])):
        write(tmp_path / f"{name}.jsonl", [{"heard": t, "x": "en", "say": s} for s, t in some])
    corpus = open_parallel(tmp_path)
    assert (corpus.name, corpus.card.body, corpus.source_name, corpus.target_name) == ("n", "# About", "say", "heard")
    assert list(corpus.pairs("test")) == PAIRS[20:30]
    assert train(tmp_path, source="heard") == [Pair(t, s) for s, t in PAIRS[:20]]


def test_a_built_in_corpus_of_records() -> None:
    titles = open_parallel("recipes", ParallelConfig(source="title", target="ingredients", limit=30))
    plain = open_corpus("recipes", CorpusConfig(text_field=("title",), limit=30))
    wanted = [Pair(row["title"], "\n".join(row["ingredients"])) for row in plain.records("train")]
    assert list(titles.pairs("train")) == wanted
    assert "does not say which fields are source and target" in complaint("recipes")


@pytest.mark.parametrize("streaming", [False, True])
def test_a_translation_dataset_of_the_hub(streaming: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    features = datasets.Features({"id": datasets.Value("string"), "translation": datasets.Translation(["en", "es"])})

    def made(some: list[dict[str, str]]) -> Any:
        rows = [{"id": str(n), "translation": row} for n, row in enumerate(some)]
        return datasets.Dataset.from_list(rows, features=features)

    def load(name: str, config: str | None, streaming: bool) -> Any:
        assert (name, config) == ("books", "en-es")
        splits = {"train": made(ROWS[:300]), "dev": made(ROWS[300:])}
        return {name: rows.to_iterable_dataset() for name, rows in splits.items()} if streaming else splits

    monkeypatch.setattr(datasets, "load_dataset", load)
    corpus = open_parallel("hf:books:en-es", ParallelConfig(source="en", target="es", test=0, streaming=streaming))
    assert (list(corpus.pairs("train")), list(corpus.pairs("validation"))) == (PAIRS[:300], PAIRS[300:])
    turned = open_parallel("hf:books:en-es", ParallelConfig(source="es", test=0, streaming=streaming))
    assert [pair[::-1] for pair in turned.pairs("validation")] == PAIRS[300:]
    assert turned.digest != corpus.digest


def test_lists_by_split_and_rows_that_are_no_list() -> None:
    class Again:
        def __iter__(self) -> Any:
            return iter(PAIRS[:5])

    corpus = open_parallel({"train": Again(), "dev": PAIRS[5:7], "test": []})
    assert (list(corpus.pairs("train")), list(corpus.pairs("validation"))) == (PAIRS[:5], PAIRS[5:7])
    assert set(corpus.own_splits) == {"train", "validation"}, "a split without pairs is none of its own"
    copy = [("a", "b"), ("c", "d")]
    corpus = open_parallel(copy, ParallelConfig(validation=0, test=0))
    copy.append(("e", "f"))
    assert len(list(corpus.pairs("train"))) == 2
    assert open_parallel(corpus) is corpus
    assert "must be (source, target) or a dict, got 'a b'" in complaint([("a", "b"), "a b"])
    assert "pair 1 must be" in complaint([("a", "b", "c")])
    assert "only once; write list(pairs)" in complaint(iter(PAIRS))
    assert "no split 'train', only test" in complaint({"test": PAIRS})
    assert "the list 'train' is empty" in complaint([])
    assert "must be one of pairs, got int" in complaint({"train": 3})


# What is left out and counted


def test_empty_sides_are_left_out_and_counted(tmp_path: Path) -> None:
    write(tmp_path / "a.src", "one\n\n  \nfour\n\nsix\n")
    write(tmp_path / "a.tgt", "1\n2\n3\n \n\nsix\n")
    rows = [{"source": s, "target": t} for s, t in (("one", "1"), (None, "2"), ("four", ""), ("six", "six"))]
    corpora = [
        (tmp_path, 4),
        (write(tmp_path / "b.tsv", "one\t1\n\t2\nfour\t\n\nsix\tsix\n"), 3),
        (write(tmp_path / "c.jsonl", [*rows, {"source": "seven"}]), 3),
        (rows, 2),
    ]
    for source, skipped in corpora[::-1]:
        corpus = open_parallel(source, ParallelConfig(validation=0, test=0))
        assert list(corpus.pairs("train")) == [("one", "1"), ("six", "six")], source
        assert (corpus.skipped, corpus.same) == (skipped, 1)
        (tmp_path / "b.tsv").unlink(missing_ok=True) if source == tmp_path / "b.tsv" else None
        (tmp_path / "c.jsonl").unlink(missing_ok=True) if source == tmp_path / "c.jsonl" else None
    assert train(tmp_path, limit=1) == [("one", "1")]


def test_all_sides_empty(tmp_path: Path) -> None:
    write(tmp_path / "a.src", "one\n\n")
    write(tmp_path / "a.tgt", "\ntwo\n")
    assert "holds no pair of texts: all of its 2 pairs have an empty side" in complaint(tmp_path)
    assert "it is empty" in complaint(write(tmp_path / "e.jsonl", ""))
    write(tmp_path / "f" / "a.src", "")
    write(tmp_path / "f" / "a.tgt", "")
    assert "holds no pair of texts: it is empty" in complaint(tmp_path / "f")
    assert "is empty" in complaint(write(tmp_path / "b.tsv", "\n\n"))


def test_a_test_without_targets_is_none_of_its_own(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ROWS)
    write(tmp_path / "test.jsonl", [row | {"es": ""} for row in ROWS])
    corpus = open_parallel(tmp_path)
    assert corpus.own_splits == ("train",)
    assert any(corpus.pairs("test"))
    write(tmp_path / "test.jsonl", [{"en": "a", "spanish": "b"}])
    assert "test.jsonl has no field 'es'" in complaint(tmp_path), "another name is a mistake"


def test_lines_end_at_a_newline_only(tmp_path: Path) -> None:
    write(tmp_path / "a.src", "\ufeffa\rb\x0bc\x1cd\u2029e\r\nf".encode())
    write(tmp_path / "a.tgt", "1\n2\r\n")
    assert train(tmp_path) == [("a\rb\x0bc\x1cd\u2029e", "1"), ("f", "2")]


# Digests


def test_the_digest_tells_corpora_apart(tmp_path: Path) -> None:
    def digest(source: Any, /, **settings: Any) -> str:
        return open_parallel(source, ParallelConfig(**settings)).digest

    write(tmp_path / "a.en", "a\nb")
    write(tmp_path / "a.es", "c\nd")
    three = write(tmp_path / "t" / "a.tsv", "a\tb\tc\nd\te\tf\n")
    seen = [
        digest(tmp_path, source="en", target="es"),
        digest(tmp_path, source="es", target="en"),
        digest(tmp_path, source="en", target="es", test=0.2),
        digest(three),
        digest(three, target="3"),
        digest([("a", "c"), ("b", "d")]),
        digest([("a", "c"), ("b", "e")]),
    ]
    write(tmp_path / "a.es", "c\ne")
    seen.append(digest(tmp_path, source="en", target="es"))
    assert len(set(seen)) == len(seen)
    write(tmp_path / "a.es", "c\nd")
    assert digest(tmp_path, source="en", target="es") == seen[0]
    assert digest(tmp_path, source="a.en", target=str(tmp_path / "a.es")) == seen[0], "whatever the files are called by"
    assert digest([("a", "c"), ("b", "d")]) == seen[5]
