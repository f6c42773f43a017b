"""A trained translator: texts in one language (or one form) go in, texts in another come out.

Legend: N texts, S tokens of a source, T tokens of a target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import config as settings
from ..errors import ConfigError, CorpusError
from ..models.translating import Side, Translator
from ..parallel import ParallelConfig, ParallelCorpus, is_file, open_parallel
from ..text.base import Ids
from ..text.buckets import Ragged, by_size
from .alignment import Alignment, align
from .base import Run, command
from .beam_search import DecodingConfig, Hypothesis, find
from .held_out import held_out, told, unsplit
from .pair_reader import PairReader, PairsConfig, Read, Texts, checked, read_pairs
from .translation_figures import nats_of, translation_figures

#: Source tokens, times hypotheses, that are worked on at once.
_TOKENS_AT_ONCE = 8192
#: From which share of unknown words on, and how many times the tokens of the training's texts, a text is strange.
_STRANGE_WORDS, _STRANGE_TOKENS = 0.5, 2.0


@dataclass(frozen=True)
class Translation:
    """One of the translations of a text.

    Attributes:
        text: the translation.
        score: its log probability in nats over the length penalty; more is better.
        log_probability: its log probability in nats.
    """

    text: str
    score: float
    log_probability: float


class TranslationRun(Run):
    """A trained translator: ``translate``, ``translations``, ``attention`` and ``evaluate``."""

    model: Translator

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: Translator, reader: PairReader, data: PairsConfig
    ) -> None:
        super().__init__(path, record, model)
        self.reader, self._data = reader, data

    @property
    def attends(self) -> bool:
        """Whether the model has attention."""
        return getattr(self.model.config, "attention", "") != "none"  # type: ignore[union-attr]

    def next_command(self) -> str:
        """What to try with a new run."""
        return command("translate", self.path, str(self.config["corpus"]["example"]))

    def translate(self, texts: Iterable[str], config: DecodingConfig | None = None, **changes: Any) -> list[str]:
        """The best translation of each text.

        Args:
            texts: N texts; of a blank one the translation is blank.
            config: how to search; ``changes`` (``beam=1``, ``sample=True, seed=7``) go on top of it.

        Raises:
            CorpusError: they are no texts.
            ConfigError: a setting is out of range.
        """
        return [some[0].text for some in self.translations(texts, config, **changes)]

    def translations(
        self, texts: Iterable[str], config: DecodingConfig | None = None, first: int = 0, **changes: Any
    ) -> list[list[Translation]]:
        """Of each text the ``n_best`` translations, the best first; there may be fewer. See :meth:`translate`.

        ``first`` is how many texts that are not blank came before these, where some are translated at a time: what is
        drawn for a text goes by its number among them.
        """
        config = settings.replace(config or DecodingConfig(), changes)
        whole = checked(texts)
        found = self._found([text for text in whole if text.strip()], config, first)
        blank = [Translation("", 0.0, 0.0)]
        return [next(found) if text.strip() else blank for text in whole]

    def _found(self, texts: list[str], config: DecodingConfig, first: int) -> Any:
        """The translations of texts that are not blank."""
        copies = config.copy_unknown and self.reader.copies and self.attends
        ids = self.reader.encode(self.reader.source, texts)
        for number, some in enumerate(hypotheses(self.model, self.reader, ids, config, copies, first)):
            words = self.reader.words_of(texts[number]) if copies else []
            yield [Translation(self._text(one, words), one.score, one.log_probability) for one in some]

    def _text(self, one: Hypothesis, words: Sequence[str]) -> str:
        if one.attention is None or not words:
            return self.reader.decode(one.ids)
        return self.reader.decode_with(one.ids, words, one.attention.argmax(-1))

    def attention(self, text: str, config: DecodingConfig | None = None, **changes: Any) -> Alignment:
        """The best translation of a text, and which of its words each word of the translation looked at.

        Raises:
            ConfigError: the model has no attention.
            CorpusError: the text is blank.
        """
        if not self.attends:
            raise ConfigError(f"{self.path} has no attention; train with --attention additive")
        if not checked([text])[0].strip():
            raise CorpusError("the text is empty; give one with a word in it")
        config = settings.replace(config or DecodingConfig(), changes)
        ids = self.reader.encode(self.reader.source, [text])
        best = hypotheses(self.model, self.reader, ids, config, True)[0][0]
        seen = best.attention if best.attention is not None else np.zeros((0, len(ids[0])), np.float32)
        copies = config.copy_unknown and self.reader.copies
        words = self.reader.words_of(text) if copies else []
        return align(self.reader, ids[0].tolist(), best.ids, seen, words)

    def strangeness(self, texts: Sequence[str]) -> str | None:
        """Why these texts are hardly in the language of the sources of the training, in words; None where they may be.

        Of words, when most of them are unknown; of other tokens, when many more are needed for a text than in training.
        """
        tokenizer = self.reader.source
        ids = self.reader.encode(tokenizer, texts)
        tokens, letters = sum(map(len, ids)), sum(len(text.strip()) for text in texts)
        if not letters:
            return None
        if tokenizer.kind == "words":
            unknown = sum(int((some == tokenizer.unknown_id).sum()) for some in ids) / max(1, tokens)
            return f"{unknown:.0%} of the source's words are unknown" if unknown > _STRANGE_WORDS else None
        usual = float(self.config["corpus"]["tokens_per_character"])
        share = tokens / letters
        if share < _STRANGE_TOKENS * usual:
            return None
        return f"the source is cut into {share:.1f} tokens a character, where that of the training was into {usual:.1f}"

    def evaluate(  # type: ignore[override]
        self,
        corpus: Any = None,
        split: str | None = None,
        text_field: tuple[str, ...] = (),
        source: str | None = None,
        target: str | None = None,
        examples: int = 0,
        config: DecodingConfig | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Figures on held-out pairs.

        Args:
            corpus: anything that ``textdl.parallel.open_parallel`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of
                another corpus.
            text_field: not for pairs; name ``source`` and ``target``.
            source, target: the sides of another corpus, or other sides of that of the training: fields, columns,
                files or their endings.
            examples: how many pairs to show, evenly spread, with what was made of them.
            config: how to search; ``changes`` go on top of it.

        Returns:
            What :func:`textdl.tasks.translation_figures.translation_figures` gives, ``perplexity`` and
            ``nats_per_token`` of the target tokens and ends; ``pairs``, ``corpus``, ``split``, ``same_corpus``; and
            ``strange``, what :meth:`strangeness` says of the sources.

        Raises:
            CorpusError: no such corpus or split, or it is empty.
        """
        if text_field:
            raise ConfigError("pairs of texts have two sides; name them by --source and --target")
        opened, split = self._held_out(corpus, split, source, target)
        texts = read_pairs(opened, split)
        if not len(texts):
            raise CorpusError(f"the {split} split of {opened.name} is empty; choose from {', '.join(opened.splits)}")
        said = self.translate(texts.sources, config, **changes)
        read = self.reader.read(texts, None)
        nats = nats_of(self.model, self.reader, read)
        figures = {
            **translation_figures(said, texts.targets),
            "perplexity": float(np.exp(min(nats, 700.0))),
            "nats_per_token": nats,
            "pairs": len(texts),
            "strange": self.strangeness(texts.sources),
            "corpus": opened.name,
            "split": told(split, opened, opened.corpus.config),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }
        if examples:
            places = np.unique(np.linspace(0, len(texts) - 1, min(examples, len(texts))).round().astype(int)).tolist()
            sides = [(texts.sources[n], texts.targets[n], said[n]) for n in places]
            figures["examples"] = [dict(zip(("source", "target", "said"), side, strict=True)) for side in sides]
        return figures

    def _held_out(
        self, corpus: Any, split: str | None, source: str | None, target: str | None
    ) -> tuple[ParallelCorpus, str]:
        own = self.config["corpus"]["source"]
        sides: Sequence[str | None] = self._data.sides
        as_trained = source in (None, sides[0]) and target in (None, sides[1])
        if own is not None:  # files are no sides of another corpus
            sides = [None if side and is_file(side, own) else side for side in sides]
        config = ParallelConfig(source=source or sides[0], target=target or sides[1])
        return held_out(
            self.config,
            corpus,
            split,
            lambda place: open_parallel(place, self._data),
            lambda place, whole: open_parallel(place, unsplit(config) if whole else config),
            as_trained=as_trained,
        )


def hypotheses(
    model: Translator,
    reader: PairReader,
    ids: Sequence[Ids],
    config: DecodingConfig,
    attend: bool = False,
    first: int = 0,
) -> list[list[Hypothesis]]:
    """What is found for sources of some tokens, worked on in batches of about the same length; ``first`` is the number
    of the first of them, by which is drawn."""
    sources = Ragged.of(ids)
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    end, banned = reader.target.end, _banned(reader, attend and config.copy_unknown)
    found: list[list[Hypothesis]] = [[] for _ in ids]
    wide = 1 if config.sample else config.beam
    # drawing goes by the number of a text, so these stay in their order
    for which in _in_order(len(ids)) if config.sample else by_size(sources.lengths, _TOKENS_AT_ONCE // wide):
        side = Side(*(part.to(device) for part in reader.side(sources, which, reader.source.end)))
        some = find(model, side, end, config, banned, attend, first + int(which[0]))
        for number, ones in zip(which, some, strict=True):
            found[number] = ones
    model.train(was_training)
    return found


def _banned(reader: PairReader, copied: bool) -> tuple[int, ...]:
    """The ids that stand for no text; the unknown word is one, unless it is replaced by one of the source."""
    if copied and reader.copies:
        return ()
    return tuple(int(id) for id in reader.target.never if id != reader.target.end)


def _in_order(number: int, size: int = 64) -> list[NDArray[np.int64]]:
    return [np.arange(start, min(start + size, number)) for start in range(0, number, size)]


def record_of(corpus: ParallelCorpus, source: Any, example: str, tokens_per_character: float) -> dict[str, Any]:
    """What ``config.json`` says of a corpus of pairs; ``tokens_per_character`` is of the sources."""
    named = str(source) if isinstance(source, (str, Path)) else None
    facts = {"name": corpus.name, "licence": corpus.card.licence, "digest": corpus.digest}
    sides = {"source_name": corpus.source_name, "target_name": corpus.target_name}
    told = {"example": example, "tokens_per_character": round(tokens_per_character, 4)}
    return {"source": named, **facts, **sides, **told}


__all__ = ["Read", "Texts", "Translation", "TranslationRun", "hypotheses", "record_of"]
