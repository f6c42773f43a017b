"""Pictures, PNG, JPEG and the like, as arrays; and arrays of one shape from those of another.

Each picture is brought to 8 bits, grey or red, green and blue: what is transparent lies on white, 16 bits of grey
become the nearest of 256 steps, palettes are looked up, and a photograph is turned as its camera says (EXIF
orientation). Of an animation it is the first frame. What is not whole is refused.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .part import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

#: Endings of the files that are read. These decoders are in wide use and Pillow's own fuzzing covers them.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".pgm", ".ppm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM")
#: Pixels that one picture may declare: 8192 x 8192.
MOST_PIXELS = 1 << 26

T = TypeVar("T")

_ORIENTATION = 0x0112
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")
# Weights of red, green and blue in a grey value (ITU-R BT.601), in parts of 2 ** 16, as Pillow has them.
_LUMA = (19595, 38470, 7471)


@dataclass(frozen=True)
class Look:
    """What the head of a picture says: its size as it will be seen, and whether it has colours."""

    height: int
    width: int
    colour: bool


def look_at(source: Any, name: str) -> Look:
    """The head of a picture; its pixels are not unpacked.

    Args:
        source: a path, the bytes of a file, or a picture of Pillow.
        name: what to call it in a message.

    Raises:
        CorpusError: no picture, damaged, or of more than :data:`MOST_PIXELS` pixels.
    """
    return _with(source, name, _look)


def read_picture(source: Any, name: str) -> Pixels:
    """A picture as [H, W, C], C 1 if it is grey and 3 if it has colours.

    Raises:
        CorpusError: as :func:`look_at`; it is cut short.
    """
    return _with(source, name, _pixels)


def fitted(images: Pixels, shape: tuple[int, int, int]) -> Pixels:
    """Images [N, h, w, c] in another shape: [N, H, W, C].

    Colours become grey by the weights of ITU-R BT.601; grey becomes three equal channels. Another size is reached
    without distortion: an image is scaled (bicubic) until it just fits, put in the middle, and what is left around it
    is filled with its background, the median of the pixels at its border, each channel for itself.
    """
    height, width, channels = shape
    if images.shape[3] == 3 and channels == 1:
        grey = images.astype(np.uint32) @ np.array(_LUMA, np.uint32) + np.uint32(1 << 15)
        images = (grey >> np.uint32(16)).astype(np.uint8)[..., None]
    elif images.shape[3] == 1 and channels == 3:
        images = np.repeat(images, 3, axis=3)
    if images.shape[1:3] == (height, width):
        return images
    made = np.empty((len(images), height, width, channels), np.uint8)
    for place, image in zip(made, images, strict=True):
        _fit(image, place)
    return made


def background(image: Pixels) -> NDArray[np.uint8]:
    """The median [C] of the pixels [H, W, C] at the border."""
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    middle: NDArray[np.uint8] = np.median(border, axis=0).astype(np.uint8)
    return middle


def _fit(image: Pixels, place: Pixels) -> None:
    from PIL import Image

    (height, width), (high, wide) = image.shape[:2], place.shape[:2]
    scale = min(high / height, wide / width)
    # An extremely long picture keeps one pixel of its short side.
    h, w = max(1, min(high, round(height * scale))), max(1, min(wide, round(width * scale)))
    squeezed = image[..., 0] if image.shape[2] == 1 else image
    scaled = np.asarray(Image.fromarray(np.ascontiguousarray(squeezed)).resize((w, h), Image.Resampling.BICUBIC))
    place[:] = background(image)
    top, left = (high - h) // 2, (wide - w) // 2
    place[top : top + h, left : left + w] = scaled.reshape(h, w, -1)


def _with(source: Any, name: str, work: Callable[[Image], T]) -> T:
    """``work`` of an opened picture; whatever goes wrong in a decoder becomes one line with the name."""
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd heads: the checks below are ours
            if isinstance(source, Image.Image):
                _check_size(source, name)
                return work(source)
            file = io.BytesIO(source) if isinstance(source, (bytes, bytearray)) else Path(source)
            with Image.open(file, formats=FORMATS) as image:
                _check_size(image, name)
                return work(image)
    except CorpusError:
        raise
    except Image.DecompressionBombError:
        raise CorpusError(f"{name} declares more than the {MOST_PIXELS:,} pixels allowed; scale it down") from None
    except UnidentifiedImageError:
        raise CorpusError(f"{name} is no picture, or damaged; what is read is {', '.join(FORMATS)}") from None
    except OSError as error:
        if error.errno:
            raise CorpusError(f"{name} can not be read: {error.strerror}") from None
        raise _damaged(name, error) from None
    except Exception as error:  # whatever a decoder may raise of bytes that make no sense
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> CorpusError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return CorpusError(f"{name} is damaged or cut short ({reason}); fetch or save it again, or take it out")


def _check_size(image: Image, name: str) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise CorpusError(
            f"{name} declares {width} x {height} pixels, and {MOST_PIXELS:,} are allowed in one picture; scale it down"
        )
    if width < 1 or height < 1:
        raise CorpusError(f"{name} declares {width} x {height} pixels; take it out")


def _orientation(image: Image) -> int:
    """1 to 8, as the EXIF data say; 1 where they say nothing that makes sense."""
    if "exif" not in image.info:
        return 1
    try:
        said = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # data about a picture, in whatever state, are no reason to refuse it
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1


def _look(image: Image) -> Look:
    width, height = image.size
    if _orientation(image) > 4:
        width, height = height, width
    return Look(height, width, _has_colour(image))


def _has_colour(image: Image) -> bool:
    """By the mode, or by the whole palette where it has one: the pixels need not be unpacked for it."""
    if image.mode in _GREY:
        return False
    if image.mode in ("P", "PA") and image.palette is not None:
        mode, palette = image.palette.mode, bytes(image.palette.palette)
        values = np.frombuffer(palette[: len(palette) // len(mode) * len(mode)], np.uint8).reshape(-1, len(mode))
        return mode[:3] != "RGB" or bool((values[:, :1] != values[:, 1:3]).any())
    return True


def _pixels(image: Image) -> Pixels:
    from PIL import Image as Pillow

    colour, turn = _has_colour(image), _orientation(image)
    image.load()
    if image.mode.startswith("I"):
        # 16 bits, whatever Pillow keeps them in.
        deep = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        flat = Pillow.fromarray(((deep + 128) // 257).astype(np.uint8))
    elif image.has_transparency_data:
        clear = image.convert("RGBA")
        white = Pillow.new("RGBA", image.size, (255, 255, 255, 255))
        flat = Pillow.alpha_composite(white, clear)
    else:
        flat = image
    turns = Pillow.Transpose
    way = {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }
    if turn in way:
        flat = flat.transpose(way[turn])
    flat = flat.convert("RGB" if colour else "L")
    return np.array(flat, np.uint8).reshape(flat.height, flat.width, 3 if colour else 1)
