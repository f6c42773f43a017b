"""Write points.csv: two spirals that wind about each other on a plane.

    python make.py [--out FOLDER]

The same bytes at each run: everything is drawn from one seeded generator and written to three digits.
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20
EACH, TURNS, INNER, NOISE = 500, 1.5, 0.15, 0.045
LABELS = ("first", "second")


def points() -> list[tuple[float, float, str]]:
    """The points, mixed: on each arm the distance from the middle grows in step with the angle."""
    draw = random.Random(SEED)
    found = []
    for arm, label in enumerate(LABELS):
        for _ in range(EACH):
            along = math.sqrt(draw.random())  # denser where the arm is longer
            distance = INNER + (1 - INNER) * along
            angle = 2 * math.pi * TURNS * along + math.pi * arm
            x = 3 * distance * math.cos(angle) + 3 * NOISE * draw.gauss(0, 1)
            y = 3 * distance * math.sin(angle) + 3 * NOISE * draw.gauss(0, 1)
            found.append((x, y, label))
    draw.shuffle(found)
    return found


def make(out: Path) -> None:
    """Write the file."""
    rows = [f"{x:.3f},{y:.3f},{label}" for x, y, label in points()]
    out.mkdir(parents=True, exist_ok=True)
    (out / "points.csv").write_text("\n".join(["x,y,label", *rows]) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    make(parser.parse_args().out)
