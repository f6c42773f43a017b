"""A trained tagger: it tags text, and is measured.

Legend: N sentences, T words of one, B sentences of a batch, C tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .. import artifact
from ..errors import ConfigError, CorpusError, RunError
from ..models.tagger import Tagger, Words
from ..tagged import TaggedCorpus, open_tagged
from ..text.buckets import Ragged, by_size
from .base import Run, command
from .held_out import held_out, told, unsplit
from .tag_figures import tag_figures
from .tag_reader import Read, WordReader, pieces_of, whole
from .tagged_sentences import Sentences, read_sentences

if TYPE_CHECKING:
    from .tag import TaggedTextsConfig

#: Words, padding included, that are tagged at once: few enough to stay in the caches.
_AT_ONCE = 8_192
#: Of a longer sentence so many words are read at a time, with so many before and after them that are seen only.
_WINDOW, _MARGIN = 1_000, 100


class Tagged(NamedTuple):
    """A sentence with its tags.

    Attributes:
        tokens: its T words.
        tags: the tag of each.
        probabilities: [T, C] of each tag at each word, in the order of ``run.tags``; None unless asked for.
        text: which of the texts it is of, from 0.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    probabilities: NDArray[np.float32] | None
    text: int


class TaggerRun(Run):
    """A trained tagger: ``tag`` and ``evaluate``."""

    model: Tagger

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: Tagger, reader: WordReader, data: TaggedTextsConfig
    ) -> None:
        super().__init__(path, record, model)
        #: The C tags, sorted; of spans in IOB2, whatever the corpus has.
        self.tags = _tags(path, record, model.config.tags)
        #: Whether they mark spans.
        self.spans = model.config.spans
        self.reader, self._data = reader, data

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("tag", self.path, "She flew from Berlin to New York in May.")

    def tag(self, texts: Iterable[str | Sequence[str]], probabilities: bool = False) -> list[Tagged]:
        """The words of texts with their tags, sentence by sentence, in the order of the texts.

        Args:
            texts: plain texts, which are cut into sentences (:mod:`textdl.text.sentences`) and words (nltk's rules); or
                sentences that are lists of words already.
            probabilities: tell those of all tags too: marginals of the conditional random field, else a softmax.

        Returns:
            At least one sentence a text; one without words of a text without words.

        Raises:
            CorpusError: they are no texts and no lists of words.
        """
        sentences, of = [], []
        for number, some in enumerate(self._cut(texts)):
            sentences += some
            of += [number] * len(some)
        places, chances = judged(self.model, self.reader, self.reader.read(sentences), probabilities)
        said = (tuple(self.tags[place] for place in row) for row in places)
        each: Iterable[Any] = chances if probabilities else [None] * len(sentences)
        return [Tagged(*parts) for parts in zip(sentences, said, each, of, strict=True)]

    def evaluate(
        self,
        corpus: Any = None,
        split: str | None = None,
        text_field: tuple[str, ...] = (),
        token_column: str | None = None,
        tag_column: str | None = None,
    ) -> dict[str, Any]:
        """Figures on held-out sentences; spans are compared in IOB2, whatever the corpus has.

        Args:
            corpus: anything that ``textdl.tagged.open_tagged`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of another
                corpus.
            text_field: not of tagged sentences.
            token_column, tag_column: where the words and the tags of another corpus are; as in that of the training
                when not said.

        Returns:
            What :func:`textdl.tasks.tag_figures.tag_figures` gives; ``corpus``, ``split``, ``scheme`` (of spans: in
            which one the corpus has them), and ``same_corpus``: whether this is, by its digest, that of the training.

        Raises:
            CorpusError: no such corpus or split, it is empty, or none of its tags is one of the run's.
            ConfigError: ``text_field`` is given.
        """
        if text_field:
            raise ConfigError(f"tagged sentences have no text_field, got {', '.join(text_field)}; see token_column")
        columns = {"token_column": token_column, "tag_column": tag_column}
        opened, split = self._held_out(corpus, split, {name: value for name, value in columns.items() if value})
        read = read_sentences(opened, split, self.spans)
        if not len(read):
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        theirs = sorted({tag for tags in read.tags for tag in tags})
        if not set(theirs) & set(self.tags):
            raise CorpusError(
                f"none of the tags of {opened.name} ({', '.join(theirs[:10])}) is one of the run's "
                f"({', '.join(self.tags[:10])}); give a corpus with the same tags, or name another column"
            )
        figures = self.figures(read)
        return figures | {
            "corpus": opened.name,
            "split": told(split, opened, opened.corpus.config),
            **({"scheme": read.scheme} if self.spans else {}),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }

    def figures(self, read: Sentences) -> dict[str, Any]:
        """Figures on some sentences."""
        places, _ = judged(self.model, self.reader, self.reader.read(read.tokens))
        return figures_of(read, places, self.tags, self.reader, self.spans)

    def _cut(self, texts: Iterable[str | Sequence[str]]) -> Iterator[list[tuple[str, ...]]]:
        if isinstance(texts, str):
            raise CorpusError("texts must be a list of texts, got one text; write [text]")
        for number, text in enumerate(texts, 1):
            if isinstance(text, str):
                yield self.reader.sentences(text) or [()]
            elif isinstance(text, (list, tuple)) and all(isinstance(word, str) for word in text):
                yield [tuple(whole(word) for word in text)]
            else:
                raise CorpusError(f"text {number} must be a text or a list of words, got {type(text).__name__}")

    def _held_out(self, corpus: Any, split: str | None, columns: dict[str, str]) -> tuple[TaggedCorpus, str]:
        config = replace(self._data, **columns)  # type: ignore[arg-type]
        return held_out(
            self.config,
            corpus,
            split,
            lambda place: open_tagged(place, config),
            lambda place, whole: open_tagged(place, unsplit(config) if whole else config, least=1),
            "sentences",
        )


def _tags(path: Path, record: Mapping[str, Any], number: int) -> tuple[str, ...]:
    """The tags that ``config.json`` tells, once it is sure that they go with the model.

    Raises:
        RunError: they, or what else is to be known of the corpus, are not there, or not what the model was made for.
    """
    found = record.get("corpus")
    facts = found if isinstance(found, dict) else {}
    tags: Any = facts.get("tags")
    of_text = isinstance(tags, (list, tuple)) and all(isinstance(tag, str) for tag in tags)
    if not (of_text and len(set(tags)) == len(tags) == number and facts.keys() >= {"source", "digest"}):
        raise RunError(
            f"what {path / artifact.CONFIG} says of the corpus does not go with the model of {number} tags; it was "
            "changed, train again or restore it"
        )
    return tuple(tags)


def figures_of(
    read: Sentences, places: Sequence[NDArray[np.int64]], tags: Sequence[str], reader: WordReader, spans: bool
) -> dict[str, Any]:
    """The figures of sentences that have been tagged, with the numbers of their tags."""
    seen = reader.seen
    unseen = [[word not in seen for word in tokens] for tokens in read.tokens]
    return tag_figures(read.tags, [[tags[place] for place in row] for row in places], unseen, spans)


@torch.no_grad()
def judged(
    model: Tagger, reader: WordReader, read: Read, probabilities: bool = False
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.float32]]]:
    """The numbers of the tags of N sentences [T] and, where asked for, all tags' probabilities [T, C]."""
    was_training, lengths = model.training, read.lengths
    tags: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(lengths)
    chances: list[NDArray[np.float32]] = [np.zeros((0, model.config.tags), np.float32)] * len(lengths)
    if was_training:  # going through all modules takes longer than a short sentence
        model.eval()
    for which in by_size(lengths, _AT_ONCE, _WINDOW):
        emissions = _emissions(model, reader, read, which)
        inside = torch.from_numpy(lengths[which]).to(emissions.device)
        paths = model.chain.viterbi(emissions, inside).cpu().numpy()
        each = model.chain.marginals(emissions, inside).float().cpu().numpy() if probabilities else None
        for column, number in enumerate(which.tolist()):
            tags[number] = paths[: lengths[number], column]
            if each is not None:
                chances[number] = each[: lengths[number], column]
    if was_training:
        model.train()
    return tags, chances


def _emissions(model: Tagger, reader: WordReader, read: Read, which: NDArray[np.int64]) -> Tensor:
    """The scores of the tags [T, B, C]; of one sentence that is too long to be read at once, window by window."""
    device = model.head.weight.device
    length = int(read.lengths[which[0]])
    if length <= _WINDOW:
        whole_ones: Tensor = model(_moved(reader.batch(read, which), device))
        return whole_ones.float()
    own, scores = read.places.ids[read.places.starts[which[0]] :][:length], []
    for _, start, end in pieces_of(np.array([length]), _WINDOW):
        first = max(0, start - _MARGIN)
        window = Read(Ragged.of([own[first : end + _MARGIN]]), read.rows, read.spelled)
        seen = model(_moved(reader.batch(window, np.zeros(1, np.int64)), device))
        scores.append(seen[start - first : end - first].float())
    return torch.cat(scores)


def _moved(words: Words, device: torch.device) -> Words:
    return Words(*(tensor.to(device) for tensor in words))
