"""Training speed of `lm` against a plain torch loop: same model, batch, precision and threads, in turns.

The model is the one that torch has: without hashed n-grams, which the plain loop has not.

    python -m benchmarks.lm_speed [--hidden 256 --steps 150 --rounds 3]

Prints characters a second of both, their ratio, and what bfloat16 gains over float32 where the CPU has units for it.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import torch

from benchmarks import peers
from textdl.config import replace
from textdl.tasks.lm import LanguageModelling, LanguageModellingConfig
from textdl.training.device import pick_precision
from textdl.training.trainer import Trainer

BATCH, LENGTH, EMBEDDING = 32, 64, 64


def ours(precision: str, hidden: int, steps: int) -> float:
    settings = {
        "cell": "lstm",
        "layers": 1,
        "hidden": hidden,
        "embedding": EMBEDDING,
        "seq_length": LENGTH,
        "batch_size": BATCH,
        "steps": steps,
        "ngrams": 0,
    }
    settings |= {"precision": precision, "device": "cpu", "evaluations": 1}
    config = replace(LanguageModellingConfig(), settings)
    task = LanguageModelling.prepare("recipes", config, lambda event: None)
    task.metrics = lambda model, at_most: {}  # type: ignore[method-assign]  # the peer evaluates nothing
    task.settle = lambda model: None  # type: ignore[method-assign]
    task.sample = lambda model: ""  # type: ignore[method-assign]
    report = Trainer(config.train).fit(task)
    return report.units / report.seconds


def theirs(precision: torch.dtype, hidden: int, steps: int, ids: np.ndarray, vocabulary: int) -> float:
    torch.manual_seed(1)
    peer = peers.Peer.make(vocabulary, EMBEDDING, hidden)
    done, seconds = peers.train(peer, ids, batch=BATCH, length=LENGTH, lr=0.01, precision=precision, steps=steps)
    return done * BATCH * LENGTH / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--steps", type=int, default=100, help="of a hidden size of 512; as many more of a smaller one")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    task = LanguageModelling.prepare("recipes", LanguageModellingConfig(), lambda event: None)
    ids, vocabulary = np.asarray(task._train.ids), task.tokenizer.size
    default = pick_precision("auto", torch.device("cpu"))
    print(f"threads {torch.get_num_threads()}, default precision {default}, batch {BATCH} x {LENGTH}")
    for hidden in options.hidden:
        medians, steps = {}, round(options.steps * 512 / hidden)
        for name, precision in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
            ours(name, hidden, 5), theirs(precision, hidden, 5, ids, vocabulary)
            pairs = [
                (ours(name, hidden, steps), theirs(precision, hidden, steps, ids, vocabulary))
                for _ in range(options.rounds)
            ]
            a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(x / y for x, y in pairs)
            medians[name] = a, b
            print(f"LSTM-{hidden} {name:<9} textdl {a:9,.0f}/s  plain torch {b:9,.0f}/s  ratio {ratio:.3f} (>= 0.97)")
        chosen = medians[str(default).removeprefix("torch.")][0]
        print(
            f"LSTM-{hidden} textdl's default against the plain float32 loop: {chosen / medians['float32'][1]:.2f} times"
        )


if __name__ == "__main__":
    main()
