"""Train a small translator, look for several translations of a sentence, and see what each word looked at.

python examples/translate.py --minutes 3
"""

import argparse
import tempfile
from pathlib import Path

import textdl


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Any pairs will do: two files, a table, [(source, target), ...]. These words are few enough to be tokens.
        run = textdl.train(
            "translate",
            "phrases-en-es",
            out=Path(folder) / "run",
            minutes=options.minutes,
            tokenizer="words",
        )
        text = "These grey scarves cost four euros."
        for one in run.translations([text], n_best=3)[0]:
            print(f"{one.score:7.3f}  {one.text}")
        # Each row of the weights is a word of the translation, and sums to one over the words of the text.
        found = run.attention(text)
        for word, weights in zip(found.target, found.weights, strict=True):
            print(f"{word:<12} looked at {found.source[weights.argmax()]}")


if __name__ == "__main__":
    main()
