"""Peak memory and speed of encoding a text file larger than one would hold in memory.

    python -m benchmarks.encode_memory [--gigabytes 2 --folder DIR]

Writes a generated text of that size, opens it as `textdl train lm FILE` does, and encodes all three splits to
memory-mapped arrays; each part runs in a process of its own, whose peak resident memory is read from the system.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_text(path: Path, size: int) -> None:
    """Words drawn from a small vocabulary, in lines; a new megabyte each time, so that it does not repeat exactly."""
    generator = random.Random(1)
    words = ["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(2, 9))) for _ in range(5000)]
    with path.open("w") as file:
        written = 0
        while written < size:
            block = "\n".join(" ".join(generator.choices(words, k=12)) for _ in range(15_000)) + "\n"
            written += file.write(block)


def encode(path: Path) -> None:
    """What the task does before it trains."""
    from textdl.corpus import open_corpus
    from textdl.tasks.lm import LanguageModelData
    from textdl.tasks.lm_text import encode_split
    from textdl.text.tokenizers import train_tokenizer

    start, data = time.perf_counter(), LanguageModelData()
    corpus = open_corpus(path, data)
    tokenizer = train_tokenizer((piece for piece, _ in corpus.stream("train")), data)
    counted = time.perf_counter()
    encoded = [encode_split(corpus, name, tokenizer, lambda event: None) for name in corpus.splits]
    done, peak = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    total = sum(len(part) for part in encoded)
    seconds = f"vocabulary {counted - start:.0f} s, digest and encoding {done - counted:.0f} s"
    print(f"{seconds}, {total:,} ids, peak {peak:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--encode", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.encode:
        encode(options.encode)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "large.txt"
        write_text(path, int(options.gigabytes * 1e9))
        environment = os.environ | {"TEXTDL_CACHE": str(Path(folder) / "cache")}
        for turn in ("first time", "again, from the cache"):
            command = [sys.executable, "-m", "benchmarks.encode_memory", "--encode", str(path)]
            done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            print(f"{options.gigabytes:g} GB of text, {turn}: {done.stdout.strip()} (under 1000 MB wanted)")


if __name__ == "__main__":
    main()
