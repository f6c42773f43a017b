"""Words that say little by themselves: a short English list of our own, lists in files, and leaving them out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ..errors import ConfigError, CorpusError, near
from .files import read_lines

# By what they are: pronouns, determiners, auxiliaries and "not", prepositions, conjunctions, adverbs of place and
# degree, and what is left of words when an apostrophe cuts them (in nltk's manner, and in others).
_ENGLISH = """
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself
we us our ours ourselves they them their theirs themselves who whom whose which what
a an the this that these those some any each every both either neither no such other another all
am is are was were be been being have has had having do does did doing done
can could may might must shall should will would ought cannot not nor
about above across after against along among around at before behind below beneath beside between beyond by down
during for from in inside into near of off on onto out outside over past since through throughout to toward towards
under until up upon with within without
and but or so yet if because although though unless while whereas whether than as when where why how
here there then now again also just only too very more most less least much many few own same once ever
i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll
she'll it'll we'll they'll that's there's what's who's let's isn't aren't wasn't weren't hasn't haven't hadn't
doesn't don't didn't won't wouldn't shan't shouldn't can't couldn't mustn't mightn't
's 'm 're 've 'd 'll n't
"""
#: About 200 English words, lower case, with those that an apostrophe joins (don't) and their parts (n't).
ENGLISH = frozenset(_ENGLISH.split())
#: The lists there are, by name.
LISTS = {"english": ENGLISH}


def stop_words(source: str | Path | Iterable[str] | None) -> frozenset[str]:
    """A list by its name ("english"), of a file (a :class:`~pathlib.Path`), or of words; None is the empty one.

    Raises:
        ConfigError: there is no list of that name.
        CorpusError: the file can not be read, or holds no word.
    """
    if source is None:
        return frozenset()
    if isinstance(source, str):
        if source not in LISTS:
            raise ConfigError(f"stop_words has no list {source!r}; {near(source, LISTS)}, or give Path({source!r})")
        return LISTS[source]
    if isinstance(source, Path):
        return read_stop_words(source)
    words = frozenset(source)
    if wrong := [word for word in words if not isinstance(word, str)]:
        raise ConfigError(f"stop_words must be texts, got {wrong[0]!r}; give a list of words")
    return words


def read_stop_words(path: str | Path) -> frozenset[str]:
    """The words of a UTF-8 file, plain or packed, between white space; what follows a # in a line is none.

    Raises:
        CorpusError: the file can not be read, or holds no word.
    """
    words = frozenset(word for line in read_lines(Path(path)) for word in line.split("#")[0].split())
    if not words:
        raise CorpusError(f"{path} holds no stop word; write one a line")
    return words


def leave_out(words: Iterable[str], stop: Collection[str] = ENGLISH) -> list[str]:
    """The words that are not stop words, in any case."""
    lower = stop if stop is ENGLISH else {word.lower() for word in stop}
    return [word for word in words if word.lower() not in lower]
