"""Peak memory and time of `textdl train vectors` on a large text.

    python -m benchmarks.vectors_memory --data DIR [--gigabytes 1 --method skipgram --epochs 1 --threads 2]

The text is what lies in DIR (*.tsv.xz of reviews as `imdb` has them; the last column is the text), written again and
again until it is large enough; one review a line. The command runs in a process of its own, as a user starts it; its
peak memory is the largest resident set that the system saw.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.vocabulary import write_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--method", default="skipgram")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        once, text = Path(name) / "once.txt", Path(name) / "text.txt"
        write_text(options.data, once, 1)
        block = once.read_bytes()
        with text.open("wb") as file:
            while file.tell() < options.gigabytes * 1e9:
                file.write(block)
        del block
        once.unlink()
        command = [sys.executable, "-m", "textdl_cli", "train", "vectors", str(text), "--out", str(Path(name) / "run")]
        command += ["--method", options.method, "--epochs", str(options.epochs), "--threads", str(options.threads)]
        start = time.perf_counter()
        subprocess.run([*command, "--device", "cpu", "--documents", "line"], check=True)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"{options.method}: {text.stat().st_size / 1e9:.2f} GB in {seconds:.0f} s, peak memory {peak:,.0f} MiB;",
            end="",
        )
        print(" at most 1,500 MB is asked of 1 GB")


if __name__ == "__main__":
    main()
