"""Linear baselines against scikit-learn's TF-IDF with a linear SVM: accuracy and seconds on the same split.

    python -m benchmarks.baselines --data DIR [--method nb-svm linear-svm logistic naive-bayes --repeats 1 --only imdb]

DIR holds any of

    imdb/train_pos.tsv.xz, train_neg.tsv.xz       columns id, rating, text; the last 2,500 of each class by id are held
                                                  out (a random split would put reviews of one film on both sides). The
                                                  first row of train_pos is no review and left out.
    sst2/train_binary_sent.csv.gz, dev_...        columns label, sentence
    sent_conv/raw_rt-polarity.pos.gz, .neg.gz     a text a line, latin-1; ten folds, the same for both sides

or is the first of these folders. Both sides take single words and pairs of words. Seconds are of everything: reading,
features, fitting, scoring what is held out; the sides take turns, and as other programs may run, processor time is told
as well. Compiled loops are made before, once for all.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import lzma
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textdl.baselines.linear import METHODS, LinearClassifier

HELD_OUT = 2500
FOLDS = 10
PEER = "scikit-learn"


class Split(NamedTuple):
    """Texts and labels to learn from, and to judge by."""

    texts: list[str]
    labels: list[int]
    new_texts: list[str]
    new_labels: list[int]


def imdb(folder: Path) -> Iterator[Split]:
    split = Split([], [], [], [])
    for label, name in enumerate(("neg", "pos")):
        with lzma.open(folder / f"train_{name}.tsv.xz", "rt", encoding="utf-8", newline="\n") as file:
            rows = [line.rstrip("\n").split("\t", 2) for line in file][1:]  # the first line names the columns
        rows = sorted(rows[1:] if name == "pos" else rows, key=lambda row: int(row[0]))
        for texts, labels, part in (
            (split.texts, split.labels, rows[:-HELD_OUT]),
            (split.new_texts, split.new_labels, rows[-HELD_OUT:]),
        ):
            texts += [row[2] for row in part]
            labels += [label] * len(part)
    yield split


def sst2(folder: Path) -> Iterator[Split]:
    parts: list[list] = []
    for name in ("train", "dev"):
        with gzip.open(folder / f"{name}_binary_sent.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        parts += [[row["sentence"] for row in rows], [int(row["label"]) for row in rows]]
    yield Split(*parts)


def rt_polarity(folder: Path) -> Iterator[Split]:
    rows: list[tuple[str, int, int]] = []
    for label, name in enumerate(("neg", "pos")):
        with gzip.open(folder / f"raw_rt-polarity.{name}.gz", "rt", encoding="latin-1", newline="\n") as file:
            texts = [line.strip() for line in file if line.strip()]
        order = np.random.default_rng(1).permutation(len(texts)).tolist()
        rows += [(texts[place], label, n % FOLDS) for n, place in enumerate(order)]
    for fold in range(FOLDS):
        old, new = [r for r in rows if r[2] != fold], [r for r in rows if r[2] == fold]
        yield Split([r[0] for r in old], [r[1] for r in old], [r[0] for r in new], [r[1] for r in new])


WARM_UP = Split(["one two", "three four"], [0, 1], ["one"], [0])
CORPORA: dict[str, tuple[Callable[[Path], Iterator[Split]], str, str]] = {
    "imdb": (imdb, "imdb", "train_pos.tsv.xz"),
    "sst2": (sst2, "sst2", "train_binary_sent.csv.gz"),
    "rt-polarity": (rt_polarity, "sent_conv", "raw_rt-polarity.pos.gz"),
}


def predicted(method: str, split: Split) -> np.ndarray:
    """What a side, fitted to a split, says of its new texts."""
    if method != PEER:
        return LinearClassifier(method).fit(split.texts, split.labels).predict(split.new_texts)
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    peer = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LinearSVC())
    return peer.fit(split.texts, split.labels).predict(split.new_texts)


def measured(method: str, splits: Callable[[Path], Iterator[Split]], folder: Path) -> tuple[float, float, float]:
    """Mean accuracy over the splits, seconds and processor seconds, reading included."""
    start, before = time.perf_counter(), time.process_time()
    right = [float(np.mean(predicted(method, split) == np.array(split.new_labels))) for split in splits(folder)]
    return statistics.mean(right), time.perf_counter() - start, time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--only", nargs="+", default=tuple(CORPORA), choices=tuple(CORPORA))
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    there = False
    predicted(PEER, WARM_UP)
    predicted("nb-svm", WARM_UP)
    for name in options.only:
        splits, below, mark = CORPORA[name]
        folder = options.data if (options.data / mark).exists() else options.data / below
        if not (folder / mark).exists():
            print(f"{name}: there is no {mark} in {folder}, left out")
            continue
        there = True
        sides = [*options.method, PEER]
        taken = [{side: measured(side, splits, folder) for side in sides} for _ in range(options.repeats)]
        print(f"{name}\n{'':14}{'accuracy':>10}{'seconds':>10}{'processor':>11}{'of peer':>9}")
        for side in sides:
            accuracy, seconds, processor = (statistics.median(t[side][n] for t in taken) for n in range(3))
            ratio = statistics.median(t[side][2] / t[PEER][2] for t in taken)
            print(f"{side:14}{accuracy:10.2%}{seconds:10.1f}{processor:11.1f}{ratio:9.2f}", flush=True)
    if not there:
        sys.exit(f"there is no corpus in {options.data}; name the folder that holds imdb/, sst2/ or sent_conv/")


if __name__ == "__main__":
    main()
