"""Word vectors in files of every common format, read in bounded memory and written atomically.

| name | what |
|---|---|
| ``safetensors`` | ours: matrix, words and counts under one digest; the matrix is mapped into memory, not read |
| ``word2vec`` | text: a line ``V D``, then a word and its D numbers a line |
| ``word2vec-binary`` | the same header, then each word, a space and D little-endian float32 |
| ``glove`` | text as word2vec's, without the header |

gensim reads and writes the two of word2vec (``KeyedVectors.load_word2vec_format``, ``save_word2vec_format``). Its own
``.kv`` files hold pickled Python objects and are never read here, because reading a pickle runs whatever code it names:
load them with gensim and hand the object over, ``WordVectors.from_gensim(KeyedVectors.load(path))``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..artifact import replacing
from ..errors import near
from ..text.files import PACKINGS, packing, read_blocks
from . import formats_binary, formats_safetensors, formats_text
from .formats_reading import Table
from .formats_writing import compressed
from .word_vectors import VectorsError, WordVectors, not_finite

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

FORMATS = ("safetensors", "word2vec", "word2vec-binary", "glove")
SUFFIXES = {
    ".safetensors": "safetensors",
    ".txt": "word2vec",
    ".vec": "word2vec",
    ".w2v": "word2vec",
    ".bin": "word2vec-binary",
    ".glove": "glove",
}
HEAD = 1 << 16  # bytes by which a format is recognised
_HEADER = re.compile(rb"[ \t]*(\d+)[ \t]+(\d+)[ \t]*(?:\r?\n|\Z)")
_OTHERS = {
    b"\x80": "a pickle, as gensim's own .kv files are, which could run any code, so it is never read; in Python: "
    "WordVectors.from_gensim(KeyedVectors.load(path)).save('vectors.safetensors')",
    b"PK\x03\x04": "a zip archive; unpack it and name the file in it",
    b"\x1f\x8b": "packed by gzip; give it a name that ends in .gz",
    b"\xba\x16\x4f\x2f": "a model of fastText; name the .vec file that was written beside it, or in Python: "
    "WordVectors.from_gensim(gensim.models.fasttext.load_facebook_vectors(path))",
    b"\x93NUMPY": "a numpy array without words; hand words and array to WordVectors(words, array)",
}


def load_vectors(
    path: str | Path,
    format: str | None = None,
    *,
    most: int | None = None,
    repeated: Literal["refuse", "first"] = "refuse",
    check: bool = True,
) -> WordVectors:
    """Read word vectors; the format is told by the content.

    Text and binary files may be packed (.gz .xz .zst .bz2). Beside the matrix, made once in its full size, only a block
    of the file is in memory; text without a header is read twice, first to count the lines.

    Args:
        path: the file.
        format: one of :data:`FORMATS`, when it is not to be guessed.
        most: read only the so many first words, the most frequent ones in most files.
        repeated: what to do about a word that comes twice: refuse the file, or keep the first vector.
        check: False maps a safetensors file without reading through it (its digest and NaN are then not looked at).

    Raises:
        VectorsError: no such format, a wrong header, a short or long row, NaN or infinity, a repeated word, broken
            UTF-8, an empty or truncated file; the line or the word is named.
        CorpusError: the file is missing, not readable, or damaged in its packing.
    """
    path = Path(path)
    if most is not None and most < 1:
        raise VectorsError(f"the number of words to read must be at least 1, got {most}")
    if repeated not in ("refuse", "first"):
        raise VectorsError(f"there is no rule {repeated!r} for repeated words; {near(repeated, ('refuse', 'first'))}")
    name = guess_format(path) if format is None else _known(format)
    if name == "safetensors":
        return formats_safetensors.read(path, most, check)
    if name == "word2vec-binary":
        table = formats_binary.read(path, most)
    else:
        table = formats_text.read(path, most, header=name == "word2vec")
    return _vectors(table, path, repeated)


def save_vectors(vectors: WordVectors, path: str | Path, format: str | None = None) -> None:
    """Write word vectors whole or not at all; what stood there before survives a failure.

    Text holds every float32 exactly (nine digits). Counts go into safetensors only, subwords nowhere.

    Args:
        path: the format is told by the suffix (.safetensors; .txt, .vec, .w2v: word2vec text; .bin: word2vec binary;
            .glove), each but the first also packed, ``vectors.txt.gz``.
        format: one of :data:`FORMATS`, when the suffix does not say.

    Raises:
        VectorsError: an unknown suffix, or a word that the format can not hold.
        RunError: no space left, or the folder can not be written.
    """
    path = Path(path)
    name = _by_suffix(path) if format is None else _known(format)
    pack = packing(path)
    if pack not in ("", ".gz") or (pack and name == "safetensors"):
        what = "safetensors files are not packed" if name == "safetensors" else "vectors are packed by gzip only"
        raise VectorsError(f"{path} can not be written: {what}; give a name without {pack}")
    writers: dict[str, Callable[[WordVectors], Iterator[bytes]]] = {
        "safetensors": formats_safetensors.pieces,
        "word2vec": formats_text.pieces_with_header,
        "word2vec-binary": formats_binary.pieces,
        "glove": formats_text.pieces,
    }
    pieces = writers[name](vectors)
    with replacing(path) as file:
        for piece in compressed(pieces) if pack else pieces:
            file.write(piece)


def guess_format(path: str | Path) -> str:
    """The format of a file, one of :data:`FORMATS`, by its first bytes.

    Raises:
        VectorsError: empty, or none of them.
        CorpusError: missing, not readable, or damaged in its packing.
    """
    path = Path(path)
    head = b""
    for block in read_blocks(path, HEAD):
        head += block
        if len(head) >= HEAD:
            break
    if not head.strip():
        raise VectorsError(f"{path} is empty; it should hold words and their vectors")
    for start, what in _OTHERS.items():
        if head.startswith(start):
            raise VectorsError(f"{path} is {what}")
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40:
        return "safetensors"
    header = _HEADER.match(head.removeprefix(formats_text.BOM))
    if header is not None:
        return _text_or_binary(head.removeprefix(formats_text.BOM)[header.end() :], int(header[1]), int(header[2]))
    if _numbers_after_word(head.split(b"\n", 1)[0], whole=b"\n" in head or len(head) < HEAD):
        return "glove"
    raise VectorsError(
        f"{path} holds no vectors that textdl knows: neither safetensors nor a first line with two whole numbers or "
        "with a word and its numbers; name a file of word2vec, GloVe or safetensors"
    )


def to_gensim(vectors: WordVectors) -> KeyedVectors:
    """The words as gensim ``KeyedVectors`` in memory, with the attribute ``count`` where counts are known."""
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(vectors.dim)
    keyed.add_vectors(list(vectors.words), vectors.matrix)
    if vectors.counts is not None:
        for word, count in zip(vectors.words, vectors.counts.tolist(), strict=True):
            keyed.set_vecattr(word, "count", count)
    return keyed


def from_gensim(keyed: KeyedVectors) -> WordVectors:
    """The words, vectors and counts of gensim ``KeyedVectors`` (of ``model.wv``); the vectors are copied.

    Raises:
        VectorsError: it is none, or not every key is text.
    """
    words = getattr(keyed, "index_to_key", None)
    if words is None:
        raise VectorsError(f"KeyedVectors of gensim 4 are wanted, got {type(keyed).__name__}; of a model hand over .wv")
    import numpy as np

    size = len(words)
    counts = keyed.expandos.get("count")
    known = counts is not None and all(isinstance(c, int | np.integer) for c in counts[:size])
    exact = np.array(counts[:size], np.int64) if known and counts is not None else None
    return WordVectors(words, np.array(keyed.vectors[:size], np.float32), exact)


def _known(format: str) -> str:
    if format not in FORMATS:
        raise VectorsError(f"there is no vector format {format!r}; {near(str(format), FORMATS)}")
    return format


def _by_suffix(path: Path) -> str:
    inner = path.with_suffix("") if path.suffix.lower() in PACKINGS else path
    suffix = inner.suffix.lower()
    if suffix == ".kv":
        raise VectorsError(
            f"{path} can not be written: gensim's .kv files are pickled; write .bin and read it in gensim by "
            "KeyedVectors.load_word2vec_format(path, binary=True), or use to_gensim()"
        )
    if suffix not in SUFFIXES:
        raise VectorsError(
            f"the suffix {suffix!r} of {path} says no format; take one of {', '.join(SUFFIXES)}, or name the format: "
            f"{', '.join(FORMATS)}"
        )
    return SUFFIXES[suffix]


def _text_or_binary(body: bytes, words: int, dim: int) -> str:
    """What stands behind a word2vec header: text when the first row is numbers, or when all of it looks like text."""
    line, end, _ = body.partition(b"\n")
    if _numbers_after_word(line, whole=bool(end) or len(body) < HEAD - 64):
        return "word2vec"
    strange = re.search(rb"[\x00-\x08\x0e-\x1a]", body)
    return "word2vec-binary" if strange or _fills(body, words, dim) else "word2vec"


def _fills(body: bytes, words: int, dim: int) -> bool:
    """Whether it is so many words with binary numbers to its end: of few numbers no byte need be strange."""
    at = 0
    for _ in range(words):
        space = body.find(b" ", at)
        at = space + 1 + 4 * dim
        if space < 0 or at > len(body):
            return False
    return words > 0 and not body[at:].strip(b"\n")


def _numbers_after_word(line: bytes, whole: bool) -> bool:
    """Whether a line ends in numbers; the last of a line that is cut off by the end of the head is not looked at."""
    parts = line.replace(b"\t", b" ").split(b" ")
    parts = [part for part in (parts if whole else parts[:-1]) if part.strip()]
    return (
        len(parts) > 1 and formats_text.is_number(parts[-1]) and (len(parts) < 3 or formats_text.is_number(parts[-2]))
    )


def _vectors(table: Table, path: Path, repeated: str) -> WordVectors:
    """The words of a file as vectors, after what is wrong with them has been looked for."""
    if not table.words:
        raise VectorsError(f"{path} holds no words; it should hold words and their vectors")
    wrong = not_finite(table.matrix)
    if wrong is not None:
        raise VectorsError(
            f"{path} {table.where(wrong)}: the vector of {table.words[wrong]!r} holds NaN or infinity (or a number too "
            "large for float32); train it again, or take the line out"
        )
    first: dict[str, int] = {}
    for place, word in enumerate(table.words):
        if first.setdefault(word, place) != place and repeated == "refuse":
            raise VectorsError(
                f"{path} {table.where(place)}: the word {word!r} is repeated, it stands in {table.where(first[word])} "
                "already; take one out, or read the first by repeated='first'"
            )
    if len(first) == len(table.words):
        return WordVectors(table.words, table.matrix, check=False)
    return WordVectors(first, table.matrix[list(first.values())], check=False)
