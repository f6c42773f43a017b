"""Draws docs/training.svg: what the terminal shows while a model trains.

    python docs/training_picture.py [--minutes 0.5]

The picture is the real live view of a real training, as it stands at the last evaluation but one.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

import textdl
from textdl.training.events import Evaluated, Event, Started
from textdl.training.observers import LiveView

PICTURE = Path(__file__).parent / "training.svg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.5)
    options = parser.parse_args()
    events: list[Event] = []
    with tempfile.TemporaryDirectory() as folder:
        textdl.train("lm", "recipes", out=Path(folder) / "run", observers=[events.append], minutes=options.minutes)
    last = [n for n, event in enumerate(events) if isinstance(event, Evaluated)][-2]
    recorder = Console(file=io.StringIO(), record=True, force_terminal=True, width=110, highlight=False)
    live = LiveView(Console(file=io.StringIO(), force_terminal=True, width=110))
    for event in events[: last + 1]:
        live(event)
        if isinstance(event, Started):
            recorder.print(event.title, style="bold")
            for name, value in event.facts.items():
                recorder.print(f"  {name}: {value:,}" if isinstance(value, int) else f"  {name}: {value}")
    live.close()
    recorder.print(live.screen())
    svg = recorder.export_svg(title=f"textdl train lm recipes --out runs/recipes --minutes {options.minutes:g}")
    svg = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->", "", svg, flags=re.S)
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
