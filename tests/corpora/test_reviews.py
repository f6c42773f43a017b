"""The corpus "reviews": the committed files, the script that makes them, and the property of its challenge set."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import textdl_corpora
import textdl_corpora.reviews
from textdl_corpora.reviews import make
from textdl_corpora.reviews.draw import Draw, tidy
from textdl_corpora.reviews.family import DOMAINS, Entry, Family, FormatError, read_all_words, read_families, read_words

HOME = Path(textdl_corpora.reviews.__file__).parent
SPLITS = ("train", "validation", "test", "challenge")
Splits = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def splits() -> Splits:
    return {
        name: [json.loads(line) for line in (HOME / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in SPLITS
    }


@pytest.fixture(scope="module")
def families() -> list[Family]:
    return make.all_families()


def words_and_marks(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z0-9'-]+|[.,:;!?]", text))


# The files


def test_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "make.py"), "--out", str(tmp_path)], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == ["CARD.md", *sorted(f"{name}.jsonl" for name in SPLITS)]
    for name, content in written.items():
        assert content == (HOME / name).read_bytes(), f"{name} is not what make.py writes: run make.py"


def test_the_card_names_the_splits_and_the_fields(splits: Splits) -> None:
    head = tomllib.loads((HOME / "CARD.md").read_text(encoding="utf-8").split("+++")[1])
    assert head["splits"] == {name: f"{name}.jsonl" for name in SPLITS}
    assert (head["name"], head["text_fields"], head["label_field"]) == ("reviews", ["text"], "label")
    assert "reviews" in textdl_corpora.NAMES
    for reviews in splits.values():
        for review in reviews:
            assert list(review) == ["text", "label", "domain", "family", "kind"]
            assert review["label"] in ("positive", "negative")
            assert review["domain"] in DOMAINS


def test_sizes_and_balance(splits: Splits) -> None:
    assert sum(len(reviews) for reviews in splits.values()) >= 8000
    assert 600 <= len(splits["challenge"]) <= 1000
    assert sum((HOME / f"{name}.jsonl").stat().st_size for name in SPLITS) < 2_500_000
    for name, reviews in splits.items():
        labels = Counter(review["label"] for review in reviews)
        assert 0.48 <= labels["positive"] / len(reviews) <= 0.52, name
        for field in ("domain", "kind"):
            for value in {review[field] for review in reviews}:
                some = Counter(review["label"] for review in reviews if review[field] == value)
                assert 0.48 <= some["positive"] / some.total() <= 0.52, (name, value)
        lengths = [len(review["text"].split()) for review in reviews]
        assert min(lengths) >= 5, name
        assert max(lengths) <= 60, name


def test_no_review_stands_twice(splits: Splits) -> None:
    texts = Counter(review["text"].lower() for reviews in splits.values() for review in reviews)
    assert [text for text, count in texts.items() if count > 1] == []


def test_reviews_read_as_text(splits: Splits) -> None:
    for reviews in splits.values():
        for review in reviews:
            text = review["text"]
            assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,.;:!?'-]*[.!?]", text), text
            assert not re.search(r"  | [,.;:!?]|[.!?] [a-z]|,,|\.\.", text), text
            assert not re.search(r"\b(a (?!one|use)[aeiou]|a hour|an (?!hour)[^aeiou])", text), text
            assert not re.search(r"\b(\w+) \1\b", text), text


# The splits


def test_no_skeleton_is_in_two_splits(splits: Splits, families: list[Family]) -> None:
    home = {family.name: make.split_of(family) for family in families}
    for name, reviews in splits.items():
        assert {review["family"] for review in reviews} == {family for family, split in home.items() if split == name}
    skeletons = Counter((family.text, family.side) for family in families)
    assert max(skeletons.values()) == 1
    assert len(home) == len(families) >= 150


def test_every_kind_stands_in_several_families_of_training(families: list[Family]) -> None:
    count = Counter((family.kind, make.split_of(family)) for family in families)
    for kind in {family.kind for family in families}:
        assert count[kind, "train"] >= 10, kind
        assert count[kind, "validation"] >= 1, kind
        assert count[kind, "test"] >= 1, kind


def test_nearly_all_words_are_seen_in_training(splits: Splits) -> None:
    known = {word for review in splits["train"] for word in words_and_marks(review["text"].lower())}
    for name in SPLITS[1:]:
        words = [word for review in splits[name] for word in words_and_marks(review["text"].lower()).elements()]
        assert sum(word not in known for word in words) <= 0.01 * len(words), name


def test_families_are_of_like_size(splits: Splits) -> None:
    for name, reviews in splits.items():
        sizes = Counter(review["family"] for review in reviews).values()
        assert max(sizes) <= 1.5 * min(sizes), name


# The challenge set


def test_every_challenge_review_has_its_twin(splits: Splits) -> None:
    reviews = splits["challenge"]
    for one, two in zip(reviews[::2], reviews[1::2], strict=True):
        assert {one["label"], two["label"]} == {"positive", "negative"}
        assert one["family"] == two["family"]
        assert words_and_marks(one["text"]) == words_and_marks(two["text"]), one["text"]


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("pattern", [r"[A-Za-z0-9'-]+|[.,:;!?]", r"\w+", r"\b\w\w+\b", r"\S+"])
def test_no_weights_of_words_and_pairs_of_words_beat_chance(splits: Splits, pattern: str, lower: bool) -> None:
    # Any linear score of words and pairs, whatever its weights: drawn here at random, and each feature once only.
    weights: dict[tuple[str, ...], int] = {}
    source = random.Random(1)
    right = 0
    for review in splits["challenge"]:
        text = review["text"].lower() if lower else review["text"]
        if pattern == r"\S+":  # marks glued to words would tell the pairs apart: with these taken off they do not
            text = re.sub(r"[.,:;!?]", "", text)
        words = re.findall(pattern, text)
        features = {(word,) for word in words} | set(pairwise(words))
        score = sum(weights.setdefault(feature, source.randrange(-1000, 1000)) for feature in sorted(features))
        right += (score > 0) == (review["label"] == "positive")
    assert right == len(splits["challenge"]) / 2


def test_sets_of_words_that_are_told_apart_are_noticed(splits: Splits) -> None:
    broken = [{**splits["challenge"][0]}, {**splits["challenge"][1]}]
    broken[0]["text"] += " Truly."
    assert len(make.problems({"train": [], "challenge": broken})) > len(make.problems({"train": [], "challenge": []}))
    assert make.problems(make.make_splits()) == []


# The script


def test_a_draw_in_print() -> None:
    words = {
        "part": [Entry("acting", ("superb",), ("wooden",)), Entry("plot", ("clever",), ("thin",))],
        "adj": [Entry("", ("excellent",), ("awful",))],
        "who": [Entry("", ("my aunt",), ())],
    }
    side = Family("x", "contrast", ("film",), "{-}, but {+}. {who} [nodded].", "the {part} was {+is}", False)
    pairs = {(draw.text(True), draw.text(False)) for n in range(20) for draw in [Draw(side, words, random.Random(n))]}
    first = "The plot was thin, but the acting was superb. My aunt nodded."
    second = "The acting was superb, but the plot was thin. My aunt nodded."
    third = "The acting was wooden, but the plot was clever. My aunt nodded."
    assert (first, second) in pairs
    assert {positive for positive, _ in pairs} == {first, third}
    other = Family("y", "plain", ("film",), "not a {-adj} one but <a/the> {+adj} one", "", False)
    draw = Draw(other, words, random.Random(1))
    assert draw.text(True) == "Not an awful one but an excellent one"
    assert draw.text(False) == "Not an excellent one but the awful one"


def test_tidy() -> None:
    assert tidy("a ugly room. we left!  a honest man, a one and a useful thing.") == (
        "An ugly room. We left! An honest man, a one and a useful thing."
    )


def test_neighbours_see_order() -> None:
    assert make.neighbours("my bad cat, my sad cat.") == make.neighbours("my sad cat, my bad cat.")
    assert make.neighbours("a bad cat, a sad cat.") != make.neighbours("a sad cat, a bad cat.")  # but for the "a"
    assert make.neighbours("good, not bad") != make.neighbours("bad, not good")


def test_shared_words_have_two_polarities_or_none() -> None:
    for words in read_all_words(HOME / "words").values():
        for entries in words.values():
            assert len({bool(entry.bad) for entry in entries}) == 1
            good = {word for entry in entries for word in entry.good}
            assert not good & {word for entry in entries for word in entry.bad} or entries[0].topic


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a-name: text", "some.txt:1: 'a-name: text' is not like"),
        ("[plain]\nname text", "some.txt:2: 'name text' is not like"),
        ("[plain]\nname: some [text", "some.txt:2: '[' is never closed"),
        ("[plain]\nname: some text}", "some.txt:2: '}' closes nothing"),
        ("[plain]\nname: {-}, but {+}", "some.txt:2: a side is for {+} and {-}"),
    ],
)
def test_families_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "some.txt").write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=re.escape(message)):
        read_families(tmp_path / "some.txt")


def test_words_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_text("adj: good / bad\nadj: fine\n", encoding="utf-8")
    with pytest.raises(FormatError, match=re.escape("some.txt:2: 'adj' has its line already")):
        read_words(path)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main(["--show", "no-such-family"]) == 1
    assert make.main(["--show", "but-parts", "--count", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["positive", "negative"] * 2
    assert make.main(["--stats"]) == 0
    printed = capsys.readouterr().out.strip().split("\n\n")
    card = (HOME / "CARD.md").read_text(encoding="utf-8")
    assert len(printed) == 3
    assert all(table in card for table in printed)
