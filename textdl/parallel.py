"""Opening parallel texts: pairs of a source and a target, from anything that holds such.

:func:`open_parallel` finds the two sides: in two files whose lines answer each other, in two columns of a table, in two
fields of records, or in pairs in memory. It reads only what it needs to be sure that there are pairs.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .config import knob
from .corpus import Card, Corpus, CorpusConfig, open_corpus
from .errors import ConfigError, CorpusError, near
from .text.card import is_card, read_card
from .text.files import file_size, kind, stem
from .text.folders import split_called, splits_of
from .text.hub import HubDataset, is_saved, load_from_hub, load_saved
from .text.over_corpus import OverCorpus
from .text.pair_fields import choose_pair, columns_of
from .text.parallel_files import (
    LinePair,
    Pairs,
    Reader,
    RecordFile,
    RecordRows,
    files_ending,
    find_file,
    open_columns,
    pairs_from,
    records_of,
    sides_of,
    splits_by_name,
)
from .text.records import holds_records, read_records
from .text.sources import SAMPLE, Files, Rows

#: Pairs with an empty side that a split may begin with before it is held to have no pairs at all.
PATIENCE = 10_000
#: Endings of files that tell their sides where nothing else is said.
USUAL_ENDINGS = (("source", "target"), ("src", "tgt"), ("src", "trg"), ("src", "dst"), ("input", "output"))


@dataclass(frozen=True)
class ParallelConfig(CorpusConfig):
    """How a corpus of pairs is read and split."""

    source: str | None = knob(
        None, "What holds the source: a field, the number of a column, a file, or the ending of files (en)."
    )
    target: str | None = knob(None, "What holds the target, as --source.")
    # The two sides take the place of these.
    text_field: tuple[str, ...] = knob((), "Not of pairs: set source and target.", flag=False)
    documents: str = knob("auto", "Not of pairs.", choices=("auto",), flag=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.text_field:
            raise ConfigError(f"text_field is not a setting of pairs, got {self.text_field!r}; set source and target")
        for name in ("source", "target"):
            if getattr(self, name) == "":
                raise ConfigError(f"{name} must be the name of a field, file or ending, or a number, got ''")
        if self.source is not None and self.source == self.target:
            raise ConfigError(f"source and target must differ, got {self.source!r} for both")

    @property
    def sides(self) -> tuple[str | None, str | None]:
        """Source and target."""
        return self.source, self.target


class Pair(NamedTuple):
    """A text and what is to be made of it."""

    source: str
    target: str


@dataclass(frozen=True, eq=False)
class ParallelCorpus(OverCorpus):
    """Pairs of texts, read afresh each time; splits as of the :class:`Corpus`, whose texts are the sources.

    What is held out is chosen by the source, so that all targets of one source lie in one split.
    """

    corpus: Corpus
    source_name: str
    target_name: str
    _known: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def skipped(self) -> int:
        """Pairs left out by the latest pass because a side is empty; counted in all that it read to find its split."""
        return self._known.get("skipped", 0)

    @property
    def same(self) -> int:
        """Pairs of the latest pass whose sides are the same text; they are not left out."""
        return self._known.get("same", 0)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the content of both sides and all that the pairs depend on."""
        return hashlib.sha256(json.dumps([1, "pairs", self.corpus.digest]).encode()).hexdigest()

    def pairs(self, split: str) -> Iterator[Pair]:
        """The pairs of a split, from the first, at each call, without those with an empty side.

        Raises:
            CorpusError: there is no such split; while reading, whatever is wrong with the files.
        """
        return self._pairs(self.corpus.records(split), self.corpus.origins.get(split, self.corpus.origins["train"]))

    def _pairs(self, records: Iterator[dict[str, Any]], origin: Any) -> Iterator[Pair]:
        same = 0
        try:
            for record in records:
                source, target = record["source"], record["target"]
                same += source == target
                yield Pair(source, target)
        finally:
            self._known["same"], self._known["skipped"] = same, origin.counted.get("empty", 0)


def open_parallel(source: Any, config: ParallelConfig = ParallelConfig()) -> ParallelCorpus:
    """Open a corpus of pairs of texts.

    Args:
        source: the name of a built-in corpus; the path of a folder, or of a file, also packed or alone in a ``.zip``;
            ``hf:NAME`` or ``hf:NAME:CONFIG``; ``(source, target)`` pairs or dicts in a list, or such lists by split; a
            Corpus of records. A ParallelCorpus is returned as it is.
        config: how to read and split it, and where the sides are.

    Of records (JSON lines, JSON, CSV, Parquet, the Hub) the sides are two fields: those named by ``config``, by the
    corpus's card, or by usual names (``textdl.text.pair_fields``); one within a table goes by ``translation.en`` or
    ``en``. Of other text they are two columns with a tab between; the first two where no header says more. In a
    folder ``source`` and ``target`` may be two files, which are then all that is read, or two endings, ``en`` and
    ``de`` of train.en, train.de, val.en.gz, ...; the splits are told by the names. Lines end at ``\\n`` only.

    Raises:
        CorpusError: it can not be found or read, holds no pairs, does not say which are the sides; two files are of
            unequal length or identical. Where what is read does not hold what it should, while reading.
    """
    if isinstance(source, ParallelCorpus):
        return source
    if isinstance(source, Corpus):
        return _of_corpus(source, config)
    if isinstance(source, str) and source.startswith("hf:"):
        return _of_hub(load_from_hub(source[3:], config.streaming), source, config)
    if isinstance(source, (str, Path)):
        path = _place(source)
        if path is None:
            return _of_corpus(open_corpus(source, config), config)  # a corpus known by name, or an error with names
        return _of_folder(path, str(source), config) if path.is_dir() else _of_file(path, str(source), config)
    return _of_lists(source if isinstance(source, Mapping) else {"train": source}, config)


def _place(source: str | Path) -> Path | None:
    """The file or folder that is meant, if there is one."""
    import textdl_corpora

    if isinstance(source, str) and source in textdl_corpora.NAMES:
        return Path(str(textdl_corpora.__file__)).parent / source
    path = Path(source).expanduser()
    try:
        return path if str(source) and (path.is_file() or path.is_dir()) else None
    except (OSError, ValueError):
        return None


def _of_file(path: Path, source: str, config: ParallelConfig) -> ParallelCorpus:
    card = Card(stem(path), stem(path), source=source)
    files = [None if name is None or name.isdigit() else find_file(name, path.parent) for name in config.sides]
    if any(files) and not holds_records(path):
        return _of_files((files[0] or path, files[1] or path), card, config)
    return _of_tables(card, {"train": [path]}, path.parent, config)


def _of_folder(folder: Path, source: str, config: ParallelConfig) -> ParallelCorpus:
    name = folder.resolve().name
    card = Card(name, name, source=source)
    if is_saved(folder):
        return _of_hub(load_saved(folder), source, config)
    if is_card(folder / "CARD.md"):
        said = read_card(folder / "CARD.md")
        return _of_tables(said.card, said.splits, folder, config)
    if config.source is not None and config.target is not None:
        files = find_file(config.source, folder), find_file(config.target, folder)
        if files[0] is not None and files[1] is not None:
            return _of_files((files[0], files[1]), card, config)
        for file, other, called in ((files[0], config.target, files[1]), (files[1], config.source, files[0])):
            if file is not None and called is None:
                names = [path.name for path in (*folder.iterdir(), *file.parent.iterdir()) if path.is_file()]
                raise CorpusError(f"{folder} has no file {other!r}; {near(other, set(names))}")
    endings = _endings(folder, config)
    if endings is not None:
        return _of_endings(folder, endings, card, config)
    return _of_tables(card, splits_of(folder), folder, config)


def is_file(side: str, source: str) -> bool:
    """Whether a side of the corpus ``source`` is a file of its own, not a field, a column or an ending."""
    path = _place(source)
    return path is not None and find_file(side, path if path.is_dir() else path.parent) is not None


def _of_files(files: tuple[Path, Path], card: Card, config: ParallelConfig) -> ParallelCorpus:
    for path in files:
        if kind(path) not in ("text", ""):
            raise CorpusError(f"{path} holds {kind(path)}, not lines of text; give it as the corpus, and its fields")
    pair = LinePair(*files)
    pair.check()
    where = f"{files[0]} with {files[1].name}"
    return _opened({"train": pairs_from([pair], where)}, (files[0].name, files[1].name), card, config)


def _endings(folder: Path, config: ParallelConfig) -> tuple[str, str] | None:
    """The endings of the files of source and target; None where the folder is not of such files.

    Raises:
        CorpusError: it can not be told which are which.
    """
    if any(name is not None and name.isdigit() for name in config.sides):  # numbers of columns
        return None
    there = sides_of(folder)
    source, target = (None if name is None else name.removeprefix(".") for name in config.sides)
    missing = [name for name in (source, target) if name is not None and not files_ending(folder, name)]
    if source is not None and target is not None and not missing:
        return source, target
    if not there or _has_records(folder):
        return None
    if missing:
        names = {path.name for files in there.values() for path in files.values()}
        raise CorpusError(f"{folder} has no file or ending {missing[0]!r}; {near(missing[0], {*there, *names})}")
    if len(there) == 2 and (source in there or target in there):
        source = source or next(ending for ending in there if ending != target)
        return source, next(ending for ending in there if ending != source)
    usual = [pair for pair in USUAL_ENDINGS if set(pair) <= there.keys()]
    if usual and source is None and target is None:
        return usual[0]
    listed = ", ".join(f".{ending}" for ending in sorted(there))
    what = "source" if source is None else "target"
    first, second = sorted(there)[:2]
    raise CorpusError(
        f"{folder} has files that end in {listed}, and does not say which are the {what}; set source and target, such "
        f"as --source {first} --target {second}"
    )


def _has_records(folder: Path) -> bool:
    try:
        return any(holds_records(path) for paths in splits_of(folder).values() for path in paths)
    except CorpusError:
        return False


def _of_endings(folder: Path, endings: tuple[str, str], card: Card, config: ParallelConfig) -> ParallelCorpus:
    sources, targets = (files_ending(folder, ending) for ending in endings)
    for files, others, ending in ((sources, targets, endings[1]), (targets, sources, endings[0])):
        for name in files.keys() - others.keys():
            there = [path.name for path in others.values()]
            raise CorpusError(
                f"{files[name]} has no partner that ends in {ending} (there are {', '.join(sorted(there)[:5])}); add "
                "it, or name two files as source and target"
            )
    made = {}
    for split, names in splits_by_name(sources).items():
        readers = [LinePair(sources[name], targets[name]) for name in names]
        for reader in readers if config.limit is None else ():
            reader.check()
        where = f"{readers[0].source} with {readers[0].target.name}" if len(readers) == 1 else str(folder)
        made[split] = pairs_from(readers, where)
    return _opened(made, endings, card, config)


def _of_tables(card: Card, splits: Mapping[str, list[Path]], root: Path, config: ParallelConfig) -> ParallelCorpus:
    told = card.source_field, card.target_field
    fields: tuple[str, str] | None = None  # of records; the same in all files
    made = {}
    for split, paths in sorted(splits.items(), key=lambda item: item[0] != "train"):
        readers: list[Reader] = []
        for path in paths:
            if not file_size(path):
                continue
            if kind(path) in ("tsv", "text", ""):
                readers.append(open_columns(path, config.sides, told))
                continue
            if fields is None:
                sample = list(itertools.islice(read_records(path), SAMPLE))
                fields = choose_pair(columns_of(sample), config.sides, told, str(path)) if sample else None
            if fields is not None:
                readers.append(RecordFile(path, *fields))
        made[split] = pairs_from(readers, str(paths[0] if len(paths) == 1 else root))
    first = made["train"].readers
    names = getattr(first[0], "names", fields) if first else None
    return _opened(made, names or ("source", "target"), card, config)


def _of_lists(lists: Mapping[Any, Any], config: ParallelConfig) -> ParallelCorpus:
    splits: dict[str, Iterable[Any]] = {}
    for name, rows in lists.items():
        where = f"the list {name!r}"
        if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
            raise CorpusError(f"{where} must be one of pairs, got {type(rows).__name__}; write [(source, target)]")
        if isinstance(rows, Iterator):
            raise CorpusError(
                f"{where} is a {type(rows).__name__}, which can be gone through only once; write list(pairs)"
            )
        # A copy, since a list may be changed later and a corpus may not.
        splits[split_called(str(name))] = tuple(rows) if isinstance(rows, list) else rows
    card = Card("texts", "Texts in memory", source="memory")
    return _of_rows(card, splits, {}, config)


def _of_hub(hub: HubDataset, source: str, config: ParallelConfig) -> ParallelCorpus:
    splits = {split_called(name): rows for name, rows in hub.splits.items()}
    if len(splits) == 1:
        splits = {"train": next(iter(splits.values()))}
    revisions = {split: hub.revision(rows) for split, rows in splits.items()}
    card = Card(hub.title, hub.title, licence=hub.licence, source=source, body=hub.body)
    return _of_rows(card, splits, revisions, config)


def _of_rows(
    card: Card, splits: Mapping[str, Any], revisions: Mapping[str, str], config: ParallelConfig
) -> ParallelCorpus:
    if "train" not in splits:
        raise CorpusError(f"{card.source} has no split 'train', only {', '.join(splits) or 'nothing'}; add one")
    where = {split: card.source if split in revisions else f"the list {split!r}" for split in splits}
    sample = list(itertools.islice(records_of(splits["train"], where["train"]), SAMPLE))
    if not sample:
        raise CorpusError(f"{where['train']} is empty; give a corpus that holds pairs")
    fields = choose_pair(columns_of(sample), config.sides, (card.source_field, card.target_field), where["train"])
    made = {}
    for split, rows in splits.items():
        if hasattr(rows, "select_columns"):
            wanted = {name if name in sample[0] else name.partition(".")[0] for name in fields}
            rows = rows.select_columns(sorted(wanted))
        made[split] = pairs_from([RecordRows(rows, *fields, where[split], revisions.get(split, ""))], where[split])
    return _opened(made, fields, card, config)


def _of_corpus(corpus: Corpus, config: ParallelConfig) -> ParallelCorpus:
    """The pairs of a corpus of records, or of lines with tabs, that is open already."""
    train = corpus.origins["train"]
    if isinstance(train, Files):
        files = {split: list(origin.paths) for split, origin in corpus.origins.items() if isinstance(origin, Files)}
        return _of_tables(corpus.card, files, train.root, config)
    rows = {split: origin for split, origin in corpus.origins.items() if isinstance(origin, Rows)}
    revisions = {split: origin.revision for split, origin in rows.items() if origin.revision}
    return _of_rows(corpus.card, {split: origin.rows for split, origin in rows.items()}, revisions, config)


def _opened(origins: Mapping[str, Pairs], names: Sequence[str], card: Card, config: ParallelConfig) -> ParallelCorpus:
    """The corpus without those of its own splits that have no pairs, such as a competition's test."""
    kept = {
        split: origin
        for split, origin in origins.items()
        if split == "train" or any(_is_full(pair) for pair in itertools.islice(_all(origin), PATIENCE))
    }
    parallel = ParallelCorpus(Corpus(card.name, card, ("source",), config, kept), names[0], names[1])
    next(parallel.pairs("train"))  # most mistakes show at the first pair
    return parallel


def _all(origin: Pairs) -> Iterator[tuple[str, str]]:
    return itertools.chain.from_iterable(origin.readers)


def _is_full(pair: tuple[str, str]) -> bool:
    return bool(pair[0].strip() and pair[1].strip())
