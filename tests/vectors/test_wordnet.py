"""Similarities and features worked by hand on a small net, which the test writes in the format of WordNet's files.

entity ─ animal ┬ dog (n.01) ┬ puppy
                │            └ Rover (an instance)
                ├ cat
                └ pet ─ dog (n.01) again
       └ device ─ dog (n.02), a firedog
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from textdl.errors import ConfigError, CorpusError
from textdl.vectors import wordnet
from textdl.vectors.wordnet import SynsetFeatures, WordNet

#: (file, kind, words, [(pointer, kind, the first word of what it points to)]), in the order of each word's senses
NET = [
    ("noun", "n", ["entity"], []),
    ("noun", "n", ["animal", "beast"], [("@", "n", "entity")]),
    ("noun", "n", ["pet"], [("@", "n", "animal")]),
    ("noun", "n", ["dog", "domestic_dog"], [("@", "n", "animal"), ("@", "n", "pet")]),
    ("noun", "n", ["puppy"], [("@", "n", "dog")]),
    ("noun", "n", ["Rover"], [("@i", "n", "dog")]),
    ("noun", "n", ["cat"], [("@", "n", "animal")]),
    ("noun", "n", ["device"], [("@", "n", "entity")]),
    ("noun", "n", ["firedog", "dog"], [("@", "n", "device")]),
    ("verb", "v", ["move"], []),
    ("verb", "v", ["run"], [("@", "v", "move")]),
    ("verb", "v", ["dog", "follow"], [("@", "v", "move")]),
    ("verb", "v", ["think"], []),
    ("adj", "a", ["big", "large"], [("&", "s", "huge")]),
    ("adj", "s", ["huge"], [("&", "a", "big")]),
    ("adj", "a", ["cold"], []),
    ("adv", "r", ["quickly"], []),
]
HEADER = "  1 A small net, written by a test.\n"


def write_net(folder: Path) -> Path:
    """The files of :data:`NET`, as wndb(5WN) and wninput say: each line of data begins with its own place in bytes."""
    folder.mkdir(parents=True)
    numbers: dict[tuple[str, str], int] = {}
    for _ in range(2):  # places first, then what points to them
        lines: dict[str, str] = dict.fromkeys(("noun", "verb", "adj", "adv"), HEADER)
        for file, kind, words, pointers in NET:
            own = numbers[kind, words[0]] = len(lines[file])
            spelled = " ".join(f"{word} 0" for word in words)
            to = "".join(
                f"{sign} {numbers.get((other, word), 0):08d} {other.replace('s', 'a')} 0000 "
                for sign, other, word in pointers
            )
            frames = "01 + 01 00 " if kind == "v" else ""
            text = f"{own:08d} 03 {kind} {len(words):02x} {spelled} {len(pointers):03d} {to}{frames}| a {words[0]}  \n"
            lines[file] += text
    for file, data in lines.items():
        senses: dict[str, list[int]] = {}
        for other, kind, words, _ in NET:
            for word in words if other == file else []:
                senses.setdefault(word.lower(), []).append(numbers[kind, words[0]])
        letter = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}[file]
        index = "".join(
            f"{word} {letter} {len(places)} 0 {len(places)} 0 {' '.join(f'{place:08d}' for place in places)}  \n"
            for word, places in sorted(senses.items())
        )
        (folder / f"data.{file}").write_text(data)
        (folder / f"index.{file}").write_text(HEADER + index)
        (folder / f"{file}.exc").write_text("oxen ox\n" if file == "noun" else "")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    import nltk

    before = list(nltk.data.path)
    yield write_net(tmp_path_factory.mktemp("net") / "wordnet")
    nltk.data.path[:] = before


@pytest.fixture(scope="module")
def net(folder: Path) -> WordNet:
    return WordNet(folder)


def test_senses(net: WordNet) -> None:
    assert net.senses("dog") == ["dog.n.01", "firedog.n.01", "dog.v.01"]
    assert net.senses("dogs", "n") == net.senses("dog", "n")
    assert net.senses("domestic dog") == ["dog.n.01"]
    assert net.senses("large") == ["big.a.01"]
    assert net.senses("unheard") == []
    assert net.definition("cat.n.01") == "a cat"


def test_hypernyms_by_the_shortest_way(net: WordNet) -> None:
    assert net.hypernyms("dog.n.01") == {"dog.n.01": 0, "animal.n.01": 1, "pet.n.01": 1, "entity.n.01": 2}
    assert net.hypernyms("rover.n.01") == {
        "rover.n.01": 0,
        "dog.n.01": 1,
        "animal.n.01": 2,
        "pet.n.01": 2,
        "entity.n.01": 3,
    }
    assert net.hypernyms("huge.s.01") == {"huge.s.01": 0}


@pytest.mark.parametrize(
    "first, second, steps",
    [
        ("cat", "animal", 1),
        ("cat", "dog", 2),
        ("puppy", "cat", 3),
        ("puppy", "device", 3 + 1),  # of dog's two senses only one is a puppy's: puppy, dog, animal, entity, device
        ("dog", "device", 1),  # the nearest senses: dog.n.02 is a device
        ("beast", "animal", 0),
        ("Rover", "puppy", 2),
        ("run", "dog", 2),  # as verbs
        ("run", "think", 3),  # over the root above all verbs: run, move, root, think
    ],
)
def test_path_and_leacock_chodorow_are_those_of_the_steps(net: WordNet, first: str, second: str, steps: int) -> None:
    assert net.similarity(first, second) == pytest.approx(1 / (1 + steps))
    assert net.similarity(second, first) == pytest.approx(1 / (1 + steps))
    # The longest way down: entity, animal, pet, dog, puppy; of verbs: the root above them, move, run.
    depth = 2 if first == "run" else 4
    measured = net.similarity(first, second, "leacock_chodorow")
    assert measured == pytest.approx(-math.log((1 + steps) / (2 * depth)))


@pytest.mark.parametrize(
    "first, second, expected",
    [
        ("cat", "dog", 2 * 2 / (3 + 3)),  # animal has depth 2, both are a step below
        ("puppy", "cat", 2 * 2 / (4 + 3)),
        ("cat", "device", 2 * 1 / (3 + 2)),
        ("cat", "beast", 2 * 2 / (3 + 2)),
        ("cat", "cat", 1.0),
        ("run", "follow", 2 * 1 / (3 + 3)),  # nltk takes the root above all verbs, of depth 1, for move, a root too
        ("run", "think", 2 * 1 / (3 + 2)),
    ],
)
def test_wu_palmer(net: WordNet, first: str, second: str, expected: float) -> None:
    assert net.similarity(first, second, "wu_palmer") == pytest.approx(expected)


def test_only_senses_of_one_part_of_speech_are_compared(net: WordNet) -> None:
    assert net.similarity("dog", "run", part="n") is None
    assert net.similarity("cat", "think") is None
    assert net.similarity("cat", "unheard") is None
    assert net.similarity("dog", "follow") == 1.0
    for measure in ("path", "wu_palmer"):  # no hypernyms: the same sense, or nothing
        assert net.similarity("big", "large", measure) == 1.0
        assert net.similarity("big", "huge", measure) is None
        assert net.similarity("big", "cold", measure) is None


def test_features_are_shares_of_the_senses(folder: Path) -> None:
    features = SynsetFeatures(folder, decay=0.5, part="n")
    made = features.fit_transform(["dog", "cat", "unheard"])
    assert made.format == "csr"
    assert made.dtype == np.float32
    columns = features.get_feature_names_out().tolist()
    assert columns == sorted(columns)
    rows = [dict(zip(columns, row, strict=True)) for row in made.toarray().tolist()]
    assert rows[0] == {
        "dog.n.01": 0.5,
        "firedog.n.01": 0.5,
        "animal.n.01": 0.25,
        "pet.n.01": 0.25,
        "device.n.01": 0.25,
        "entity.n.01": 0.125 + 0.125,
        "cat.n.01": 0,
    }
    assert {name: value for name, value in rows[1].items() if value} == {
        "cat.n.01": 1,
        "animal.n.01": 0.5,
        "entity.n.01": 0.25,
    }
    assert not any(rows[2].values())
    # What was not met in fit has no column; the first sense alone.
    assert features.transform(["puppy"]).toarray().tolist()[0][columns.index("dog.n.01")] == 0.5
    first = SynsetFeatures(folder, senses="first").fit(["dog"])
    assert first.senses_ == ["animal.n.01", "dog.n.01", "entity.n.01", "pet.n.01"]
    assert first.transform(["dog"]).toarray().tolist() == [[1, 1, 1, 1]]


def test_features_work_in_a_pipeline(folder: Path) -> None:
    made = make_pipeline(SynsetFeatures(folder), Normalizer()).fit_transform(["dog", "cat", "puppy"]).toarray()
    near = made @ made.T
    assert near[0, 2] > near[0, 1] > 0


@pytest.mark.parametrize("packed", [False, True])
def test_nltk_finds_its_own_data(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    """As the downloader leaves them: a zip, or what was in it."""
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    wordnet._open.cache_clear()
    with pytest.raises(CorpusError, match=r"python -m nltk\.downloader wordnet"):
        WordNet()
    (tmp_path / "corpora").mkdir()
    if packed:
        with zipfile.ZipFile(tmp_path / "corpora" / "wordnet.zip", "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"wordnet/{file.name}")
    else:
        write_net(tmp_path / "corpora" / "wordnet")
    assert WordNet().senses("cat") == ["cat.n.01"]
    wordnet._open.cache_clear()


def test_errors_say_what_to_do(net: WordNet, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"data\.adj is missing; .*/usr/share/wordnet"):
        WordNet(tmp_path)
    broken = write_net(tmp_path / "broken")
    (broken / "index.noun").write_text("dog n what\n")
    with pytest.raises(CorpusError, match="can not be read"):
        WordNet(broken)
    with pytest.raises(ConfigError, match=r"did you mean 'path'"):
        net.similarity("dog", "cat", "paths")
    with pytest.raises(ConfigError, match="part has no choice 'noun'"):
        net.senses("dog", "noun")
    for name in ("dog.n.09", "dog.n.00", "dog.n.-1", "dog", "", "unheard.n.01"):
        with pytest.raises(CorpusError, match="no sense"):
            net.hypernyms(name)
    with pytest.raises(ConfigError, match="senses has no choice"):
        SynsetFeatures(folder, senses="last").fit(["dog"])
    with pytest.raises(ConfigError, match="decay"):
        SynsetFeatures(folder, decay=0).fit(["dog"])
    with pytest.raises(CorpusError, match="none of these"):
        SynsetFeatures(folder).fit(["unheard"])
    with pytest.raises(CorpusError, match="list"):
        SynsetFeatures(folder).fit("dog")
    with pytest.raises(CorpusError, match="word 1 must be a text"):
        SynsetFeatures(folder).fit(["dog", 3])
