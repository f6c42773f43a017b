"""Opening sentences with a tag for each token, from whatever holds such: columns, records, nltk's data, lists.

:func:`open_tagged` finds the tokens and the tags, and reads only what it needs to be sure that there is something to
learn. The readers of files are in ``textdl/text/conll.py``, the spellings of spans in ``textdl/text/spans.py``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .config import knob
from .corpus import Card, Corpus, CorpusConfig, open_corpus
from .errors import CorpusError, near
from .text.card import is_card, read_card
from .text.conll import Columns
from .text.files import read_text
from .text.folders import split_called
from .text.hub import is_saved
from .text.nltk_tagged import NAMED_TAGGED, NltkSentences
from .text.over_corpus import OverCorpus
from .text.sources import SAMPLE, Files, Rows
from .text.tagged_files import name_of, tagged_splits
from .text.tagged_rows import FileSentences, PairSentences, RowSentences, token_and_tag
from .text.tagged_rows import Sentence as Sentence

Sentences = FileSentences | PairSentences | RowSentences


@dataclass(frozen=True)
class TaggedConfig(CorpusConfig):
    """How a corpus of tagged sentences is read and split; ``limit`` counts sentences."""

    # A sentence is a document here, and its tokens are the text.
    text_field: tuple[str, ...] = knob((), "Not of tagged sentences: see token_column.", derived=True)
    documents: str = knob("auto", "Not of tagged sentences.", derived=True)
    token_column: str | None = knob(
        None,
        "Where the tokens are: a column's number (-1: the last) or name, or a field (default: the first, or form).",
    )
    tag_column: str | None = knob(
        None, "Where the tags are: a column's number (-1: last) or name, or a field (default: the last, or upos)."
    )
    tagged_form: str = knob(
        "columns",
        "How a plain file holds its sentences (columns: a token a line; slashes: word/TAG, a sentence a line).",
        choices=("columns", "slashes"),
        flag=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("token_column", "tag_column"):
            if getattr(self, name) == "":
                object.__setattr__(self, name, None)  # as nothing said

    def choose_text(self, sample: Iterable[dict[str, Any]], wanted: tuple[str, ...], where: str) -> tuple[str, ...]:
        """The field of the tokens."""
        return (token_and_tag(sample, Columns(self.token_column, self.tag_column), where)[0],)


@dataclass(frozen=True, eq=False)
class TaggedCorpus(OverCorpus):
    """The tagged sentences of a corpus, read afresh each time; splits as of the :class:`Corpus`.

    Splits that it does not bring are held out of train by a hash of each sentence's text, so equal sentences never
    straddle them.
    """

    corpus: Corpus
    told: tuple[str, ...] = ()  # what the tags depend on beside the content that the corpus's digest is of
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the sentences with their tags, the roles of the splits and all settings that count."""
        return hashlib.sha256(json.dumps([1, self.corpus.digest, self.told]).encode()).hexdigest()

    @property
    def tags(self) -> tuple[str, ...]:
        """The distinct tags of the training split, sorted; the split is read once for them."""
        if "tags" not in self._known:
            self._known["tags"] = tuple(sorted({tag for sentence in self.sentences("train") for tag in sentence.tags}))
        known: tuple[str, ...] = self._known["tags"]
        return known

    def sentences(self, split: str) -> Iterator[Sentence]:
        """The sentences of a split, from the first, at each call; none is empty.

        Raises:
            CorpusError: there is no such split; while reading, whatever is wrong with the files.
        """
        records = self.corpus.records(split)
        return (Sentence(record["tokens"], record["tags"]) for record in records)


def open_tagged(source: Any, config: TaggedConfig = TaggedConfig(), least: int = 2) -> TaggedCorpus:
    """Open a corpus of tagged sentences.

    Args:
        source: a file or folder; the name of a built-in corpus or of one of ``textdl.text.nltk_tagged``;
            ``hf:NAME``; lists of ``(token, tag)``, of :class:`Sentence` or of records with lists of tokens and tags,
            plain or by split; a Corpus of records. A TaggedCorpus is returned as it is.
        config: how to read and split it, and where tokens and tags are.
        least: different tags that there must be: two to learn from, one to evaluate on.

    Files hold a token a line with its columns (CoNLL, CoNLL-U), ``word/TAG`` text if ``config`` says so, or records
    (JSON, Parquet, CSV) whose fields are lists of tokens and of tags, or such with spaces between. Tags that are whole
    numbers go by the names that the Hub has for them.

    Raises:
        CorpusError: it can not be found or read, holds no tagged sentence or too few tags; a column is not there, a
            line or a record is ill-formed.
    """
    if isinstance(source, TaggedCorpus):
        return source
    tagged = _without_untagged(_opened(source, config))
    seen: set[str] = set()
    for sentence in tagged.sentences("train"):
        seen.update(sentence.tags)
        if len(seen) >= least:
            return tagged
    limit = tagged.corpus.config.limit
    read = f" in its first {limit} sentences" if limit else ""
    raise CorpusError(
        f"{tagged.name} has one tag only{read}, {min(seen)!r}, and nothing to learn; choose another tag_column"
    )


def _opened(source: Any, config: TaggedConfig) -> TaggedCorpus:
    wanted = Columns(config.token_column, config.tag_column)
    if isinstance(source, (str, Path)) and not str(source).startswith("hf:"):
        return _of_place(source, config, wanted)
    if isinstance(source, (Corpus, str)):
        return _of_corpus(open_corpus(source, config), config, wanted)
    if not isinstance(source, Iterable):
        raise CorpusError(f"tagged sentences are a file, a folder, a name or lists, got {type(source).__name__}")
    splits: dict[str, Sentences] = {}
    for name, rows in (source if isinstance(source, Mapping) else {"train": source}).items():
        where = f"the sentences of {str(name)!r}"
        if isinstance(rows, (str, bytes, Iterator)) or not isinstance(rows, Iterable):
            raise CorpusError(f"{where} must be a list of sentences, got {type(rows).__name__}; write list(...)")
        # A copy, since a list may be changed later and a corpus may not.
        splits[split_called(str(name))] = RowSentences(tuple(rows) if isinstance(rows, list) else rows, wanted, where)
    if "train" not in splits:
        raise CorpusError(f"the sentences have no split 'train', only {', '.join(splits) or 'nothing'}; add one")
    return _made(Card("sentences", "Tagged sentences in memory", source="memory"), splits, config)


def _of_place(source: str | Path, config: TaggedConfig, wanted: Columns) -> TaggedCorpus:
    """What a path or a name stands for."""
    import textdl_corpora

    path = Path(source).expanduser()
    if isinstance(source, str) and source in textdl_corpora.NAMES:
        path = Path(str(textdl_corpora.__file__)).parent / source
    if not _there(path):
        if isinstance(source, str) and source in NAMED_TAGGED:
            return _of_nltk(source, config, wanted)
        close = near(str(source), NAMED_TAGGED)
        if close.startswith("did you mean"):
            raise CorpusError(f"there is no corpus, file or folder {str(source)!r}; {close}")
        return _of_corpus(open_corpus(source, config), config, wanted)  # a name of the Hub's, or one of nothing
    if path.is_file():
        card = Card(name_of(path), name_of(path), source=str(source))
        return _of_files(card, {"train": [path]}, config, wanted)
    if is_saved(path):
        return _of_corpus(open_corpus(source, config), config, wanted)
    if is_card(path / "CARD.md"):
        said = read_card(path / "CARD.md")
        return _of_files(said.card, said.splits, config, _told_by_card(path / "CARD.md", wanted))
    name = path.resolve().name
    return _of_files(Card(name, name, source=str(source)), tagged_splits(path), config, wanted)


def _there(path: Path) -> bool:
    try:
        return path.is_file() or path.is_dir()
    except (OSError, ValueError):  # a name too long or with a zero byte
        return False


def _told_by_card(path: Path, wanted: Columns) -> Columns:
    """The columns wanted, else those that a card names (``token_field``, ``tag_field``), with their names."""
    head: dict[str, Any] = tomllib.loads("".join(read_text(path)).split("+++\n", 2)[1])
    return Columns(
        wanted.token or head.get("token_field"),
        wanted.tag or head.get("tag_field"),
        tuple(map(str, head.get("columns", ()))),
    )


def _of_files(card: Card, splits: Mapping[str, list[Path]], config: TaggedConfig, wanted: Columns) -> TaggedCorpus:
    rows: dict[str, Sentences] = {
        split: FileSentences(tuple(paths), wanted, config.tagged_form) for split, paths in splits.items()
    }
    return _made(card, rows, config)


def _of_nltk(name: str, config: TaggedConfig, wanted: Columns) -> TaggedCorpus:
    named = NAMED_TAGGED[name]
    if named.form != "columns" and (wanted.token or wanted.tag):
        raise CorpusError(f"nltk's {named.package} has no columns; leave token_column and tag_column out")
    card = Card(name, named.title, language=named.language, source=f"nltk's {named.package}")
    rows: dict[str, Sentences] = {
        split: PairSentences(NltkSentences(named, split, wanted), card.source) for split, _ in named.splits
    }
    return _made(card, rows, config)


def _of_corpus(corpus: Corpus, config: TaggedConfig, wanted: Columns) -> TaggedCorpus:
    """A corpus of records, or of plain files, as one of sentences."""
    origins: dict[str, Files | Rows] = {}
    told: tuple[str, ...] = ()
    for split, origin in corpus.origins.items():
        rows: Sentences
        if isinstance(origin, Files):
            rows, revision = FileSentences(origin.paths, wanted, config.tagged_form), ""
        else:
            narrow, names, fields = _narrowed(origin, wanted)
            rows, revision = RowSentences(narrow, wanted, origin.where, names), origin.revision
            told = (*fields, *names)
        origins[split] = Rows(rows, rows, ("text",), origin.where, revision)
    return TaggedCorpus(replace(corpus.of(origins), text_fields=("text",)), told)


def _narrowed(origin: Rows, wanted: Columns) -> tuple[Iterable[Any], tuple[str, ...], tuple[str, ...]]:
    """Of a dataset of the Hub only the columns that are needed; the names of its whole numbers; the two fields."""
    rows: Any = origin.rows
    if not hasattr(rows, "select_columns"):
        return rows, (), ()
    fields = token_and_tag(itertools.islice(rows, SAMPLE), wanted, origin.where)
    told = (rows.features or {}).get(fields[1])
    while told is not None and not hasattr(told, "names"):
        told = getattr(told, "feature", None)
    return rows.select_columns(list(fields)), tuple(told.names) if told is not None else (), fields


def _made(card: Card, splits: Mapping[str, Sentences], config: TaggedConfig) -> TaggedCorpus:
    origins = {
        split: Rows(rows, rows, ("text",), getattr(rows, "where", card.source)) for split, rows in splits.items()
    }
    return TaggedCorpus(Corpus(card.name, card, ("text",), config, origins))


def _without_untagged(tagged: TaggedCorpus) -> TaggedCorpus:
    """The corpus without those of its own splits whose records have no tags, such as a competition's test.

    Raises:
        CorpusError: train has no tagged sentence, or a file that is there for another split.
    """
    origins = {}
    for split, origin in tagged.corpus.origins.items():
        if next(origin.items(whole=True), None) is not None:
            origins[split] = origin
        elif split == "train" or isinstance(getattr(origin, "rows", None), FileSentences):
            raise CorpusError(f"{origin.where} holds no tagged sentence; give a token and its tag a line, or a table")
    if len(origins) == len(tagged.corpus.origins):
        return tagged
    return TaggedCorpus(tagged.corpus.of(origins), tagged.told)
