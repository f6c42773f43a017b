"""Bits per character on real recipes after the same time of training, against a plain torch LSTM tuned by hand.

    python -m benchmarks.lm_quality --data DIR [--seconds 90]

DIR holds recipes/recipes.jsonl.xz (73,322 recipes of dpapathanasiou/recipes on GitHub, not part of textdl); the
environment variable TEXTDL_DATA names it too. The first 12,000 are used, the last 5 % of them held out. textdl runs
with its defaults; the peer is `benchmarks.peers` with the settings that did best by hand. Both are evaluated on all of
the held-out text in float32.
"""

from __future__ import annotations

import argparse
import json
import lzma
import os
import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
import torch

import textdl
import textdl.corpus
import textdl.tasks.lm
from benchmarks import peers
from textdl.training.device import pick_precision

RECIPES, HELD_OUT, FIELDS = 12_000, 0.05, ("title", "ingredients", "directions")
#: Found by hand for the plain loop.
TUNED = {"embedding": 64, "batch": 32, "length": 64, "lr": 0.015}


def split(source: Path, folder: Path) -> None:
    """Write the first recipes as train.jsonl, and the last of them as validation.jsonl."""
    with lzma.open(source, "rt", encoding="utf-8") as file:
        lines = list(islice(file, RECIPES))
    cut = round(len(lines) * (1 - HELD_OUT))
    (folder / "train.jsonl").write_text("".join(lines[:cut]), encoding="utf-8")
    (folder / "validation.jsonl").write_text("".join(lines[cut:]), encoding="utf-8")


def ids_of(run: textdl.tasks.lm.LanguageModelRun, corpus: textdl.corpus.Corpus, name: str) -> np.ndarray:
    parts = [np.append(run.tokenizer.encode(text), run.tokenizer.end) for text in corpus.split(name)]
    return np.concatenate(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TEXTDL_DATA"))
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--float32", action="store_true", help="run the peer in float32 too")
    parser.add_argument("--set", action="append", default=[], help="NAME=VALUE, to try another setting of textdl")
    options = parser.parse_args()
    source = Path(options.data or ".") / "recipes" / "recipes.jsonl.xz"
    if not source.is_file():
        sys.exit(f"{source} is missing; name the folder that holds it by --data DIR or TEXTDL_DATA")
    settings = {k: json.loads(v) for k, v in (s.split("=") for s in options.set)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "corpus"
        folder.mkdir()
        split(source, folder)
        run = textdl.train("lm", folder, out=Path(temporary) / "run", minutes=options.seconds / 60,
                           text_field=FIELDS, test=0.0, progress=False, **settings)  # fmt: skip
        report = run.report
        ours = run.evaluate(split="validation")["bits_per_character"]
        print(
            f"textdl, defaults: {ours:.4f} bits per character, {report['units'] / report['seconds']:,.0f} characters/s"
        )
        corpus = textdl.open_corpus(folder, textdl.corpus.CorpusConfig(FIELDS, test=0.0))
        train, held_out = ids_of(run, corpus, "train"), ids_of(run, corpus, "validation")
        best = pick_precision("auto", torch.device("cpu"))
        for precision in dict.fromkeys([best, *([torch.float32] if options.float32 else [])]):
            torch.manual_seed(1)
            peer = peers.Peer.make(run.tokenizer.size, TUNED["embedding"], 256)
            steps, seconds = peers.train(peer, train, batch=TUNED["batch"], length=TUNED["length"], lr=TUNED["lr"],
                                         precision=precision, seconds=options.seconds)  # fmt: skip
            bits = peers.bits_per_token(peer.forward, held_out)
            speed = steps * TUNED["batch"] * TUNED["length"] / seconds
            print(f"plain torch LSTM-256, {precision}: {bits:.4f} bits per character, {speed:,.0f} characters/s")
            print(f"textdl / plain torch: {ours / bits:.4f} (at most 1 wanted)")
    print(f"textdl {ours:.3f} (at most 1.30 wanted)")


if __name__ == "__main__":
    main()
