"""A corpus of pictures that anybody can judge, and runs that were trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LABELS = ("left", "middle", "right")
#: Place in the test split of the one picture whose label is wrong: a bar on the left that is called right.
WRONG = 4


def bars(count: int, seed: int, colour: bool = False) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Pictures of 12 x 12 with a bright bar on the left, in the middle or on the right, and their labels."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 40, (count, 12, 12, 3 if colour else 1)).astype(np.uint8)
    places = np.arange(count) % 3
    for image, place in zip(pixels, places, strict=True):
        image[:, 4 * place : 4 * place + 4] += np.uint8(200)
    return pixels, np.array(LABELS)[places]


def write_bars(path: Path, colour: bool = False) -> Path:
    """An npz with 90 training pictures, 12 for validation, and 12 for testing of which one has a wrong label."""
    arrays: dict[str, Any] = {}
    for split, count, seed in (("train", 90, 0), ("valid", 12, 1), ("test", 12, 2)):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = bars(count, seed, colour)
    assert arrays["y_test"][WRONG] == "middle"
    arrays["x_test"][WRONG] = arrays["x_test"][0]
    arrays["y_test"][WRONG] = "right"
    np.savez(path, **arrays)
    return path


#: Settings with which each kind of model is trained in a moment; those that see where something is learn the bars.
QUICK: dict[str, dict[str, Any]] = {
    "softmax": {},
    "knn": {},
    "mlp": {"widths": ("16",), "steps": 60, "batch_size": 30},
    "convnet": {"filters": ("6", "8"), "blocks": 1, "steps": 3, "batch_size": 30},
}


def train_bars(folder: Path, model: str, colour: bool = False) -> Path:
    """Train on such a file for a few steps; the folder of the run."""
    import textdl

    source = write_bars(folder / f"bars-{model}.npz", colour)
    run = textdl.train("images", source, out=folder / model, progress=False, model=model, **QUICK[model])
    return Path(run.path)
