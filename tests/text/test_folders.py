"""Which files of a folder are read, and as what."""

from __future__ import annotations

from pathlib import Path

import pytest

from textdl.errors import CorpusError
from textdl.text.folders import split_called, splits_of


@pytest.mark.parametrize(
    "names, splits",
    [
        (["b.txt", "a.jsonl", "deep/c.csv.gz"], {"train": ["a.jsonl", "b.txt", "deep/c.csv.gz"]}),
        (
            ["train.txt", "val.txt", "test.txt", "other.txt"],
            {"train": ["train.txt"], "validation": ["val.txt"], "test": ["test.txt"]},
        ),
        (["train.csv", "dev.csv.xz"], {"train": ["train.csv"], "validation": ["dev.csv.xz"]}),
        (
            ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"],
            {
                "train": ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"],
                "test": ["test-00000-of-00001.parquet"],
            },
        ),
        (["ptb.train.txt", "ptb.valid.txt"], {"train": ["ptb.train.txt"], "validation": ["ptb.valid.txt"]}),
        (
            ["train/pos/1.txt", "train/neg/1.txt", "test/pos/1.txt"],
            {"train": ["train/neg/1.txt", "train/pos/1.txt"], "test": ["test/pos/1.txt"]},
        ),
        # A word within a name is not a split when other files have none; without a train there are no splits.
        (["the-test-of-time.txt", "train-to-nowhere.txt", "z.txt"], None),
        (["test.txt", "val.txt"], None),
        (["a.txt", "README.md", "LICENSE.txt", ".hidden.txt", ".git/b.txt", "a.npz"], {"train": ["a.txt"]}),
    ],
)
def test_splits(names: list[str], splits: dict[str, list[str]] | None, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = {split: [p.relative_to(tmp_path).as_posix() for p in paths] for split, paths in splits_of(tmp_path).items()}
    assert found == ({"train": sorted(names)} if splits is None else splits)


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="it is empty"):
        splits_of(tmp_path)
    (tmp_path / "train.de").write_text("x")
    with pytest.raises(CorpusError, match=r"reads in a folder \(.txt .*it holds train.de"):
        splits_of(tmp_path)


def test_other_names_of_splits() -> None:
    assert [split_called(name) for name in ("dev", "Valid", "val", "training", "unsupervised")] == [
        "validation",
        "validation",
        "validation",
        "train",
        "unsupervised",
    ]
