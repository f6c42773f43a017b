"""Skip-gram, CBoW, GloVe and counted co-occurrence on the same text, by analogies and similarities.

    python -m benchmarks.vectors_quality --data DIR [--words DIR2 --epochs 5 --dim 100 --methods skipgram cbow ...]

DIR holds reviews as `imdb` does (*.tsv.xz; the last column is the text): lower case, cut into words, a review a line.
The questions are Google's analogies and WordSim-353, which gensim's wheel carries; with --words, a folder that has
EN-MEN-TR-3k.txt, MEN too. Each method is used as `textdl train vectors` does by default, with the window and the passes
that it is usually given (GloVe: 3 times --epochs): the table says what comes out of a text, not which is the best.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.vocabulary import write_text

METHODS = ("skipgram", "cbow", "glove", "ppmi-svd")


def estimator(method: str, dim: int, epochs: int, threads: int, seed: int) -> Any:
    """The method with its usual settings."""
    common = {"dim": dim, "threads": threads, "seed": seed, "least_count": 5}
    if method in ("skipgram", "cbow"):
        from textdl.vectors.word2vec import Word2Vec

        return Word2Vec(method=method, epochs=epochs, lr=0.05 if method == "cbow" else 0.025, **common)
    if method == "glove":
        from textdl.vectors.glove import Glove

        return Glove(window=10, epochs=3 * epochs, x_max=10, **common)
    from textdl.vectors.cooccurrence import CoOccurrence

    return CoOccurrence(window=5, **common)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--words", type=Path, help="folder of similarity sets")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from textdl.vectors.questions import ask

    men = [options.words / "EN-MEN-TR-3k.txt"] if options.words else []
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        write_text(options.data, text, 1)
        for method in options.methods:
            start = time.perf_counter()
            model = estimator(method, options.dim, options.epochs, options.threads, options.seed).fit(text)
            seconds = time.perf_counter() - start
            figures = ask(model.vectors_, "google", ["wordsim353", *men]).figures()
            right, unknown = figures["analogies"]["accuracy"], figures["analogies"]["unknown_share"]
            ranks = "  ".join(f"{name} {each['spearman']:.3f}" for name, each in figures["similarity"].items())
            losses = getattr(model, "losses_", [])
            falls = all(b < a for a, b in itertools.pairwise(losses))
            told = (
                f"  loss {losses[0]:.3f} to {losses[-1]:.3f}, {'falls' if falls else 'DOES NOT FALL'} each epoch"
                if losses
                else ""
            )
            print(
                f"{method:10} {seconds:6.1f} s  analogies {right:.3f} (unknown {unknown:.1%})  {ranks}{told}",
                flush=True,
            )


if __name__ == "__main__":
    main()
