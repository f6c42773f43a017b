"""Opening any corpus: one that ships with textdl, a file, a folder, a dataset of the Hub, or a list of texts.

:func:`open_corpus` finds out what it was given, reads a little of it, so that most mistakes show at once, and
returns a frozen :class:`Corpus` that reads the rest as it is asked for. Plain text has documents that are files,
lines or paragraphs; of records (JSON, CSV, Parquet, rows of the Hub) the text is one or more fields.
"""

from __future__ import annotations

import difflib
import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .config import check, check_shares, knob
from .errors import CorpusError, near
from .text.card import Card as Card
from .text.card import is_card, read_card
from .text.dividing import between, cuts, deal, in_pieces
from .text.files import file_size, stem, unreadable
from .text.folders import SPLITS, split_called, splits_of
from .text.hub import HubDataset, is_saved, load_from_hub, load_saved
from .text.named import NAMED, NltkTexts
from .text.records import choose_fields, holds_records, read_records
from .text.sources import SAMPLE, Files, Item, Rows, as_records

Source = Files | Rows


@dataclass(frozen=True)
class CorpusConfig:
    """How a corpus is read and split; ``limit`` is of the whole, or of each split where the corpus has its own."""

    text_field: tuple[str, ...] = knob((), "Field(s) that hold the text, joined by a blank line; a list becomes lines.")
    documents: str = knob(
        "auto",
        "What one document of a plain text file is (auto: the file).",
        choices=("auto", "file", "line", "paragraph"),
    )
    limit: int | None = knob(None, "Read the first N documents only.", least=1)
    validation: float = knob(
        0.05, "Share held out for validation where the corpus has no such split.", least=0, most=0.9
    )
    test: float = knob(0.05, "Share held out for testing where the corpus has no such split.", least=0, most=0.9)
    streaming: bool = knob(False, "Stream a hf: dataset instead of downloading it first.", flag=False)

    def __post_init__(self) -> None:
        check(self)
        check_shares(self)

    def choose_text(self, sample: Iterable[dict[str, Any]], wanted: tuple[str, ...], where: str) -> tuple[str, ...]:
        """The fields that hold the text, of those in a sample of records; see ``choose_fields``."""
        return choose_fields(sample, wanted, where)


@dataclass(frozen=True, eq=False)
class Corpus:
    """Documents in the splits train, validation and test (and any others the corpus brings), read afresh each time.

    Splits that the corpus does not have are held out of train: each document goes where the hash of its text says, so
    equal texts never straddle splits, and neither order nor growth of the corpus moves a document. A single text is
    cut at line ends instead: train, then validation, then test. Where too little is there for a held-out split it has
    no documents; train always has some.
    """

    name: str
    card: Card
    text_fields: tuple[str, ...]
    config: CorpusConfig
    _origins: Mapping[str, Source] = field(repr=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # what was worked out once

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return SPLITS + tuple(name for name in self._origins if name not in SPLITS)

    @property
    def own_splits(self) -> tuple[str, ...]:
        """The splits that the corpus brings; the others are held out of train."""
        return tuple(self._origins)

    @property
    def origins(self) -> Mapping[str, Source]:
        """Where the splits that the corpus brings are read from."""
        return self._origins

    def of(self, origins: Mapping[str, Source]) -> Corpus:
        """The same corpus with its splits read from elsewhere."""
        return replace(self, _origins=origins, _known={})

    @property
    def skipped(self) -> int:
        """Records without text that the latest pass over any split met."""
        return int(self._known.get("skipped", 0))

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the content, the roles of its parts and the settings that change the texts."""
        if "digest" not in self._known:
            parts = {name: origin.mark() for name, origin in self._origins.items()}
            plain = json.dumps([1, parts, self._held, self.config.limit], sort_keys=True)
            self._known["digest"] = hashlib.sha256(plain.encode()).hexdigest()
        return str(self._known["digest"])

    def split(self, name: str) -> Iterator[str]:
        """The documents of a split, from the first, at each call; each is whole in memory.

        Raises:
            CorpusError: there is no such split; while reading, whatever is wrong with the files.
        """
        return (text for text, _ in self._documents(name, whole=False))

    def records(self, name: str) -> Iterator[dict[str, Any]]:
        """The records of a split with all their fields, one for each text of :meth:`split`, in the same order.

        Of plain text: ``{"text": the document, "file": the name of its file}``.

        Raises:
            CorpusError: as :meth:`split`.
        """
        documents = self._documents(name, whole=True)
        return (
            of if isinstance(of, dict) else {"text": text, "file": of} if of else {"text": text}
            for text, of in documents
        )

    def stream(self, name: str) -> Iterator[tuple[str, bool]]:
        """``(piece, last piece of its document)``, in bounded memory.

        A piece has at most 1 M characters (``textdl.text.dividing.PIECE``). It ends at a line end where one is
        near, else anywhere between characters.

        Raises:
            CorpusError: as :meth:`split`.
        """
        return ((piece, last) for piece, last, _ in self._items(name, whole=False))

    def size_hint(self, name: str) -> int | None:
        """About how many bytes of text the split has, for a progress bar; None when that is not known."""
        origin, held = self._home(name)
        share = 1 - sum(held.values()) if name == "train" else held.get(name, 1.0 if name in self._origins else 0.0)
        size = origin.size()
        return None if size is None or self.config.limit else int(size * share)

    @property
    def _held(self) -> dict[str, float]:
        """The shares to hold out of train, in the order in which they are dealt."""
        shares = {"test": self.config.test, "validation": self.config.validation}
        return {name: share for name, share in shares.items() if share and name not in self._origins}

    def _home(self, name: str) -> tuple[Source, dict[str, float]]:
        """Where a split is read from, and the shares to be held out of that."""
        if name not in self.splits:
            raise CorpusError(f"the corpus {self.name} has no split {name!r}; {near(name, self.splits)}")
        if name in self._origins and name != "train":
            return self._origins[name], {}
        return self._origins["train"], self._held

    def _documents(self, name: str, whole: bool) -> Iterator[tuple[str, Any]]:
        items = self._items(name, whole)

        def joined() -> Iterator[tuple[str, Any]]:
            held: list[str] = []
            for piece, last, record in items:
                if held or not last:
                    held.append(piece)
                if last:
                    yield "".join(held) if held else piece, record
                    held = []

        return joined()

    def _items(self, name: str, whole: bool) -> Iterator[Item]:
        origin, held = self._home(name)
        if name not in self._origins and name not in held:
            return iter(())  # its share is 0
        if not held:
            return self._there(origin, whole)
        return self._cut(origin, name, held) if origin.one_text else self._dealt(origin, name, held, whole)

    def _there(self, origin: Source, whole: bool = False) -> Iterator[Item]:
        """The items of an origin without blank documents, up to the limit."""
        documents = skipped = 0
        first = True
        for item in origin.items(whole):
            piece, last, record = item
            if first and last and (not piece or piece.isspace()):
                skipped += isinstance(record, dict)
                continue
            yield item
            first = last
            documents += last
            if documents == self.config.limit:
                break
        self._known["skipped"] = skipped
        if not documents:
            fields = f" in {', '.join(origin.fields)}" if origin.fields else ""
            what = "is empty" if origin.is_empty() else f"holds no text{fields}"
            raise CorpusError(f"{origin.where} {what}; give a corpus that holds text")

    def _dealt(self, origin: Source, name: str, held: dict[str, float], whole: bool) -> Iterator[Item]:
        if "too few" not in self._known:
            # Set first: it ends the recursion, and is right unless no document falls to train.
            self._known["too few"] = False
            self._known["too few"] = not any(self._dealt(origin, "train", held, whole))
        shares = {} if self._known["too few"] else held
        first = True
        for item in self._there(origin, whole):
            if first:
                # Of a long document the first piece decides, so that none has to be in memory as a whole.
                keep = deal(item[0], shares) == name
            first = item[1]
            if keep:
                yield item

    def _cut(self, origin: Source, name: str, held: dict[str, float]) -> Iterator[Item]:
        def texts() -> Iterator[str]:
            return (piece for piece, _, _ in self._there(origin))

        if "cuts" not in self._known:
            ends = 1 - sum(held.values()), 1 - held.get("test", 0)
            self._known["cuts"] = cuts(texts, ends)
        start, end = tuple(itertools.pairwise(self._known["cuts"]))[SPLITS.index(name)]
        label = origin.paths[0].name if isinstance(origin, Files) else ""
        return ((piece, last, label) for piece, last in in_pieces(between(texts(), start, end)))


def open_corpus(
    source: str | Path | Corpus | Iterable[Any] | Mapping[str, Iterable[Any]],
    config: CorpusConfig = CorpusConfig(),
) -> Corpus:
    """Open a corpus.

    Args:
        source: the name of a built-in corpus (it goes before a file of that name: write ``./recipes`` for the file);
            the path of a file or folder; ``hf:NAME`` or ``hf:NAME:CONFIG`` for a dataset of the Hub; texts (or dicts)
            in a list or anything else that can be gone through again; or such lists by split,
            ``{"train": [...], "validation": [...]}``; or, where there is no file or folder of that name, a name of
            ``textdl.text.named``, such as ``imdb``. A Corpus is returned as it is.
        config: how to read and split it.

    In a folder, files called train, validation (valid, val, dev) and test are the splits; else all files of a known
    kind are read together, in order of their paths, without hidden files, readmes and licences.

    Raises:
        CorpusError: it can not be found or read, holds no text, or does not say which field is the text.
    """
    if isinstance(source, Corpus):
        return source
    if isinstance(source, str) and source.startswith("hf:"):
        return _of_hub(load_from_hub(source[3:], config.streaming), source, config)
    if isinstance(source, (str, Path)):
        path = _find(source)
        if path is None:
            return _of_named(str(source), config)
        if path.is_dir():
            return _open_folder(path, str(source), config)
        return _of_files(Card(stem(path), stem(path), source=str(source)), {"train": [path]}, path.parent, config)
    return _of_lists(source if isinstance(source, Mapping) else {"train": source}, config)


def _find(source: str | Path) -> Path | None:
    """The file or folder that is meant; None for the name of a corpus that is elsewhere."""
    import textdl_corpora

    built_in = tuple(textdl_corpora.NAMES)
    if isinstance(source, str) and source in built_in:
        return Path(str(textdl_corpora.__file__)).parent / source
    path = Path(source).expanduser()
    try:
        if str(source) and (path.is_file() or path.is_dir()):
            return path
        if path.exists() and str(source):
            raise CorpusError(f"{path} is neither a file nor a folder; give one of these")
        beside = [other.name for other in path.parent.iterdir()] if str(source) else []
    except PermissionError as error:
        raise unreadable(path, error) from None
    except (OSError, ValueError):  # a name too long or with a zero byte; a parent that is no folder
        beside = []
    if isinstance(source, str) and source in NAMED:
        return None
    shown = str(source) if len(str(source)) <= 100 else str(source)[:100] + "…"
    # Their names are short, and so are like a lot of words: the likeness asked for is more than usual.
    named = difflib.get_close_matches(path.name, NAMED, cutoff=0.7)
    remedy = near(path.name, (*built_in, *named, *beside))
    if not remedy.startswith("did you mean"):
        remedy = f"give a path, hf:NAME, the name of a built-in corpus ({', '.join(built_in)}) or of another one that"
        remedy += " textdl corpora lists"
    raise CorpusError(f"there is no corpus, file or folder {shown!r}; {remedy}")


def _open_folder(folder: Path, source: str, config: CorpusConfig) -> Corpus:
    name = folder.resolve().name
    if is_saved(folder):
        return _of_hub(load_saved(folder), source, config)
    if is_card(folder / "CARD.md"):
        said = read_card(folder / "CARD.md")
        if config.documents == "auto" and said.documents is not None:
            config = replace(config, documents=said.documents)
        return _of_files(said.card, said.splits, folder, config, said.text_fields)
    return _of_files(Card(name, name, source=source), splits_of(folder), folder, config)


def _of_files(
    card: Card, splits: Mapping[str, list[Path]], root: Path, config: CorpusConfig, fields: tuple[str, ...] = ()
) -> Corpus:
    fields = config.text_field or fields
    paths = [path for some in splits.values() for path in some if file_size(path)]
    if tables := [path for path in paths if holds_records(path)]:
        sample = itertools.islice(read_records(tables[0]), SAMPLE)
        fields = config.choose_text(sample, fields, str(tables[0]))
    elif config.text_field and paths:
        raise CorpusError(f"{paths[0]} is plain text and has no fields; leave text_field out")
    documents = "file" if config.documents == "auto" else config.documents
    made = {split: Files(tuple(some), root, fields, documents) for split, some in splits.items()}
    return _opened(card, fields, config, made)


def _of_lists(lists: Mapping[Any, Any], config: CorpusConfig) -> Corpus:
    splits: dict[str, Iterable[Any]] = {}
    for name, texts in lists.items():
        where = f"the texts of {name!r}"
        if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
            raise CorpusError(f"{where} must be a list of texts, got {type(texts).__name__}; write [text]")
        if isinstance(texts, Iterator):
            raise CorpusError(
                f"{where} come from a {type(texts).__name__}, which can be gone through only once; write list(texts)"
            )
        # A copy, since a list may be changed later and a corpus may not.
        splits[split_called(str(name))] = tuple(texts) if isinstance(texts, list) else texts
    if "train" not in splits:
        raise CorpusError(f"the texts have no split 'train', only {', '.join(splits) or 'nothing'}; add one")
    return _of_rows(Card("texts", "Texts in memory", source="memory"), splits, {}, config)


def _of_named(name: str, config: CorpusConfig) -> Corpus:
    named = NAMED[name]
    labels = {"label_field": named.label_field, "second_field": named.second_field}
    if named.nltk:
        card = Card(name, named.title, language="en", source=named.source, **labels)
        return _of_rows(card, {"train": NltkTexts(named)}, {}, config, named.text_fields)
    hub = load_from_hub(named.hub, config.streaming)
    called = dict(named.splits)
    hub = replace(hub, splits={called.get(split, split): rows for split, rows in hub.splits.items()})
    corpus = _of_hub(hub, named.source, config, named.text_fields)
    card = replace(corpus.card, name=name, title=named.title, language="en", **labels)
    return replace(corpus, name=name, card=card)


def _of_hub(hub: HubDataset, source: str, config: CorpusConfig, fields: tuple[str, ...] = ()) -> Corpus:
    splits = {split_called(name): rows for name, rows in hub.splits.items()}
    if len(splits) == 1:
        splits = {"train": next(iter(splits.values()))}
    if "train" not in splits:
        raise CorpusError(f"{source} has no split 'train', only {', '.join(splits)}; save the one to train on")
    revisions = {split: hub.revision(rows) for split, rows in splits.items()}
    card = Card(hub.title, hub.title, licence=hub.licence, source=source, body=hub.body)
    return _of_rows(card, splits, revisions, config, fields)


def _of_rows(
    card: Card,
    splits: Mapping[str, Any],
    revisions: Mapping[str, str],
    config: CorpusConfig,
    fields: tuple[str, ...] = (),
) -> Corpus:
    sample = list(itertools.islice(as_records(splits["train"], card.source), SAMPLE))
    fields = config.choose_text(sample, config.text_field or fields, card.source) if sample else ()
    made = {}
    for split, rows in splits.items():
        narrow = rows.select_columns(list(fields)) if revisions and fields else rows
        made[split] = Rows(rows, narrow, fields, card.source, revisions.get(split, ""))
    return _opened(card, fields, config, made)


def _opened(card: Card, fields: tuple[str, ...], config: CorpusConfig, origins: Mapping[str, Source]) -> Corpus:
    corpus = Corpus(card.name, card, fields, config, origins)
    for origin in origins.values():
        next(corpus._there(origin))  # most mistakes show at the first document
    return corpus
