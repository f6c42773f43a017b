"""``textdl capture --out mine.npz``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from textdl.inspect.captured import Notebook


def make(name: str) -> typer.Typer:
    """The command ``capture``."""
    app = typer.Typer(add_completion=False, rich_markup_mode="rich")
    epilog = (
        "Example: textdl capture --out mine.npz, then textdl train handwriting mine.npz --out runs/mine; "
        "textdl capture --page page.html; textdl capture --from strokes.json --out mine.npz"
    )
    app.command(name, epilog=epilog)(capture)
    return app


def capture(
    out: Annotated[
        Path | None, typer.Option("--out", help="The strokes, .npz; new lines go behind those that it holds.")
    ] = None,
    texts: Annotated[
        str | None, typer.Option("--texts", help="File of lines to write (default: 50 of ours); - is standard input.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write the page alone, .html, to be used without this program.")
    ] = None,
    from_: Annotated[
        Path | None, typer.Option("--from", help="Put the lines of such a page's strokes.json into --out.")
    ] = None,
    step: Annotated[
        float,
        typer.Option(
            "--step",
            help="Leave out points nearer than this to the one before, in small letters; 0: none.",
            min=0,
            max=1,
        ),
    ] = 0.125,
    port: Annotated[int, typer.Option("--port", help="Where to listen (default: any).", min=0, max=65535)] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser, or only tell its address.")
    ] = True,
) -> None:
    """Record your own hand: a page on which to write with pen, finger or mouse, and the strokes as a corpus."""
    from textdl.errors import ConfigError
    from textdl.inspect.captured import Notebook, read_captured

    if from_ is not None and (page is not None or texts is not None):
        raise ConfigError("--from puts written lines into --out; give --page and --texts by themselves")
    if page is not None:
        _write_page(page, out, texts)
        return
    if out is None:
        raise ConfigError("capture needs a file for the strokes; give --out mine.npz")
    if out.suffix.lower() != ".npz":
        raise ConfigError(f"--out takes a name that ends in .npz, got {out.name!r}")
    if not out.parent.is_dir():
        raise ConfigError(f"--out: there is no folder {out.parent}; make it, or give another")
    notebook = Notebook(out)
    if from_ is None:
        _serve(notebook, _prompts(texts), step, port, browser)
        return
    lines = read_captured(from_, step)
    added = notebook.append(lines)
    known = f" ({len(lines) - added} were there already)" if added < len(lines) else ""
    typer.echo(f"{added} lines of {from_} put into {out}, which holds {len(notebook)}{known}", err=True)


def _prompts(texts: str | None) -> list[str]:
    """The lines to write, each once.

    Raises:
        CorpusError: no such file, or nothing in it.
    """
    from textdl.errors import CorpusError
    from textdl.inspect.capture_prompts import PROMPTS

    from .lines import lines_of

    if texts is None:
        return list(PROMPTS)
    some = list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in lines_of(texts)))))
    if not some:
        raise CorpusError(f"{texts} holds no text; write some into it, one a line")
    return some


def _write_page(page: Path, out: Path | None, texts: str | None) -> None:
    """Write the page for use without this program."""
    from textdl.artifact import write_atomic
    from textdl.errors import ConfigError
    from textdl.inspect.capture_page import capture_page

    if page.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"a page ends in .html, got {page.name!r}")
    if out is not None:
        raise ConfigError("--page writes the page alone; put its lines into --out later, by --from strokes.json")
    write_atomic(page, capture_page(_prompts(texts)))
    typer.echo(f"{page}: open it in a browser; then textdl capture --from strokes.json --out mine.npz", err=True)


def _serve(notebook: Notebook, prompts: list[str], step: float, port: int, browser: bool) -> None:
    """Serve the page until the person is done, or presses Ctrl-C.

    Raises:
        ConfigError: all of it is written already, or the port is taken.
    """
    import webbrowser

    from textdl.errors import ConfigError
    from textdl.inspect.capture_page import capture_page

    from .capture_server import CaptureServer

    out, wanted = notebook.path, [prompt for prompt in prompts if prompt not in notebook.texts]
    if not wanted:
        raise ConfigError(f"all {len(prompts)} lines are in {out} already; give others by --texts FILE")
    if len(wanted) < len(prompts):
        typer.echo(f"note: {len(prompts) - len(wanted)} of {len(prompts)} lines are in {out} already", err=True)
    server = CaptureServer(capture_page(wanted, True, out.name), notebook, port, step)
    typer.echo(f"write at {server.address}  (Done on the page, or Ctrl-C, ends it)", err=True)
    if browser and not webbrowser.open(server.address):
        typer.echo("note: no browser could be opened; open that address yourself", err=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    new = len(notebook.own)
    if not new:
        typer.echo(f"nothing was written; {out} is as it was", err=True)
        return
    typer.echo(f"{new} new line{'s'[: new != 1]}; {out} holds {len(notebook)}", err=True)
    typer.echo(f"next: textdl train handwriting {out} --out runs/{out.stem}", err=True)
