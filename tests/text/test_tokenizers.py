"""The contract of every tokenizer; what is special to one kind is in its own file."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textdl.errors import ConfigError, CorpusError, PromptError, RunError
from textdl.text.base import KINDS
from textdl.text.tokenizers import (
    TOKENIZERS,
    Tokenizer,
    TokenizerConfig,
    load_tokenizer,
    tokenizer_from_json,
    train_tokenizer,
)

TEXTS = [
    'The cat sat.\n"Why?" asked the dog, who couldn\'t see.\n',
    "Das Mädchen sagte: «ja», 你好 🙂!\n",
    "The cat sat on the mat, and the dog saw the cat.\n" * 3,
]
LOSSLESS = [kind for kind, made in TOKENIZERS.items() if made.lossless]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)  # lone surrogates too
WHOLE_TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@cache
def trained(kind: str, lowercase: bool = False) -> Tokenizer:
    return train_tokenizer(TEXTS, TokenizerConfig(tokenizer=kind, vocabulary=400, lowercase=lowercase))


def streamed(tokenizer: Tokenizer, ids: list[int]) -> str:
    decoder = tokenizer.decoder()
    return "".join([*(decoder.push(id) for id in ids), decoder.flush()])


def test_the_choices_of_the_config_are_the_table() -> None:
    assert tuple(TOKENIZERS) == KINDS
    assert all(made.kind == kind for kind, made in TOKENIZERS.items())
    assert [made.unit for made in TOKENIZERS.values()] == ["character", "byte", "word", "token"]


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(text=ANY_TEXT)
@settings(max_examples=60)
def test_any_text_gives_ids_in_range_without_the_end(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32
    assert ids.ndim == 1
    assert not len(ids) or (ids.min() >= 0 and ids.max() < tokenizer.end == tokenizer.size - 1)
    assert tokenizer.decode(ids) == tokenizer.decode(ids.tolist()) == streamed(tokenizer, ids.tolist())


@pytest.mark.parametrize("kind", LOSSLESS)
@given(text=WHOLE_TEXT)
@settings(max_examples=60)
def test_the_lossless_kinds_give_any_text_back_and_so_agree(kind: str, text: str) -> None:
    assert trained(kind).decode(trained(kind).encode(text)) == text
    assert trained(kind, True).decode(trained(kind, True).encode(text)) == text.lower()


@pytest.mark.parametrize("kind", ["characters", "bytes"])
@given(text=ANY_TEXT)
@settings(max_examples=60)
def test_lone_surrogates_come_back_from_characters_and_bytes(kind: str, text: str) -> None:
    assert trained(kind).decode(trained(kind).encode(text)) == text


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(data=st.data())
@settings(max_examples=60)
def test_any_ids_stream_to_what_they_decode_to(kind: str, data: st.DataObject) -> None:
    tokenizer = trained(kind)
    # Mostly special and rare ids, which is where decoders break.
    rare = st.integers(max(0, tokenizer.size - 20), tokenizer.end)
    ids = data.draw(st.lists(st.integers(0, tokenizer.end) | rare, max_size=30))
    cut = data.draw(st.integers(0, len(ids)))
    assert streamed(tokenizer, ids) == tokenizer.decode(ids)
    # The end closes a document: nothing runs over it.
    both = [*ids[:cut], tokenizer.end, *ids[cut:]]
    assert tokenizer.decode(both) == tokenizer.decode(ids[:cut]) + tokenizer.decode(ids[cut:])


@pytest.mark.parametrize("kind", TOKENIZERS)
@given(texts=st.lists(ANY_TEXT, max_size=4))
@settings(max_examples=30)
def test_many_texts_are_encoded_as_one_by_one(kind: str, texts: list[str]) -> None:
    many = trained(kind).encode_many(texts)
    assert [ids.tolist() for ids in many] == [trained(kind).encode(text).tolist() for text in texts]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_it_is_read_as_it_was_written(kind: str, tmp_path: Path) -> None:
    for lowercase in (False, True):
        tokenizer = trained(kind, lowercase)
        assert tokenizer.save(tmp_path / "run") == tmp_path / "run" / "tokenizer.json"
        assert [p.name for p in (tmp_path / "run").iterdir()] == ["tokenizer.json"]
        read = load_tokenizer(tmp_path / "run")
        assert type(read) is type(tokenizer)
        assert (read.size, read.end, read.digest) == (tokenizer.size, tokenizer.end, tokenizer.digest)
        assert read.never.tolist() == tokenizer.never.tolist()
        assert read.unknown_id == tokenizer.unknown_id
        text = TEXTS[0] + "Zebra \ud83d 🦓"
        assert read.encode(text).tolist() == tokenizer.encode(text).tolist()
        assert read.unknown(text) == tokenizer.unknown(text)
        assert read.to_json() == tokenizer.to_json() == json.loads(json.dumps(read.to_json()))


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_training_is_deterministic_and_deaf_to_the_order(kind: str) -> None:
    config = TokenizerConfig(tokenizer=kind, vocabulary=300)
    first, again = train_tokenizer(iter(TEXTS), config), train_tokenizer(TEXTS, config)
    turned = train_tokenizer(TEXTS[::-1], config)
    assert first.digest == again.digest == turned.digest
    assert len(first.digest) == 64
    other = train_tokenizer(["something else"], config)
    assert kind == "bytes" or other.digest != first.digest
    assert trained(kind, True).digest != trained(kind, False).digest


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_no_text_to_train_on(kind: str, texts: list[str]) -> None:
    with pytest.raises(CorpusError, match="no text to train"):
        train_tokenizer(texts, TokenizerConfig(tokenizer=kind))


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_texts_that_are_none(kind: str) -> None:
    with pytest.raises(CorpusError, match=r"write \[text\]"):
        train_tokenizer("one text", TokenizerConfig(tokenizer=kind))
    with pytest.raises(CorpusError, match="got int"):
        train_tokenizer([3], TokenizerConfig(tokenizer=kind))  # type: ignore[list-item]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_ids_that_are_none(kind: str) -> None:
    tokenizer = trained(kind)
    for bad in (-1, tokenizer.size):
        with pytest.raises(PromptError, match=f"{bad} is not an id"):
            tokenizer.decode([0, bad])
        with pytest.raises(PromptError, match=f"{bad} is not an id"):
            tokenizer.decoder().push(bad)
    with pytest.raises(PromptError, match="whole numbers"):
        tokenizer.decode(np.array([0.5]))
    with pytest.raises(PromptError, match="whole numbers"):
        tokenizer.decode(np.zeros((2, 2), np.int64))
    assert tokenizer.decode([]) == tokenizer.decode([tokenizer.end]) == ""


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("text", ["<unk>", "<|endoftext|>", "</s>", "[UNK]", "<s>"])
def test_what_looks_special_is_ordinary_text(kind: str, text: str) -> None:
    tokenizer = train_tokenizer([*TEXTS, text], TokenizerConfig(tokenizer=kind, vocabulary=400))
    ids = tokenizer.encode(text)
    assert len(ids) > 1
    assert tokenizer.end not in ids
    assert tokenizer.unknown_id not in ids
    if tokenizer.lossless:
        assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    "settings",
    [{"tokenizer": "character"}, {"vocabulary": 3}, {"min_count": 0}, {"tokenizer": "bpe", "vocabulary": 256}],
)
def test_a_config_that_can_not_be(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(set(settings) - {"tokenizer"} or {"tokenizer"}))):
        TokenizerConfig(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content, match",
    [
        ("", "damaged"),
        ("[1]", "damaged"),
        ('{"kind": "characters", "lower', "damaged"),
        ("\udcff", "damaged"),  # not UTF-8
        ("[" * 100_000, "damaged"),
        ("{}", "damaged"),
        ('{"format": 2, "kind": "characters"}', "newer textdl"),
        ('{"format": 1, "kind": "letters"}', "unknown kind"),
        ('{"format": 1, "kind": ["bytes"]}', "unknown kind"),
        ('{"format": 1, "kind": "bytes"}', "'lowercase'"),
        ('{"format": 1, "kind": "characters", "lowercase": false, "escapes": false}', "'characters'"),
        ('{"format": 1, "kind": "characters", "lowercase": false, "characters": ["a"]}', "'escapes'"),
        ('{"format": 1, "kind": "characters", "lowercase": false, "characters": ["ab"]}', "single"),
        ('{"format": 1, "kind": "characters", "lowercase": false, "characters": ["a", "a"]}', "distinct"),
        ('{"format": 1, "kind": "words", "lowercase": false, "words": ["a", 3]}', "distinct"),
        ('{"format": 1, "kind": "words", "lowercase": false, "words": ["a"]}', "line break"),
        ('{"format": 1, "kind": "bpe", "lowercase": false}', "'tokenizers'"),
        ('{"format": 1, "kind": "bpe", "lowercase": false, "tokenizers": {"model": {}}}', "'vocab'"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(content: str, match: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(RunError, match=match) as caught:
        load_tokenizer(tmp_path)
    assert str(tmp_path / "tokenizer.json") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no tokenizer\.json"):
        load_tokenizer(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="can not be a folder"):
        trained("bytes").save(tmp_path / "file")
    with pytest.raises(RunError, match="can not read"):
        load_tokenizer(tmp_path / "file")
    with pytest.raises(RunError, match="not a table"):
        tokenizer_from_json(None)


def test_importing_is_light() -> None:
    heavy = "('torch', 'nltk', 'tokenizers', 'datasets', 'pyarrow', 'numba')"
    code = f"import sys, textdl.text; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
