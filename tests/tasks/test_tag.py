"""The task ``tag`` from a corpus to a run and its verbs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from textdl.errors import ConfigError, CorpusError, RunError
from textdl.tasks.base import load, train
from textdl.tasks.tag import Tagging, TaggingConfig
from textdl.tasks.tagged_sentences import forbidden_of
from textdl.tasks.tagger_run import TaggerRun

QUICK: dict[str, Any] = {
    "steps": 40,
    "evaluations": 2,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
    "hidden": 8,
    "embedding": 6,
    "model.character_features": 6,
    "model.character_embedding": 5,
    "batch_size": 5,
    "lr": 0.03,
    "dropout": 0.0,
}

Pairs = list[tuple[str, str]]
#: In each sentence "saw" is a verb after a pronoun and a noun after an article: a word alone does not tell.
WORDS: list[Pairs] = [
    [(article, "DET"), (adjective, "ADJ"), (noun, "NOUN"), ("was", "VERB"), ("here", "ADV")]
    for article, adjective, noun in itertools.product(("the", "a"), ("red", "old"), ("saw", "owl", "dog"))
] + [
    [(who, "PRON"), ("saw", "VERB"), ("the", "DET"), (noun, "NOUN")] for who in ("I", "you") for noun in ("owl", "dog")
]


def names(scheme: str) -> list[Pairs]:
    """Two people in a row, and places of one word and two."""
    first = {
        "iob1": ("I-PER", "I-PER", "B-PER"),
        "iob2": ("B-PER", "I-PER", "B-PER"),
        "iobes": ("B-PER", "E-PER", "S-PER"),
    }
    one, two, next_one = first[scheme]
    place = {"iob1": ("I-LOC", "I-LOC"), "iob2": ("B-LOC", "I-LOC"), "iobes": ("B-LOC", "E-LOC")}[scheme]
    return [
        [
            ("We", "O"), ("met", "O"), (given, one), (family, two), ("Bob", next_one),
            ("in", "O"), ("New", place[0]), (town, place[1]),
        ]
        for given, family, town in itertools.product(("Ann", "Lea"), ("Lee", "Gray"), ("York", "Haven"))
    ]  # fmt: skip


IOB2 = ("O", "O", "B-PER", "I-PER", "B-PER", "O", "B-LOC", "I-LOC")


def made(folder: Path, corpus: Any, **settings: Any) -> TaggerRun:
    settings = {**QUICK, **{name.replace("__", "."): value for name, value in settings.items()}}
    run = train("tag", corpus, folder, settings=settings)
    assert isinstance(run, TaggerRun)
    return run


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> TaggerRun:
    """A run of parts of speech."""
    return made(tmp_path_factory.mktemp("tag") / "parts", {"train": WORDS, "validation": WORDS})


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> TaggerRun:
    """A run of names."""
    return made(tmp_path_factory.mktemp("tag") / "names", {"train": names("iob1"), "validation": names("iobes")})


def test_a_small_corpus_is_learnt_by_heart(parts: TaggerRun) -> None:
    figures = parts.evaluate({"train": WORDS, "test": WORDS}, "test")
    assert figures["accuracy"] == figures["sentence_accuracy"] == 1.0
    assert figures["tokens"] == sum(map(len, WORDS))
    assert parts.report["figures"]["validation_accuracy"] == 1.0
    assert not parts.spans
    assert parts.tags == ("ADJ", "ADV", "DET", "NOUN", "PRON", "VERB")


@pytest.mark.parametrize(
    "settings", [{"characters": "lstm", "crf": True}, {"characters": "none", "cell": "sru", "steps": 120}]
)
def test_other_models_learn_it_too(settings: dict[str, Any], tmp_path: Path) -> None:
    run = made(tmp_path / "run", {"train": WORDS, "validation": WORDS}, **settings)
    assert run.evaluate({"train": WORDS, "test": WORDS}, "test")["accuracy"] == 1.0


def test_spans_are_learnt_and_told_in_iob2(spans: TaggerRun) -> None:
    """Whatever spelling train and validation are in."""
    assert spans.spans
    assert spans.tags == ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
    assert spans.report["figures"]["validation_f1"] == 1.0
    (found,) = spans.tag(["We met Lea Gray Bob in New York"])
    assert found.tags == IOB2
    for scheme in ("iob1", "iob2", "iobes"):
        figures = spans.evaluate({"train": names(scheme), "test": names(scheme)}, "test")
        assert (figures["span_f1"], figures["accuracy"], figures["scheme"]) == (1.0, 1.0, scheme)
        assert figures["per_span"]["PER"]["support"] == 16


@pytest.mark.parametrize("crf", [True, False])
def test_no_span_goes_on_that_has_not_begun(crf: bool, tmp_path: Path) -> None:
    """After hardly any training, with a field and without."""
    run = made(tmp_path / "run", {"train": names("iob2"), "validation": []}, steps=1, crf=crf)
    generator = np.random.default_rng(0)
    words = [word for some in names("iob2") for word, _ in some]
    sentences = [generator.choice(words, 12).tolist() for _ in range(200)]
    seen = set()
    for sentence in run.tag(sentences):
        for before, tag in itertools.pairwise(("O", *sentence.tags)):
            assert tag[0] != "I" or before[1:] == tag[1:]
            seen.add(tag[0])
    assert len(seen) > 1, "something was to be seen"


def test_what_can_not_follow_what() -> None:
    tags = ("B", "B-X", "B-Y", "I", "I-X", "O")
    start, steps = forbidden_of(tags)
    assert [tag for tag, no in zip(tags, start, strict=True) if no] == ["I", "I-X"]
    allowed = {(a, b) for a, row in zip(tags, ~steps, strict=True) for b, yes in zip(tags, row, strict=True) if yes}
    assert {(a, b) for a, b in allowed if b[0] == "I"} == {("B", "I"), ("I", "I"), ("B-X", "I-X"), ("I-X", "I-X")}
    assert {(a, b) for a, b in itertools.product(tags, tags) if b[0] != "I"} <= allowed


def test_a_loaded_run_says_the_same(spans: TaggerRun) -> None:
    texts = ["We met Ann Lee in New York. I saw it.", "Bob!"]
    again = load(spans.path)
    assert isinstance(again, TaggerRun)
    for one, other in zip(spans.tag(texts, True), again.tag(texts, True), strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_same_seed_same_bits(tmp_path: Path) -> None:
    corpus = {"train": WORDS, "validation": WORDS}
    settings = {"dropout": 0.4, "steps": 8, "crf": True}
    content = [
        (made(tmp_path / name, corpus, seed=seed, **settings).path / "model.safetensors").read_bytes()
        for name, seed in (("one", 1), ("two", 1), ("three", 2))
    ]
    assert content[0] == content[1] != content[2]


def test_tags_come_in_the_order_of_the_texts(parts: TaggerRun) -> None:
    """Batches are by length; each sentence is as it is alone."""
    sentences = [[word for word, _ in some][: 1 + at % 5] for at, some in enumerate(WORDS * 40)]
    together = parts.tag(sentences, True)
    assert [list(found.tokens) for found in together] == sentences
    assert [found.text for found in together] == list(range(len(sentences)))
    for at in (0, 1, 2, 17):
        (alone,) = parts.tag([sentences[at]], True)
        assert alone.tags == together[at].tags
        assert alone.probabilities is not None
        np.testing.assert_allclose(alone.probabilities, together[at].probabilities, atol=1e-5)


def test_probabilities(parts: TaggerRun, spans: TaggerRun) -> None:
    for run in (parts, spans):
        found = run.tag(["I saw the owl in New York", "😀", ["Ann"]], probabilities=True)
        for sentence in found:
            assert sentence.probabilities is not None
            assert sentence.probabilities.shape == (len(sentence.tokens), len(run.tags))
            np.testing.assert_allclose(sentence.probabilities.sum(1), 1, atol=1e-5)
    (sure,) = parts.tag(["I saw the owl"], True)
    assert sure.probabilities is not None
    assert [parts.tags[at] for at in sure.probabilities.argmax(1)] == list(sure.tags)
    assert parts.tag(["I saw"])[0].probabilities is None


def test_strange_texts(parts: TaggerRun) -> None:
    found = parts.tag(["", " \n", "the old saw was here. I saw the dog", "😀 ￿ \ud800 سلام", [], ["a b", ""]])
    assert [sentence.text for sentence in found] == [0, 1, 2, 2, 3, 4, 5]
    assert [len(sentence.tokens) for sentence in found] == [0, 0, 6, 4, 4, 0, 2]
    assert all(len(sentence.tags) == len(sentence.tokens) for sentence in found)
    assert found[6].tokens == ("a b", "")
    assert parts.tag([]) == []
    with pytest.raises(CorpusError, match="must be a list of texts"):
        parts.tag("the dog")
    with pytest.raises(CorpusError, match="text 2 must be a text or a list of words, got int"):
        parts.tag(["a", 3])  # type: ignore[list-item]
    with pytest.raises(CorpusError, match="text 1 must be a text or a list of words"):
        parts.tag([["a", 3]])  # type: ignore[list-item]


def test_a_sentence_of_any_length(parts: TaggerRun) -> None:
    """Read in windows, it is tagged as its pieces are, and the chain goes over all of it."""
    one = [word for word, _ in WORDS[0]]
    (found,) = parts.tag([one * 900], True)
    assert len(found.tags) == 4500
    assert found.tags[500:550] * 60 == found.tags[1000:4000], "the same all over, over the borders of windows"
    assert found.probabilities is not None
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-4)


@pytest.mark.parametrize(("window", "margin"), [(10, 1000), (40, 40), (75, 40)])
def test_windows_do_not_change_scores(
    window: int, margin: int, parts: TaggerRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost between them: with all of the sentence around each they are exact, else nearly so."""
    from textdl.tasks import tagger_run

    sentence = [word for some in WORDS for word, _ in some]
    (whole,) = parts.tag([sentence], True)
    monkeypatch.setattr(tagger_run, "_WINDOW", window)
    monkeypatch.setattr(tagger_run, "_MARGIN", margin)
    (pieces,) = parts.tag([sentence], True)
    assert len(pieces.tags) == len(sentence)
    assert whole.probabilities is not None
    assert pieces.probabilities is not None
    np.testing.assert_allclose(whole.probabilities, pieces.probabilities, atol=1e-5 if margin > len(sentence) else 0.05)


def test_long_sentences_are_cut_for_training(tmp_path: Path) -> None:
    long = [pair for some in WORDS for pair in some]
    run = made(tmp_path / "run", {"train": [long], "validation": WORDS}, data__longest=9)
    assert run.evaluate({"train": WORDS, "test": WORDS}, "test")["accuracy"] > 0.95


def test_a_span_that_is_cut_begins_afresh(tmp_path: Path) -> None:
    """Else the training would be asked for what can not be, at ten thousand nats a time."""
    title = [("see", "O"), ("The", "B-WORK"), *[("Old", "I-WORK")] * 16, ("soon", "O")]
    run = made(tmp_path / "run", {"train": [title] * 8, "validation": []}, data__longest=5)
    assert run.report["figures"]["loss"] < 5
    assert run.tags == ("B-WORK", "I-WORK", "O")


def test_tags_among_spans_that_mark_none(spans: TaggerRun, tmp_path: Path) -> None:
    slip = [[("Ann", "B-PER"), ("Lee", "PERSON")]]
    said = "the train split of sentences has the tag 'PERSON', which marks no span"
    with pytest.raises(CorpusError, match=said):
        spans.evaluate(slip)
    with pytest.raises(CorpusError, match=said.replace("train", "validation")):
        made(tmp_path / "run", {"train": names("iob2"), "validation": slip})
    with pytest.raises(CorpusError, match="mixes the tags of IOBES and BILOU"):
        spans.evaluate([[("Ann", "S-PER"), ("Lee", "U-PER")]])
    outside = spans.evaluate([[("saw", "O"), ("it", "O")]])
    assert (outside["scheme"], outside["tokens"]) == (None, 2)


def test_unseen_words(parts: TaggerRun) -> None:
    """A word that stood in the text in another case only is one."""
    test = [[("the", "DET"), ("Red", "ADJ"), ("cat", "NOUN")]]
    figures = parts.evaluate({"train": WORDS, "test": test}, "test")
    assert figures["unseen_tokens"] == 2


def test_vectors(tmp_path: Path) -> None:
    """Words that only they know are known, with their vectors."""
    file = tmp_path / "vectors.txt"
    file.write_text("3 4\nthe 1 0 0 0\nOwl 0 1 0 1\nzebra 0 0 2 0\n")
    run = made(tmp_path / "run", {"train": WORDS, "validation": WORDS}, vectors=str(file), model__vectors_use="frozen")
    table = run.model.input.frozen
    assert table is not None
    rows = dict(zip(run.reader.words, table.numpy(), strict=False))
    assert table.shape[1] == 4
    assert not rows["dog"].any()
    scale = rows["the"][0]
    np.testing.assert_allclose(rows["zebra"], [0, 0, 2 * scale, 0], rtol=1e-6)
    assert run.evaluate({"train": WORDS, "test": WORDS}, "test")["accuracy"] > 0.9


def test_evaluate(parts: TaggerRun) -> None:
    assert not parts.evaluate({"train": WORDS}, "train")["same_corpus"]
    figures = parts.evaluate(WORDS)
    assert (figures["split"], figures["sentences"]) == ("all", len(WORDS))
    with pytest.raises(CorpusError, match="name a corpus"):
        parts.evaluate()
    with pytest.raises(CorpusError, match="none of the tags"):
        parts.evaluate([[("the", "X"), ("owl", "Y")]])
    with pytest.raises(CorpusError, match="no split 'tset'"):
        parts.evaluate({"train": WORDS}, "tset")
    with pytest.raises(ConfigError, match="no text_field, got body"):
        parts.evaluate(WORDS, text_field=("body",))
    json.dumps(figures)


def test_evaluate_by_other_columns(parts: TaggerRun, tmp_path: Path) -> None:
    lines = "\n".join("".join(f"{tag} {word} x\n" for word, tag in some) for some in WORDS)
    (tmp_path / "turned.conll").write_text(lines)
    assert parts.evaluate(tmp_path / "turned.conll", token_column="2", tag_column="1")["accuracy"] == 1.0


def test_a_corpus_of_a_file(tmp_path: Path) -> None:
    """It is known by its path, and evaluated on its own test split when none is named."""
    lines = "\n".join("".join(f"{word} {tag}\n" for word, tag in some) for some in WORDS * 3)
    for name in ("train.conll", "test.conll"):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        (tmp_path / "corpus" / name).write_text(lines)
    run = made(tmp_path / "run", str(tmp_path / "corpus"), data__validation=0.0)
    figures = run.evaluate()
    assert figures["same_corpus"]
    assert (figures["split"], figures["accuracy"]) == ("test", 1.0)
    assert run.next_command().startswith("textdl tag ")
    assert "validation_accuracy" not in run.report["figures"]


def test_facts_and_bad_settings(tmp_path: Path) -> None:
    def prepared(corpus: Any, change: Callable[[TaggingConfig], TaggingConfig] = lambda c: c) -> Tagging:
        return Tagging.prepare(corpus, change(TaggingConfig()), lambda event: None)

    from textdl.config import replace

    task = prepared({"train": names("iob1"), "validation": names("iob2")})
    assert task.facts["spans"] == "IOB1 in the corpus, IOB2 in the model and its figures"
    assert task.watched == "validation_f1"
    assert task.title == "lstm tagger with a CRF of 5 tags, on sentences"
    with pytest.raises(ConfigError, match=r"label_smoothing is for --no-crf, .* got 0\.1"):
        prepared(names("iob2"), lambda c: replace(c, {"label_smoothing": 0.1}))
    with pytest.raises(CorpusError, match="one tag"):
        prepared([[("a", "X"), ("b", "X")]])


def test_words_of_another_run(parts: TaggerRun, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "run"
    shutil.copytree(parts.path, run)
    config = json.loads((run / "config.json").read_text())
    config["data"]["min_count"] = 3
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"words\.json"):
        load(run)


@pytest.mark.parametrize("change", [lambda facts: facts["tags"].pop(), lambda facts: facts.pop("tags")])
def test_tags_of_another_run(change: Callable[[dict[str, Any]], Any], parts: TaggerRun, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "run"
    shutil.copytree(parts.path, run)
    config = json.loads((run / "config.json").read_text())
    change(config["corpus"])
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match="does not go with the model of 6 tags"):
        load(run)
