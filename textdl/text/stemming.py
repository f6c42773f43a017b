"""Different forms of a word made one: stemming by nltk's rules, and base forms by WordNet's lists.

A stem is what is left when endings are cut off by rule ("cities" and "city" become "citi"); it needs no data, and is no
word always. A base form is a word ("city") that stands in WordNet, whose files have to be there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ConfigError, CorpusError, near

REMEDY = (
    "get it once with: python -m nltk.downloader wordnet (or install Debian's package wordnet-base and give "
    'folder="/usr/share/wordnet")'
)
#: WordNet's letter for each part of speech, and its name in the names of files.
PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
REMEMBERED = 1 << 16  # words whose stem is kept: text has the same ones again and again


class _OfWords:
    """A function of a word that remembers, can be applied to many, and sent to another process."""

    def __init__(self) -> None:
        self._remembered: Callable[[str], str] | None = None

    def __call__(self, word: str) -> str:
        if self._remembered is None:
            self._remembered = lru_cache(REMEMBERED)(self._function())
        return self._remembered(word)

    def words(self, words: Iterable[str]) -> list[str]:
        """Of each word.

        Raises:
            CorpusError: it is one text, no list of words.
        """
        if isinstance(words, str):
            raise CorpusError("words must be a list of words, got one text; cut it: text.split()")
        return [self(word) for word in words]

    def _function(self) -> Callable[[str], str]:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_remembered": None}


class Stemmer(_OfWords):
    """Cuts endings off: ``Stemmer()("running") == "run"``. Stems are lower case.

    Args:
        language: one of Snowball's (Porter 2001, "Snowball: a language for stemming algorithms"), or "porter" for the
            older English rules (Porter 1980, "An algorithm for suffix stripping") as they were published.

    Raises:
        ConfigError: there are no rules for the language.
    """

    def __init__(self, language: str = "english") -> None:
        super().__init__()
        known = stemming_languages()
        if language not in known:
            raise ConfigError(f"language has no choice {language!r}; {near(str(language), known)}")
        self.language = language

    def __repr__(self) -> str:
        return f"Stemmer({self.language!r})"

    def _function(self) -> Callable[[str], str]:
        if self.language == "porter":
            from nltk.stem.porter import PorterStemmer

            porter = PorterStemmer(PorterStemmer.ORIGINAL_ALGORITHM)
            return lambda word: str(porter.stem(word))
        from nltk.stem.snowball import SnowballStemmer

        snowball = SnowballStemmer(self.language)
        return lambda word: str(snowball.stem(word))


def stemming_languages() -> tuple[str, ...]:
    """What :class:`Stemmer` has rules for."""
    from nltk.stem.snowball import SnowballStemmer

    return tuple(SnowballStemmer.languages)


class Lemmatizer(_OfWords):
    """The base form of a word by WordNet (Miller 1995): ``Lemmatizer()("cities") == "city"``.

    WordNet's lists of exceptions and its endings give candidates; the shortest that WordNet has is taken, as by nltk's
    WordNetLemmatizer. A word of which it has none stays as it is; so does one in upper case, mostly.

    Args:
        part: what the words are: "n" nouns, "v" verbs, "a" adjectives, "r" adverbs; None takes the first of these that
            has a base form.
        folder: where WordNet's files lie (``index.noun``, ``noun.exc``, ...); None looks where nltk keeps its data.

    Raises:
        ConfigError: no such part of speech.
        CorpusError: the files are not there, or are not WordNet's.
    """

    def __init__(self, part: str | None = "n", folder: str | Path | None = None) -> None:
        super().__init__()
        if part is not None and part not in PARTS:
            raise ConfigError(f"part has no choice {part!r}; {near(str(part), PARTS)}")
        self.part = part
        self.folder = None if folder is None else Path(folder)
        self._function()  # so that missing files show at once

    def __repr__(self) -> str:
        return f"Lemmatizer({self.part!r})"

    def _function(self) -> Callable[[str], str]:
        lists = [_lists(self.folder, part) for part in ([self.part] if self.part else PARTS)]

        def base_form(word: str) -> str:
            for words, exceptions, endings in lists:
                if found := _candidates(word, words, exceptions, endings):
                    return min(found, key=len)
            return word

        return base_form


Endings = tuple[tuple[str, str], ...]


def _candidates(word: str, words: frozenset[str], exceptions: dict[str, list[str]], endings: Endings) -> list[str]:
    """The base forms of a word that WordNet has, itself first."""
    forms = exceptions.get(word)
    if forms is None:
        forms = [word[: len(word) - len(old)] + new for old, new in endings if word.endswith(old)]
    return [form for form in (word, *forms) if form in words]


@lru_cache(maxsize=8)
def _lists(folder: Path | None, part: str) -> tuple[frozenset[str], dict[str, list[str]], Endings]:
    """The words of a part of speech, its exceptions, and the endings that nltk's reader takes off for it."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    name = PARTS[part]
    # The licence at the head of an index is indented.
    words = frozenset(line.split(" ", 1)[0] for line in _lines(folder, f"index.{name}") if not line.startswith(" "))
    exceptions: dict[str, list[str]] = {}
    for line in _lines(folder, f"{name}.exc"):
        form, *bases = line.split()
        exceptions[form] = bases
    if not words:
        raise CorpusError(f"WordNet's file index.{name} holds no word; {REMEDY}")
    return words, exceptions, tuple(WordNetCorpusReader.MORPHOLOGICAL_SUBSTITUTIONS[part])


def _lines(folder: Path | None, name: str) -> Iterator[str]:
    where = f"folder {str(folder)!r}" if folder is not None else "nltk's data"
    try:
        data = _find(name) if folder is None else (folder / name).read_bytes()
        text = data.decode()
    except zipfile.BadZipFile:
        raise CorpusError(f"wordnet.zip in {where} is damaged or cut short; remove it and {REMEDY}") from None
    except (OSError, LookupError, KeyError):
        raise CorpusError(f"{where} does not hold WordNet: {name} is missing; {REMEDY}") from None
    except UnicodeDecodeError:
        raise CorpusError(f"{name} in {where} is not WordNet's: it is not UTF-8; {REMEDY}") from None
    return (line for line in text.split("\n") if line.strip())


def _find(name: str) -> bytes:
    """A file of WordNet among nltk's data, unpacked there or not."""
    import nltk

    try:
        found = nltk.data.find(f"corpora/wordnet/{name}")
    except LookupError:
        found = nltk.data.find(f"corpora/wordnet.zip/wordnet/{name}")
    with found.open() as file:
        return bytes(file.read())
