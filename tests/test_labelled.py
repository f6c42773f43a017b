"""Labelled texts: whatever holds them, each text comes out once with its label; and what is wrong is said."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from textdl.corpus import CorpusConfig, open_corpus
from textdl.errors import ConfigError, CorpusError
from textdl.labelled import Example, LabelledConfig, LabelledCorpus, open_labelled

ALL_TRAIN = LabelledConfig(validation=0, test=0)
ROWS = [{"text": f"text {n}", "label": ("good", "bad", "so so")[n % 3]} for n in range(300)]
WANTED = Counter((row["text"], (row["label"],)) for row in ROWS)


def write(path: Path, content: str | list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
    path.write_text(text, encoding="utf-8")
    return path


def table(rows: list[dict[str, Any]], separator: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def train(source: Any, **settings: Any) -> list[Example]:
    return list(open_labelled(source, LabelledConfig(validation=0, test=0, **settings)).examples("train"))


def labels(source: Any, **settings: Any) -> list[tuple[str, ...]]:
    return [example.labels for example in train(source, **settings)]


def everything(corpus: LabelledCorpus) -> Counter[tuple[str, tuple[str, ...]]]:
    return Counter((e.text, e.labels) for split in corpus.splits for e in corpus.examples(split))


def complaint(source: Any, **settings: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        everything(open_labelled(source, LabelledConfig(**settings)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Where labels are


def test_every_kind_of_source_gives_the_same_examples(tmp_path: Path) -> None:
    for row in ROWS:
        write(tmp_path / "folders" / row["label"] / f"{row['text']}.txt", row["text"])
        write(tmp_path / "deep" / "all" / "texts" / row["label"] / f"{row['text']}.txt", row["text"])
    for label in ("good", "bad", "so so"):
        write(tmp_path / "files" / f"{label}.txt", "\n".join(r["text"] for r in ROWS if r["label"] == label))
    renamed = [{"category": row["label"], "review": row["text"]} for row in ROWS]
    sources: list[tuple[Any, dict[str, Any]]] = [
        (write(tmp_path / "a.jsonl", ROWS), {}),
        (write(tmp_path / "a.json", json.dumps(ROWS)), {}),
        (write(tmp_path / "a.csv", table(renamed)), {}),
        (write(tmp_path / "a.tsv", table(renamed, "\t")), {}),
        (
            write(tmp_path / "b.csv", table([{"stars": r["label"], "said": r["text"]} for r in ROWS])),
            {"label_field": "stars"},
        ),
        (tmp_path / "folders", {}),
        (tmp_path / "deep", {}),
        (tmp_path / "files", {"documents": "line"}),
        (ROWS, {}),
        ([(row["text"], row["label"]) for row in ROWS], {}),
        (open_corpus(ROWS), {}),
    ]
    splits = None
    for source, settings in sources:
        corpus = open_labelled(source, LabelledConfig(**settings))
        assert (corpus.several, corpus.pairs) == (False, False)
        assert everything(corpus) == WANTED, source
        assert all(e.second == "" for e in corpus.examples("train"))
        there = {split: {e.text for e in corpus.examples(split)} for split in corpus.splits}
        assert all(there.values())
        assert splits in (None, there), "held out by the text, so the same everywhere"
        splits = there


def test_fasttext_form(tmp_path: Path) -> None:
    lines = [f"__label__{row['label'].replace(' ', '-')} {row['text']}" for row in ROWS]
    corpus = open_labelled(write(tmp_path / "cooking.train", "\n".join([*lines, "", "no label here"])))
    assert everything(corpus) == Counter({(t, (one[0].replace(" ", "-"),)): n for (t, one), n in WANTED.items()})
    plain = open_labelled(ROWS)
    assert {e.text for e in corpus.examples("test")} == {e.text for e in plain.examples("test")}
    several = open_labelled(
        write(tmp_path / "b.txt", "__label__a __label__b,c  a text\n__label__a other __label__x\n"), ALL_TRAIN
    )
    assert several.several
    assert list(several.examples("train")) == [("a text", "", ("a", "b,c")), ("other __label__x", "", ("a",))]
    commas = write(tmp_path / "d.txt", "__label__a,b one\n__label__a two\n")
    assert labels(commas, several_labels=True) == [("a,b",), ("a",)], "a mark is one label, whatever is in it"
    late = "".join(f"__label__{'ab'[n % 2]} text {n}\n" for n in range(2000)) + "__label__a __label__b the last\n"
    assert "a text has 2 labels (a, b); set several_labels" in complaint(write(tmp_path / "c.txt", late))
    assert labels(tmp_path / "c.txt", several_labels=True)[-1] == ("a", "b")


def test_a_folder_like_that_of_imdb(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for n in range(12):
            for label in ("pos", "neg", "unsup"):
                write(tmp_path / split / label / f"{n}_7.txt", f"{label} {n} {split}")
    write(tmp_path / "train" / "urls_pos.txt", "a list, no review")
    write(tmp_path / "more.txt", "numbers")
    write(tmp_path / "README.md", "about it")
    corpus = open_labelled(tmp_path, LabelledConfig(validation=0.3))
    assert set(corpus.own_splits) == {"train", "test"}
    for split in corpus.splits:
        home = "test" if split == "test" else "train"
        for example in corpus.examples(split):
            assert example.text.split()[::2] == [example.labels[0], home]
    assert len(list(corpus.examples("test"))) == 24
    assert len(list(corpus.examples("train"))) + len(list(corpus.examples("validation"))) == 24


@pytest.mark.parametrize(
    "names, settings, wanted",
    [
        (["pos/train/1.txt", "neg/train/1.txt", "pos/test/1.txt"], {}, {"train": ["neg", "pos"], "test": ["pos"]}),
        (
            ["train_pos.txt", "train_neg.txt", "dev_pos.txt"],
            {"documents": "line"},
            {"train": ["neg", "pos"], "validation": ["pos"]},
        ),
        (["test/1.txt", "exam/1.txt"], {}, {"train": ["exam", "test"]}),
        (["x/pos.txt", "x/neg.txt"], {"documents": "line"}, {"train": ["neg", "pos"]}),
        (["a/pos/1.txt", "a/neg/1.txt", "b/pos/1.txt"], {}, {"train": ["a", "a", "b"]}),
    ],
)
def test_names_of_folders_and_files(
    names: list[str], settings: dict[str, Any], wanted: dict[str, list[str]], tmp_path: Path
) -> None:
    for name in names:
        write(tmp_path / name, f"text of {name}")
    corpus = open_labelled(tmp_path, LabelledConfig(validation=0, test=0, **settings), least=1)
    assert {s: sorted(e.labels[0] for e in corpus.examples(s)) for s in corpus.own_splits} == wanted


def test_a_limit_takes_of_every_class(tmp_path: Path) -> None:
    for label, number in (("few", 20), ("many", 60)):
        for n in range(number):
            write(tmp_path / "folders" / label / f"{n}.txt", f"{label} {n}")
        write(tmp_path / "files" / f"{label}.txt", "".join(f"{label} {n:03}\n" for n in range(number)))
    for source, settings in ((tmp_path / "folders", {}), (tmp_path / "files", {"documents": "line"})):
        found = Counter(labels(source, limit=20, **settings))
        assert found[("few",)] == pytest.approx(5, abs=1)
        assert sum(found.values()) == 20


def test_a_card_names_its_label(tmp_path: Path) -> None:
    card = "+++\n" + "".join(f'{key} = "x"\n' for key in ("name", "title", "licence", "language", "source"))
    write(
        tmp_path / "CARD.md", card + 'text_fields = ["text"]\nlabel_field = "kind"\n[splits]\ntrain = "a.jsonl"\n+++\n'
    )
    write(tmp_path / "a.jsonl", [{**row, "kind": "xy"[n % 2]} for n, row in enumerate(ROWS)])
    assert open_corpus(tmp_path).card.label_field == "kind"
    assert set(labels(tmp_path)) == {("x",), ("y",)}
    assert set(labels(tmp_path, label_field="label")) == {("good",), ("bad",), ("so so",)}


# What labels are


@pytest.mark.parametrize(
    "given, wanted",
    [
        ([1, -1, 0], ["1", "-1", "0"]),
        ([1.0, 2.5, float("nan")], ["1", "2.5"]),
        ([True, False, None], ["true", "false"]),
        ([" good ", "", "bad"], ["good", "bad"]),
        ([np.int64(3), np.float32(0.5), np.str_("x")], ["3", "0.5", "x"]),
        ([["a"], [1], []], [("a",), ("1",), ()]),
        ([["b", "a", "b"], None, "c"], [("b", "a"), ("c",)]),
        ([set("gcbdafe"), np.array([1, 2])], [tuple("abcdefg"), ("1", "2")]),
    ],
)
def test_what_can_be_a_label(given: list[Any], wanted: list[Any]) -> None:
    corpus = open_labelled([{"text": f"text {n}", "label": label} for n, label in enumerate(given)], ALL_TRAIN)
    found = [example.labels for example in corpus.examples("train")]
    assert found == [one if isinstance(one, tuple) else (one,) for one in wanted]
    assert corpus.several == isinstance(wanted[0], tuple)
    assert corpus.skipped == len(given) - len(wanted)


def test_several_labels_in_a_cell(tmp_path: Path) -> None:
    rows = [{"text": "one", "tags": "a, b"}, {"text": "two", "tags": ""}, {"text": "three", "tags": "b,,b"}]
    path = write(tmp_path / "a.csv", table(rows))
    assert labels(path, label_field="tags", several_labels=True) == [("a", "b"), (), ("b",)]
    assert labels(path, label_field="tags") == [("a, b",), ("b,,b",)]
    assert labels(path, label_field="tags", several_labels=True, label_separator=",,") == [("a, b",), (), ("b",)]
    assert "set several_labels to true" in complaint([("a", ["x", "y"]), ("b", ["x"])], several_labels=False)
    assert labels([("a", ["x"]), ("b", ["y"]), ("c", [])], several_labels=False) == [("x",), ("y",)]
    with pytest.raises(ConfigError, match="label_separator"):
        LabelledConfig(label_separator="")


def test_pairs(tmp_path: Path) -> None:
    rows = [{"premise": f"p {n}", "hypothesis": f"h {n}", "label": "yn"[n % 2]} for n in range(4)]
    wanted = [(f"p {n}", f"h {n}", ("yn"[n % 2],)) for n in range(4)]
    path = write(tmp_path / "a.jsonl", rows)
    assert open_labelled(path, LabelledConfig(second_field="hypothesis")).pairs
    assert train(path, second_field="hypothesis") == wanted
    assert train([((first, second), label[0]) for first, second, label in wanted]) == wanted
    assert "set text_field to one or more of premise, hypothesis" in complaint(path)
    swapped = train(path, text_field=("hypothesis",), second_field="premise")
    assert swapped == [(second, first, label) for first, second, label in wanted]


def test_names_of_numbers_on_the_hub(tmp_path: Path) -> None:
    kind = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"id": datasets.Value("int64"), "text": datasets.Value("string"), "label": kind})
    rows = [{"id": n, "text": f"text {n}", "label": (0, 1, -1)[n % 3]} for n in range(30)]
    hidden = [{"id": n, "text": f"hidden {n}", "label": -1} for n in range(30)]
    made = {s: datasets.Dataset.from_list(r, features=features) for s, r in (("train", rows), ("test", hidden))}
    datasets.DatasetDict(made).save_to_disk(str(tmp_path / "one"))
    corpus = open_labelled(tmp_path / "one", LabelledConfig(validation=0, test=0.3))
    found = everything(corpus)
    assert found == Counter((row["text"], (["no", "yes"][row["label"]],)) for row in rows if row["label"] >= 0)
    assert corpus.own_splits == ("train",), "a split without labels is none"
    assert list(corpus.examples("test"))
    lists = datasets.Features({"text": datasets.Value("string"), "labels": datasets.Sequence(kind)})
    some = [{"text": "a", "labels": [0, 1]}, {"text": "b", "labels": []}, {"text": "c", "labels": [1]}]
    datasets.Dataset.from_list(some, features=lists).save_to_disk(str(tmp_path / "several"))
    assert labels(tmp_path / "several") == [("no", "yes"), (), ("yes",)]


# As a corpus


def test_digest_tells_labels_and_settings(tmp_path: Path) -> None:
    rows = [{"text": f"text {n}", "label": n % 2, "topic": n % 3} for n in range(6)]
    path = write(tmp_path / "a.jsonl", rows)
    for n in range(4):
        write(tmp_path / "x" / "ab"[n % 2] / f"{n}.txt", f"text {n}")
        write(tmp_path / "y" / "ac"[n % 2] / f"{n}.txt", f"text {n}")
    digests = [
        open_labelled(source, LabelledConfig(**settings)).digest
        for source, settings in (
            (path, {}),
            (path, {"label_field": "topic"}),
            (path, {"second_field": "topic"}),
            (path, {"several_labels": True}),
            (path, {"test": 0.2}),
            (tmp_path / "x", {}),
            (tmp_path / "y", {}),
            ([("a", 1), ("b", 2)], {}),
            ([("a", 1), ("b", 3)], {}),
            ([("a", ["x"]), ("b", ["y"])], {}),
            ([("a", ["x"]), ("b", ["y"])], {"several_labels": False}),
        )
    ]
    assert len(set(digests)) == len(digests)
    opened = [open_corpus(tmp_path / name) for name in "xy"]
    assert opened[0].digest == opened[1].digest, "as plain texts they are the same"
    assert [open_labelled(corpus).digest for corpus in opened] == digests[5:7]
    again = open_labelled(path, LabelledConfig(label_field="label"))
    assert again.digest == digests[0]
    assert open_labelled(again) is again
    assert (again.name, again.splits) == (again.corpus.name, ("train", "validation", "test"))
    assert list(again.examples("train")) == list(again.examples("train")), "afresh at each call"


def test_splits_of_lists_and_their_names() -> None:
    corpus = open_labelled({"train": [("a", 1), ("b", 2)], "dev": [("c", 3)], "hard": [("d", 1)]}, ALL_TRAIN)
    assert corpus.splits == ("train", "validation", "test", "hard")
    assert list(corpus.examples("validation")) == [("c", "", ("3",))]
    assert list(corpus.examples("hard")) == [("d", "", ("1",))]
    with pytest.raises(CorpusError, match="no split 'hrad'; did you mean 'hard'"):
        corpus.examples("hrad")


def test_label_is_not_taken_for_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sentiment,said\nhappy,yes\nsad,no\n")
    assert [e.text for e in train(path)] == ["yes", "no"]
    rows = [{"label": "a title", "topic": n} for n in range(2)]
    assert train(rows, text_field=("label",)) == [("a title", "", ("0",)), ("a title", "", ("1",))]
    with pytest.raises(CorpusError, match="set text_field"):
        open_corpus(path, CorpusConfig())


# Mistakes


def test_no_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,text,stars\n1,a,5\n2,b,1\n")
    said = complaint(path)
    assert f"{path} does not say which field is the label" in said
    assert "(--label-field) to one of id, text, stars" in said
    said = complaint(path, label_field="star")
    assert "has no field 'star'; did you mean 'stars'? known: id, text, stars" in said
    assert "known: id, stars, text" in complaint(path, label_field="zzz")
    assert "has no field 'secnd'; known: id, stars, text" in complaint(path, label_field="stars", second_field="secnd")
    assert "'text' is the text and can not be the label" in complaint(path, label_field="text", text_field=("text",))
    assert "is the label and can not be the second" in complaint(path, label_field="stars", second_field="stars")
    assert "has no label in 'label'" in complaint([{"text": "a", "label": None}, {"text": "b", "label": ""}])
    assert "has no label in 'label'" in complaint([("a", []), ("b", [])])
    assert "no field of text beside label" in complaint([{"label": "a"}])
    assert "does not say which field is the label" in complaint(["a text", "another"])
    for plain in (write(tmp_path / "plain.txt", "text\nmore\n"), write(tmp_path / "two" / "b.txt", "x").parent):
        said = complaint(plain)
        assert "is plain text without labels" in said
        assert "--documents line" in said
    write(tmp_path / "classes" / "a" / "1.txt", "x")
    write(tmp_path / "classes" / "b" / "1.txt", "y")
    assert "plain text and has no field 'stars'" in complaint(tmp_path / "classes", label_field="stars")


def test_one_class_only(tmp_path: Path) -> None:
    write(tmp_path / "reviews" / "pos" / "1.txt", "x")
    write(tmp_path / "reviews" / "unsup" / "1.txt", "y")
    assert complaint(tmp_path / "reviews") == "reviews has one class only, 'pos'; a classifier needs two"
    assert "one class only, 'a'" in complaint([("x", "a"), ("y", "a")])
    assert "in its first 2 documents, 'a'" in complaint([("x", "a"), ("y", "a"), ("z", "b")], limit=2)
    assert "one class only, 'a'" in complaint([("x", ["a"]), ("y", ["a"])])
    assert open_labelled([("x", ["a"]), ("y", [])], ALL_TRAIN).several, "to have a label or not is two classes"
    with pytest.raises(CorpusError, match="has no label in 'label'"):
        open_labelled([("x", []), ("y", [])], ALL_TRAIN, least=1)
    one = open_labelled([("x", "a"), ("y", "a")], ALL_TRAIN, least=1)
    assert len(list(one.examples("train"))) == 2


def test_labels_and_texts_of_a_wrong_kind(tmp_path: Path) -> None:
    assert "the label in 'label' is of type dict" in complaint([{"text": "a", "label": {"x": 1}}])
    assert "is of type list" in complaint([{"text": "a", "label": [["x"]]}])
    assert "holds no text in text" in complaint([("", "a"), (" \n", "b")])
    assert "document 2 must be (text, label) or ((text, second), label), got ('b',)" in complaint([("a", 1), ("b",)])
    assert "document 2 must be (text, label)" in complaint([("a", 1), (3, 1)])
    rows = [*ROWS[:2], {"text": "late", "label": {"x": 1}}]
    assert "is of type dict" in complaint(write(tmp_path / "a.jsonl", rows))


def test_opening_is_light() -> None:
    code = (
        "import sys; from textdl.labelled import open_labelled; open_labelled([('a', 1), ('b', 2)]);"
        "print([m for m in ('torch', 'datasets', 'pyarrow', 'nltk') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
