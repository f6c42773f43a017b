"""WordNet: how near words are in a net of meanings made by people, and what they are kinds of.

Miller 1995, "WordNet: a lexical database for English". A *sense* is a set of words with one meaning (a synset); its
hypernyms are what it is a kind of. nltk reads the files; they have to be there (:data:`REMEDY`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..errors import ConfigError, CorpusError, near
from ..text.stemming import PARTS, REMEDY

PARTS_OF_SPEECH = tuple(PARTS)
DEEP = ("n", "v")  # those with hypernyms
#: Names of the measures, and of nltk's functions.
MEASURES = {"path": "path_similarity", "wu_palmer": "wup_similarity", "leacock_chodorow": "lch_similarity"}
SENSES = ("all", "first")
_NEEDED = tuple(name for part in sorted(PARTS.values()) for name in (f"data.{part}", f"index.{part}", f"{part}.exc"))


class WordNet:
    """The senses of words and how near they are. Of two words it is always their nearest senses that are compared.

    Args:
        folder: where WordNet's files lie (``data.noun``, ``index.noun``, ...); None looks where nltk keeps its data.

    Raises:
        CorpusError: the files are not there, or are not WordNet's.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._reader = _open(folder)

    def senses(self, word: str, part: str | None = None) -> list[str]:
        """Names of a word's senses, the usual one first ("dog.n.01"); none when it is unknown.

        Inflected words are looked up as they are and by their base form; a space stands for "_".

        Raises:
            ConfigError: ``part`` is no part of speech: "n", "v", "a", "r".
        """
        return [sense.name() for sense in self._senses(word, part)]

    def definition(self, sense: str) -> str:
        """What a sense means, in a few words.

        Raises:
            CorpusError: there is no such sense.
        """
        return str(self._sense(sense).definition())

    def hypernyms(self, sense: str) -> dict[str, int]:
        """All that a sense is a kind of, with the steps to it by the shortest way; itself with 0.

        Raises:
            CorpusError: there is no such sense.
        """
        return {above.name(): steps for above, steps in _above(self._sense(sense)).items()}

    def similarity(self, first: str, second: str, measure: str = "path", part: str | None = None) -> float | None:
        """How near the nearest senses of two words are; None where no two senses of them can be compared.

        "path" is 1 / (1 + steps) by the shortest way over common hypernyms. "wu_palmer" is 2 d / (d1 + d2): d the depth
        of the deepest common hypernym, d1 and d2 those of the senses by way of it (Wu & Palmer 1994, "Verb semantics
        and lexical selection"). "leacock_chodorow" is -ln((1 + steps) / 2 D), D the depth of the net (Leacock &
        Chodorow 1998, "Combining local context and WordNet similarity for word sense identification").

        Only senses of one part of speech are compared. Verbs have many roots; a common one is put above them
        (nltk counts it in the steps, and as a hypernym of depth 1 when a real root is all that two verbs share). Of
        adjectives and adverbs WordNet does not say what is above them, so that only a sense that both have counts.
        The first "leacock_chodorow" takes seconds more: nltk reads the whole net for its depth.

        Args:
            first: a word.
            second: another.
            measure: "path" (0 to 1), "wu_palmer" (0 to 1) or "leacock_chodorow" (0 to ln 2 D).
            part: "n", "v", "a" or "r"; None takes all.

        Raises:
            ConfigError: no such measure or part of speech.
        """
        if measure not in MEASURES:
            raise ConfigError(f"measure has no choice {measure!r}; {near(str(measure), MEASURES)}")
        best: float | None = None
        for one in self._senses(first, part):
            for other in self._senses(second, part):
                if one == other or (one.pos() == other.pos() and one.pos() in DEEP):
                    found = getattr(one, MEASURES[measure])(other)
                    if found is not None and (best is None or found > best):
                        best = found
        return best

    def _senses(self, word: str, part: str | None) -> list[Any]:
        if part is not None and part not in PARTS_OF_SPEECH:
            raise ConfigError(f"part has no choice {part!r}; {near(str(part), PARTS_OF_SPEECH)}")
        found: list[Any] = self._reader.synsets(word.replace(" ", "_"), part)
        return found

    def _sense(self, name: str) -> Any:
        from nltk.corpus.reader.wordnet import WordNetError

        try:
            if int(name.rpartition(".")[2]) < 1:  # nltk would count from the last one
                raise ValueError(name)
            return self._reader.synset(name)
        except (WordNetError, ValueError, AssertionError):
            raise CorpusError(f"WordNet has no sense {name!r}; ask for those of a word with senses(word)") from None


def _above(sense: Any) -> dict[Any, int]:
    """The hypernyms of a sense with the steps to each, breadth first; itself first."""
    steps, level, distance = {sense: 0}, [sense], 0
    while level:
        distance += 1
        level = [up for low in level for up in (*low.hypernyms(), *low.instance_hypernyms())]
        level = [up for up in dict.fromkeys(level) if up not in steps]
        steps |= dict.fromkeys(level, distance)
    return steps


@lru_cache(maxsize=4)
def _open(folder: str | Path | None) -> Any:
    """nltk's reader of a folder, each opened once: that takes a second or two."""
    from nltk.corpus.reader.wordnet import WordNetError

    root = _find() if folder is None else _checked(Path(folder))
    try:
        return _reader_class()(root, None)
    except (WordNetError, LookupError, OSError, ValueError, AssertionError) as error:
        raise CorpusError(f"WordNet's files at {str(root)!r} can not be read ({error}); {REMEDY}") from None


def _find() -> Any:
    import nltk

    for name in ("corpora/wordnet", "corpora/wordnet.zip/wordnet/"):
        try:
            return nltk.data.find(name)
        except LookupError:
            continue
    raise CorpusError(f"WordNet's files are not among nltk's data; {REMEDY}")


def _checked(folder: Path) -> str:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise CorpusError(f"folder {str(folder)!r} does not hold WordNet: {missing[0]} is missing; {REMEDY}")
    import nltk

    path = str(folder.resolve())
    if path not in nltk.data.path:  # nltk reads nothing that lies elsewhere
        nltk.data.path.append(path)
    return path


@lru_cache(maxsize=1)
def _reader_class() -> type:
    """nltk's reader, for any folder: without what only its other languages need."""
    import io
    import warnings

    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class Reader(WordNetCorpusReader):
        def __init__(self, root: Any, other_languages: Any) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that there are no other languages
                super().__init__(root, other_languages)

        def map_wn(self, version: str = "wordnet") -> None:
            """No mapping of senses to another version, which would be looked for among nltk's data."""

        def open(self, file: str) -> Any:
            """A file. Debian's lack the names of the lexicographers' files; nothing here asks for the right ones."""
            try:
                return super().open(file)
            except OSError:
                if file != "lexnames":
                    raise
                return io.StringIO("".join(f"{number:02d}\tfile.{number}\t0\n" for number in range(100)))

    return Reader


class SynsetFeatures(TransformerMixin, BaseEstimator):
    """Words as vectors over what they are kinds of: a column for each sense and hypernym met in ``fit``.

    Args:
        folder: as of :class:`WordNet`.
        senses: the "first" (usual) sense of a word only, or "all", each with an equal share.
        decay: a hypernym n steps above counts decay ** n; 1 counts all alike.
        part: "n", "v", "a" or "r"; None takes all.

    Attributes:
        senses_: the F names of the columns, sorted.
    """

    def __init__(
        self, folder: str | Path | None = None, senses: str = "all", decay: float = 1.0, part: str | None = None
    ) -> None:
        self.folder = folder
        self.senses = senses
        self.decay = decay
        self.part = part

    def fit(self, X: Iterable[str], y: Any = None) -> Self:
        """Learn the columns from words.

        Raises:
            CorpusError: WordNet is not there, or knows none of the words.
            ConfigError: a setting out of range.
        """
        look = self._look()
        self.senses_ = sorted({name for word in _words(X) for name in look(word)})
        if not self.senses_:
            raise CorpusError("WordNet knows none of these words; give English words, in their base form")
        return self

    def transform(self, X: Iterable[str]) -> Any:
        """The features of words: scipy CSR matrix [n, F], float32; of one that WordNet does not know, zeros."""
        from scipy.sparse import csr_matrix
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "senses_")
        look, columns = self._look(), {name: number for number, name in enumerate(self.senses_)}
        values, indices, ends = [], [], [0]
        for word in _words(X):
            for name, value in look(word).items():
                if name in columns:
                    indices.append(columns[name])
                    values.append(value)
            ends.append(len(indices))
        shape = len(ends) - 1, len(columns)
        made = csr_matrix((np.array(values, np.float32), np.array(indices, np.int64), ends), shape=shape)
        made.sort_indices()
        return made

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the F columns: the senses."""
        return np.array(self.senses_, object)

    def _look(self) -> Callable[[str], dict[str, float]]:
        """What gives the features of a word."""
        if self.senses not in SENSES:
            raise ConfigError(f"senses has no choice {self.senses!r}; {near(str(self.senses), SENSES)}")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be above 0 and at most 1, got {self.decay!r}")
        net = WordNet(self.folder)

        def look(word: str) -> dict[str, float]:
            names = net.senses(word, self.part)
            names = names[:1] if self.senses == "first" else names
            total: dict[str, float] = {}
            for name in names:
                for above, steps in net.hypernyms(name).items():
                    total[above] = total.get(above, 0.0) + self.decay**steps / len(names)
            return total

        return look


def _words(words: Iterable[str]) -> Iterator[str]:
    if isinstance(words, str):
        raise CorpusError("the words must be a list of words, got one text; put it into a list")
    for number, word in enumerate(words):
        if not isinstance(word, str):
            raise CorpusError(f"word {number} must be a text, got {type(word).__name__}; give a list of words")
        yield word
