"""Words that are spelled like an unknown one, found fast among hundreds of thousands."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping

#: How many of the first words lend their letters to the edits, and how many are compared letter by letter.
LETTERS_OF, COMPARED = 2_000, 50_000
LONGEST = 40  # characters; what is longer is no mistyped word


def near_spellings(word: str, index: Mapping[str, int], count: int = 3) -> list[str]:
    """At most ``count`` known words near to ``word``: other cases first, then one edit away, then alike.

    Args:
        word: the unknown one.
        index: known word -> place; among equally near ones the earlier (more frequent) come first.
    """
    cases = (word.strip(), word.lower(), word.casefold(), word.upper(), word.capitalize(), word.title())
    found = _known(cases, index)
    if 0 < len(word) <= LONGEST and len(found) < count:
        letters = sorted(set("abcdefghijklmnopqrstuvwxyz'-_").union(word, *itertools.islice(index, LETTERS_OF)))
        edits = itertools.chain.from_iterable(_one_edit(form, letters) for form in {word, word.lower()})
        found += [near for near in _known(edits, index) if near not in found]
        found = found or _alike(word, index, count)
    return found[:count]


def _known(forms: Iterator[str] | tuple[str, ...], index: Mapping[str, int]) -> list[str]:
    return sorted({form for form in forms if form in index}, key=index.__getitem__)


def _one_edit(word: str, letters: list[str]) -> Iterator[str]:
    """Every string that one letter left out, put in, changed, or swapped with the next makes of ``word``."""
    for place in range(len(word) + 1):
        head, tail = word[:place], word[place:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in letters:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def _alike(word: str, index: Mapping[str, int], count: int) -> list[str]:
    """Words of the same first letter and about the same length that share most letters, in order."""
    first, size = word[0].lower(), len(word)
    some = itertools.islice(index, COMPARED)
    close = [known for known in some if abs(len(known) - size) <= 2 and known[:1].lower() == first]
    return difflib.get_close_matches(word, close, n=count, cutoff=0.7)
