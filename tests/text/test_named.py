"""Corpora known by name: nltk's from made-up packages in both layouts, the Hub's from a stand-in for the Hub."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import nltk.data
import pytest

from textdl.corpus import CorpusConfig, open_corpus
from textdl.errors import CorpusError
from textdl.labelled import LabelledConfig, open_labelled
from textdl.text.named import NAMED

ALL_TRAIN = LabelledConfig(validation=0, test=0)
REVIEWS = {f"{label}/cv{n}.txt": f"{label} film {n}\nthe end".encode() for label in ("pos", "neg") for n in range(5)}
POLARITY = {
    "rt-polarity.pos": "caf\u00e9 \ngood\n".encode("latin-1"),
    "rt-polarity.neg": "na\u00efve\r\nbad \n".encode(),
}
SUBJECTIVITY = {"plot.tok.gt9.5000": b"he goes .\nshe stays .\n", "quote.tok.gt9.5000": b"superb .\n"}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder in which nltk looks for its data, at first empty."""
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "nowhere"), str(tmp_path / "shelf")])
    monkeypatch.chdir(tmp_path)
    return tmp_path / "shelf"


def put(folder: Path, package: str, files: dict[str, bytes], packed: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = {"README": b"about it", **files}
    if packed:
        with zipfile.ZipFile(folder / f"{package}.zip", "w") as made:
            for name, content in files.items():
                made.writestr(f"{package}/{name}", content)
        return
    for name, content in files.items():
        path = folder / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_nltk_from_zip_and_folder_in_both_places(shelf: Path) -> None:
    digests = set()
    for packed in (True, False):
        for under in ("corpora", ""):
            place = shelf / str(packed) / under
            put(place, "movie_reviews", REVIEWS, packed)
            nltk.data.path[:] = [str(shelf / str(packed))]
            corpus = open_labelled("movie_reviews", ALL_TRAIN)
            found = {example.text: example.labels for example in corpus.examples("train")}
            assert found == {content.decode(): (name[:3],) for name, content in REVIEWS.items()}
            assert len(list(open_corpus("movie_reviews").split("train"))) <= 10
            digests.add(corpus.digest)
            for path in sorted(place.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
    assert len(digests) == 1, "the same texts in the same order"


def test_one_text_a_line_in_either_encoding(shelf: Path) -> None:
    put(shelf, "sentence_polarity", POLARITY, packed=True)
    put(shelf, "subjectivity", SUBJECTIVITY, packed=False)
    found = {
        example.text: example.labels for example in open_labelled("sentence_polarity", ALL_TRAIN).examples("train")
    }
    assert found == {"caf\u00e9": ("pos",), "good": ("pos",), "na\u00efve": ("neg",), "bad": ("neg",)}
    counts = Counter(example.labels for example in open_labelled("subjectivity", ALL_TRAIN).examples("train"))
    assert counts == {("objective",): 2, ("subjective",): 1}


def test_what_is_missing_or_damaged(shelf: Path) -> None:
    with pytest.raises(CorpusError, match=r"fetch it with: python -m nltk\.downloader movie_reviews$"):
        open_corpus("movie_reviews")
    put(shelf, "movie_reviews", {"pos/1.txt": b"x"}, packed=True)
    with pytest.raises(CorpusError, match=r"has no file neg/\*.txt"):
        open_corpus("movie_reviews")
    (shelf / "movie_reviews.zip").write_bytes(b"no zip")
    with pytest.raises(CorpusError, match="truncated or damaged"):
        open_corpus("movie_reviews")


def test_files_and_folders_go_first(shelf: Path) -> None:
    Path("imdb").write_text("a file of that name", encoding="utf-8")
    assert "".join(open_corpus("imdb", CorpusConfig(validation=0, test=0)).split("train")) == "a file of that name"
    with pytest.raises(CorpusError, match="did you mean 'movie_reviews'"):
        open_corpus("movie_review")
    with pytest.raises(CorpusError, match="no corpus, file or folder"):
        open_corpus(Path("mrpc"))  # a path is never a name


def test_the_hub_is_asked_for_id_and_fields(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    rows = [{"premise": f"p{n}", "hypothesis": f"h{n}", "label": n % 2, "idx": n} for n in range(20)]
    kind = datasets.ClassLabel(names=["entailment", "neutral"])

    def load(name: str, config: str | None, streaming: bool) -> Any:
        asked.append((name, config))
        made = datasets.Dataset.from_list(rows).cast_column("label", kind)
        return datasets.DatasetDict(dict.fromkeys(("train", "validation_matched", "validation_mismatched"), made))

    monkeypatch.setattr(datasets, "load_dataset", load)
    corpus = open_labelled("mnli", ALL_TRAIN)
    assert asked == [("nyu-mll/glue", "mnli")]
    assert (corpus.name, corpus.pairs, corpus.several) == ("mnli", True, False)
    assert corpus.own_splits == ("train", "validation", "validation_mismatched")
    wanted = [(row["premise"], row["hypothesis"], (kind.int2str(row["label"]),)) for row in rows]
    assert list(corpus.examples("validation")) == wanted
    assert corpus.card.source == "hf:nyu-mll/glue:mnli"
    assert list(open_corpus("mnli").split("validation")) == [row["premise"] for row in rows]
    alone = open_labelled("mnli", LabelledConfig(text_field=("hypothesis",), validation=0, test=0))
    assert [(e.text, e.second) for e in alone.examples("train")] == [(row["hypothesis"], "") for row in rows]


def test_the_table_is_whole() -> None:
    for name, named in NAMED.items():
        assert bool(named.hub) != bool(named.nltk), name
        assert bool(named.classes) == bool(named.nltk), name
        assert named.hub.count("/") == bool(named.hub), name
        assert named.title
        assert named.text_fields
        assert not {named.label_field, named.second_field} & set(named.text_fields), name


def test_the_command_lists_all_of_them(cli: Any) -> None:
    code, out, _ = cli("corpora")
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines() if line]
    assert listed.index("recipes") < listed.index("imdb"), "the built-in ones first"
    assert set(NAMED) <= set(listed)
    rows = {row["name"]: row for row in json.loads(cli("corpora", "--json")[1])}
    assert rows["recipes"]["from"] == "built in"
    assert {name: rows[name]["from"] for name in NAMED} == {name: named.source for name, named in NAMED.items()}
