"""Train a character model on the built-in recipes, and let it write one.

python examples/recipes.py [--minutes 1.5] [--out runs/example]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import textdl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.5)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp()) / "recipes"

    # One call trains: the corpus is read, a tokenizer made, the model fitted, and all of it put into the folder `out`.
    run = textdl.train("lm", "recipes", out=out, minutes=options.minutes)

    # The folder is all that is needed from here on.
    run = textdl.load(out)
    print(run.generate("Lemon ", temperature=0.7, seed=1))

    # On dishes that it has never seen:
    figures = run.evaluate()
    print(
        f"\n{figures['bits_per_character']:.3f} bits per character on {figures['documents']} recipes of unseen dishes"
    )


if __name__ == "__main__":
    main()
