"""Counting the words of a text file and turning it into ids, against gensim's scan of the same file for its vocabulary.

    python -m benchmarks.vocabulary --data DIR [--threads 2 --rounds 5 --repeat 1]

The text is what lies in DIR (*.tsv.xz of reviews as `imdb` has them; the last column is the text), lower case, cut into
words, a review a line. Both sides keep words seen five times, and take turns; the median of the rounds is given.
gensim: Word2Vec.build_vocab(corpus_file=...), which only counts. textdl: count_file, and then encode_file.
--repeat N writes the text N times over, for a file larger than it was; the peak memory of textdl is told.
"""

from __future__ import annotations

import argparse
import lzma
import re
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

WORDS = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
LEAST = 5


def write_text(folder: Path, out: Path, repeat: int) -> None:
    files = sorted(folder.rglob("*.tsv.xz"))
    if not files:
        sys.exit(f"there are no *.tsv.xz in {folder}; name the folder of the reviews as --data")
    with out.open("w", encoding="utf-8") as file:
        for _ in range(repeat):
            for path in files:
                with lzma.open(path, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        text = line.rstrip("\n").split("\t")[-1].lower().replace("<br />", " ")
                        file.write(" ".join(WORDS.findall(text)) + "\n")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=1)
    options = parser.parse_args()

    from textdl.text.vocabulary import VocabularyConfig, count_file, encode_file

    config = VocabularyConfig(least_count=LEAST)
    with tempfile.TemporaryDirectory() as name:
        path, out = Path(name) / "text.txt", Path(name) / "text.ids"
        write_text(options.data, path, options.repeat)
        first = Path(name) / "first.txt"
        first.write_text("compiled and loaded\n" * LEAST)
        loading = timed(lambda: encode_file(first, count_file(first, config)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        vocabulary = count_file(path, config, threads=options.threads)
        words = len(encode_file(path, vocabulary, out, threads=options.threads))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = path.stat().st_size / 1e6
        print(f"{size:,.0f} MB, {vocabulary.seen:,} words, {len(vocabulary):,} kept, {words:,} ids; ", end="")
        print(f"numba and kernels loaded in {loading:.2f} s; peak memory {peak:,.0f} MiB ({before:,.0f} before)")

        from gensim.models import Word2Vec

        counting, encoding, theirs = [], [], []
        for _ in range(options.rounds):
            counting.append(timed(lambda: count_file(path, config, threads=options.threads)))
            encoding.append(timed(lambda: encode_file(path, vocabulary, threads=options.threads)))
            model = Word2Vec(min_count=LEAST, vector_size=1, workers=options.threads)
            theirs.append(timed(lambda model=model: model.build_vocab(corpus_file=str(path))))
        ours = [a + b for a, b in zip(counting, encoding, strict=True)]
        assert [*vocabulary.words][:100] == sorted(
            model.wv.index_to_key, key=lambda w: (-model.wv.get_vecattr(w, "count"), w)
        )[:100]
    a, b, c = map(statistics.median, (counting, encoding, theirs))
    print(f"textdl, {options.threads} threads: counting {a:.2f} s, encoding {b:.2f} s; gensim: counting {c:.2f} s")
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); at least 3 is asked")


if __name__ == "__main__":
    main()
