"""How good the taggers are on real sentences, after so many minutes of training without outside data.

    python -m benchmarks.tag --data DIR [--parts pos spans] [--minutes 15] [--seed 1]

`pos`: DIR/ud_english_ewt, universal parts of speech; trained on train, measured on dev. `spans`: DIR/conll2003_ner,
names of people, places, organisations and others; trained on train, measured on testa, span F1 by seqeval in its strict
mode. All settings are the defaults; nothing is held out of train, and nothing is chosen on what is measured on. Beside
them the most frequent tag of each word, and of all words for one never seen.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

import textdl
from textdl.tagged import Sentence, TaggedConfig, open_tagged
from textdl.text.spans import scheme_of, to_iob2


class Part(NamedTuple):
    """A corpus, and what is told of it."""

    folder: str
    split: str
    figure: str
    asked: str


PARTS = {
    "pos": Part("ud_english_ewt", "validation", "accuracy", "94.0 %"),
    "spans": Part("conll2003_ner", "validation", "span_f1", "86 %"),
}


def most_frequent(train: list[Sentence], held_out: list[Sentence]) -> tuple[float, float]:
    """The accuracy, and the span F1, of saying of each word what it mostly is."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in train:
        for token, tag in zip(sentence.tokens, sentence.tags, strict=True):
            seen[token][tag] += 1
    usual = Counter(tag for sentence in train for tag in sentence.tags).most_common(1)[0][0]
    best = {token: counts.most_common(1)[0][0] for token, counts in seen.items()}
    said = [tuple(best.get(token, usual) for token in sentence.tokens) for sentence in held_out]
    pairs = [(a, b) for s, tags in zip(held_out, said, strict=True) for a, b in zip(s.tags, tags, strict=True)]
    accuracy = sum(a == b for a, b in pairs) / len(pairs)
    scheme = scheme_of(s.tags for s in train)
    if scheme is None:
        return accuracy, 0.0
    truth, found = ([to_iob2(tags, scheme) for tags in some] for some in ([s.tags for s in held_out], said))
    return accuracy, float(f1_score(truth, found, mode="strict", scheme=IOB2))


def paired(sentences: list[Sentence]) -> list[list[tuple[str, str]]]:
    """Each word with its tag."""
    return [list(zip(*sentence, strict=True)) for sentence in sentences]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.parts:
        part = PARTS[name]
        place = options.data / part.folder
        if not place.is_dir():
            sys.exit(f"--data: {place} is not there")
        corpus = open_tagged(place, TaggedConfig(validation=0.0, test=0.0))
        train, held_out = list(corpus.sentences("train")), list(corpus.sentences(part.split))
        accuracy, spans = most_frequent(train, held_out)
        told = f"accuracy {accuracy:.2%}" if name == "pos" else f"span F1 {spans:.2%} (accuracy {accuracy:.2%})"
        print(f"{name}  most frequent tag of each word: {told}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            run = textdl.train(
                "tag",
                {"train": paired(train)},
                out=Path(folder) / "run",
                minutes=options.minutes,
                seed=options.seed,
                validation=0.0,
                test=0.0,
                evaluations=1,
                progress=False,
            )
            seconds = time.perf_counter() - start
            figures = run.evaluate(
                {"train": [list(zip(*sentence, strict=True)) for sentence in held_out]}, split="train"
            )
            report = run.report
            print(
                f"{name}  textdl: {part.figure.replace('_', ' ')} {figures[part.figure]:.2%} "
                f"(accuracy {figures['accuracy']:.2%}, of unseen words {figures['unseen_accuracy']:.2%}; "
                f"{report['epochs']:.1f} epochs, {seconds:.0f} s in all)  asked: {part.asked}",
                flush=True,
            )


if __name__ == "__main__":
    main()
