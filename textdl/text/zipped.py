"""The text in a zip archive: one member, unpacked as it is read, never onto the disk."""

from __future__ import annotations

import zipfile
from collections.abc import Container, Iterator
from pathlib import Path, PurePosixPath

from ..errors import CorpusError

#: Bytes that may be unpacked from an archive. A few kilobytes can be made to unpack to any size.
MOST_UNPACKED = 8 << 30
# Texts beside the largest one that together have more than this share of its size are no mere notes.
_NOTES = 0.02
_PAPERS = ("readme", "license", "licence", "copying", "notice", "provenance", "about", "changelog")


def find_member(archive: zipfile.ZipFile, path: Path, kinds: Container[str]) -> zipfile.ZipInfo:
    """The largest member that is text: of one of ``kinds`` by its suffix, or any other where there is none of these.

    Hidden files, and files about a corpus (readme, licence, ``_about.txt``), do not count.

    Raises:
        CorpusError: there is none, or several that are not small against it.
    """
    inside = [member for member in archive.infolist() if not member.is_dir() and not _is_aside(member.filename)]
    known = [member for member in inside if PurePosixPath(member.filename).suffix.lower() in kinds]
    found = sorted(known or inside, key=lambda member: (-member.file_size, member.filename))
    if not found:
        raise CorpusError(f"{path} holds no file of text; give an archive with one, or the text itself")
    if sum(member.file_size for member in found[1:]) > _NOTES * found[0].file_size:
        names = ", ".join(member.filename for member in found[:3]) + ", …" * (len(found) > 3)
        raise CorpusError(
            f"{path} holds {len(found)} files of text ({names}), and one is read from an archive; unpack it and give "
            "its folder"
        )
    return found[0]


def member_name(path: Path, kinds: Container[str]) -> str:
    """The name of the member that is read; "" where the archive can not be read or holds none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return find_member(archive, path, kinds).filename
    except (CorpusError, *BROKEN):
        return ""


def read_member(path: Path, kinds: Container[str], size: int) -> Iterator[bytes]:
    """The content of the member that is read, in blocks of at most ``size`` bytes.

    Raises:
        CorpusError: as :func:`find_member`; it is encrypted, packed by a method that Python lacks, or larger than
            :data:`MOST_UNPACKED`.
        zipfile.BadZipFile, EOFError, zlib.error, OSError: the archive is damaged, or can not be read.
    """
    try:
        opened = zipfile.ZipFile(path)
    except NotImplementedError as error:  # of a later version of the format
        raise _not_unpacked(path, error) from None
    with opened as archive:
        member = find_member(archive, path, kinds)
        if member.flag_bits & 1:
            raise CorpusError(f"{path} is encrypted; unpack it with its password and give what was in it")
        if member.file_size > MOST_UNPACKED:
            raise CorpusError(
                f"{path} unpacks to {member.file_size:,} bytes, of which {MOST_UNPACKED:,} are allowed; unpack it "
                "yourself and give what was in it"
            )
        try:
            file = archive.open(member)
        except (NotImplementedError, RuntimeError) as error:
            raise _not_unpacked(path, error) from None
        with file:  # it yields at most file_size bytes, whatever is packed, and checks their sum at the end
            while block := file.read(size):
                yield block


def _not_unpacked(path: Path, error: Exception) -> CorpusError:
    return CorpusError(f"{path} can not be unpacked ({error}); unpack it and give what was in it")


#: What a damaged archive raises in the zipfile module.
BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError, NotImplementedError)


def _is_aside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if "__MACOSX" in parts or any(part.startswith(".") for part in parts):
        return True
    return parts[-1].lower().lstrip("_-. ").startswith(_PAPERS)
