"""Writes the run that is kept of today's format, and beside it what it must give: python tests/kept/write.py

It refuses to write over a kept run: those are never made anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import torch

import textdl
from textdl import artifact

FOLDER = Path(__file__).parent

SUBJECTS, VERBS, PLACES = ("a crow", "the mole", "one hare"), ("hides", "sings", "waits"), ("here", "at home", "there")
SENTENCES = [f"{subject} {verb} {place}" for subject in SUBJECTS for verb in VERBS for place in PLACES]
#: Ten sentences a text, so that the text that is drawn is a long one.
TEXTS = ["".join(f"{SENTENCES[(5 * first + 4 * n) % 27]}.\n" for n in range(10)) for first in range(27)]
SETTINGS: dict[str, Any] = {
    "cell": "sru",
    "hidden": 8,
    "embedding": 4,
    "ngram_rows": 16,
    "seq_length": 32,
    "batch_size": 8,
    "steps": 400,
    "evaluations": 2,
    "lr": 0.03,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}
PROMPT, SEED, LENGTH = "the ", 1, 60
#: Rows of scores that are kept.
ROWS = 3


def expected(run: Any) -> dict[str, object]:
    """What the run must give for ever: a text, scores [ROWS, V] of what follows ids [C + ROWS]; its files' digests."""
    ids = [run.tokenizer.end] * run.model.context + list(map(int, run.tokenizer.encode("mole")[:ROWS]))
    with torch.no_grad():
        logits = run.model(torch.tensor(ids).unsqueeze(1))[0][:, 0]
    files = sorted(path for path in run.path.iterdir() if path.is_file())
    return {
        "textdl": textdl.__version__,
        "format": artifact.FORMAT,
        "prompt": PROMPT,
        "seed": SEED,
        "length": LENGTH,
        "text": run.generate(PROMPT, seed=SEED, length=LENGTH),
        "ids": ids,
        "logits": [[round(score, 6) for score in row] for row in logits.tolist()],
        "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }


def main() -> None:
    out = FOLDER / f"lm-format-{artifact.FORMAT}"
    if out.exists():
        sys.exit(f"{out.name} is there already and is to stay as it is; a new format gives a new name")
    run = textdl.train("lm", {"train": TEXTS, "validation": TEXTS[:3]}, out=out, progress=False, **SETTINGS)
    for hidden in out.glob(".*"):
        hidden.unlink()  # the lock
    out.with_suffix(".json").write_text(json.dumps(expected(run), indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
