"""Corpora with a name of their own: where each is to be found, on the Hub or among nltk's data, and its fields."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import CorpusError
from .class_files import mingled
from .files import damaged, unreadable


@dataclass(frozen=True)
class Named:
    """A corpus known by name.

    ``hub`` is ``NAME`` or ``NAME:CONFIG``, ``splits`` pairs of a split's name there and the one it gets. ``nltk`` is
    a package of nltk's data; ``classes`` are pairs of a label and the pattern of the files that hold its texts, one
    a line if ``lines``, else one a file.
    """

    title: str
    hub: str = ""
    text_fields: tuple[str, ...] = ("text",)
    label_field: str = "label"
    second_field: str = ""
    splits: tuple[tuple[str, str], ...] = ()
    nltk: str = ""
    classes: tuple[tuple[str, str], ...] = ()
    lines: bool = False

    @property
    def source(self) -> str:
        """Where it is from: ``hf:NAME``, or nltk and its package."""
        return f"hf:{self.hub}" if self.hub else f"nltk's {self.nltk}"


def _glue(title: str, config: str, first: str, second: str = "", **more: Any) -> Named:
    return Named(title, f"nyu-mll/glue:{config}", (first,), second_field=second, **more)


def _nltk(title: str, package: str, lines: bool, **classes: str) -> Named:
    return Named(title, nltk=package, lines=lines, classes=tuple(classes.items()))


#: Name -> where it is. A built-in corpus, a file or a folder of the same name goes first.
NAMED: dict[str, Named] = {
    "imdb": Named("Film reviews, positive or negative (Maas et al. 2011)", "stanfordnlp/imdb"),
    "sst2": _glue("Sentences of film reviews, positive or negative (Socher et al. 2013)", "sst2", "sentence"),
    "sst5": Named(
        "Sentences of film reviews, five grades (Socher et al. 2013)", "SetFit/sst5", label_field="label_text"
    ),
    "movie_reviews": _nltk(
        "Film reviews, positive or negative (Pang & Lee 2004)", "movie_reviews", False, pos="pos/*.txt", neg="neg/*.txt"
    ),
    "sentence_polarity": _nltk(
        "Sentences of film reviews, positive or negative (Pang & Lee 2005, rt-polarity)",
        "sentence_polarity",
        True,
        pos="rt-polarity.pos",
        neg="rt-polarity.neg",
    ),
    "subjectivity": _nltk(
        "Sentences of plots or of opinions (Pang & Lee 2004)",
        "subjectivity",
        True,
        objective="plot.tok.gt9.5000",
        subjective="quote.tok.gt9.5000",
    ),
    "names": _nltk("First names, female or male (Kantrowitz)", "names", True, female="female.txt", male="male.txt"),
    "yelp_polarity": Named("Reviews of businesses, positive or negative (Zhang et al. 2015)", "fancyzhx/yelp_polarity"),
    "amazon_polarity": Named(
        "Reviews of products, positive or negative (Zhang et al. 2015)",
        "fancyzhx/amazon_polarity",
        ("title", "content"),
    ),
    "ag_news": Named("News, four topics (Zhang et al. 2015)", "fancyzhx/ag_news"),
    "dbpedia": Named(
        "Encyclopedia articles, 14 kinds (Zhang et al. 2015)", "fancyzhx/dbpedia_14", ("title", "content")
    ),
    "yahoo_answers": Named(
        "Questions and answers, ten topics (Zhang et al. 2015)",
        "community-datasets/yahoo_answers_topics",
        ("question_title", "question_content", "best_answer"),
        "topic",
    ),
    "20newsgroups": Named("Postings of 20 newsgroups (Lang 1995)", "SetFit/20_newsgroups", label_field="label_text"),
    "trec": Named(
        "Questions, six kinds of answer (Li & Roth 2002)", "SetFit/TREC-QC", label_field="label_coarse_original"
    ),
    "banking77": Named(
        "Questions to a bank, 77 intents (Casanueva et al. 2020)", "mteb/banking77", label_field="label_text"
    ),
    "emotion": Named("Short messages, six emotions (Saravia et al. 2018)", "dair-ai/emotion"),
    "go_emotions": Named(
        "Comments, any of 28 emotions (Demszky et al. 2020)",
        "google-research-datasets/go_emotions:simplified",
        label_field="labels",
    ),
    "snli": Named(
        "Pairs: does one sentence follow? (Bowman et al. 2015)",
        "stanfordnlp/snli",
        ("premise",),
        second_field="hypothesis",
    ),
    "mnli": _glue(
        "Pairs of many genres: does one follow? (Williams et al. 2018)",
        "mnli",
        "premise",
        "hypothesis",
        splits=(("validation_matched", "validation"), ("test_matched", "test")),
    ),
    "qnli": _glue("Pairs: does the sentence answer the question? (Wang et al. 2018)", "qnli", "question", "sentence"),
    "rte": _glue("Pairs: does one sentence follow? (Wang et al. 2018)", "rte", "sentence1", "sentence2"),
    "mrpc": _glue("Pairs: do they mean the same? (Dolan & Brockett 2005)", "mrpc", "sentence1", "sentence2"),
}


class NltkTexts:
    """The texts of a package of nltk's data, from its folder or straight out of its zip, as labelled records.

    Gone through again and again; the order is the same from a folder and a zip.

    Raises:
        CorpusError: it is not on any of nltk's paths, is damaged, or lacks the files of a class.
    """

    def __init__(self, named: Named) -> None:
        self._named, self._place = named, found_in_nltk(named.nltk)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._place.suffix != ".zip":
            files = [path for path in self._place.rglob("*") if path.is_file()]
            by_path = {path.relative_to(self._place).as_posix(): path for path in files}
            yield from self._texts(list(by_path), lambda name: bytes_of(by_path[name]))
            return
        try:
            with zipfile.ZipFile(self._place) as packed:
                inside = {name.removeprefix(self._named.nltk + "/"): name for name in packed.namelist()}
                yield from self._texts(list(inside), lambda name: packed.read(inside[name]))
        except (zipfile.BadZipFile, EOFError, ValueError, zlib.error) as error:
            raise damaged(self._place, error) from None
        except OSError as error:
            raise unreadable(self._place, error) from None

    def _texts(self, names: list[str], read: Callable[[str], bytes]) -> Iterator[dict[str, Any]]:
        classes = {}
        for label, pattern in self._named.classes:
            some = sorted(name for name in names if fnmatchcase(name, pattern))
            if not some:
                raise CorpusError(f"{self._place} has no file {pattern}; fetch it again: {remedy(self._named.nltk)}")
            classes[label] = self._of_class(some, read)
        return mingled(classes)

    def _of_class(self, names: list[str], read: Callable[[str], bytes]) -> Iterator[tuple[float, str]]:
        for number, name in enumerate(names):
            text = decoded(read(name))
            parts = text.split("\n") if self._named.lines else [text]
            for part, line in enumerate(parts):
                yield (number + (part + 0.5) / len(parts)) / len(names), line.strip() if self._named.lines else line


def remedy(package: str) -> str:
    """The command that fetches a package of nltk's data."""
    return f"python -m nltk.downloader {package}"


def found_in_nltk(package: str) -> Path:
    """The folder or the zip of a package: under ``corpora`` of one of nltk's paths, or directly in it."""
    import nltk.data

    folders = [Path(folder) / under for folder in nltk.data.path for under in ("corpora", "")]
    for place in (folder / name for folder in folders for name in (package, f"{package}.zip")):
        if place.is_dir() if not place.suffix else place.is_file():
            return place
    raise CorpusError(f"nltk's {package} is not on this machine; fetch it with: {remedy(package)}")


def bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def decoded(content: bytes) -> str:
    # Older copies of these files are in Latin 1, which any bytes are.
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
