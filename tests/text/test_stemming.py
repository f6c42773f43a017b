"""Stems as the published rules have them, base forms by a small WordNet that the test writes, and stop words."""

import pickle
import zipfile
from pathlib import Path

import pytest

from textdl.errors import ConfigError, CorpusError
from textdl.text.stemming import Lemmatizer, Stemmer, stemming_languages
from textdl.text.stop_words import ENGLISH, leave_out, read_stop_words, stop_words

# From the steps of the paper of 1980, which gives these examples.
PORTER = {
    "caresses": "caress",
    "ponies": "poni",
    "cats": "cat",
    "plastered": "plaster",
    "motoring": "motor",
    "hopping": "hop",
    "falling": "fall",
    "happy": "happi",
    "sky": "sky",
    "controlling": "control",
}
LICENCE = "  1 A small net, written by a test.\n  2 Its words are no one's.\n"
FILES = {
    "index.noun": LICENCE + "".join(f"{word} n 1 0 1 0 00000001  \n" for word in ["city", "goose", "us", "u", "dog"]),
    "noun.exc": "geese goose\n",
    "index.verb": LICENCE + "".join(f"{word} v 1 0 1 0 00000001  \n" for word in ["run", "go", "hope", "dog"]),
    "verb.exc": "ran run\nrunning run\nwent go\n",
    "index.adj": LICENCE + "large a 1 0 1 0 00000001  \n",
    "adj.exc": "",
    "index.adv": LICENCE + "well r 1 0 1 0 00000001  \n",
    "adv.exc": "better well\n",
}


@pytest.fixture
def folder(tmp_path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    return tmp_path


@pytest.mark.parametrize("word", PORTER)
def test_porter(word):
    assert Stemmer("porter")(word) == PORTER[word]


def test_snowball():
    assert Stemmer().words(["Running", "cities", "generously", "generic"]) == ["run", "citi", "generous", "generic"]
    assert Stemmer("german")("Häuser") == "haus"
    assert {"english", "porter", "french", "spanish", "russian"} <= set(stemming_languages())


def test_an_unknown_language():
    with pytest.raises(ConfigError, match="no choice 'englisch'; did you mean 'english'"):
        Stemmer("englisch")


def test_can_be_sent_to_another_process(folder):
    for function in (Stemmer("german"), Stemmer(), Lemmatizer("v", folder)):
        before = function("running")
        assert pickle.loads(pickle.dumps(function))("running") == before


def test_base_forms(folder):
    nouns = Lemmatizer(folder=folder)
    assert nouns.words(["cities", "geese", "dogs", "dog", "running", "Cities", "xs", ""]) == [
        *("city", "goose", "dog", "dog", "running", "Cities", "xs", "")
    ]
    assert nouns("us") == "u"  # the shortest, as nltk has it
    verbs = Lemmatizer("v", folder)
    assert verbs.words(["ran", "went", "goes", "hoping", "hoped", "geese"]) == [
        "run",
        "go",
        "go",
        "hope",
        "hope",
        "geese",
    ]
    assert Lemmatizer("a", folder).words(["larger", "largest"]) == ["large", "large"]
    assert Lemmatizer("r", folder)("better") == "well"
    assert Lemmatizer(None, folder).words(["cities", "ran", "larger", "better"]) == ["city", "run", "large", "well"]


def test_as_nltk_has_them(folder):
    # nltk's own candidates, by its own function over the same lists.
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    reader = WordNetCorpusReader.__new__(WordNetCorpusReader)
    reader._exception_map = {"n": {"geese": ["goose"]}, "v": {"ran": ["run"], "running": ["run"], "went": ["go"]}}
    words = {"n": ["city", "goose", "us", "u", "dog"], "v": ["run", "go", "hope", "dog"]}
    reader._lemma_pos_offset_map = {
        word: {part: [1] for part in words if word in words[part]} for part in words for word in words[part]
    }
    for part in words:
        ours = Lemmatizer(part, folder)
        for stem in [*words["n"], *words["v"], "geese", "ran", "running", "went", "cit", "hop"]:
            for ending in ["", "s", "es", "ies", "ed", "ing", "men", "ves"]:
                candidates = reader._morphy(stem + ending, part)
                assert ours(stem + ending) == (min(candidates, key=len) if candidates else stem + ending)


@pytest.mark.parametrize("packed", [False, True])
def test_where_nltk_keeps_its_data(tmp_path, monkeypatch, packed):
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    from textdl.text import stemming

    stemming._lists.cache_clear()
    with pytest.raises(CorpusError, match=r"python -m nltk\.downloader wordnet"):
        Lemmatizer()
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "wordnet.zip").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(CorpusError, match=r"wordnet\.zip .* damaged or cut short; remove it"):
        Lemmatizer()
    (tmp_path / "corpora" / "wordnet.zip").unlink()
    place = tmp_path / "corpora" / "wordnet"
    (place if not packed else place.parent).mkdir(parents=True, exist_ok=True)
    if packed:
        with zipfile.ZipFile(tmp_path / "corpora" / "wordnet.zip", "w") as archive:
            for name, content in FILES.items():
                archive.writestr(f"wordnet/{name}", content)
    else:
        for name, content in FILES.items():
            (place / name).write_text(content)
    assert Lemmatizer()("cities") == "city"
    stemming._lists.cache_clear()


def test_bad_folders(folder, tmp_path):
    with pytest.raises(ConfigError, match="part has no choice 'x'"):
        Lemmatizer("x", folder)
    (folder / "verb.exc").unlink()
    with pytest.raises(CorpusError, match=r"does not hold WordNet: verb.exc is missing.*wordnet-base"):
        Lemmatizer("v", folder)
    (folder / "index.adj").write_bytes(b"\xff\xfe")
    with pytest.raises(CorpusError, match="not UTF-8"):
        Lemmatizer("a", folder)
    (folder / "index.adv").write_text("")
    with pytest.raises(CorpusError, match="holds no word"):
        Lemmatizer("r", folder)


def test_one_text_is_no_list_of_words():
    with pytest.raises(CorpusError, match="got one text"):
        Stemmer().words("one text")


class TestStopWords:
    def test_english(self):
        assert leave_out(["The", "cat", "is", "n't", "on", "THE", "mat", "and", "I", "don't", "mind"]) == [
            "cat",
            "mat",
            "mind",
        ]
        assert leave_out(["the", "The", "cat"], ["The"]) == ["cat"]
        assert {"the", "of", "and", "don't", "n't"} <= ENGLISH
        assert all(word == word.lower() for word in ENGLISH)
        assert 150 < len(ENGLISH) < 300

    def test_of_a_file(self, tmp_path):
        path = tmp_path / "stop.txt"
        path.write_text("# mine\nfoo bar\n\nbaz # and this\n")
        assert stop_words(path) == read_stop_words(path) == {"foo", "bar", "baz"}
        assert leave_out(["foo", "Bar", "qux"], stop_words(path)) == ["qux"]
        path.write_text("# nothing\n")
        with pytest.raises(CorpusError, match="no stop word"):
            read_stop_words(path)

    def test_by_name_or_words(self):
        assert stop_words("english") == ENGLISH
        assert stop_words(None) == frozenset()
        assert stop_words(["a", "b"]) == {"a", "b"}
        with pytest.raises(ConfigError, match="did you mean 'english'"):
            stop_words("englsh")
        with pytest.raises(ConfigError, match="got 3"):
            stop_words([3])
