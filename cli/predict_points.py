"""``textdl predict RUN X,Y...`` of a run of points."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from .lines import batches, lines_of, typed, whole
from .predict import every_cell, every_class, one_line
from .runs import run_of

BATCH = 4096  # points that are judged at once


def predict_points(
    run: Path, texts: Sequence[str], file: str | None, device: str, best: bool, every: bool, as_json: bool
) -> None:
    """Print label, probability and place of each point."""
    loaded = run_of("points", run, device, best)
    given = iter([whole(text) for text in texts]) if file is None else lines_of(file)
    numbered = enumerate(given, 1)
    for batch in batches(numbered, 1 if file == "-" and typed() else BATCH):
        points = [_place(text, number) for number, text in batch]
        typer.echo("\n".join(_lines(loaded, points, every, as_json)))


def _place(text: str, number: int) -> tuple[float, float]:
    from textdl.errors import CorpusError
    from textdl.plane import LARGEST

    try:
        x, y = (float(part) for part in text.replace(",", " ").replace("\t", " ").split())
    except ValueError:
        x = y = math.nan
    if "_" in text or not (abs(x) <= LARGEST and abs(y) <= LARGEST):  # "_" is a number's grouping to Python alone
        raise CorpusError(
            f"point {number} must be two finite numbers X,Y, at most {LARGEST:g}, got {one_line(text)[:60]!r}"
        )
    return x, y


def _lines(loaded: Any, points: list[tuple[float, float]], every: bool, as_json: bool) -> Iterator[str]:
    for (x, y), row in zip(points, loaded.probabilities(points), strict=True):
        place = int(row.argmax())
        label, sure = loaded.labels[place], round(float(row[place]), 6)
        if as_json:
            record: dict[str, Any] = {"x": x, "y": y, "label": label, "probability": sure}
            if every:
                record["probabilities"] = every_class(loaded.labels, row)
            yield json.dumps(record, ensure_ascii=False)
            continue
        cells = [label, f"{sure:.4f}"]
        if every:
            cells.append(every_cell(loaded.labels, row))
        yield "\t".join(one_line(cell) for cell in (*cells, f"{x:.15g},{y:.15g}"))
