"""The corpus "circles": the committed file, the script that makes it, and what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import textdl_corpora
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from textdl.plane import PointsConfig, open_points

HOME = Path(textdl_corpora.__file__).parent / "circles"


def test_the_committed_file_is_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "make.py"), "--out", str(tmp_path)], check=True)
    assert (tmp_path / "points.csv").read_bytes() == (HOME / "points.csv").read_bytes()


def test_a_disc_and_a_ring_that_no_line_parts() -> None:
    corpus = open_points("circles", PointsConfig(validation=0, test=0))
    assert (corpus.name, corpus.card.holds, corpus.labels) == ("circles", "points", ("inner", "outer"))
    xy, ring = corpus.points("train")
    assert np.bincount(ring).tolist() == [500, 500]
    assert LogisticRegression().fit(xy, ring).score(xy, ring) < 0.6
    assert ((np.hypot(*xy.T) > 1.3) == ring).mean() > 0.99


def test_what_is_held_out_can_be_told_by_its_neighbours() -> None:
    corpus = open_points("circles")
    assert {split: len(corpus.points(split).xy) for split in corpus.splits} == {
        "train": 775,
        "validation": 116,
        "test": 109,
    }
    near = KNeighborsClassifier(3).fit(*corpus.points("train"))
    assert near.score(*corpus.points("test")) > 0.95
