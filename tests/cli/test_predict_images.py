"""``textdl predict`` of pictures, as its users run it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .image_runs import LABELS, bars, train_bars

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_bars(tmp_path_factory.mktemp("runs"), "mlp")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """left.png, middle.png and right.png, and beside them what is no picture or hidden."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    pixels, labels = bars(3, 9)
    for image, label in zip(pixels, labels, strict=True):
        where = folder / "more" if label == "right" else folder
        Image.fromarray(image[..., 0]).save(where / f"{label}.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    return folder


def test_files_and_folders(cli: Cli, run: Path, pictures: Path) -> None:
    code, out, err = cli("predict", run, pictures / "middle.png", pictures)
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    names = [str(pictures / name) for name in ("middle.png", "left.png", "middle.png", "more/right.png")]
    assert [row[0] for row in rows] == names
    assert [row[1] for row in rows] == ["middle", "left", "middle", "right"]
    assert all(0.5 < float(row[2]) <= 1 and len(row) == 3 for row in rows)


def test_what_is_told_is_what_the_run_says(cli: Cli, run: Path, pictures: Path) -> None:
    import textdl

    file = pictures / "left.png"
    pixels = np.asarray(Image.open(file))[None, ..., None]
    row = textdl.load(run).probabilities(pixels)[0]
    _, out, _ = cli("predict", run, file, "--json", "--probabilities")
    record = json.loads(out)
    assert record == {
        "file": str(file), "label": "left", "probability": pytest.approx(row[0], abs=1e-6),
        "probabilities": {label: pytest.approx(value, abs=1e-6) for label, value in zip(LABELS, row, strict=True)},
    }  # fmt: skip
    assert "probabilities" not in json.loads(cli("predict", run, file, "--json")[1])
    _, out, _ = cli("predict", run, file, "--probabilities")
    cells = out.rstrip("\n").split("\t")
    assert cells[3] == " ".join(f"{label}={value:.4f}" for label, value in zip(LABELS, row, strict=True))


def test_many_images_of_one_file(cli: Cli, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """idx and npz need no labels; fractions and whole numbers are the same; more than are judged at once."""
    pixels, labels = bars(9, 5)
    np.savez(tmp_path / "a.npz", x_test=pixels, y_test=np.arange(9), other=pixels[:2, ..., 0] / 255)
    head = b"\0\0\x08\x03" + b"".join(size.to_bytes(4, "big") for size in (9, 12, 12))
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
    monkeypatch.setattr("textdl_cli.predict_images.BATCH", 4)
    code, out, err = cli("predict", run, "--file", tmp_path / "images-idx3-ubyte.gz")
    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0].rpartition(":")[2] for row in rows] == [str(number) for number in range(1, 10)]
    assert [row[1] for row in rows] == list(labels)
    _, out, _ = cli("predict", run, "--file", tmp_path / "a.npz")
    assert [line.split("\t")[1:] for line in out.splitlines()] == [row[1:] for row in [*rows, *rows[:2]]]
    assert out.splitlines()[9].startswith(f"{tmp_path / 'a.npz'}:other:1\t")
    records = [json.loads(line) for line in cli("predict", run, "--file", tmp_path / "a.npz", "--json")[1].splitlines()]
    assert [(record["array"], record["image"]) for record in records[-3:]] == [
        ("x_test", 9),
        ("other", 1),
        ("other", 2),
    ]


def test_pictures_of_another_size_and_in_colour(cli: Cli, run: Path, tmp_path: Path) -> None:
    """They are fitted, and told of once."""
    for place, label in enumerate(LABELS):
        wide = np.zeros((60, 60, 3), np.uint8)
        wide[:, 20 * place : 20 * place + 20] = (255, 220, 220)
        Image.fromarray(wide).save(tmp_path / f"{label}.png")
    code, out, err = cli("predict", run, *[tmp_path / f"{label}.png" for label in LABELS])
    assert code == 0
    assert [line.split("\t")[1] for line in out.splitlines()] == list(LABELS)
    assert err.count("is of 60 x 60 pixels; it is scaled to fit into the 12 x 12 of the run") == 1


def test_it_stops_at_a_corrupt_picture_after_those_before_it(cli: Cli, run: Path, pictures: Path) -> None:
    whole = (pictures / "left.png").read_bytes()
    (pictures / "cut.png").write_bytes(whole[: len(whole) // 2])
    files = [pictures / name for name in ("middle.png", "left.png", "cut.png", "more/right.png")]
    code, out, err = cli("predict", run, *files)
    assert code == 2
    assert [line.split("\t")[1] for line in out.splitlines()] == ["middle", "left"]
    assert "cut.png is damaged or cut short" in err
    assert len(err.splitlines()) == 1


def test_names_are_no_orders_to_a_terminal(cli: Cli, run: Path, pictures: Path) -> None:
    strange = pictures / "a\x1b[31m\tb.png"
    (pictures / "left.png").rename(strange)
    _, out, _ = cli("predict", run, strange)
    assert out.count("\t") == 2
    assert "\x1b" not in out
    assert json.loads(cli("predict", run, strange, "--json")[1])["file"] == str(strange)
    odd = pictures / os.fsdecode(b"caf\xe9.png")
    strange.rename(odd)
    _, out, _ = cli("predict", run, odd, "--json")
    assert json.loads(out.encode())["file"] == str(odd)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([], "texts or --file"),
        (["--file", "-"], "not read from standard input"),
        (["nowhere.png"], "nowhere.png can not be read: No such file"),
        (["EMPTY"], "holds no pictures"),
        (["left.png", "--second", "a"], "a model of images, for which --second says nothing; leave it out"),
        (["left.png", "--text-field", "a"], "for which --text-field says nothing"),
        (["left.png", "--second-field", "a"], "for which --second-field says nothing"),
        (["notes.txt"], "notes.txt is no picture, or damaged"),
        (["--file", "labels-idx1-ubyte"], "wrong magic number for images"),
        (["--file", "short-idx3-ubyte"], "which are 288 bytes, but 12 follow"),
        (["--file", "objects.npz"], "unpickle it, which runs whatever code its author put there"),
        (["--file", "numbers.npz"], "numbers.npz holds no images"),
        (["--file", "range.npz"], "holds 300"),
        (["--file", "notes.npz"], "no npz file, or damaged"),
    ],
)
def test_bad_input_is_one_line(
    command: list[str], said: str, cli: Cli, run: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures)
    (pictures / "EMPTY").mkdir()
    (pictures / "labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\1\2")
    (pictures / "short-idx3-ubyte").write_bytes(b"\0\0\x08\x03\0\0\0\x02\0\0\0\x0c\0\0\0\x0c" + bytes(12))
    (pictures / "notes.npz").write_text("no npz")
    np.savez(pictures / "objects.npz", images=np.array([[{}]], object))
    np.savez(pictures / "numbers.npz", images=np.arange(9))
    np.savez(pictures / "range.npz", images=np.full((1, 12, 12), 300))
    code, out, err = cli("predict", run, *command)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
