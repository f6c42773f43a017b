"""The corpus "spirals": the committed file, the script that makes it, and what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import textdl_corpora
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from textdl.plane import PointsConfig, open_points

HOME = Path(textdl_corpora.__file__).parent / "spirals"


def test_the_committed_file_is_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HOME / "make.py"), "--out", str(tmp_path)], check=True)
    assert (tmp_path / "points.csv").read_bytes() == (HOME / "points.csv").read_bytes()


def test_two_arms_that_no_line_parts() -> None:
    corpus = open_points("spirals", PointsConfig(validation=0, test=0))
    assert (corpus.name, corpus.card.holds, corpus.labels) == ("spirals", "points", ("first", "second"))
    xy, arm = corpus.points("train")
    assert np.bincount(arm).tolist() == [500, 500]
    assert 0.5 < LogisticRegression().fit(xy, arm).score(xy, arm) < 0.72, "the card says two in three"
    # turned back by the angle that belongs to its distance, each arm lies at an angle of its own
    distance, angle = np.hypot(*xy.T) / 3, np.arctan2(xy[:, 1], xy[:, 0])
    rest = np.cos(angle - 3 * np.pi * (distance - 0.15) / 0.85)
    outside = distance > 0.3  # nearer the middle the noise is as large as the distance
    assert ((rest < 0) == arm)[outside].mean() > 0.99


def test_what_is_held_out_can_be_told_by_its_neighbours() -> None:
    corpus = open_points("spirals")
    assert {split: len(corpus.points(split).xy) for split in corpus.splits} == {
        "train": 781,
        "validation": 111,
        "test": 108,
    }
    near = KNeighborsClassifier(3).fit(*corpus.points("train"))
    assert near.score(*corpus.points("test")) > 0.95
