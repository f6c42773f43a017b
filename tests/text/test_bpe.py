from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Package

from textdl.errors import CorpusError, RunError
from textdl.text import bpe
from textdl.text.base import TokenizerConfig
from textdl.text.bpe import BpeTokenizer, byte_alphabet

TEXTS = ["the cat sat on the mat, the cat thought\n", "das Mädchen 你好 🙂 don't\n"] * 20
BPE = BpeTokenizer.train(TEXTS, TokenizerConfig(tokenizer="bpe", vocabulary=320))


def test_the_alphabet_is_the_package_s() -> None:
    from tokenizers.pre_tokenizers import ByteLevel

    assert set(byte_alphabet()) == set(ByteLevel.alphabet())
    assert (byte_alphabet()[ord("a")], byte_alphabet()[ord(" ")], byte_alphabet()[ord("\n")]) == ("a", "Ġ", "Ċ")


def test_merges_worked_by_hand() -> None:
    tokenizer = BpeTokenizer.train(["ab ab ab abc abc"], TokenizerConfig(tokenizer="bpe", vocabulary=259))
    # 256 bytes, one merge "ab" (5 times), then " ab" (4 times), the end
    assert tokenizer.size == 259
    assert [tokenizer.decode([id]) for id in (256, 257)] == ["ab", " ab"]
    assert [tokenizer.decode([id]) for id in tokenizer.encode("ab abx")] == ["ab", " ab", "x"]


@given(text=st.text(st.sampled_from("ab c\n\t\r\u00a0\u3000.'é🙂1你"), max_size=120))
@settings(max_examples=150)
def test_slices_give_the_ids_of_the_whole(text: str) -> None:
    package = Package.from_str(json.dumps(BPE.to_json()["tokenizers"]))
    whole = package.encode(text).ids
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bpe, "SLICE", 5)
        patch.setattr(bpe, "GROUP", 2)
        assert BPE.encode(text).tolist() == whole
    assert package.decode(whole) == BPE.decode(whole) == text


def test_lone_surrogates_become_replacement_characters() -> None:
    assert BPE.decode(BPE.encode("a\ud83db\udc00")) == "a\ufffdb\ufffd"
    assert BpeTokenizer.train(["a\ud83db"], TokenizerConfig(tokenizer="bpe")).size >= 257


def test_streaming_holds_back_incomplete_characters() -> None:
    ids = BPE.encode("\U0001f9d3")  # its bytes were never merged in training
    assert len(ids) > 1
    decoder = BPE.decoder()
    pieces = [decoder.push(int(id)) for id in ids]
    assert pieces[0] == ""
    assert pieces[-1] == "\U0001f9d3"


def test_training_stops_at_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bpe, "TRAINING_BYTES", 100)
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "twenty bytes of text"

    BpeTokenizer.train(texts(), TokenizerConfig(tokenizer="bpe", vocabulary=300))
    assert read < 20


def test_an_error_of_the_texts_goes_through_the_package() -> None:
    def texts() -> Iterator[str]:
        yield "some text"
        raise CorpusError("the file is gone")

    with pytest.raises(CorpusError, match="the file is gone"):
        BpeTokenizer.train(texts(), TokenizerConfig(tokenizer="bpe"))


def damaged(change: str) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(BPE.to_json())
    model = data["tokenizers"]["model"]
    if change == "a byte is missing":
        model["vocab"]["zz"] = model["vocab"].pop("z")
    if change == "two tokens of one id":
        model["vocab"]["a"] = model["vocab"]["b"]
    if change == "an id that is text":
        model["vocab"]["a"] = "0"
    if change == "a token of no bytes":
        model["vocab"]["你"] = len(model["vocab"])
    if change == "a merge of unknown tokens":
        model["merges"].append(["zz", "zz"])
    if change == "a merge of three":
        model["merges"].append(["a", "b", "c"])
    if change == "a merge that is none":
        model["merges"].append(3)
    if change == "a merge of lists":
        model["merges"].append([["a"], "b"])
    return data


@pytest.mark.parametrize(
    "change",
    [
        "a byte is missing",
        "two tokens of one id",
        "an id that is text",
        "a token of no bytes",
        "a merge of unknown tokens",
        "a merge of three",
        "a merge that is none",
        "a merge of lists",
    ],
)
def test_a_damaged_model(change: str) -> None:
    with pytest.raises(RunError, match="damaged"):
        BpeTokenizer.from_json(damaged(change))


def test_merges_as_earlier_versions_of_the_package_wrote_them() -> None:
    data = copy.deepcopy(BPE.to_json())
    model = data["tokenizers"]["model"]
    model["merges"] = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["merges"]]
    text = TEXTS[0] + TEXTS[1]
    assert BpeTokenizer.from_json(data).encode(text).tolist() == BPE.encode(text).tolist()
