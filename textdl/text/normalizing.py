"""Text made uniform before it is cut into words: markup, Unicode form, case, accents, numbers, white space.

The steps come in this order, each only if asked for:

1. ``tags``: HTML breaks (br, p, div, li, tr, h1 to h6 and the like) become line ends, comments and other tags nothing;
2. ``entities``: ``&amp;``, ``&#233;`` and the like become the characters that they stand for;
3. ``form``: one of Unicode's normal forms (Unicode Standard Annex 15);
4. ``case``: lower case, or folded for comparing (ß becomes ss);
5. ``accents``: marks above and below letters are taken off (é becomes e, й becomes и); a letter that is one of its
   own, such as ø or ł, and the vowel signs of scripts that write vowels so, stay;
6. ``number``: a number that stands by itself (3, 1,234.50, 12:30) becomes this mark; one within a word (mp3, 4th)
   stays;
7. ``space``: "collapse" makes one space of all white space and takes it off both ends; "lines" does so in each line,
   and keeps the lines.

After markup, normalising again changes nothing. Markup is read once, so that ``&amp;lt;`` becomes ``&lt;``, as it
should. No step looks over a line end (a tag that does is left alone), so that text may come in pieces:
:func:`normalize_pieces`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from ..config import check, knob
from ..errors import ConfigError, CorpusError

FORMS = ("none", "NFC", "NFD", "NFKC", "NFKD")

_DECLARATION = re.compile(r"<[!?][A-Za-z][^<>\n]*>")
# A comment that is not closed is taken to the end of its line, so that the line is gone over but once.
_COMMENT = re.compile(rf"<!--[^\n]*?(?P<end>-->|$)|{_DECLARATION.pattern}", re.M)
_BREAK = re.compile(
    r"</?(?:br|hr|p|div|li|ul|ol|dl|dt|dd|tr|table|h[1-6]|blockquote|pre|section|article|title)\b[^<>\n]*>", re.I
)
_TAG = re.compile(r"</?[A-Za-z][^<>\n]*>")
# The blocks of combining marks that are accents; the vowel signs of Indic scripts, Hebrew or Arabic are none of them.
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_NUMBER = re.compile(r"(?<![\w.,:])\d+(?:[.,:]\d+)*(?!\w)(?![.,:]\d)")
# White space as str.split sees it, without the line end.
_SPACES = re.compile(r"[^\S\n]+")


@dataclass(frozen=True)
class NormalizingConfig:
    """What :func:`normalize` does; nothing but Unicode form NFC when nothing is said.

    Raises:
        ConfigError: a value has no such choice, or ``number`` is a mark that the other settings would change.
    """

    tags: bool = knob(False, "Take HTML tags out; those that break lines become line ends.")
    entities: bool = knob(False, "Write HTML entities as the characters that they stand for.")
    form: str = knob("NFC", "Unicode normal form.", choices=FORMS)
    case: str = knob("keep", "Case: as it is, lower, or folded for comparing.", choices=("keep", "lower", "fold"))
    accents: bool = knob(False, "Take accents off letters.")
    number: str | None = knob(None, "What to write for each number.")
    space: str = knob(
        "keep", "White space: as it is, collapsed, or collapsed in lines.", choices=("keep", "collapse", "lines")
    )

    def __post_init__(self) -> None:
        check(self)
        if self.number is not None:
            changed = _space(_letters(self.number, self), self)
            if changed != self.number or "\n" in changed:
                raise ConfigError(
                    f"number must be a mark that the other settings leave alone, got {self.number!r}, which they make"
                    f" {changed!r}; write 'num' or '0'"
                )


def normalize(text: str, config: NormalizingConfig | None = None) -> str:
    """The text with the steps of the config done, in their order.

    A piece of a text is not to be normalised by itself unless it ends at a line end; see :func:`normalize_pieces`.
    """
    config = config or NormalizingConfig()
    return _space(_within_lines(text, config), config)


def normalize_pieces(pieces: Iterable[str], config: NormalizingConfig | None = None) -> Iterator[str]:
    """The same as ``normalize`` of the pieces joined, in pieces; they may be cut anywhere. Memory: the longest line.

    Raises:
        CorpusError: ``pieces`` is one text.
    """
    if isinstance(pieces, str):
        raise CorpusError("pieces must be several texts, got one; use normalize(text)")
    config = config or NormalizingConfig()
    if config.space != "collapse":
        for lines in _whole_lines(pieces):
            yield normalize(lines, config)
        return
    between = ""
    for lines in _whole_lines(pieces):
        if done := normalize(lines, config):
            yield between + done
            between = " "


def normalizer(config: NormalizingConfig | None = None) -> Callable[[str], str]:
    """:func:`normalize` with its config, as a function of the text that another process can be sent."""
    import functools

    return functools.partial(normalize, config=config)


def _within_lines(text: str, config: NormalizingConfig) -> str:
    if config.tags and "<" in text:
        text = _COMMENT.sub(lambda match: _DECLARATION.sub("", match[0]) if match["end"] == "" else "", text)
        text = _TAG.sub("", _BREAK.sub("\n", text))
    if config.entities and "&" in text:
        text = html.unescape(text)
    text = _letters(text, config)
    if config.number is None:
        return text
    # the last letter of the mark may make one with an accent that stood behind the number
    return _letters(_NUMBER.sub(lambda _: str(config.number), text), config)


def _letters(text: str, config: NormalizingConfig) -> str:
    """Unicode form, case and accents."""
    if text.isascii():
        return text.lower() if config.case != "keep" else text
    text = _in_form(text, config.form)
    if config.case == "lower":
        text = text.lower()
    elif config.case == "fold":
        text = text.casefold()
    if config.accents:
        text = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))
    return _in_form(text, config.form)  # case and accents may have undone it


def _in_form(text: str, form: str) -> str:
    return text if form == "none" else unicodedata.normalize(cast(Literal["NFC", "NFD", "NFKC", "NFKD"], form), text)


def _space(text: str, config: NormalizingConfig) -> str:
    if config.space == "collapse":
        return " ".join(text.split())
    if config.space == "lines":
        return "\n".join([_SPACES.sub(" ", line).strip() for line in text.split("\n")])
    return text


def _whole_lines(pieces: Iterable[str]) -> Iterator[str]:
    """The text in pieces that each end at a ``\\n``, but for the last."""
    held: list[str] = []
    for piece in pieces:
        cut = piece.rfind("\n") + 1
        if cut:
            yield "".join([*held, piece[:cut]])
            held = []
        if cut < len(piece):
            held.append(piece[cut:])
    if held:
        yield "".join(held)
