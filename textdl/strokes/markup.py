"""Reading XML that strangers wrote: nothing is fetched, and no entity is ever declared, so none can blow up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ..errors import CorpusError

#: Larger files are refused; a line of strokes is some hundred kilobytes at most.
LARGEST = 1 << 26


def read_markup(path: Path, what: str) -> Element:
    """The root of an XML file, tags without their namespace.

    Raises:
        CorpusError: the file can not be read, is larger than 64 MiB, is not well-formed, or declares entities.
    """
    try:
        if path.stat().st_size > LARGEST:
            size = path.stat().st_size / 2**20
            raise CorpusError(f"{path} has {size:,.0f} MiB, more than the {LARGEST >> 20} that are read as {what}")
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} can not be read ({error.strerror or error})") from None
    builder = TreeBuilder()

    def start(tag: str, attributes: dict[str, str]) -> None:
        builder.start(_local(tag), {_local(name): value for name, value in attributes.items()})

    def refuse(*_: object) -> None:
        raise CorpusError(f"{path} declares entities, which may grow without bound; write it without them")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda tag: builder.end(_local(tag))
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise CorpusError(f"{path} is no well-formed {what} ({error}); mend it or leave it out") from None
    return builder.close()


def inside(root: Element, without: frozenset[str] = frozenset()) -> Iterator[Element]:
    """All elements of a tree in order, however deep, without those whose tag is in ``without`` and what is in them."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag not in without:
            yield element
            waiting.extend(reversed(element))


def _local(name: str) -> str:
    return name.rpartition(":")[2]
