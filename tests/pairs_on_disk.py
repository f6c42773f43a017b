"""Pairs of texts in files of all kinds, for the tests of parallel texts."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from textdl.parallel import Pair, ParallelConfig, open_parallel


def write(path: Path, content: str | bytes | list[dict[str, Any]]) -> Path:
    """A file with some content; records as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(side: int, some: list[Pair]) -> str:
    """One side of pairs, one a line."""
    return "".join(pair[side] + "\n" for pair in some)


def table(some: list[Pair]) -> str:
    """Pairs with a tab between, one a line."""
    return "".join(f"{source}\t{target}\n" for source, target in some)


def archive(path: Path, **members: str | bytes) -> Path:
    """A zip archive with some files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def train(source: Any, /, **settings: Any) -> list[Pair]:
    """All pairs of a corpus, of which nothing is held out."""
    return list(open_parallel(source, ParallelConfig(validation=0, test=0, **settings)).pairs("train"))
