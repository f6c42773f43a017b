"""``textdl plot RUN --filters`` and ``--feature-maps FILE`` of a run of images."""

from __future__ import annotations

from pathlib import Path

import typer

from .runs import run_of


def plot_images(
    run: Path,
    out: Path,
    filters: bool,
    feature_maps: str | None,
    layers: list[str],
    count: int | None,
    best: bool,
    title: str,
) -> None:
    """Draw the filters of the first layer, or what each layer makes of a picture."""
    from textdl.errors import ConfigError
    from textdl.inspect.filter_pictures import picture

    if filters == (feature_maps is not None):
        raise ConfigError("of a run of images --filters or --feature-maps FILE is drawn; give one of the two")
    if layers and filters:
        raise ConfigError("--layer is of --feature-maps; filters are those of the first layer, leave it out")
    picture(out)  # a wrong name is told before the work, not after it
    if feature_maps is None:
        _draw_filters(run, out, count, best, title)
    else:
        _draw_maps(run, out, feature_maps, layers, count, best, title)


def _draw_filters(run: Path, out: Path, count: int | None, best: bool, title: str) -> None:
    from textdl.inspect.filter_pictures import MOST_FILTERS, draw_filters, filters_of

    found = filters_of(run_of("images", run, "cpu", best))
    number, _, high, wide = found.weights.shape
    said = title or f"{run.name}: {number} filters of {found.layer}, {high} × {wide}"
    drawn = draw_filters(found.weights, out, said, found.labels, MOST_FILTERS if count is None else count)
    typer.echo(f"{drawn} of {number} filters of {found.layer} drawn in {out}", err=True)


def _draw_maps(run: Path, out: Path, file: str, layers: list[str], count: int | None, best: bool, title: str) -> None:
    from textdl.image_corpus import read_image
    from textdl.inspect.filter_pictures import MAPS, draw_feature_maps, maps_of

    loaded = run_of("images", run, "cpu", best)
    pixels = read_image(file, loaded.shape)
    row = loaded.probabilities(pixels[None])[0]
    place = int(row.argmax())
    said = title or f"{run.name} on {Path(file).name}: {loaded.labels[place]}, probability {row[place]:.3f}"
    drawn = draw_feature_maps(pixels, maps_of(loaded, pixels), out, said, MAPS if count is None else count, layers)
    typer.echo(f"maps of {', '.join(drawn)} drawn in {out}", err=True)
