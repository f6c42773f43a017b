"""The worst mistakes of a classifier of pictures, laid out on one sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..images.sheet import MOST as MOST
from ..images.sheet import contact_sheet

#: Letters of a label in a caption below a small picture, and below a large one.
SHORT, LONG = 10, 24
#: Pixels from which a picture is large.
LARGE = 160


def sheet_path(path: str | Path) -> Path:
    """The path of a sheet.

    Raises:
        ConfigError: it is no .png.
    """
    if Path(path).suffix.lower() != ".png":
        raise ConfigError(f"a sheet of pictures ends in .png, got {Path(path).name!r}")
    return Path(path)


def draw_mistakes(
    pixels: NDArray[np.uint8], mistakes: Sequence[Mapping[str, Any]], path: str | Path, title: str = ""
) -> int:
    """Write the pictures that were judged wrongly as one PNG, the worst first, each above "truth → said, probability".

    Args:
        pixels: [N, H, W, C], the split that was judged.
        mistakes: of each ``index`` (its place in ``pixels``), ``truth`` (None where it is no class of the model),
            ``said`` and ``probability``, as ``run.evaluate(errors=N)`` gives them.
        path: .png.
        title: above the sheet.

    Returns:
        How many were drawn, 1000 at most.

    Raises:
        ConfigError: another suffix, or no mistake.
        RunError: the file can not be written.
    """
    target, some = sheet_path(path), mistakes[:MOST]
    if not some:
        raise ConfigError("there is no mistake to draw; leave --sheet out")
    most = LONG if max(pixels.shape[1:3]) >= LARGE else SHORT
    chosen = np.stack([pixels[mistake["index"]] for mistake in some])
    contact_sheet(target, chosen, [caption(mistake, most) for mistake in some], title=title)
    return len(some)


def caption(mistake: Mapping[str, Any], most: int = LONG) -> str:
    """What stands below a picture: ``7 → 2, 0.998``; a longer label than ``most`` letters is cut."""
    truth = "no class" if mistake["truth"] is None else _shown(mistake["truth"], most)
    return f"{truth} → {_shown(mistake['said'], most)}, {mistake['probability']:.3f}"


def _shown(label: str, most: int) -> str:
    plain = "".join(c if c.isprintable() else " " for c in label)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
