"""Tagged sentences: whatever holds them, each comes out once with its tags; and what is wrong is said in one line."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from textdl.config import build, to_json
from textdl.corpus import CorpusConfig, open_corpus
from textdl.errors import ConfigError, CorpusError
from textdl.tagged import Sentence, TaggedConfig, TaggedCorpus, open_tagged

ALL_TRAIN = TaggedConfig(validation=0, test=0)
TAGS = ("DET", "NOUN", "VERB")
MADE = [
    Sentence(tuple(f"w{n}.{at}" for at in range(n % 5 + 1)), tuple(TAGS[(n + at) % 3] for at in range(n % 5 + 1)))
    for n in range(200)
]
WANTED = Counter(MADE)


def in_columns(sentences: list[Sentence], apart: str = " ", middle: str = "-") -> str:
    return "\n".join(
        "".join(f"{token}{apart}{middle}{apart}{tag}\n" for token, tag in zip(*some, strict=True)) for some in sentences
    )


def in_conllu(sentences: list[Sentence]) -> str:
    lines = []
    for number, some in enumerate(sentences):
        lines += [f"# sent_id = {number}", "1-2\tboth" + "\t_" * 8]
        for at, (token, tag) in enumerate(zip(*some, strict=True), 1):
            lines.append(f"{at}\t{token}\t_\t{tag}\tX\t_\t0\troot\t_\t_")
        lines.append("")
    return "\n".join(lines) + "\n"


def as_pairs(sentences: list[Sentence]) -> list[list[tuple[str, str]]]:
    return [list(zip(*some, strict=True)) for some in sentences]


def as_records(sentences: list[Sentence], tokens: str = "tokens", tags: str = "tags") -> list[dict[str, Any]]:
    return [{"id": str(n), tokens: list(some.tokens), tags: list(some.tags)} for n, some in enumerate(sentences)]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def train(source: Any, **settings: Any) -> list[Sentence]:
    return list(open_tagged(source, TaggedConfig(validation=0, test=0, **settings)).sentences("train"))


def everything(corpus: TaggedCorpus) -> Counter[Sentence]:
    return Counter(sentence for split in corpus.splits for sentence in corpus.sentences(split))


def complaint(source: Any, **settings: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        everything(open_tagged(source, TaggedConfig(**settings)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Where sentences are


def test_every_kind_of_source_gives_the_same_sentences(tmp_path: Path) -> None:
    columns = in_columns(MADE)
    slashed = "\n".join(" ".join(f"{a}/{b}" for a, b in pairs) for pairs in as_pairs(MADE))
    spaced = [{"words": " ".join(some.tokens), "pos": " ".join(some.tags)} for some in MADE]
    table = "words\tpos\n" + "".join(f"{row['words']}\t{row['pos']}\n" for row in spaced)
    numbers = [{"tokens": list(some.tokens), "ner_tags": [TAGS.index(tag) for tag in some.tags]} for some in MADE]
    features = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "ner_tags": datasets.Sequence(datasets.ClassLabel(names=list(TAGS))),
        }
    )
    datasets.Dataset.from_list(numbers, features=features).save_to_disk(str(tmp_path / "saved"))
    datasets.Dataset.from_list(as_records(MADE)).to_parquet(str(tmp_path / "a.parquet"))
    sources: list[tuple[Any, dict[str, Any]]] = [
        (write(tmp_path / "a.conll", columns), {}),
        (write(tmp_path / "a.train", columns.replace("\n", "\r\n")), {}),
        (write(tmp_path / "a.txt.gz", gzip.compress(columns.encode())), {}),
        (write(tmp_path / "a.bio.xz", lzma.compress(in_columns(MADE, "\t").encode())), {}),
        (write(tmp_path / "a.tsv", in_columns(MADE, "\t")), {}),
        (write(tmp_path / "b.txt", in_columns(MADE, " ", "x y")), {"tag_column": "4"}),
        (write(tmp_path / "a.conllu", in_conllu(MADE)), {}),
        (write(tmp_path / "b.conllu.bz2", bz2.compress(in_conllu(MADE).encode())), {"tag_column": "upos"}),
        (write(tmp_path / "a.pos", slashed), {"tagged_form": "slashes"}),
        (write(tmp_path / "a.jsonl", lines(as_records(MADE))), {}),
        (write(tmp_path / "a.json", json.dumps(as_records(MADE, "w", "t"))), {"token_column": "w", "tag_column": "t"}),
        (write(tmp_path / "b.tsv", table), {}),
        (tmp_path / "a.parquet", {}),
        (tmp_path / "saved", {}),
        (str(tmp_path / "a.conll"), {}),
        (MADE, {}),
        (as_pairs(MADE), {}),
        (tuple(as_pairs(MADE)), {}),
        (as_records(MADE), {}),
        ([{"tokens": np.array(some.tokens), "tags": np.array(some.tags)} for some in MADE], {}),
        (open_corpus(as_records(MADE), CorpusConfig(text_field=("tokens",))), {}),
        (open_tagged(MADE), {}),
    ]
    splits = None
    for source, settings in sources:
        corpus = open_tagged(source, TaggedConfig(**settings))
        assert everything(corpus) == WANTED, source
        assert corpus.own_splits == ("train",)
        assert corpus.tags == TAGS
        there = {split: set(corpus.sentences(split)) for split in corpus.splits}
        assert all(there.values())
        assert splits in (None, there), "held out by the tokens, so the same everywhere"
        splits = there


@pytest.mark.parametrize(
    "names",
    [
        {"eng.train": "train", "eng.testa": "validation", "eng.testb": "test"},
        {"en_ewt-ud-train.assembled.conllu": "train", "en_ewt-ud-dev.conllu": "validation", "x-test.conllu": "test"},
        {"train.txt": "train", "valid.txt": "validation", "test.txt": "test", "README.md": ""},
        {"train.txt": "train", "dev.txt": "validation", "test.txt": "test", "notes.txt": ""},
        {"train/a.conll": "train", "train/b.conll": "train", "dev/a.conll": "validation", "test/x.bio": "test"},
        {"a/train.jsonl": "train", "a/dev.jsonl": "validation", "LICENSE.txt": ""},
        {"train.conll": "train", "the-test-of-time.conll": "", "more.conll": ""},
        {"one.conll": "train", "two.conll": "train", ".hidden": "", "make.py": ""},
        {"x-train.conllu": "train", "x-train.txt": "", "x-dev.conllu": "validation", "x-dev.txt": ""},
    ],
)
def test_splits_of_a_folder_by_name(names: dict[str, str], tmp_path: Path) -> None:
    wanted: dict[str, list[Sentence]] = {}
    for number, name in enumerate(sorted(names)):
        some = MADE[number * 10 : number * 10 + 10]
        text = in_conllu(some) if "conllu" in name else lines(as_records(some)) if "jsonl" in name else in_columns(some)
        write(tmp_path / "data" / name, text if names[name] else "no such thing\nat all")
        if names[name]:
            wanted.setdefault(names[name], []).extend(some)
    corpus = open_tagged(tmp_path / "data", ALL_TRAIN)
    assert corpus.name == "data"
    assert set(corpus.own_splits) == set(wanted)
    assert {split: list(corpus.sentences(split)) for split in corpus.own_splits} == wanted


def test_a_card_names_columns_and_files(tmp_path: Path) -> None:
    about = ["name", "title", "licence", "language", "source"]
    head = "".join(f'{key} = "x"\n' for key in about) + 'columns = ["tag", "mid", "word"]\n'
    said = 'token_field = "word"\ntag_field = "tag"\n[splits]\ntrain = "a.conll"\ntest = "b.conll"\n'
    write(tmp_path / "CARD.md", f"+++\n{head}{said}+++\nAbout it.\n")
    turned = [Sentence(some.tags, some.tokens) for some in MADE]
    write(tmp_path / "a.conll", in_columns(turned[:150]))
    write(tmp_path / "b.conll", in_columns(turned[150:]))
    corpus = open_tagged(tmp_path, ALL_TRAIN)
    assert list(corpus.sentences("train")) == MADE[:150]
    assert list(corpus.sentences("test")) == MADE[150:]
    assert corpus.card.body == "About it."
    middle = train(tmp_path, tag_column="3", token_column="tag")
    assert middle == turned[:150]
    assert "did you mean 'word'" in complaint(tmp_path, tag_column="wort")


def test_lists_by_split_and_what_happens_to_them_later() -> None:
    rows = as_pairs(MADE)
    first = rows[:100]
    corpus = open_tagged({"train": first, "dev": rows[100:150], "test": rows[150:]})
    first.clear()
    assert corpus.own_splits == ("train", "validation", "test")
    assert [len(list(corpus.sentences(split))) for split in corpus.own_splits] == [100, 50, 50]
    assert corpus.name == "sentences"


def test_digest_tells_tags_splits_and_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conll", in_columns(MADE))
    one = open_tagged(path).digest
    assert one == open_tagged(write(tmp_path / "b.txt", in_columns(MADE, "\t"))).digest, "the sentences are the same"
    changed = [*MADE[:-1], Sentence(MADE[-1].tokens, ("VERB",) * len(MADE[-1].tokens))]
    others = [
        open_tagged(write(tmp_path / "c.conll", in_columns(changed))).digest,
        open_tagged(path, TaggedConfig(token_column="3", tag_column="1")).digest,
        open_tagged(path, TaggedConfig(test=0.2)).digest,
        open_tagged(path, TaggedConfig(limit=100)).digest,
        open_tagged({"train": as_pairs(MADE)[:100], "test": as_pairs(MADE)[100:]}).digest,
    ]
    assert len({one, *others}) == 6
    names = [datasets.ClassLabel(names=some) for some in (["A", "B", "C"], ["A", "C", "B"])]
    rows = [{"tokens": ["x", "y", "z"], "tags": [0, 1, 2]}]
    digests = []
    for number, name in enumerate(names):
        kinds = datasets.Features(
            {"tokens": datasets.Sequence(datasets.Value("string")), "tags": datasets.Sequence(name)}
        )
        datasets.Dataset.from_list(rows, features=kinds).save_to_disk(str(tmp_path / str(number)))
        digests.append(open_tagged(tmp_path / str(number), ALL_TRAIN).digest)
    assert digests[0] != digests[1]
    both = [{"tokens": ["x", "y"], "ner_tags": ["O", "B"], "pos_tags": ["N", "V"]}]
    datasets.Dataset.from_list(both).save_to_disk(str(tmp_path / "both"))
    of_either = [open_tagged(tmp_path / "both", TaggedConfig(tag_column=name)) for name in ("ner_tags", "pos_tags")]
    assert of_either[0].digest != of_either[1].digest


def test_settings_go_through_json_and_text_fields_are_not_of_them() -> None:
    config = TaggedConfig(token_column="form", tag_column="-1", limit=5, tagged_form="slashes")
    assert build(TaggedConfig, json.loads(json.dumps(to_json(config)))) == config
    with pytest.raises(ConfigError, match="tagged_form has no choice 'words'"):
        TaggedConfig(tagged_form="words")


def test_limit_counts_sentences() -> None:
    assert train(MADE, limit=7) == MADE[:7]


# What is wrong


@pytest.mark.parametrize(
    "text, said",
    [
        ("a - X\nb - Y\n\nc X\n", ":4 has 2 columns where"),
        ("a - X\nb - X\n", "has one tag only, 'X', and nothing to learn"),
        ("", "holds no tagged sentence"),
        ("\n\n\n", "holds no tagged sentence"),
        ("-DOCSTART- - O\n\n", "holds no tagged sentence"),
        ("once upon a time\nthere was\n", ":2 has 2 columns where"),
    ],
)
def test_files_that_are_wrong(text: str, said: str, tmp_path: Path) -> None:
    assert said in complaint(write(tmp_path / "a.conll", text))


def test_more_files_that_are_wrong(tmp_path: Path) -> None:
    broken = write(tmp_path / "a.conll", in_columns(MADE).encode() + b"\ncaf\xe9 - X\n")
    assert f"{broken} line " in complaint(broken)
    assert "is not UTF-8 (byte 0xe9" in complaint(broken)
    assert "truncated or damaged" in complaint(write(tmp_path / "a.conll.gz", gzip.compress(b"a - X\n" * 99)[:-12]))
    assert "did you mean" in complaint(write(tmp_path / "b.conllu", in_conllu(MADE)), tag_column="uppos")
    assert "has no column '9'; it has 3" in complaint(write(tmp_path / "c.conll", in_columns(MADE)), tag_column="9")
    slashed = write(tmp_path / "d.txt", "a/X b/Y\nc\n")
    assert f"{slashed}:2 has 'c' where word/TAG should be" in complaint(slashed, tagged_form="slashes")
    assert "has no columns" in complaint(slashed, tagged_form="slashes", tag_column="2")
    write(tmp_path / "folder" / "train.conll", in_columns(MADE))
    write(tmp_path / "folder" / "test.conll", "\n")
    assert "test.conll holds no tagged sentence" in complaint(tmp_path / "folder")
    (tmp_path / "empty").mkdir()
    assert "has no file of tagged sentences" in complaint(tmp_path / "empty")
    write(tmp_path / "other" / "picture.png", "x")
    assert "it holds picture.png" in complaint(tmp_path / "other")


@pytest.mark.parametrize(
    "records, settings, said",
    [
        ([{"tokens": ["a", "b"], "tags": ["X"]}], {}, "sentence 1 has 2 tokens but 1 tags"),
        ([{"tokens": ["a", " "], "tags": ["X", "Y"]}], {}, "sentence 1 has an empty token"),
        ([{"tokens": ["a", "b"], "tags": ["X", ""]}], {}, "sentence 1 has an empty tag"),
        ([{"tokens": ["a", None], "tags": ["X", "Y"]}], {}, "sentence 1 has a token of type NoneType, not text"),
        ([{"tokens": {"a": 1}, "tags": ["X"]}], {}, "the field 'tokens' is of type dict, not a list"),
        ([{"tokens": ["a"], "tags": ["X"]}], {"tag_column": "tag"}, "has no field 'tag'; did you mean 'tags'"),
        ([{"tokens": ["a"], "tags": ["X"]}], {"tag_column": "3"}, "has no field '3'; known: tags, tokens"),
        ([{"tokens": ["a"], "said": ["X"]}], {}, "does not say which field holds the tags; set tag_column to one of"),
        ([{"tokens": ["a"], "tags": ["X"]}], {"tag_column": "tokens"}, "is both the tokens and the tags"),
        ([{"tokens": ["a"], "tags": None}], {}, "holds no tagged sentence"),
        ([{"tokens": [], "tags": []}], {}, "holds no tagged sentence"),
        ([], {}, "holds no tagged sentence"),
        ([[("a", "X"), ("b",)]], {}, "sentence 1 must be a list of (token, tag)"),
        (["a/X b/Y"], {}, "sentence 1 must be a list of (token, tag)"),
        ([("a", "X"), ("b", "Y")], {}, "sentence 1 must be a list of (token, tag)"),
        ({"test": MADE}, {}, "have no split 'train', only test"),
        ({"train": iter(MADE)}, {}, "write list(...)"),
        (7, {}, "got int"),
    ],
)
def test_rows_that_are_wrong(records: Any, settings: dict[str, Any], said: str) -> None:
    assert said in complaint(records, **settings)


def test_jsonl_says_file_and_sentence(tmp_path: Path) -> None:
    rows: list[Any] = [*as_records(MADE[:120]), {"tokens": ["a", "b"], "tags": ["X"]}]
    path = write(tmp_path / "a.jsonl", lines(rows))
    assert complaint(path) == f"{path}, sentence 121 has 2 tokens but 1 tags; each token needs one"
    path = write(tmp_path / "b.jsonl", lines(as_records(MADE)) + "{\n")
    assert f"{path}:201 is not JSON" in complaint(path)


def test_a_split_without_tags_is_not_taken_for_one() -> None:
    bare = [{"tokens": ["a"], "tags": None}]
    corpus = open_tagged({"train": as_records(MADE), "test": bare})
    assert corpus.own_splits == ("train",)
    assert everything(corpus) == WANTED


def test_numbers_without_names_and_numbers_out_of_range(tmp_path: Path) -> None:
    assert train([{"tokens": ["a", "b"], "tags": [0, 1]}]) == [(("a", "b"), ("0", "1"))]
    kinds = datasets.Features(
        {
            "tokens": datasets.Sequence(datasets.Value("string")),
            "tags": datasets.Sequence(datasets.ClassLabel(names=["A", "B"])),
        }
    )
    rows = [{"tokens": ["a", "b"], "tags": [0, 1]}, {"tokens": ["c"], "tags": [-1]}]
    datasets.Dataset.from_list(rows, features=kinds).save_to_disk(str(tmp_path / "x"))
    assert "sentence 2 has the tag -1, and names are known for 0 to 1 only" in complaint(tmp_path / "x", validation=0)


def test_half_of_a_surrogate_pair(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"tokens": ["a\\ud83d", "b"], "tags": ["X", "Y"]}\n')
    assert train(path) == [(("a\ufffd", "b"), ("X", "Y"))]


def test_one_tag_is_enough_to_evaluate_on() -> None:
    rows = [[("a", "X"), ("b", "X")]]
    assert list(open_tagged(rows, ALL_TRAIN, least=1).sentences("train")) == [(("a", "b"), ("X", "X"))]
    assert "one tag only in its first 3 sentences" in complaint([*rows * 3, *as_pairs(MADE)], limit=3)
