"""Write points.csv: a disc and the ring about it on a plane.

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
EACH, NOISE = 500, 0.12
#: Label -> where the distances from the middle begin and end.
RINGS = {"inner": (0.0, 1.0), "outer": (1.6, 2.6)}


def points() -> list[tuple[float, float, str]]:
    """The points, mixed; within a ring they lie evenly over its area."""
    draw = random.Random(SEED)
    found = []
    for label, (near, far) in RINGS.items():
        for _ in range(EACH):
            distance = math.sqrt(near**2 + (far**2 - near**2) * draw.random())
            angle = 2 * math.pi * draw.random()
            x = distance * math.cos(angle) + NOISE * draw.gauss(0, 1)
            y = distance * math.sin(angle) + NOISE * draw.gauss(0, 1)
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
