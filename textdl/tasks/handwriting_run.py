"""A trained writer: it writes texts by hand, and is measured.

Legend: T points of a line, N lines.
"""

from __future__ import annotations

import math
import secrets
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .. import artifact
from ..errors import ConfigError, CorpusError, RunError
from ..kernels.pens import Drawn, Pen, PenLayer
from ..models.handwriting import Handwriting
from ..models.mixture_density import LEAST, MOST, STRONGEST, UNIFORMS
from ..models.recurrent import Recurrent
from ..stroke_corpus import StrokeCorpus, StrokesConfig, open_strokes
from ..strokes.checks import checked_points
from ..strokes.drawing_layout import measure
from ..strokes.line import Line, Points, to_strokes
from ..strokes.resampling import evenly
from ..strokes.scaling import Scaling
from .base import Run, command
from .handwriting_batches import figures_of, ids_of, line_by_line, read_written, stepped
from .held_out import held_out, told, unsplit

#: Points that may be written: so many times what a text takes in training, and so many beside.
GENEROUS, BESIDE = 3.0, 100
#: The largest bias, and the most points of a line.
MOST_BIAS, MOST_POINTS = 20.0, 1_000_000
#: Letters of a prime that are so many times as high as high ones of the training, or as much lower, are of other units.
OTHER_UNITS = 1.1
#: What the figures are of, in words.
NORMALISING = (
    "nats of the density of dx, dy times the probability of pen_up, of each point but the first of a line; scaled: "
    "steps over {scale:.6g} raw units, those longer than {longest:.6g} raw units shortened to it; "
    "raw: of the same shortened steps in raw units, 2 log(scale) = {more:+.4f} nats a point more"
)


class HandwritingRun(Run):
    """A trained writer: ``write``, ``write_page`` and ``evaluate``."""

    model: Handwriting

    def __init__(
        self, path: Path, record: Mapping[str, Any], model: Handwriting, data: StrokesConfig, kept: Mapping[str, Any]
    ) -> None:
        super().__init__(path, record, model)
        self._data = data
        #: The characters that can be written, sorted; none of a run of strokes alone.
        self.alphabet: str = kept["alphabet"]
        self.scaling = Scaling.of(kept["scaling"])
        #: Raw units of the pen's way from point to point where they were set anew; None where they were left.
        self.step: float | None = kept.get("step")
        #: Characters of the longest training text, and points of a usual line.
        self.longest_text, self.usual_points = int(kept["longest_text"]), int(kept["usual_points"])
        #: Heights of a small letter in training, in raw units: low, middle, high; None where they are not known.
        self.letters: tuple[float, float, float] | None = kept.get("letters") and tuple(kept["letters"])
        self._pen: Pen | None = None

    @property
    def unconditional(self) -> bool:
        """Whether the run knows strokes alone and writes no given text."""
        return self.model.config.unconditional

    def next_command(self) -> str:
        """What to try with a new run."""
        text = () if self.unconditional else (self._example(),)
        return command("write", self.path, *text, "--out", "hello.svg")

    def _example(self) -> str:
        for text in ("good morning", "hello", "on"):
            if set(text) <= set(self.alphabet):
                return text
        return self.alphabet.strip()[:3]

    def write(
        self,
        text: str | None = None,
        bias: float = 0.0,
        prime: Line | None = None,
        seed: int | None = None,
        most_points: int | None = None,
    ) -> Points:
        """Write one line.

        Writing ends at the first pen-up after which the window over the text sees more of its end than of all else.
        Of a run of strokes alone it ends when there are ``most_points``.

        Args:
            text: what to write; None of a run of strokes alone.
            bias: neatness: 0 writes as people do, with all their slips; 0.5 to 2 more and more neatly.
            prime: a line whose style is carried on: the model first reads its points, with its text before the new one.
                Where its letters are far smaller or larger than in training (other units), they are brought to the
                usual height there.
            seed: the same one writes the same line; a new one each time when none is given.
            most_points: of the line. By default three times what the text takes in training, and 100; of strokes alone
                as many as a usual training line has.

        Returns:
            [T, 3], dx, dy and pen_up in raw units, the first step 0, 0. Where the end of the text was not reached a
            RuntimeWarning says so.

        Raises:
            ConfigError: no text, or one with characters never seen in training; a text for strokes alone; a setting out
                of range.
            CorpusError: the points of ``prime`` are not as they must be.
            RunError: the model says what is no number.
        """
        text = self._checked(text, "text")
        if not 0 <= bias <= MOST_BIAS:
            raise ConfigError(f"bias must be from 0 to {MOST_BIAS:g}, got {bias}")
        if most_points is not None and not 1 <= most_points <= MOST_POINTS:
            raise ConfigError(f"most_points must be from 1 to {MOST_POINTS:,}, got {most_points}")
        pace = self.model.config.pace
        room = most_points or (self.usual_points if text is None else room_for(text, pace))
        seed = secrets.randbits(31) if seed is None else seed
        uniforms = np.random.default_rng(seed).random((room, UNIFORMS))
        begin, before = np.zeros((1, 3), np.float32), ""
        if prime is not None:
            own = self._sized(checked_points(prime.points, "prime"))
            begin = self.scaling.scaled(own if self.step is None else evenly(own, self.step))
            gap = " " if " " in self.alphabet else ""
            before = "" if text is None else f"{self._checked(prime.text, 'the text of prime')}{gap}"
        self._pen = self._pen or pen_of(self.model)
        drawn = written_by(self._pen, text, self.alphabet, uniforms, bias, pace, begin, before)
        if text is not None and not drawn.ended:
            warnings.warn(
                f"{text!r} was cut after {room} points, before its end was reached; give another seed, more bias or "
                "more points (most_points, from Python)",
                RuntimeWarning,
                stacklevel=2,
            )
        return self._line(drawn.points, alone=prime is None)

    def write_page(
        self,
        text: str,
        width: int = 40,
        bias: float = 0.0,
        prime: Line | None = None,
        seed: int | None = None,
        most_points: int | None = None,
    ) -> list[Points]:
        """Write a text of any length: line by line, as :func:`wrapped` breaks it.

        Args:
            width: characters of a line, at most.
            bias, prime, most_points: as of :meth:`write`, of each line.
            seed: line n is drawn with this and n.

        Returns:
            The points of each line, [T, 3]; an empty line has none.

        Raises:
            ConfigError, CorpusError, RunError: as of :meth:`write`, before anything is written where the text is at
                fault.
        """
        lines = wrapped(text, width)
        for line in lines:
            self._refuse_unknown(line, "text")
        self._checked(" ".join(lines), "text")
        seed = secrets.randbits(31) if seed is None else seed
        seeds = np.random.default_rng(seed).integers(0, 2**31, len(lines)).tolist()
        nothing = np.zeros((0, 3), np.float32)
        return [
            self.write(line, bias, prime, own, most_points) if line else nothing
            for line, own in zip(lines, seeds, strict=True)
        ]

    def evaluate(
        self, corpus: Any = None, split: str | None = None, text_field: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Figures on held-out lines.

        Args:
            corpus: anything that ``textdl.stroke_corpus.open_strokes`` takes; that of the training when none is given.
            split: by default ``test`` of the training's corpus or of one that brings such a split, and all of another.
            text_field: strokes have no such field; nothing else than () is taken.

        Returns:
            ``nats_per_point``, ``nats_per_sequence`` of scaled steps, the same with ``raw_`` in raw units, and what
            they are of in words (``normalising``); ``sequences``, ``points``, ``left_out`` (lines with characters that
            the run does not know), ``clipped`` (steps that were shortened); ``corpus``, ``split``, ``same_corpus``.

        Raises:
            CorpusError: no such corpus or split, or no line in it that the run can read.
        """
        if text_field:
            raise ConfigError(f"strokes have no text_field, got {', '.join(text_field)}; leave it out")

        def opened_of(place: Any, whole: bool = False) -> StrokeCorpus:
            data = replace(unsplit(self._data), longest=None) if whole else self._data
            return open_strokes(place, data, texts=not self.unconditional)

        opened, split = held_out(self.config, corpus, split, opened_of, opened_of, "strokes")
        lines = stepped(opened.lines(split), self.step)
        written = read_written(lines, self.alphabet, self.scaling, self.unconditional)
        if not len(written.sizes):
            why = "is empty" if not len(lines) else "has no line whose characters the run knows"
            raise CorpusError(f"the {split} split of {opened.name} {why}; give another one")
        return {
            **figures_of(line_by_line(self.model, written), written.sizes, self.scaling),
            "sequences": len(written.sizes),
            "points": int((written.sizes - 1).sum()),
            "left_out": written.left_out,
            "clipped": self.scaling.outliers(lines),
            "normalising": self._normalising(),
            "corpus": opened.name,
            "split": told(split, opened, opened.config),
            "same_corpus": opened.digest == self.config["corpus"]["digest"],
        }

    def _normalising(self) -> str:
        """What the figures are of, in words."""
        scaling = self.scaling
        told = NORMALISING.format(scale=scaling.scale, longest=scaling.longest_step, more=scaling.raw_nats)
        if self.step is None:
            return told
        return f"{told}; points set anew along the pen's way, every {self.step:.6g} raw units"

    def _sized(self, points: Points) -> Points:
        """The points of a prime, its letters about as high as those of the training lines."""
        if self.letters is None:
            return points
        (low, middle, high), letter = self.letters, measure(to_strokes(points)).letter
        if low / OTHER_UNITS <= letter <= high * OTHER_UNITS:
            return points
        return points * np.array([middle / letter, middle / letter, 1.0], np.float32)

    def _line(self, drawn: Points, alone: bool) -> Points:
        """Drawn points in raw units, as a line of their own."""
        if alone:  # the point that it begins with was not drawn
            drawn = np.concatenate([np.zeros((1, 3), np.float32), drawn])
        made = self.scaling.raw(drawn)
        made[0, :2], made[-1, 2] = 0, 1
        return made

    def _checked(self, text: str | None, what: str) -> str | None:
        """A text that can be written.

        Raises:
            ConfigError: there is none, or one where the run has no use for it; unknown characters.
        """
        if self.unconditional:
            if text:
                raise ConfigError(f"the run was trained on strokes alone and takes no {what}; leave it out")
            return None
        if text is None or not text.strip():
            raise ConfigError(f"{what} must hold something to write, got {text!r}; give some words")
        self._refuse_unknown(text, what)
        return text

    def _refuse_unknown(self, text: str, what: str) -> None:
        if not self.unconditional:
            refuse_unknown(text, self.alphabet, what)


def refuse_unknown(text: str, alphabet: str, what: str = "text") -> None:
    """Refuse characters that were never seen in training, by their names.

    Raises:
        ConfigError: "text has characters that were never seen in training: 'é' (LATIN SMALL LETTER E WITH ACUTE)".
    """
    unknown = sorted(set(text) - set(alphabet))
    if unknown:
        shown = [f"{one!r} ({unicodedata.name(one, f'U+{ord(one):04X}')})" for one in unknown[:8]]
        more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
        raise ConfigError(
            f"{what} has characters that were never seen in training: {', '.join(shown)}{more}; leave them out, or "
            f"write with what there is: {alphabet}"
        )


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most so many characters, broken at spaces; its own line breaks are kept.

    A word that is longer than a line is cut. Runs of spaces and tabs become one space.

    Raises:
        ConfigError: width is less than 1.
    """
    import textwrap

    if width < 1:
        raise ConfigError(f"width must be at least 1 character a line, got {width}")
    lines = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(" ".join(paragraph.split()), width, break_on_hyphens=False) or [""]
    return lines


def room_for(text: str, pace: float) -> int:
    """The most points of a text, where a character takes ``pace`` on average."""
    return math.ceil(GENEROUS * pace * (len(text) + 1)) + BESIDE


def written_by(
    pen: Pen,
    text: str | None,
    alphabet: str,
    uniforms: NDArray[np.float64],
    bias: float,
    pace: float,
    begin: Points | None = None,
    before: str = "",
) -> Drawn:
    """Draw a text (None: strokes alone) after the points ``begin`` [P, 3], scaled, of the text ``before``."""
    ids = np.empty(0, np.int64) if text is None else ids_of(before + text, alphabet).astype(np.int64)
    start = np.zeros((1, 3), np.float32) if begin is None else begin
    return pen.write(ids, start, uniforms, bias, patience=math.ceil(2 * pace))


def pen_of(model: Handwriting) -> Pen:
    """The weights of a model, laid out for the compiled loop."""

    def array(tensor: Tensor) -> NDArray[np.float32]:
        numbers: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
        return numbers

    size, kinds = model.config.hidden, 0 if model.first is None else model.config.characters
    layers, look, look_bias = [], np.zeros((0, size), np.float32), np.zeros(0, np.float32)
    pace = 0.0
    if model.first is not None:
        fed = array(model.first.weight_fed)
        point, bias = array(model.first.weight_x), array(model.first.bias)
        layers.append(PenLayer(point, fed[:, size:], None, fed[:, :size], bias))
        look, look_bias, pace = array(model.first.look.weight), array(model.first.look.bias), model.first.pace
    for part in model.upper:
        assert isinstance(part, Recurrent)
        (layer,) = part.layers
        weight = array(layer.weight_ih_l0)  # type: ignore[arg-type]
        below = weight[:, 3 + kinds :] if layers else None
        bias = array(layer.bias_ih_l0 + layer.bias_hh_l0)  # type: ignore[operator]
        own = array(layer.weight_hh_l0)  # type: ignore[arg-type]
        layers.append(PenLayer(weight[:, :3], weight[:, 3 : 3 + kinds], below, own, bias))
    output, output_bias = array(model.output.weight), array(model.output.bias)
    return Pen(layers, look, look_bias, output, output_bias, pace, (LEAST, MOST, STRONGEST))


def kept_of(path: Path, characters: int) -> dict[str, Any]:
    """What a run keeps of its strokes.

    Args:
        characters: kinds of characters of its model, the end of a text among them.

    Raises:
        RunError: missing or damaged.
    """
    kept = artifact.read_json(path / artifact.STROKES)
    kinds = {"alphabet": str, "scaling": dict, "longest_text": int, "usual_points": int}
    sound = all(isinstance(kept.get(name), kind) for name, kind in kinds.items())
    for numbers in ([kept.get("step") or 1.0], kept.get("letters") or [1.0] * 3):
        sound = sound and isinstance(numbers, list) and all(isinstance(n, int | float) and n > 0 for n in numbers)
    if not sound or len(kept.get("letters") or "123") != 3 or len(kept["alphabet"]) + 1 != characters:
        raise RunError(f"{path / artifact.STROKES} is not what it was; restore it or train again")
    return kept
