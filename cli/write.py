"""``textdl write RUN TEXT --out hello.svg``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from .lines import lines_of, whole
from .options import Best, Device
from .runs import run_of

LONGEST = 20_000  # characters of a text: more is a book, and no picture


def make(name: str) -> typer.Typer:
    """The command ``write``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl write runs/hand 'good morning' --out hello.svg; "
        "textdl write runs/hand --file letter.txt --out letter.svg --animate --bias 1"
    )
    app.command(name, epilog=epilog)(write)
    return app


def write(
    run: Annotated[Path, typer.Argument(help="Folder of a trained writer.")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What to write; none for a run of strokes alone.")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", help="A file with the text; - is standard input. Its line breaks are kept.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The picture, its strokes in order: .svg.")] = None,
    png: Annotated[Path | None, typer.Option("--png", help="The picture in pixels: .png.")] = None,
    gif: Annotated[Path | None, typer.Option("--gif", help="The pen as it writes: .gif.")] = None,
    strokes: Annotated[Path | None, typer.Option("--strokes", help="The points themselves, a line each: .npz.")] = None,
    animate: Annotated[bool, typer.Option("--animate", help="Let the pen of the .svg move.")] = False,
    ruled: Annotated[bool, typer.Option("--ruled", help="Draw lines to write on.")] = False,
    lines: Annotated[int, typer.Option("--lines", help="Characters a line, at most.", min=1, max=1000)] = 40,
    bias: Annotated[
        float, typer.Option("--bias", help="Neatness: 0 writes as people do, 0.5 to 2 more and more neatly.")
    ] = 0.5,
    prime: Annotated[
        Path | None,
        typer.Option("--prime", help="Write in the style of the first line of this file of strokes (.npz, .svg)."),
    ] = None,
    prime_text: Annotated[
        str | None, typer.Option("--prime-text", help="What that line says, where the file does not tell.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same one writes the same (default: a new one).", min=0)
    ] = None,
    device: Device = "cpu",
    best: Best = False,
) -> None:
    """Write a text by hand, with a trained writer; long ones wrap into lines."""
    import secrets

    from textdl.errors import ConfigError

    # What is wrong is told before the work, not after it.
    _check_targets(
        {".svg": ("--out", out), ".png": ("--png", png), ".gif": ("--gif", gif), ".npz": ("--strokes", strokes)}
    )
    if text is not None and file is not None:
        raise ConfigError("write takes TEXT or --file FILE, one of the two; --file - reads standard input")
    if prime_text is not None and prime is None:
        raise ConfigError("--prime-text is what the line in --prime says; give --prime FILE, or leave it out")
    if animate and out is None:
        raise ConfigError("--animate is of the .svg; give --out FILE.svg, or --gif FILE.gif for a moving picture")
    given = whole(text) if text is not None else "\n".join(lines_of(file)) if file is not None else None
    loaded = run_of("handwriting", run, device, best)
    wanted = _wanted(loaded, run, given, lines)
    style = None if prime is None else _style(prime, prime_text)
    seed = secrets.randbits(31) if seed is None else seed
    written = _written(loaded, wanted, bias, style, seed)
    _draw(written, wanted, {"svg": out, "png": png, "gif": gif, "npz": strokes}, animate, ruled)
    count, points = sum(map(bool, map(len, written))), sum(map(len, written))
    places = ", ".join(str(path) for path in (out, png, gif, strokes) if path is not None)
    typer.echo(f"{count} line{'s'[: count != 1]} of {points:,} points with seed {seed} written in {places}", err=True)


def _check_targets(targets: dict[str, tuple[str, Path | None]]) -> None:
    """Raise ConfigError unless there is something to write, and all of it can have its name."""
    from textdl.errors import ConfigError

    if all(path is None for _, path in targets.values()):
        raise ConfigError("write needs a file to write to; give --out hello.svg, or --png, --gif, --strokes")
    for suffix, (flag, path) in targets.items():
        if path is None:
            continue
        if path.suffix.lower() != suffix:
            raise ConfigError(f"{flag} takes a name that ends in {suffix}, got {path.name!r}")
        if not path.parent.is_dir():
            raise ConfigError(f"{flag}: there is no folder {path.parent}; make it, or give another")


def _wanted(loaded: Any, run: Path, text: str | None, width: int) -> list[str | None]:
    """The lines to write; one without a text of a run of strokes alone.

    Raises:
        ConfigError: no text, one that is too long, one where it has no use, or characters never seen in training.
    """
    from textdl.errors import ConfigError
    from textdl.tasks.handwriting_run import refuse_unknown, wrapped

    if loaded.unconditional:
        if text is not None:
            raise ConfigError(f"{run} was trained on strokes alone and writes no given text; leave it out")
        return [None]
    if text is None or not text.strip():
        raise ConfigError(f"{run} writes a given text; name one, or --file FILE")
    if len(text) > LONGEST:
        raise ConfigError(f"a text must have at most {LONGEST:,} characters, got {len(text):,}; write it in parts")
    long = [word for word in dict.fromkeys(text.split()) if len(word) > width]
    if long:
        shown = ", ".join(repr(word[:60]) for word in long[:3]) + (" …" if len(long) > 3 else "")
        typer.echo(f"note: cut, longer than a line of {width} characters (--lines): {shown}", err=True)
    made: list[str | None] = list(wrapped(text.strip("\n"), width))
    refuse_unknown("".join(line or "" for line in made), loaded.alphabet, "the text")
    return made


def _style(path: Path, text: str | None) -> Any:
    """The first line of a file of strokes, with what it says.

    Raises:
        CorpusError: no file of strokes, or none in it.
        ConfigError: a text that is empty.
    """
    from textdl.errors import ConfigError, CorpusError
    from textdl.strokes.opening import read_strokes

    some = read_strokes(path)
    if not len(some):
        raise CorpusError(f"{path} holds no line; give a file with one")
    if text is not None and not text.strip():
        raise ConfigError("--prime-text must hold what the line in --prime says, got nothing; give its words")
    return some[0] if text is None else some[0]._replace(text=whole(text))


def _written(loaded: Any, wanted: list[str | None], bias: float, style: Any, seed: int) -> list[Any]:
    """The points [T, 3] of each line, none of a blank one; the same as ``write_page`` writes with that seed."""
    import warnings

    import numpy as np

    seeds = np.random.default_rng(seed).integers(0, 2**31, len(wanted)).tolist()
    if wanted == [None]:
        seeds = [seed]
    made = []
    with warnings.catch_warnings(record=True) as caught, _progress(len(wanted)) as step:
        warnings.simplefilter("always")
        for line, own in zip(wanted, seeds, strict=True):
            made.append(np.zeros((0, 3), np.float32) if line == "" else loaded.write(line, bias, style, own))
            step()
    for warning in caught:
        typer.echo(f"note: {warning.message}", err=True)
    return made


@contextlib.contextmanager
def _progress(count: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, of several lines and where a person looks on; what it gives tells it of each."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=count < 2 or not console.is_terminal) as bar:
        work = bar.add_task("writing", total=count)
        yield lambda: bar.advance(work)


def _draw(
    written: list[Any], wanted: list[str | None], targets: dict[str, Path | None], animate: bool, ruled: bool
) -> None:
    """Write all that was asked for."""
    from textdl.strokes import drawing
    from textdl.strokes.line import Line
    from textdl.strokes.npz import write_lines

    look = drawing.Look(ruled=ruled)
    title = "\n".join(line or "" for line in wanted)
    if targets["npz"] is not None:  # first: it alone may refuse a line
        both = zip(written, wanted, strict=True)
        write_lines(targets["npz"], [Line(points, line or "") for points, line in both if len(points)])
    if targets["svg"] is not None:
        drawing.svg(written, targets["svg"], animate, title, look=look)
    if targets["png"] is not None:
        drawing.png(written, targets["png"], look=look)
    if targets["gif"] is not None:
        drawing.gif(written, targets["gif"], look=look)
