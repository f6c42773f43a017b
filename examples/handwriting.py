"""Train a writer on the built-in pen strokes, and let it write: a sentence of its own hand, and one in another's.

python examples/handwriting.py [--minutes 5] [--out pictures]
"""

import argparse
import tempfile
from pathlib import Path

import textdl
from textdl.stroke_corpus import open_strokes
from textdl.strokes.drawing import svg


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--limit", type=int, default=None, help="training lines (default: all)")
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The model learns where the pen goes next, given where it was and the text; so a text steers the pen.
        run = textdl.train(
            "handwriting", "strokes", out=Path(folder) / "run", minutes=options.minutes, limit=options.limit
        )
        options.out.mkdir(parents=True, exist_ok=True)

        # Points are steps of the pen (dx, dy, pen up), a line each. More bias is a neater hand; 0 is as people write.
        lines = [run.write("The kettle is on.", bias=bias, seed=1) for bias in (0.0, 1.0)]
        print(f"wrote {len(lines[0])} points in {int(lines[0][:, 2].sum())} strokes")
        svg(lines, options.out / "kettle.svg", animate=True)

        # Style is not a setting: the model reads a line of somebody's, and goes on as if it were that writer. This one
        # it has never met; the line that was read is drawn above the new one.
        line = min(open_strokes("strokes").lines("test"), key=lambda line: abs(len(line.text) - 20))
        new = run.write("See you on Friday", bias=1.0, prime=line, seed=1)
        svg([line.points, new], options.out / "primed.svg", title=f"{line.text} / See you on Friday")
    print(f"drawn: {options.out / 'kettle.svg'}, {options.out / 'primed.svg'}")


if __name__ == "__main__":
    main()
