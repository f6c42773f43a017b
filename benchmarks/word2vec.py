"""word2vec against gensim's on the same text: words a second, and how good the vectors are.

    python -m benchmarks.word2vec --data DIR [--method skipgram cbow --seeds 1 2 3 --epochs 5 --threads 2 --limit WORDS]

The text is what lies in DIR or below it (*.tsv.xz of reviews as `imdb` has them; the last column is the text), lower
case, a sentence a line, written to a temporary folder. gensim reads that file as its `corpus_file`, its fastest way.
Settings are equal: 100 dimensions, window 5, 5 negative samples, subsampling 1e-3, words seen 5 times, learning rate
from 0.025 on.

The sides take turns, seed by seed. Words/s are the words of the text, by epochs, over the wall time of the epochs
alone; "whole" has counting and encoding in it too. Compiling is done before and told apart. As other programs may run,
processor time is told as well. Analogies are Google's and WordSim353, as gensim carries them; MEN is read where DIR or
a folder beside it holds a file *MEN*.txt of three columns.

gensim lets the learning rate fall to 1e-4 over the text, but in this mode each of its n threads takes its own share for
the whole, so that an epoch ends at 1 / n of its fall: with two threads and 5 epochs at a tenth of the first rate.
textdl's ends by default at a tenth with skip-gram, at a fifth with CBoW.
"""

from __future__ import annotations

import argparse
import lzma
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textdl.vectors.evaluate import evaluate_analogies, evaluate_similarity
from textdl.vectors.word_vectors import WordVectors

SENTENCE_END = re.compile(r"[.!?]+\s")
WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
DIM, WINDOW, NEGATIVE, SAMPLE, LEAST, LR = 100, 5, 5, 1e-3, 5, 0.025
ASKED = {"skipgram": 5, "cbow": 4}


@dataclass
class Outcome:
    """What one training of one side gave."""

    seconds: float  # of the epochs
    processor: float
    whole: float  # from the file to the vectors
    figures: dict[str, float]


def write_text(folder: Path, out: Path, limit: int | None) -> int:
    """Write the sentences; returns how many words they have."""
    files = sorted(folder.rglob("*.tsv.xz"))
    if not files:
        sys.exit(f"there are no *.tsv.xz in {folder}; name the folder of the reviews as --data")
    words = 0
    with out.open("w", encoding="utf-8") as file:
        for sentence in _sentences(files):
            file.write(" ".join(sentence) + "\n")
            words += len(sentence)
            if limit is not None and words >= limit:
                break
    return words


def _sentences(files: list[Path]) -> Iterator[list[str]]:
    for path in files:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                text = line.rstrip("\n").split("\t")[-1].lower().replace("<br />", ". ")
                for sentence in SENTENCE_END.split(text):
                    if words := WORD.findall(sentence):
                        yield words


def judged(vectors: WordVectors, similar: Path | None) -> dict[str, float]:
    """Analogy, WordSim353 and, where it is there, MEN."""
    from gensim.test.utils import datapath

    figures = {
        "analogy": evaluate_analogies(vectors, datapath("questions-words.txt")).total.accuracy,
        "WordSim": evaluate_similarity(vectors, datapath("wordsim353.tsv")).spearman,
    }
    if similar is not None:
        figures["MEN"] = evaluate_similarity(vectors, similar).spearman
    return figures


def ours(text: Path, method: str, seed: int, options: Any) -> tuple[Outcome, list[float]]:
    from textdl.vectors.word2vec import Word2Vec

    made = Word2Vec(
        method, DIM, WINDOW, NEGATIVE, False, SAMPLE, options.epochs, LR,
        least_count=LEAST, threads=options.threads, seed=seed,
    )  # fmt: skip
    used: list[float] = []
    start = time.perf_counter()
    before = time.process_time()
    made.fit(text, tell=lambda *_: used.append(time.process_time()))
    whole = time.perf_counter() - start
    seconds = sum(made.seconds_)
    # Processor time is seen at the end of each epoch only; the first one's beginning is told by the time it took.
    processor = used[-1] - used[0] if len(used) > 1 else used[0] - before
    processor *= len(used) / max(1, len(used) - 1)
    return Outcome(seconds, processor, whole, judged(made.vectors_, options.similar)), made.losses_


def gensim(text: Path, method: str, seed: int, options: Any) -> Outcome:
    from gensim.models import Word2Vec

    start = time.perf_counter()
    model = Word2Vec(
        vector_size=DIM, window=WINDOW, negative=NEGATIVE, sample=SAMPLE, min_count=LEAST, alpha=LR,
        sg=int(method == "skipgram"), workers=options.threads, seed=seed, epochs=options.epochs,
    )  # fmt: skip
    model.build_vocab(corpus_file=str(text))
    middle, before = time.perf_counter(), time.process_time()
    model.train(
        corpus_file=str(text),
        total_words=model.corpus_total_words,
        total_examples=model.corpus_count,
        epochs=options.epochs,
    )
    end, processor = time.perf_counter(), time.process_time() - before
    vectors = WordVectors.from_gensim(model.wv)
    return Outcome(end - middle, processor, end - start, judged(vectors, options.similar))


def told(side: str, outcome: Outcome, words: int) -> str:
    figures = "  ".join(f"{name} {value:.4f}" for name, value in outcome.figures.items())
    speed = (
        f"{words / outcome.seconds / 1e6:5.2f} M words/s ({words / outcome.processor / 1e6:5.2f} a processor second)"
    )
    return f"  {side:7} {speed}, whole {outcome.whole:6.1f} s  {figures}"


def summary(method: str, pairs: list[tuple[Outcome, Outcome]]) -> None:
    """The ratios and differences over the seeds, beside what is asked."""

    def ratio(name: str) -> str:
        ratios = [getattr(theirs, name) / getattr(mine, name) for mine, theirs in pairs]
        return f"{statistics.median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"

    print(f"{method}: {ratio('seconds')} as fast as gensim; at least {ASKED[method]} is asked")
    print(f"  by processor time {ratio('processor')}; whole {ratio('whole')}")
    for name in pairs[0][0].figures:
        more = [mine.figures[name] - theirs.figures[name] for mine, theirs in pairs]
        asked = {"analogy": "; at least -0.005 is asked", "MEN": "; at least -0.01 is asked"}.get(name, "")
        print(f"  {name} less gensim's {statistics.mean(more):+.4f} ({min(more):+.4f} to {max(more):+.4f}){asked}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--method", nargs="+", choices=sorted(ASKED), default=["skipgram", "cbow"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int, help="use about the first so many words")
    options = parser.parse_args()
    found = sorted([*options.data.rglob("*MEN*.txt"), *options.data.parent.glob("*/*MEN*.txt")])
    options.similar = found[0] if found else None
    with tempfile.TemporaryDirectory() as name:
        text, first = Path(name) / "text.txt", Path(name) / "first.txt"
        words = write_text(options.data, text, options.limit) * options.epochs
        first.write_text("compiled and loaded\n" * LEAST)
        for method in options.method:
            start = time.perf_counter()
            from textdl.vectors.word2vec import Word2Vec

            Word2Vec(method, dim=DIM, epochs=1, threads=1, sample=0.0).fit(first)
            print(f"{method}, {words:,} words in {options.epochs} epochs, {options.threads} threads; ", end="")
            print(f"kernels compiled or loaded in {time.perf_counter() - start:.1f} s", flush=True)
            pairs = []
            for seed in options.seeds:
                mine, losses = ours(text, method, seed, options)
                print(told("textdl", mine, words), " loss", *(f"{loss:.4f}" for loss in losses), flush=True)
                theirs = gensim(text, method, seed, options)
                print(told("gensim", theirs, words), flush=True)
                pairs.append((mine, theirs))
            summary(method, pairs)


if __name__ == "__main__":
    main()
