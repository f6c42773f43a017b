"""Reading the files that people keep text in: bounded memory, and errors that say where and what to do.

Each may be packed by gzip, xz, zstandard or bzip2, or be the one text in a zip archive. Text is UTF-8; a byte order
mark is dropped and every line end becomes ``\\n``. The readers are generators: a file is opened when the first item is
asked for, and closed when the generator ends or is dropped.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import importlib.util
import io
import itertools
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import CorpusError
from . import zipped

#: What a file holds, by its extension (without that of its packing). Any other extension is read as text.
KINDS = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
PACKINGS = (".gz", ".xz", ".zst", ".bz2")
ARCHIVE = ".zip"
READABLE = f"{' '.join(KINDS)}, also packed as {' '.join(PACKINGS)}"

#: Bytes asked of a file at a time.
BLOCK = 1 << 20

# Formats that people hand over by mistake; without this they would be reported as badly encoded text.
_STARTS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive (or an Office document)",
    b"\x1f\x8b": "packed by gzip (its name must end in .gz)",
    b"\xfd7zXZ": "packed by xz (its name must end in .xz)",
    b"\x28\xb5\x2f\xfd": "packed by zstandard (its name must end in .zst)",
    b"BZh": "packed by bzip2 (its name must end in .bz2)",
    b"PAR1": "Parquet (its name must end in .parquet)",
}


def packing(path: Path) -> str:
    """The extension of the packing, ``.gz`` and so on, ``.zip``, or ""."""
    last = path.suffix.lower()
    return last if last in PACKINGS or last == ARCHIVE else ""


def kind(path: Path) -> str:
    """What the name says the file holds: a value of :data:`KINDS`, or "" when it does not say.

    Of an archive the name of its member says it.
    """
    inner = path.with_suffix("") if packing(path) else path
    if packing(path) == ARCHIVE:
        inner = Path(zipped.member_name(path, KINDS) or inner)
    return KINDS.get(inner.suffix.lower(), "")


def stem(path: Path) -> str:
    """The name without packing and known extension: ``ptb.train`` of ``ptb.train.txt.xz``."""
    inner = path.with_suffix("") if packing(path) else path
    return inner.stem if inner.suffix.lower() in KINDS else inner.name


def read_blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """The unpacked content in blocks of at most about ``size`` bytes.

    Raises:
        CorpusError: the file is missing, not readable, truncated or damaged.
    """
    try:
        if packing(path) == ".zst":
            yield from _unpack_zstandard(path)
            return
        if packing(path) == ARCHIVE:
            yield from zipped.read_member(path, KINDS, size)
            return
        with _opened(path) as file:
            while block := file.read(size):
                yield block
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise damaged(path, error) from None
    except OSError as error:
        # The decompressors report damage as an OSError without a number.
        raise (unreadable(path, error) if error.errno else damaged(path, error)) from None


def file_size(path: Path) -> int:
    """Bytes of the file as it lies.

    Raises:
        CorpusError: the file is missing or not reachable.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from None


def content_digest(path: Path) -> bytes:
    """SHA-256 of the file as it lies (packed, if it is): 32 bytes.

    Raises:
        CorpusError: the file is missing or not readable.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise unreadable(path, error) from None


def _opened(path: Path) -> BinaryIO | io.BufferedIOBase:
    match packing(path):
        case ".gz":
            return gzip.open(path, "rb")
        case ".xz":
            return lzma.open(path, "rb")
        case ".bz2":
            return bz2.open(path, "rb")
    return path.open("rb")


def _unpack_zstandard(path: Path) -> Iterator[bytes]:
    import zstandard

    # The package's own file reader takes a truncated file for a whole one, so its frames are followed here.
    # Little is read at a time, because a run of one character unpacks to ten thousand times its size.
    unpacker = None
    with path.open("rb") as file:
        while packed := file.read(1 << 12):
            while packed:
                unpacker = unpacker or zstandard.ZstdDecompressor().decompressobj()
                try:
                    block = unpacker.decompress(packed)
                except zstandard.ZstdError as error:
                    raise damaged(path, error) from None
                packed = b""
                if unpacker.eof:
                    packed, unpacker = unpacker.unused_data, None
                if block:
                    yield block
    if unpacker is not None:
        raise EOFError("the file ended within a frame")


def damaged(path: Path, error: Exception) -> CorpusError:
    """The error of a file that does not hold what its name says."""
    reason = str(error).rstrip(".") or type(error).__name__
    return CorpusError(
        f"{path} is truncated or damaged as a {packing(path) or path.suffix} file ({reason}); fetch or pack it again"
    )


def unreadable(path: Path, error: OSError) -> CorpusError:
    """The error of a file that the system does not hand out."""
    reason = error.strerror or str(error) or type(error).__name__
    remedy = "; allow it with chmod +r" if isinstance(error, PermissionError) else ""
    return CorpusError(f"{path} can not be read: {reason}{remedy}")


def read_text(path: Path, translate: bool = True) -> Iterator[str]:
    """The text in blocks of about 1 M characters, cut anywhere; joined they are the whole.

    Args:
        path: the file.
        translate: make every line end ``\\n``; else they are as they were.

    Raises:
        CorpusError: as :func:`read_blocks`; or the content is not text, or not UTF-8 (with line and byte).
    """
    plain = codecs.getincrementaldecoder("utf-8")()
    decoder = io.IncrementalNewlineDecoder(plain, translate=True) if translate else plain
    seen, lines, first = 0, 1, True
    for block in itertools.chain(read_blocks(path), (b"",)):
        if seen == 0:
            _refuse_other_formats(path, block)
        if (at := block.find(b"\0")) >= 0:
            raise CorpusError(
                f"{path} is not text (it has a zero byte at {seen + at:,}); textdl reads {READABLE}, in UTF-8"
            )
        seen += len(block)
        try:
            text = decoder.decode(block, not block)
        except UnicodeDecodeError as error:
            at = seen - len(error.object) + error.start
            line = lines + error.object.count(b"\n", 0, error.start)
            raise CorpusError(
                f"{path} line {line} is not UTF-8 (byte {error.object[error.start]:#04x} at {at:,}); "
                f"{_convert(path, 'LATIN1')}"
            ) from None
        lines += block.count(b"\n")
        if text and first:
            text, first = text.removeprefix("\ufeff"), False
        if text:
            yield text


def read_lines(path: Path) -> Iterator[str]:
    """The lines without their ends. Only ``\\n``, ``\\r\\n`` and ``\\r`` end a line.

    Raises:
        CorpusError: as :func:`read_text`.
    """
    held: list[str] = []
    for text in read_text(path):
        head, *rest = text.split("\n")
        held.append(head)
        if rest:
            yield "".join(held)
            held = [rest.pop()]
            yield from rest
    if last := "".join(held):
        yield last


def read_exact_lines(path: Path) -> Iterator[str]:
    """The lines as other tools count them: only ``\\n`` ends one, and a ``\\r`` before it belongs to the end.

    For files whose lines answer each other one by one, where a stray ``\\r`` in one would put all others out of step.

    Raises:
        CorpusError: as :func:`read_text`.
    """
    held: list[str] = []
    for text in read_text(path, translate=False):
        head, *rest = text.split("\n")
        held.append(head)
        if rest:
            yield "".join(held).removesuffix("\r")
            held = [rest.pop()]
            yield from (line.removesuffix("\r") for line in rest) if "\r" in text else rest
    if last := "".join(held):
        yield last.removesuffix("\r")


def count_lines(path: Path) -> int:
    """How many lines :func:`read_exact_lines` gives, whether they are text or not.

    Raises:
        CorpusError: as :func:`read_blocks`.
    """
    lines, last = 0, b"\n"
    for block in read_blocks(path):
        lines, last = lines + block.count(b"\n"), block[-1:]
    return lines + (last != b"\n")


def read_paragraphs(path: Path) -> Iterator[str]:
    """What stands between blank lines.

    Raises:
        CorpusError: as :func:`read_text`.
    """
    lines: list[str] = []
    for line in itertools.chain(read_lines(path), ("",)):
        if line.strip():
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []


def _refuse_other_formats(path: Path, block: bytes) -> None:
    for start, name in _STARTS.items():
        if block.startswith(start):
            raise CorpusError(f"{path} is not text but {name}; textdl reads {READABLE}")
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise CorpusError(f"{path} is UTF-16, not UTF-8; {_convert(path, 'UTF-16')}")


def _convert(path: Path, encoding: str) -> str:
    name = path.name.removesuffix(path.suffix) if packing(path) else path.name
    return (
        f"{'unpack and ' * bool(packing(path))}convert it, for example: iconv -f {encoding} -t UTF-8 {name} > new.txt"
    )


def package_file(package: str, inside: str) -> Path | None:
    """A file in an installed package, of which nothing is imported; None where it is not there."""
    found = importlib.util.find_spec(package)
    folders = (found.submodule_search_locations or ()) if found is not None else ()
    return next((Path(folder) / inside for folder in folders if (Path(folder) / inside).is_file()), None)
