"""Train on texts that your program holds, watch the training with a function of your own, and stream what is written.

python examples/own_text.py [--steps 300]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import textdl
from textdl.training.events import Event, Progress

# Any iterable of strings is a corpus; so are a file, a folder, and {"train": ..., "validation": ...}.
MOODS, WEATHERS, PLACES = ("glad", "sad", "calm"), ("rain", "sun", "snow", "fog"), ("hills", "town", "sea")
DIARY = [
    f"I am {mood}: there is {weather} over the {place}.\n" for mood in MOODS for weather in WEATHERS for place in PLACES
]


def watch(event: Event) -> None:
    """An observer is any callable that takes an event."""
    if isinstance(event, Progress) and event.step % 100 == 0:
        print(f"after {event.step} steps: {event.figures['bits_per_character']:.2f} bits per character")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    out = Path(tempfile.mkdtemp()) / "diary"

    settings = {"cell": "gru", "hidden": 64, "seq_length": 32, "batch_size": 16, "steps": options.steps}
    run = textdl.train("lm", DIARY, out=out, observers=[watch], progress=False, **settings)

    for piece in run.generate("I am ", temperature=0.5, seed=1, stream=True):
        print(piece, end="", flush=True)


if __name__ == "__main__":
    main()
