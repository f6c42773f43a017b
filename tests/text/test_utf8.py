from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textdl.text.utf8 import ByteTokenizer

BYTES = ByteTokenizer()


@given(st.text())
def test_the_ids_are_the_bytes(text: str) -> None:
    assert bytes(BYTES.encode(text).tolist()) == text.encode()
    assert (BYTES.size, BYTES.end) == (257, 256)


@given(st.binary(max_size=40).filter(lambda data: b"\xed" not in data))
def test_broken_utf8_is_decoded_as_python_replaces_it(data: bytes) -> None:
    assert BYTES.decode(list(data)) == data.decode("utf-8", "replace")


@given(
    st.lists(
        st.sampled_from(
            [b"\xed", b"\xa0", b"\x80", b"\xf0\x9f", b"\x99\x82", b"a", "\ud83d".encode("utf-8", "surrogatepass")]
        )
    )
)
def test_surrogates_among_broken_bytes_stream_to_the_same(parts: list[bytes]) -> None:
    ids = list(b"".join(parts))
    decoder = BYTES.decoder()
    assert "".join([*map(decoder.push, ids), decoder.flush()]) == BYTES.decode(ids)


@pytest.mark.parametrize(
    "ids, pieces",
    [
        ("é".encode(), ["", "é"]),
        ("🙂".encode(), ["", "", "", "🙂"]),
        (b"\xc3a", ["", "\ufffda"]),
        (b"\xed\xa0\xbd", ["", "", "\ud83d"]),
    ],
)
def test_incomplete_characters_are_held_back(ids: bytes, pieces: list[str]) -> None:
    decoder = BYTES.decoder()
    assert [decoder.push(id) for id in ids] == pieces
    assert decoder.flush() == ""
    decoder.push(0xC3)
    assert decoder.push(BYTES.end) == "\ufffd"
    assert decoder.push(ord("a")) == "a"
