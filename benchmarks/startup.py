"""How long `textdl --help` takes, against a hello-world Typer program with two commands.

    python -m benchmarks.startup [--runs 15]

The two are run in turn, so that a noisy machine disturbs both; the figure is the ratio of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELLO = '''
import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(f"hello {name}")


@app.command()
def goodbye(name: str) -> None:
    """Say goodbye."""
    print(f"goodbye {name}")


app()
'''


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO)
        commands = {
            "hello, typer": [sys.executable, str(hello), "--help"],
            "textdl": [sys.executable, "-m", "textdl_cli.main", "--help"],
        }
        for command in commands.values():
            seconds(command)  # compile and cache
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, value in medians.items():
        print(f"{name:<14} {value * 1000:6.0f} ms")
    print(f"ratio {medians['textdl'] / medians['hello, typer']:.2f} (at most 1.50 wanted)")


if __name__ == "__main__":
    main()
