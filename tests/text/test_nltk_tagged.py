"""Tagged corpora of nltk, from made-up packages in each layout, against nltk's own readers."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import nltk.data
import pytest
from nltk.corpus.reader import BracketParseCorpusReader, ConllCorpusReader, TaggedCorpusReader

from textdl.errors import CorpusError
from textdl.tagged import Sentence, TaggedConfig, open_tagged
from textdl.text.nltk_tagged import NAMED_TAGGED

ALL_TRAIN = TaggedConfig(validation=0, test=0)
BROWN = {
    "ca01": "\n\n\tThe/at Fulton/np-tl ``/`` can/md 1/2/cd ./.\n\n\n\tIt/pps fell/vbd\n",
    "cr09": "\tTwo/cd\n",
    "README": "about it, no tags",
}
TREES = {
    "combined/wsj_0001.mrg": "\n( (S (NP-SBJ (NNP Mr.) (-NONE- *) )\n (VP (VBZ is) ) (. .) ))\n( (NP (NN end) ))\n",
    "combined/README": "(about",
    "raw/wsj_0001": "Mr. is.",
}
CHUNKS = {"train.txt": "He PRP B-NP\nis VBZ B-VP\n\nNo DT O\n", "test.txt": "She PRP B-NP\nwas VBD B-VP\n"}
NAMES = {
    "esp.train": "-DOCSTART- -DOCSTART- O\nMálaga NP B-LOC\nes VB O\n",
    "esp.testa": "a X O\nb X B-PER\n",
    "esp.testb": "c X O\n",
    "ned.train": "De Art O\nBrug N B-LOC\n",
    "ned.testa": "x N O\n",
    "ned.testb": "y N O\n",
}


def as_pairs(sentences: list[Sentence]) -> list[list[tuple[str, str]]]:
    return [list(zip(*some, strict=True)) for some in sentences]


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def train(source: Any, **settings: Any) -> list[Sentence]:
    return list(open_tagged(source, TaggedConfig(validation=0, test=0, **settings)).sentences("train"))


def complaint(source: Any, **settings: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        train(source, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(params=["folder", "zip", "zip in corpora"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder in which nltk looks for its data, with small packages made up here; they lie unpacked beside."""
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "shelf")])
    monkeypatch.chdir(tmp_path)
    for package, files in {"brown": BROWN, "treebank": TREES, "conll2000": CHUNKS, "conll2002": NAMES}.items():
        for name, content in files.items():
            encoded = content.encode("latin-1" if package == "conll2002" else "utf-8")
            write(tmp_path / "plain" / package / name, encoded)
            if request.param == "folder":
                write(tmp_path / "shelf" / "corpora" / package / name, encoded)
                continue
            place = tmp_path / "shelf" / ("corpora" if "corpora" in request.param else "") / f"{package}.zip"
            place.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(place, "a") as packed:
                packed.writestr(f"{package}/{name}", encoded)
    return tmp_path / "plain"


def test_nltk_gives_what_its_own_readers_give(shelf: Path) -> None:
    found = {name: as_pairs(train(name)) for name in ("brown", "treebank")}
    chunked = open_tagged("conll2000", ALL_TRAIN)
    spoken = open_tagged("conll2000", TaggedConfig(tag_column="2", validation=0))
    assert chunked.own_splits == ("train", "test")
    for split in chunked.own_splits:
        found[split] = as_pairs(list(chunked.sentences(split)))
        found[f"{split} speech"] = as_pairs(list(spoken.sentences(split)))
    assert found["brown"][0][1] == ("Fulton", "NP-TL")
    nltk.data.path.append(str(shelf))  # only now: nltk's readers read nowhere else
    brown = TaggedCorpusReader(str(shelf / "brown"), r"c[a-r]\d\d")
    trees = BracketParseCorpusReader(str(shelf / "treebank" / "combined"), r".*\.mrg")
    chunks = ConllCorpusReader(str(shelf / "conll2000"), ["train.txt", "test.txt"], ("words", "pos", "chunk"))
    wanted = {
        "brown": brown.tagged_sents(),
        "treebank": [[pair for pair in some if pair[1] != "-NONE-"] for some in trees.tagged_sents()],
    }
    for split in chunked.own_splits:
        wanted[split] = [[(token, chunk) for token, _, chunk in some] for some in chunks.iob_sents(f"{split}.txt")]
        wanted[f"{split} speech"] = chunks.tagged_sents(f"{split}.txt")
    assert found == {name: [list(some) for some in sentences] for name, sentences in wanted.items()}


def test_languages_of_conll2002(shelf: Path) -> None:
    spanish = open_tagged("conll2002:esp")
    assert spanish.card.language == "es"
    assert [list(spanish.sentences(split)) for split in spanish.own_splits] == [
        [(("Málaga", "es"), ("B-LOC", "O"))],
        [(("a", "b"), ("O", "B-PER"))],
        [(("c",), ("O",))],
    ]
    assert train("conll2002:ned") == [(("De", "Brug"), ("O", "B-LOC"))]


def test_universal_tags_of_brown(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint("brown:universal")
    assert said.endswith("fetch it with: python -m nltk.downloader universal_tagset")
    table = {"AT": "DET", "NP-TL": "NOUN", "MD": "VERB", "CD": "NUM", "``": ".", ".": ".", "PPS": "PRON", "VBD": "VERB"}
    monkeypatch.setattr("nltk.tag.mapping.tagset_mapping", lambda source, target: table)
    tags = train("brown:universal")
    assert [some.tags for some in tags] == [("DET", "NOUN", ".", "VERB", "NUM", "."), ("PRON", "VERB"), ("NUM",)]


def test_what_is_wrong_with_nltk_and_names(shelf: Path) -> None:
    assert "brown has no columns; leave token_column and tag_column out" in complaint("brown", tag_column="2")
    assert "did you mean" in complaint("conll2002")
    assert "did you mean 'treebank'" in complaint("trebank")
    assert "there is no corpus, file or folder 'nothing-like-it'" in complaint("nothing-like-it")
    assert "column '4'" in complaint("conll2000", tag_column="4")
    write(Path("brown"), b"here X\nbefore Y\n")
    assert train("brown") == [(("here", "before"), ("X", "Y"))], "a file of that name goes first"
    nltk.data.path[:] = []
    assert complaint("treebank").endswith("fetch it with: python -m nltk.downloader treebank")


def test_a_zip_with_damage_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(tmp_path / "conll2000.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in CHUNKS.items():
            packed.writestr(f"conll2000/{name}", content * 50)
        start = packed.getinfo("conll2000/train.txt").header_offset + 30 + len("conll2000/train.txt")
    damaged = bytearray((tmp_path / "conll2000.zip").read_bytes())
    damaged[start : start + 8] = b"\xff" * 8
    (tmp_path / "conll2000.zip").write_bytes(damaged)
    assert "truncated or damaged" in complaint("conll2000")


def test_the_table_is_whole() -> None:
    for name, named in NAMED_TAGGED.items():
        assert name.partition(":")[0] == named.package
        assert next(split for split, _ in named.splits) == "train"
        assert named.form in ("columns", "slashes", "trees")
        assert named.title
