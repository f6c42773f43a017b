"""Generation speed on a CPU, a text at a time, against a plain torch loop over nn.LSTM (nn.RNN, nn.GRU).

    python -m benchmarks.generation [--hidden 256 --length 2000]

One thread on both sides, the same weights, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import numpy as np
import torch

from benchmarks import peers
from textdl.models.lm import LanguageModel, LanguageModelConfig
from textdl.tasks.generation import steps_of

VOCABULARY, EMBEDDING = 100, 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--length", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    uniforms = np.random.default_rng(1).random(options.length)
    models = [
        (f"{cell}-{hidden}", LanguageModelConfig(cell=cell, layers=1, hidden=hidden, embedding=EMBEDDING, ngrams=0))
        for cell in ("lstm", "gru", "rnn")
        for hidden in options.hidden
    ]
    models.append(("the default model, beside lstm-256", LanguageModelConfig()))
    for name, config in models:
        model = LanguageModel(replace(config, vocabulary=VOCABULARY)).eval()
        if config.cell in peers.CELLS:
            peer = peers.Peer(model.embedding, model.recurrent.layers[0], model.output)
        else:
            peer = peers.Peer.make(VOCABULARY, EMBEDDING, 256)
        start = time.perf_counter()
        steps = steps_of(model)
        state, logits = steps.feed(steps.state(), [0])
        steps.generate(state, logits, 1, uniforms[:1])
        ready = time.perf_counter() - start
        peers.generate(peer, 0, 20)
        ours, theirs = [], []
        for _ in range(options.rounds):
            start = time.perf_counter()
            steps.generate(state, logits, options.length, uniforms)
            ours.append(options.length / (time.perf_counter() - start))
            start = time.perf_counter()
            peers.generate(peer, 0, options.length // 5)
            theirs.append(options.length // 5 / (time.perf_counter() - start))
        a, b = statistics.median(ours), statistics.median(theirs)
        speeds = f"textdl {a:9,.0f}/s  plain torch {b:7,.0f}/s  ratio {a / b:5.1f}"
        print(f"{name}: {speeds}  (ready in {ready:.1f} s)")


if __name__ == "__main__":
    main()
