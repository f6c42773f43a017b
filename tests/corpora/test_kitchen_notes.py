"""The corpus "kitchen_notes": the committed files, the script that makes them, and what its splits promise."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import textdl_corpora
import textdl_corpora.kitchen_notes
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2, Entities
from textdl_corpora.kitchen_notes import make
from textdl_corpora.kitchen_notes.grammar import (
    ENTITIES,
    TAGS,
    Drawer,
    FormatError,
    read_closed,
    read_families,
    read_words,
)

from textdl.tagged import Sentence, TaggedConfig, open_tagged

HOME = Path(textdl_corpora.kitchen_notes.__file__).parent
SPLITS = ("train", "validation", "test")
Splits = dict[str, list[Sentence]]


def opened(column: str | None) -> Splits:
    corpus = open_tagged(HOME, TaggedConfig(tag_column=column))
    assert corpus.own_splits == SPLITS
    return {split: list(corpus.sentences(split)) for split in SPLITS}


@pytest.fixture(scope="module")
def speech() -> Splits:
    return opened(None)


@pytest.fixture(scope="module")
def entities() -> Splits:
    return opened("entity")


# The files


def test_committed_files_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "make.py"), "--out", str(tmp_path)], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(written) == ["CARD.md", *sorted(f"{name}.conll" for name in SPLITS)]
    for name, content in written.items():
        assert content == (HOME / name).read_bytes(), f"{name} is not what make.py writes: run make.py"


def test_it_is_known_by_name() -> None:
    assert "kitchen_notes" in textdl_corpora.NAMES
    assert open_tagged("kitchen_notes").card.name == "kitchen_notes"


def test_columns_and_tags(speech: Splits, entities: Splits) -> None:
    assert opened("2") == speech
    assert opened("3") == entities
    for split in SPLITS:
        assert {tag for note in speech[split] for tag in note.tags} == set(TAGS)
        spelled = [list(note.tags) for note in entities[split]]
        strict = Entities(spelled, IOB2)
        assert {one.tag for some in strict.entities for one in some} == set(ENTITIES)
        begun = sum(tag[0] == "B" for tags in spelled for tag in tags)
        assert sum(map(len, strict.entities)) == begun, "no I without its B"
        assert [note.tokens for note in speech[split]] == [note.tokens for note in entities[split]]


def test_size_and_no_note_twice(speech: Splits) -> None:
    notes = Counter(" ".join(note.tokens).lower() for some in speech.values() for note in some)
    assert sum(notes.values()) >= 5000
    assert max(notes.values()) == 1
    assert min(len(some) for some in speech.values()) >= 500
    lengths = [len(note.tokens) for some in speech.values() for note in some]
    assert 3 <= min(lengths) <= max(lengths) <= 40
    assert sum((HOME / f"{name}.conll").stat().st_size for name in SPLITS) < 2_000_000


def test_notes_read_as_text(speech: Splits) -> None:
    for note in (note for some in speech.values() for note in some):
        text = " ".join(note.tokens)
        assert re.fullmatch(r"[A-Za-zéèêîâ0-9 ,.;:!?'°-]+", text), text
        assert not re.search(r"(?i)\ba ([aeio](?!ne\b)|hour)|\ban (?!hour)[^aeiou]", text), text
        assert not re.search(r"\b(?!Will Will)(\w+) \1\b", text), text


# The splits


def test_every_note_held_out_has_a_word_in_a_construction_new_to_it(speech: Splits) -> None:
    lists, seen = make.all_lists(), set[make.Note]()
    families = make.all_families(lists)
    known: set[tuple[str, ...]] = set()
    words: dict[str, set[str]] = {split: set() for split in SPLITS}
    for split in SPLITS:
        without = set()
        texts = set()
        for family in families:
            notes = make.notes_of(family, split, lists, seen)
            if not notes:
                without.add(family.name)
            for note, taken in notes.items():
                texts.add(tuple(word for word, _, _ in note))
                assert taken, "else nothing is dealt"
                pairs = {(family.name, *pair) for pair in taken}
                words[split] |= {entry for _, entry in taken}
                if split == "train":
                    known |= pairs
                else:
                    assert pairs - known, note
        assert texts == {note.tokens for note in speech[split]}, "these are the notes of the files"
        assert len(without) <= 0.05 * len(families), without
    assert words["test"] - words["train"], "some entries are kept from training"


def test_words_that_are_several_things(speech: Splits, entities: Splits) -> None:
    tags: defaultdict[str, set[str]] = defaultdict(set)
    for spoken, marked in zip(speech["train"], entities["train"], strict=True):
        for word, tag, entity in zip(spoken.tokens, spoken.tags, marked.tags, strict=True):
            tags[word.lower()].add(f"{tag} {entity[2:]}".strip())
    assert tags["can"] >= {"AUX", "NOUN TOOL"}
    assert tags["may"] >= {"AUX", "PROPN TIME", "PROPN PERSON"}
    assert tags["salt"] >= {"VERB", "NOUN INGREDIENT", "PROPN PERSON"}
    assert tags["oil"] >= {"VERB", "NOUN INGREDIENT"}
    assert tags["dice"] >= {"VERB", "NOUN"}
    assert tags["rosemary"] >= {"PROPN PERSON", "NOUN INGREDIENT"}
    assert tags["before"] >= {"ADP", "SCONJ"}
    assert tags["to"] >= {"ADP", "PART"}
    assert tags["that"] >= {"DET", "PRON", "SCONJ"}


def test_some_words_are_new_and_a_list_of_words_does_not_do(speech: Splits, entities: Splits) -> None:
    known = {token.lower() for note in speech["train"] for token in note.tokens}
    held_out = [token.lower() for note in speech["test"] for token in note.tokens]
    unseen = [token for token in held_out if token not in known]
    assert len(set(unseen)) >= 20
    assert 0.02 <= len(unseen) / len(held_out) <= 0.1
    commonest = {}
    for name, splits in (("upos", speech), ("entity", entities)):
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for note in splits["train"]:
            for token, tag in zip(note.tokens, note.tags, strict=True):
                counts[token.lower()][tag] += 1
        most = Counter(tag for note in splits["train"] for tag in note.tags).most_common(1)[0][0]
        truth = [list(note.tags) for note in splits["test"]]
        found = [
            [
                max(sorted(some), key=some.__getitem__) if (some := counts.get(token.lower())) else most
                for token in note.tokens
            ]
            for note in splits["test"]
        ]
        commonest[name] = truth, found
    truth, found = commonest["upos"]
    right = [one == other for a, b in zip(truth, found, strict=True) for one, other in zip(a, b, strict=True)]
    accuracy = sum(right) / len(right)
    f1 = f1_score(*commonest["entity"])
    card = (HOME / "CARD.md").read_text(encoding="utf-8")
    row = next(line for line in card.splitlines() if re.fullmatch(r"\| test( \| [0-9.]+%){3} \|", line))
    assert row.startswith(f"| test | {accuracy:.1%} | ")
    assert row.endswith(f"| {f1:.1%} |"), f1
    assert accuracy < 0.96
    assert f1 < 0.75


# The script


def test_nothing_breaks_a_rule_and_what_does_is_noticed() -> None:
    splits = make.make_splits()
    assert make.problems(splits) == []
    splits["test"].append(tuple((word.upper(), tag, entity) for word, tag, entity in splits["train"][0]))
    assert len(make.problems(splits)) == 1


def test_a_draw_in_print(tmp_path: Path) -> None:
    (tmp_path / "closed.txt").write_text("DET: a the\nADP: of in\nPUNCT: .\n", encoding="utf-8")
    (tmp_path / "words.txt").write_text("what! INGREDIENT: egg; red/ADJ wine\npart QUANTITY: a {n} cup\nn - NUM: 2\n")
    (tmp_path / "families.txt").write_text(
        "one: a {what} in the can/NOUN/TOOL tin/NOUN/+ , {part} .\n", encoding="utf-8"
    )
    closed = read_closed(tmp_path / "closed.txt") | {",": "PUNCT"}
    lists = read_words(tmp_path / "words.txt", closed)
    (family,) = read_families(tmp_path / "families.txt", lists, closed)
    from random import Random

    drawn = {tuple(Drawer(lists, lambda key: ["egg"]).draw(family, Random(n))[0]) for n in range(20)}
    rest = (
        ("egg", "NOUN", "B-INGREDIENT"),
        ("in", "ADP", "O"),
        ("the", "DET", "O"),
        ("can", "NOUN", "B-TOOL"),
        ("tin", "NOUN", "I-TOOL"),
        (",", "PUNCT", "O"),
        ("a", "DET", "B-QUANTITY"),
        ("2", "NUM", "I-QUANTITY"),
        ("cup", "NOUN", "I-QUANTITY"),
        (".", "PUNCT", "O"),
    )
    assert drawn == {(("An", "DET", "O"), *rest), (("an", "DET", "O"), *rest)}
    tokens, taken = Drawer(lists, lambda key: ["red/ADJ wine"]).draw(family, Random(1))
    assert taken == [("what", "red/ADJ wine")]
    assert tokens[0][0].lower() == "a"
    assert tokens[1:3] == [("red", "ADJ", "B-INGREDIENT"), ("wine", "NOUN", "I-INGREDIENT")]


@pytest.mark.parametrize(
    ("words", "families", "message"),
    [
        ("what: egg", "one: wat", "families.txt:1: 'wat' needs its part of speech"),
        ("what: egg", "one: {wat}", "families.txt:1: there is no list 'wat'"),
        ("what: egg", "one wat/NOUN", "families.txt:1: 'one wat/NOUN' is not like"),
        ("what: egg", "one: wat/NOUN/FOOD", "families.txt:1: 'FOOD' is no entity"),
        ("what egg", "", "words.txt:1: 'what egg' is not like"),
        ("what: egg\nwhat: ham", "", "words.txt:2: 'what' has its line already"),
        ("what FOOD: egg", "", "words.txt:1: 'FOOD' is no entity"),
    ],
)
def test_lines_that_cannot_be_read(tmp_path: Path, words: str, families: str, message: str) -> None:
    (tmp_path / "words.txt").write_text(words, encoding="utf-8")
    (tmp_path / "families.txt").write_text(families, encoding="utf-8")
    with pytest.raises(FormatError, match=re.escape(message)):
        read_families(tmp_path / "families.txt", read_words(tmp_path / "words.txt", {}), {})


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert make.main(["--show", "no-such-family"]) == 1
    assert make.main(["--show", "may-both", "--count", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.lower().startswith("may/propn/b-person may/aux come/verb") for line in lines)
