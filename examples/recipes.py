"""Train a character model on the built-in recipes, let it write one, and have that written by hand on a card.

python examples/recipes.py [--minutes 1.5] [--hand-minutes 5] [--out runs/example]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import textdl
from textdl.stroke_corpus import open_strokes
from textdl.strokes.drawing import Block, page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.5)
    parser.add_argument("--hand-minutes", type=float, default=5.0, help="minutes for the hand; 0 for no card")
    parser.add_argument("--hand-lines", type=int, default=None, help="lines that the hand learns from (default: all)")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp()) / "recipes"

    # One call trains: the corpus is read, a tokenizer made, the model fitted, and all of it put into the folder `out`.
    run = textdl.train("lm", "recipes", out=out, minutes=options.minutes)

    # The folder is all that is needed from here on.
    run = textdl.load(out)
    recipe = run.generate("Lemon ", temperature=0.7, seed=1)
    print(recipe)

    # On dishes that it has never seen:
    figures = run.evaluate()
    print(
        f"\n{figures['bits_per_character']:.3f} bits per character on {figures['documents']} recipes of unseen dishes"
    )

    if options.hand_minutes > 0:
        hand = textdl.train(
            "handwriting",
            "strokes",
            out=out.with_name(f"{out.name}-hand"),
            minutes=options.hand_minutes,
            limit=options.hand_lines,
        )
        print(f"card: {card(recipe, hand, out.with_name(f'{out.name}-card.svg'))}")


def card(recipe: str, hand: Any, path: Path) -> Path:
    """Write a recipe by hand, as a page of title, ingredients and steps."""
    # All of it in one hand: that of a line which the model reads before each line that it writes.
    letters = {sign for sign in hand.alphabet if sign.isalpha()} | {" ", ".", ","}
    lines = open_strokes("strokes").lines("train")
    style = next(line for line in lines if len(line.text) > 18 and set(line.text) <= letters)
    known = "".join(sign if sign in hand.alphabet or sign == "\n" else " " for sign in recipe)
    title, *parts = (part for part in known.split("\n\n") if part.strip())

    def written(text: str, width: int) -> list[Any]:
        return hand.write_page(text[:240], width, bias=1.0, prime=style, seed=1) if text.strip() else []

    blocks = [Block(written(title, 24), size=1.3, head=True)]
    for part in parts[:4]:
        rows = part.splitlines()[:12]
        if rows[0][:1].isdigit() and not rows[0].startswith("1."):  # ingredients: each begins with a dot
            blocks += [Block(written(row, 34), indent=1.5, mark="dot") for row in rows]
        else:
            blocks += [Block(written(row, 40)) for row in rows]
    page([block for block in blocks if block.lines], path, title=title.strip())
    return path


if __name__ == "__main__":
    main()
