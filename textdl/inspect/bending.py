"""How hidden layers bend the plane until its classes are parted by a straight line: a moving picture, a still, a page.

A panel shows the plane, or what a layer makes of it: its two territories, its grid, its points, and as a dark line the
border, which is a curve at first and straight behind the last layer.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import artifact
from ..errors import ConfigError, RunError
from ..tasks.base import load
from ..tasks.points_run import PointsRun
from ..text.visible import visible
from .bending_page import page
from .bending_scene import COLOURS, Floats, Scene, divided, net, scene_of

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw as Drawing

ENDINGS = (".gif", ".html", ".htm", ".png")
#: Pixels of a panel's side in a moving picture and in a still, of the space about it, and above it for words.
SIDE, STILL, SPACE, HEAD, FOOT = 340, 250, 14, 30, 34
#: Everything is drawn so much larger, and then made smaller, for smooth edges.
FINER = 2
#: Cells of the net that is drawn along a side, lines of the visible grid, points of a panel.
CELLS, LINES, POINTS = 48, 13, 400
#: Frames of the training and of the way through the layers; hundredths of a second of one, and of a pause.
TRAINING, LAYERS, PACE, PAUSE = 44, 40, 8, 120
INK, QUIET, GROUND, FRAME = "#1b1f24", "#5a636e", "#ffffff", "#c9ced5"


class Frame(NamedTuple):
    """A picture of two panels: the moment of the training, the depth of the right one, and how long it stays."""

    moment: float
    depth: float
    pause: int


def draw_bending(run: PointsRun | str | Path, out: str | Path) -> None:
    """Draw how a run of the task ``points`` bends the plane, and write it atomically.

    Args:
        run: the run, or its folder.
        out: ``.gif``: the training, then the way through the layers; ``.html``: a page on which both are moved by hand,
            which needs nothing from the net; ``.png``: a still of stages and moments.

    Raises:
        ConfigError: an unknown suffix.
        RunError: the run is of another task, or the file can not be written.
    """
    target = Path(out)
    if target.suffix.lower() not in ENDINGS:
        raise ConfigError(f"bending is drawn as .gif, .html or .png, got {target.name!r}")
    loaded = run if isinstance(run, PointsRun) else load(run)
    if not isinstance(loaded, PointsRun):
        raise RunError(f"{run} is a {loaded.config['task']} model, which bends no plane; give a run of task points")
    scene = scene_of(loaded)
    title = f"{loaded.path.name}: {' → '.join(map(str, scene.sizes))}, {scene.activation}"
    match target.suffix.lower():
        case ".gif":
            artifact.write_atomic(target, _gif(scene, title))
        case ".png":
            artifact.write_atomic(target, _png(_still(scene, title)))
        case _:
            artifact.write_atomic(target, page(scene, title))


def storyboard(scene: Scene) -> list[Frame]:
    """The frames: the training, seen behind the last layer; then the way of the trained plane through the layers."""
    last, deep = len(scene.after) - 1, scene.depth
    # most happens early
    training = [Frame(last * (n / TRAINING) ** 1.4, deep, PACE) for n in range(TRAINING + 1)] if last else []
    frames = [*training[:-1], Frame(last, deep, PAUSE)]
    each = max(3, LAYERS // deep)
    for layer in range(deep):
        frames.append(Frame(last, layer, PAUSE))
        for step in range(1, each):
            share = step / each
            frames.append(Frame(last, layer + share * share * (3 - 2 * share), PACE))
    return [*frames, Frame(last, deep, 3 * PAUSE)]


def _gif(scene: Scene, title: str) -> bytes:
    from PIL import Image

    frames = storyboard(scene)
    palette = _pair(scene, frames[-1], title).quantize(96, method=Image.Quantize.MEDIANCUT)
    pictures = [_pair(scene, frame, title).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    held = io.BytesIO()
    durations = [10 * frame.pause for frame in frames]
    pictures[0].save(
        held, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    return held.getvalue()


def _pair(scene: Scene, frame: Frame, title: str) -> Image:
    """One frame: the plane as it is, and as it lies at a depth."""
    sheet = _Sheet(2 * SIDE + 3 * SPACE, SIDE + 2 * HEAD + FOOT)
    weights = scene.at(frame.moment)
    sheet.words(SPACE, 6, title, 15, INK)
    for number, depth in enumerate((0.0, frame.depth)):
        left = SPACE + number * (SIDE + SPACE)
        sheet.words(left, HEAD + 6, stage_called(scene, depth), 14, QUIET)
        sheet.panel(left, 2 * HEAD, SIDE, scene, weights, depth)
    _legend(sheet, scene, 2 * HEAD + SIDE + 9, _after(scene, frame.moment, weights))
    return sheet.finished()


def _still(scene: Scene, title: str) -> Image:
    """Stages after the training in the upper row, the last stage at moments of it in the lower."""
    number = min(5, scene.depth + 1)
    stages = np.unique(np.linspace(0, scene.depth, number).round())
    moments = np.unique(((len(scene.after) - 1) * np.linspace(0, 1, number) ** 2).round())
    columns = max(len(stages), len(moments), 2)
    sheet = _Sheet(columns * (STILL + SPACE) + SPACE, 2 * (STILL + HEAD) + HEAD + FOOT)
    sheet.words(SPACE, 6, title, 15, INK)
    end = scene.weights[-1]
    for place, depth in enumerate(stages):
        left = SPACE + place * (STILL + SPACE)
        sheet.words(left, HEAD + 8, stage_called(scene, depth), 13, QUIET)
        sheet.panel(left, 2 * HEAD, STILL, scene, end, float(depth))
    for place, moment in enumerate(moments):
        left, weights = SPACE + place * (STILL + SPACE), scene.at(float(moment))
        sheet.words(left, 2 * HEAD + STILL + 8, _after(scene, float(moment), weights), 13, QUIET)
        sheet.panel(left, 3 * HEAD + STILL, STILL, scene, weights, scene.depth)
    _legend(sheet, scene, 3 * HEAD + 2 * STILL + 9, "lower row: the last hidden layer while it learned")
    return sheet.finished()


def stage_called(scene: Scene, depth: float) -> str:
    """A stage in words."""
    below = int(depth)
    if depth > below:
        before = "the plane" if below == 0 else f"hidden layer {below}"
        return f"from {before} to hidden layer {below + 1}"
    if below == 0:
        return "the plane as it is"
    return f"hidden layer {below} of {scene.depth} ({scene.sizes[below]} wide)"


def _after(scene: Scene, moment: float, weights: Floats) -> str:
    batches = np.interp(moment, np.arange(len(scene.after)), scene.after)
    return f"after {batches:,.0f} batches: {scene.accuracy(weights):.1%} right"


def _legend(sheet: _Sheet, scene: Scene, top: int, words: str) -> None:
    """The classes with their marks at the left, words at the right."""
    left = SPACE + 4
    for number, label in enumerate(scene.labels[: len(COLOURS)]):
        shown = visible(" ".join(label.split()))
        shown = shown if len(shown) <= 16 else shown[:15] + "…"
        if left + sheet.width_of(shown, 14) > sheet.width - sheet.width_of(words, 14) - 60:
            break
        sheet.mark(left + 4, top + 9, number, 5)
        sheet.words(left + 16, top, shown, 14, INK)
        left += 34 + sheet.width_of(shown, 14)
    sheet.words(sheet.width - SPACE - sheet.width_of(words, 14), top, words, 14, INK)


class _Sheet:
    """A picture in the making; all lengths are pixels of the finished one."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self._size = width, (width, height)
        self._image = Image.new("RGB", (width * FINER, height * FINER), GROUND)
        self._draw: Drawing = ImageDraw.Draw(self._image)

    def finished(self) -> Image:
        """The picture."""
        from PIL import Image

        return self._image.resize(self._size, Image.Resampling.BOX)

    def words(self, left: float, top: float, text: str, size: int, colour: str) -> None:
        """A line of words."""
        self._draw.text((left * FINER, top * FINER), text, fill=colour, font=_font(size * FINER))

    def width_of(self, text: str, size: int) -> int:
        """How wide a line of words is."""
        return round(float(_font(size * FINER).getlength(text)) / FINER)

    def mark(self, x: float, y: float, number: int, size: float) -> None:
        """A point of a class, its middle at x, y."""
        self._marks(np.array([[x, y]]) * FINER, number, size * FINER, self._draw)

    def panel(self, left: int, top: int, side: int, scene: Scene, weights: Floats, depth: float) -> None:
        """The plane at a depth."""
        from PIL import Image, ImageDraw

        size = side * FINER
        inner = Image.new("RGB", (size, size), "#fbfbfa")
        draw = ImageDraw.Draw(inner)

        def place(drawn: Floats) -> Floats:
            return np.asarray((np.clip(drawn, -3, 3) * [1, -1] + 1) * size / 2)

        last = depth - (scene.depth - 1)  # how near the last stage is
        if last > 0:
            self._halves(inner, scene, weights, last)
        half = 1 / float(scene.views[0].turn[0, 0])

        def told(places: Floats) -> Floats:
            return scene.stages(weights, places)[1]

        cells, pieces = divided(net(half, CELLS + 1) + scene.views[0].centre, told)
        for winner, forms in cells:
            tint = _tint(winner, 0.24)
            drawn, _ = scene.drawn(weights, forms.reshape(-1, 2), depth)
            for form in place(drawn).reshape(len(forms), -1).tolist():
                draw.polygon(form, fill=tint, outline=tint)
        self._grid(draw, scene, weights, depth, half, place)
        ends = place(scene.drawn(weights, pieces.reshape(-1, 2), depth)[0]).reshape(-1, 4)
        if last >= 1:
            _, straight = divided(net(1.0, CELLS + 1), lambda places: scene.told_at(weights, places))
            if len(scene.labels) == 2 and len(straight):  # one line, drawn at a stroke
                spots = straight.reshape(-1, 2)
                along = np.linalg.svd(spots - spots.mean(axis=0))[2][0]
                straight = spots[[(spots @ along).argmin(), (spots @ along).argmax()]]
            ends = np.concatenate([ends, place(straight).reshape(-1, 4)])
        for piece in ends.tolist():
            draw.line(piece, fill=INK, width=2 * FINER)
        points, _ = scene.drawn(weights, scene.points[:POINTS], depth)
        for number in range(len(scene.labels)):
            self._marks(place(points[scene.truth[:POINTS] == number]), number, 2.6 * FINER, draw)
        draw.rectangle((0, 0, size - 1, size - 1), outline=FRAME, width=FINER)
        self._image.paste(inner, (left * FINER, top * FINER))

    def _halves(self, image: Image, scene: Scene, weights: Floats, share: float) -> None:
        """The territories behind the last layer, over the whole panel, the fainter the farther it is."""
        from PIL import Image

        small = 2 * CELLS
        line = (np.arange(small) + 0.5) / small * 2 - 1
        places = np.stack(np.meshgrid(line, -line), axis=-1).reshape(-1, 2)
        winners = scene.told_at(weights, places).argmax(axis=1)
        tints = np.array([_rgb(_tint(number, 0.10 * share)) for number in range(len(scene.labels))], np.uint8)
        flat = Image.fromarray(tints[winners].reshape(small, small, 3))
        image.paste(flat.resize(image.size, Image.Resampling.BILINEAR))

    def _grid(self, draw: Drawing, scene: Scene, weights: Floats, depth: float, half: float, place: Any) -> None:
        """Lines that are straight on the plane as it is."""
        along, across = np.linspace(-half, half, 2 * CELLS + 1), np.linspace(-half, half, LINES)
        for one in across:
            for line in (
                np.stack([along, np.full_like(along, one)], axis=1),
                np.stack([np.full_like(along, one), along], axis=1),
            ):
                drawn, _ = scene.drawn(weights, line + scene.views[0].centre, depth)
                draw.line(place(drawn).ravel().tolist(), fill="#9fa8b2", width=1)

    def _marks(self, places: Floats, number: int, size: float, draw: Drawing) -> None:
        """Points of one class, told apart by form too."""
        colour = COLOURS[number % len(COLOURS)]
        corners = _FORMS[number % len(_FORMS)]
        for x, y in places.tolist():
            if corners is None:
                draw.ellipse((x - size, y - size, x + size, y + size), fill=colour, outline=GROUND)
            else:
                form = [(x + 1.15 * size * a, y + 1.15 * size * b) for a, b in corners]
                draw.polygon(form, fill=colour, outline=GROUND)


#: A circle, then corners: a square, a triangle, a diamond.
_FORMS: tuple[tuple[tuple[float, float], ...] | None, ...] = (
    None,
    ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)),
    ((0, -1.1), (1, 0.8), (-1, 0.8)),
    ((0, -1.15), (1.15, 0), (0, 1.15), (-1.15, 0)),
)


def _tint(number: int, share: float) -> str:
    """A class's colour on white."""
    mixed = [round(255 + (part - 255) * share) for part in _rgb(COLOURS[number % len(COLOURS)])]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _font(size: int) -> Any:
    """The letters of every picture here, those that matplotlib brings."""
    if size not in _FONTS:
        from matplotlib import get_data_path
        from PIL import ImageFont

        _FONTS[size] = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
    return _FONTS[size]


_FONTS: dict[int, Any] = {}


def _png(image: Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()
