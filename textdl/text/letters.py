"""Words of letters and digits of any script; apostrophes and hyphens within a word belong to it."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator

_PLAIN = r"[^\W_]+"
#: Text without marks needs no more.
_WORD = re.compile(f"{_PLAIN}(?:['’-]{_PLAIN})*")


class LetterWords:
    """Finds words as a regular expression does. The vowel signs of Hindi or Hebrew, marks and no letters, part none."""

    def findall(self, text: str) -> list[str]:
        """The words of a text."""
        return self._pattern(text).findall(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """The words of a text with their places."""
        return self._pattern(text).finditer(text)

    def _pattern(self, text: str) -> re.Pattern[str]:
        if text.isascii():
            return _WORD
        near, far, word = _marked()
        return word if near.search(text) or far.search("".join(_FAR.findall(text))) else _WORD


WORDS = LetterWords()

#: What most text has none of. Python looks for what is before it in a table, for what is behind it range by range.
_FAR = re.compile("[\U00010000-\U0010ffff]")


@functools.cache
def _marked() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A mark before ``_FAR``, one behind it, and a word with marks behind its letters."""
    near, far = _marks(range(0x300, 0x10000)), _marks([*range(0x10000, 0x1F000), *range(0xE0100, 0xE01F0)])
    letters = f"{_PLAIN}(?:[{near}{far}]+(?:{_PLAIN})?)*"
    return re.compile(f"[{near}]"), re.compile(f"[{far}]"), re.compile(f"{letters}(?:['’-]{letters})*")


def _marks(codes: Iterable[int]) -> str:
    """The marks among some characters, as ranges of a regular expression."""
    runs: list[list[int]] = []
    for code in codes:
        if unicodedata.category(chr(code))[0] == "M":
            if runs and runs[-1][1] == code - 1:
                runs[-1][1] = code
            else:
                runs.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in runs)
