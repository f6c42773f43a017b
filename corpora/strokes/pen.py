"""From a text and a writer's habits to the way of a pen.

A stroke of a glyph is a polyline. It is bent to the writer's hand (slant, width, drifts), rounded, and gone along at
the speed of a hand: slower where the way bends, by the two-thirds power law (Lacquaniti, Terzuolo and Viviani 1983:
speed falls with the cube root of the curvature), and slower where a stroke begins and ends. Places are taken at equal
times. All lengths are units of the fonts, whose capitals are 21 high; y grows downwards.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Way = NDArray[np.float64]  # [t, 2]

#: Lengths between the places that a way is worked out at.
FINE = 0.2
#: A script letter goes on into the next without a lift where they are no further apart.
JOINED = 4.0
SMALL = "abcdefghijklmnopqrstuvwxyz"
CAPITALS = SMALL.upper()


@dataclass(frozen=True)
class Writer:
    """The habits of one writer."""

    name: str
    small: str  # face of small letters
    capital: str  # face of capitals
    other: str  # face of digits and signs
    joins: bool  # goes on from one script letter into the next
    late: bool  # dots and bars at the end of the word
    slant: float  # x for one y upwards
    aspect: float  # width for height
    spacing: float  # between letters
    gap: float  # between words, of a usual one
    growth: float  # of size, over 100 units
    slope: float  # of the base line
    wave: float  # of the base line, height
    rounding: float  # of corners
    tremor: float
    uneven: float  # how letters differ in size and place
    pace: float  # units of way between points, where it is straight


class Glyph(NamedTuple):
    """A character of a face: its strokes from x = 0, base line at y = 0, and how far it takes the pen."""

    strokes: tuple[Way, ...]
    width: float


@functools.cache
def _face(name: str) -> dict[str, Glyph]:
    from HersheyFonts import HersheyFonts

    font = HersheyFonts()
    font.load_default_font(name)
    made = {}
    for character in font.all_glyphs:
        glyph = next(iter(font.glyphs_for_text(character)))
        # Capitals of all faces stand on y = 9.
        strokes = [np.array(stroke, float) - (glyph.left_offset, 9) for stroke in glyph.strokes if len(stroke) > 1]
        short = 0.5 if character == "-" else 1.0  # theirs is a minus
        made[character] = Glyph(tuple(s * (short, 1) for s in strokes), short * float(glyph.char_width))
    return made


def glyph_of(writer: Writer, text: str, at: int) -> tuple[Glyph, str]:
    """The glyph of a character as the writer writes it there, and the face that it is of."""
    character = text[at]
    if character in SMALL:
        face = writer.small
    elif character in CAPITALS:
        # A script capital begins a word; PUSH and BS7 are printed.
        face = writer.capital if text[at + 1 : at + 2] in tuple(SMALL) else "futural"
    else:
        face = writer.other
    return _face(face)[character], face


def strokes_of(writer: Writer, text: str, random: np.random.Generator) -> list[Way]:
    """The strokes of a line in the order of writing, before rounding and speed."""
    strokes: list[Way] = []
    late: list[Way] = []
    pen = 0.0
    open_end = False  # whether the last stroke may go on into the next letter
    for at, character in enumerate(text):
        if character == " ":
            strokes, late, open_end = strokes + late, [], False
            pen += 16 * writer.gap * random.uniform(0.85, 1.15)
            continue
        glyph, face = glyph_of(writer, text, at)
        script = character in SMALL and face in ("scripts", "cursive")
        size = 1 + writer.uneven * random.normal(0, 0.06, 2)
        lift = writer.uneven * random.normal(0, 0.35)
        ways = [stroke * size * (writer.aspect, 1) + (pen, lift) for stroke in glyph.strokes]
        own = ways[1:] if script else []
        if script and open_end and np.hypot(*(ways[0][0] - strokes[-1][-1])) < JOINED:
            strokes[-1] = np.concatenate([strokes[-1], ways[0]])
        else:
            strokes.append(ways[0])
        if writer.late and script:
            late += own
        else:
            strokes += own if script else ways[1:]
        open_end = script and writer.joins and (writer.late or not own)
        loose = 0.0 if script and writer.joins else writer.spacing * random.uniform(0.7, 1.3)
        pen += glyph.width * size[0] * writer.aspect + loose
    return strokes + late


def bent(writer: Writer, way: Way, phase: float) -> Way:
    """A way as it lies on the writer's page: larger or smaller along the line, slanted, on a base line that drifts."""
    x, y = way[:, 0], way[:, 1] * np.exp(writer.growth * way[:, 0] / 100)
    base = writer.slope * x + writer.wave * np.sin(x / 60 + phase)
    return np.stack([x - writer.slant * y, y + base], 1)


def fine(way: Way) -> Way:
    """A polyline at even, small steps."""
    steps = np.hypot(*np.diff(way, axis=0).T)
    keep = np.concatenate([[True], steps > 1e-9])
    way = way[keep]
    along = np.concatenate([[0], np.cumsum(steps[keep[1:]])])
    places = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / FINE)) + 1))
    return np.stack([np.interp(places, along, way[:, 0]), np.interp(places, along, way[:, 1])], 1)


def smoothed(values: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """A running mean [t, C] with a Gaussian weight; the ends stay where they are."""
    reach = max(1, int(3 * width))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-6)) ** 2)
    weights /= weights.sum()
    # Turned round its ends, so that these are means of themselves.
    padded = np.pad(values, ((reach, reach), (0, 0)), "reflect", reflect_type="odd")
    return np.stack([np.convolve(column, weights, "valid") for column in padded.T], 1)


def timed(writer: Writer, way: Way, random: np.random.Generator) -> Way:
    """A fine way at the places where a pen that is asked at equal times would be."""
    steps = np.diff(way, axis=0)
    length = np.hypot(*steps.T)
    along = np.concatenate([[0], np.cumsum(length)])
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    curvature = np.abs(np.gradient(angles)) / FINE if len(angles) > 1 else np.zeros(1)
    curvature = smoothed(curvature[:, None], 4)[:, 0] if len(curvature) > 13 else curvature
    speed = (0.08 / (np.abs(curvature) + 0.08)) ** (1 / 3)
    middle = (along[1:] + along[:-1]) / 2
    speed *= 0.5 + 0.5 * np.clip(np.minimum(middle, along[-1] - middle) / 3, 0, 1)
    speed *= np.exp(0.1 * random.normal())
    times = np.concatenate([[0], np.cumsum(length / speed)])
    count = max(2, round(times[-1] / writer.pace) + 1)
    places = np.interp(np.linspace(0, times[-1], count), times, along)
    return np.stack([np.interp(places, along, way[:, 0]), np.interp(places, along, way[:, 1])], 1)


def written(writer: Writer, text: str, random: np.random.Generator) -> list[Way]:
    """The strokes of a line, each the places of the pen at equal times."""
    phase = random.uniform(0, 2 * np.pi)
    made = []
    for stroke in strokes_of(writer, text, random):
        way = fine(bent(writer, fine(stroke), phase))
        reach = (len(way) - 1) // 2  # a dot is shorter than the rounding
        width = min(writer.rounding / FINE, reach / 3)
        if width > 0.5:
            way = smoothed(way, width)
        way = timed(writer, way, random)
        shake = random.normal(0, writer.tremor, (len(way) + 4, 2))
        made.append(way + (shake[4:] + shake[3:-1] + shake[2:-2] + shake[1:-3] + shake[:-4]) / 5**0.5)
    return made
