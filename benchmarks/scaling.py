"""Training speed of several processes against one, as torchrun starts them (gloo on a CPU, nccl on GPUs).

    python -m benchmarks.scaling [--processes 2 --hidden 256 --steps 120 --rounds 3]

The same batch in all: one process with all of it, then N processes with an N-th each; on a CPU a thread each. In turns,
each as a command of its own; the speed is the median of the log's, evaluations left out. Prints both and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


def characters_per_s(processes: int, out: Path, options: argparse.Namespace) -> float:
    """Median speed of one training."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [
        *(sys.executable, *(launcher if processes > 1 else []), "-m", "textdl_cli", "train", "lm", "recipes"),
        *("--out", str(out), "--quiet", "--cell", options.cell, "--hidden", str(options.hidden), "--layers", "1"),
        *("--ngrams", "0", "--seq-length", "64", "--batch-size", str(options.batch // processes)),
        *("--steps", str(options.steps), "--precision", options.precision, "--device", options.device),
        *("--set", "train.threads=1", "--set", "train.evaluations=1", "--set", "train.evaluate_at_most=2000"),
    ]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    events = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return statistics.median(e["units_per_s"] for e in events if e["event"] == "progress" and e["step"] > 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--batch", type=int, default=64, help="sequences of 64 characters in all processes together")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    one, many = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            one.append(characters_per_s(1, Path(folder) / f"one-{number}", options))
            many.append(characters_per_s(options.processes, Path(folder) / f"many-{number}", options))
    a, b = statistics.median(one), statistics.median(many)
    print(f"{options.cell}-{options.hidden}, {options.precision}, {options.batch} sequences a step")
    print(f"1 process      {a:9,.0f} characters/s")
    print(f"{options.processes} processes    {b:9,.0f} characters/s   ratio {b / a:.2f}")


if __name__ == "__main__":
    main()
