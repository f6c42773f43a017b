"""IAM-OnDB (Liwicki and Bunke 2005) as it is handed out: a folder of XML files, a line each, and of transcripts.

``lineStrokes/a01/a01-000/a01-000u-01.xml`` holds the strokes of the first line of the form ``a01-000u``, and
``ascii/a01/a01-000/a01-000u.txt`` the text of that form, a line a line, below its heading ``CSR:``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from ..errors import CorpusError
from .checks import checked_points
from .line import Line, Lines, of_strokes
from .markup import read_markup

STROKES, TEXTS = "lineStrokes", "ascii"


def is_iam(folder: Path) -> bool:
    """Whether a folder holds the folders of IAM-OnDB, itself or one folder down."""
    return _strokes(folder) is not None


def _strokes(folder: Path) -> Path | None:
    found = [*sorted(folder.glob(f"{STROKES}*")), *sorted(folder.glob(f"*/{STROKES}*"))]
    return next((path for path in found if path.is_dir()), None)


def read_iam(folder: Path) -> Lines:
    """All lines of the forms whose transcript has as many lines as the form; the group is the form.

    Other forms, lines without a text and lines of fewer than two points are left out; a note counts them.

    Raises:
        CorpusError: there are no such files, an XML file is not well-formed or has a point without a place, or nothing
            is left.
    """
    root = _strokes(folder)
    if root is None:
        raise CorpusError(f"{folder} holds no folder {STROKES}; give the folder that holds {STROKES} and {TEXTS}")
    forms: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(root.rglob("*.xml")):
        forms[path.stem.rpartition("-")[0]].append(path)
    transcripts = {path.stem: path for path in sorted(root.parent.glob(f"{TEXTS}*/**/*.txt"))}
    if not forms or not transcripts:
        what = f"XML files in {root.name}" if not forms else f"transcripts in {TEXTS}"
        raise CorpusError(f"{folder} holds no {what}; give the folder that holds {STROKES} and {TEXTS}")
    made: list[Line] = []
    unmatched = lines_lost = empty = 0
    for form, paths in sorted(forms.items()):
        texts = transcript(transcripts[form]) if form in transcripts else []
        if len(texts) != len(paths):
            unmatched, lines_lost = unmatched + 1, lines_lost + len(paths)
            continue
        for path, text in zip(paths, texts, strict=True):
            points = of_strokes(strokes_of(read_markup(path, "IAM-OnDB XML"), path))
            if not text or len(points) < 2:
                empty += 1
                continue
            made.append(Line(checked_points(points, str(path)), text, form))
    notes = []
    if unmatched:
        notes.append(
            f"{folder}: left out {lines_lost} lines of {unmatched} forms with more or fewer lines of strokes than of "
            "text"
        )
    if empty:
        notes.append(f"{folder}: left out {empty} lines without a text or of fewer than two points")
    if not made:
        raise CorpusError(f"{folder}: no form has as many lines of strokes as of text; restore its files")
    return Lines.of(made, notes)


def transcript(path: Path) -> list[str]:
    """The lines of the section ``CSR:`` of a transcript; none where there is no such section."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path} can not be read ({error.strerror or error})") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = [line.strip() for line in text.splitlines()]
    if "CSR:" not in lines:
        return []
    return [line for line in lines[lines.index("CSR:") + 1 :] if line]


def strokes_of(root: Element, path: Path) -> list[NDArray[np.float64]]:
    """The places of the strokes of a line, each [t, 2], in the order of the file."""
    strokes = []
    for number, stroke in enumerate(root.iter("Stroke"), 1):
        places: list[tuple[float, float]] = []
        for point in stroke.iter("Point"):
            try:
                x, y = float(point.attrib["x"]), float(point.attrib["y"])
            except (KeyError, ValueError):
                x = y = math.nan
            if not (math.isfinite(x) and math.isfinite(y)):
                got = " ".join(f'{key}="{value}"' for key, value in point.attrib.items())
                raise CorpusError(f"{path}, stroke {number}, point {len(places) + 1} must have x and y, got {got[:60]}")
            places.append((x, y))
        strokes.append(np.array(places, np.float64).reshape(-1, 2))
    return strokes
