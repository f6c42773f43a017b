"""A corpus as word vectors are trained on it: words between white space, a sentence a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import knob
from ..corpus import Corpus, CorpusConfig
from ..errors import CorpusError, RunError
from ..text.letters import WORDS
from ..text.normalizing import NormalizingConfig, normalize, normalize_pieces
from ..text.sentences import stream_sentences
from ..training.events import Note, Observer, Reading

if TYPE_CHECKING:
    from ..vectors.phrases import Phrases

TOLD = 2_000_000  # characters between two events


@dataclass(frozen=True)
class VectorsData(CorpusConfig):
    """What is read, and what counts as a word. Nothing is held out, unless it is asked for."""

    validation: float = knob(0.0, "Share that is left out of the training.", least=0, most=0.9)
    test: float = knob(0.0, "Another share that is left out.", least=0, most=0.9)
    lowercase: bool = knob(True, "Fold capitals into small letters.")
    accents: bool = knob(False, "Take accents off letters.", flag=False)
    numbers: str | None = knob(None, "What to write for each number, such as 0 or num.", flag=False)
    markup: bool = knob(True, "Take HTML tags and entities out.", flag=False)
    sentences: str = knob("rule", "What a sentence is.", choices=("rule", "line", "document"))
    words: str = knob("letters", "What a word is.", choices=("letters", "nltk", "space"))
    phrases: int = knob(0, "Join words that stand together, so often: 1 makes phrases of two words.", least=0, most=3)
    phrase_score: float = knob(10.0, "What a pair must score to be a phrase.", above=0, flag=False)
    least_count: int = knob(5, "Words seen fewer times are left out.", least=1)
    most_words: int | None = knob(None, "Largest vocabulary.", least=1)


def write_sentences(corpus: Corpus, config: VectorsData, path: Path, tell: Observer, split: str = "train") -> int:
    """Write a split as its words, a sentence a line; returns how many they are.

    Raises:
        RunError: no space left for it.
    """
    cut = _cutter(config.words)
    done, told, hint, written = 0, 0, corpus.size_hint(split), 0
    with _writing(path), path.open("w", encoding="utf-8", errors="replace") as file:
        for sentence, size in _sentences(corpus, config, split):
            if words := cut(sentence):
                written += len(words)
                file.write(" ".join(words).replace("\0", "\ufffd") + "\n")  # with it the file would be no text
            done += size
            if done - told >= TOLD:
                told = done
                tell(Reading(split, done, hint))
    return written


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(
            f"the words of the text can not be written to {path.parent} ({error.strerror}); "
            "make room there, or set TMPDIR to a folder that has it"
        ) from None


def write_words(corpus: Corpus, config: VectorsData, folder: Path, tell: Observer) -> tuple[Path, int, list[Phrases]]:
    """Write the training text into a file in a folder, with the phrases that are asked for.

    Returns:
        the file, how many words were written before phrases were joined, and the phrases of each pass.

    Raises:
        CorpusError: it has no word.
        RunError: no space left for it.
    """
    path = folder / "sentences.txt"
    written = write_sentences(corpus, config, path, tell)
    if not written:
        raise CorpusError(f"{corpus.name} holds no word; give a corpus that holds text")
    return path, written, _join_own_phrases(config, path, tell)


def _join_own_phrases(config: VectorsData, path: Path, tell: Observer) -> list[Phrases]:
    """Find the phrases of a file of sentences, as often as is asked for, and join them in it."""
    if not config.phrases:
        return []
    from ..vectors.phrases import Phrases

    found = []
    for number in range(config.phrases):
        phrases = Phrases(config.phrase_score, config.least_count).fit(SentenceFile(path))
        tell(
            Note(f"{len(phrases.phrases_):,} phrases found" + (f" in pass {number + 1}" if config.phrases > 1 else ""))
        )
        join_phrases(path, [phrases])
        found.append(phrases)
    return found


def join_phrases(path: Path, passes: Iterable[Phrases]) -> None:
    """Join the phrases in a file of sentences, pass after pass.

    Raises:
        RunError: no space left for it.
    """
    for phrases in passes:
        joined = path.with_name(f"joined-{path.name}")
        with _writing(path), joined.open("w", encoding="utf-8") as file:
            file.writelines(" ".join(sentence) + "\n" for sentence in phrases.stream(SentenceFile(path)))
        joined.replace(path)


class SentenceFile:
    """The lists of words in a file of sentences, from the first at each pass."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[list[str]]:
        with self._path.open(encoding="utf-8") as file:
            yield from map(str.split, file)


def _sentences(corpus: Corpus, config: VectorsData, split: str) -> Iterator[tuple[str, int]]:
    """The sentences, normalised, and how many characters of the corpus each is about."""
    markup = NormalizingConfig(tags=config.markup, entities=config.markup, form="none")
    letters = NormalizingConfig(
        case="lower" if config.lowercase else "keep", accents=config.accents, number=config.numbers
    )
    divide = _splitter(config.sentences)
    pieces = corpus.stream(split)
    for first, last in pieces:
        document: Iterable[str] = (first,) if last else _document(first, pieces)
        for sentence in divide(normalize_pieces(document, markup)):
            yield normalize(sentence, letters), len(sentence) + 1  # after the sentences are found, which go by capitals


def _document(first: str, pieces: Iterator[tuple[str, bool]]) -> Iterator[str]:
    """The pieces of a document."""
    yield first
    for piece, last in pieces:
        yield piece
        if last:
            return


def _splitter(kind: str) -> Callable[[Iterable[str]], Iterable[str]]:
    """Pieces of a text to sentences."""
    if kind == "rule":
        return stream_sentences
    return _lines if kind == "line" else lambda pieces: [" ".join("".join(pieces).split())]


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines of a text in pieces."""
    left = ""
    for piece in pieces:
        *whole, left = (left + piece).split("\n")
        yield from whole
    yield left


def _cutter(kind: str) -> Callable[[str], Sequence[str]]:
    """A sentence to words."""
    if kind == "letters":
        return WORDS.findall
    if kind == "space":
        return str.split
    from ..text.word_rules import words

    return words
