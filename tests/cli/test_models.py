"""``textdl models``, as its users run it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from textdl_cli import models

from textdl.models.image_models import IMAGE_MODELS

Cli = Callable[..., tuple[int, str, str]]


def plain(line: str) -> str:
    """A line of a table without the room between its columns."""
    return " ".join(line.split())


def test_all_kinds(cli: Cli) -> None:
    code, out, err = cli("models")
    assert code == 0
    lines = out.splitlines()
    assert {line.split()[0] for line in lines[1:]} == set(IMAGE_MODELS)
    (line,) = [line for line in lines if line.startswith("vgg --depth 16")]
    assert plain(line) == "vgg --depth 16 3 × 224 × 224 1,000 138,357,544 15,470,264,320"
    (line,) = [line for line in lines if line.startswith("densenet --depth 100 --bottleneck")]
    assert line.split()[-2] == "769,162"
    assert "textdl models resnet --depth 50" in err


def test_all_kinds_for_my_pictures(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "VARIANTS", {"vgg": [{"depth": 16}]})
    flags = ("--height", 28, "--width", 28, "--channels", 1, "--classes", 10)
    rows = {row["model"]: row for row in json.loads(cli("models", *flags, "--json")[1])}
    assert rows["perceptron"]["parameters"] == 7850
    assert rows["lenet5"]["parameters"] == 61_706
    assert rows["vgg --depth 16"]["parameters"] is None
    assert "at least 32 × 32" in rows["vgg --depth 16"]["error"]
    (line,) = [line for line in cli("models", *flags)[1].splitlines() if line.startswith("alexnet")]
    assert plain(line) == "alexnet 1 × 28 × 28 10 too small too small"


def test_layer_by_layer(cli: Cli) -> None:
    code, out, err = cli("models", "lenet5")
    assert (code, err) == (0, "")
    lines = [plain(line) for line in out.splitlines()]
    assert lines[1] == "input picture 1 × 32 × 32"
    assert lines[2] == "c1 convolution 5×5 6 × 28 × 28 156 117,600"
    assert lines[3] == "s2 average pooling 2×2, stride 2 6 × 14 × 14"
    assert lines[-1] == "total 61,706 416,520"
    assert "pad" in cli("models", "lenet5", "--height", 28, "--width", 28)[1]


def test_its_own_flags(cli: Cli) -> None:
    def count(*flags: object) -> int:
        code, out, err = cli("models", *flags, "--json")
        assert (code, err) == (0, "")
        found: int = json.loads(out)["parameters"]
        return found

    assert count("resnet", "--depth", 50) == 25_557_032
    assert count("densenet", "--depth", 100, "--bottleneck") == 769_162
    assert count("alexnet", "--groups", 1) == 62_378_344
    shape = ("--height", 8, "--width", 8, "--classes", 3)
    by_hand = 65 * 30 + 31 * 20 + 21 * 3
    assert count("mlp", "--widths", "30,20", *shape) == by_hand
    assert count("mlp", "--widths", 30, "--widths", 20, *shape) == by_hand
    assert count("mlp", "--widths", 30, "--activation", "maxout", "--set", "pieces=3", *shape) == 65 * 90 + 31 * 3


def test_json_and_heads(cli: Cli) -> None:
    table = json.loads(cli("models", "googlenet", "--json")[1])
    assert (table["kind"], table["height"], table["classes"]) == ("googlenet", 224, 1000)
    assert table["layers"][0]["shape"] == [64, 112, 112]
    assert table["parameters"] == sum(layer["parameters"] for layer in table["layers"])
    assert len(table["auxiliary"]) == 2
    assert "while training only" in cli("models", "googlenet")[1]
    assert "while training only" not in cli("models", "googlenet", "--no-auxiliary")[1]


@pytest.mark.parametrize("columns", [60, 80])
def test_no_wider_than_the_terminal(cli: Cli, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "VARIANTS", {"densenet": [{"depth": 100, "bottleneck": True}], "vgg": [{"depth": 16}]})
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    whole = {"models": "138,357,544 15,470,264,320", "alexnet": "37,752,832 37,748,736", "resnet": "269,722 40,551,040"}
    for arguments in (("models",), ("models", "alexnet"), ("models", "resnet", "--depth", 20)):
        lines = [re.sub("\x1b\\[[0-9;]*m", "", line).rstrip() for line in cli(*arguments)[1].splitlines()]
        assert max(map(len, lines)) <= columns
        numbers = whole[str(arguments[min(len(arguments) - 1, 1)])]
        assert any(plain(line).endswith(numbers) for line in lines)  # none is broken


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("resnett",), "did you mean 'resnet'"),
        (("resnet", "--depth", "21"), "depth of resnet must be one of"),
        (("alexnet", "--height", "28", "--width", "28"), "it needs at least 63 × 63; for small pictures take"),
        (("resnet", "--depth", "50", "--height", "32", "--width", "32"), "take resnet --depth 20, 32, 44, 56 or 110"),
        (("mlp", "--height", "0"), "height must be at least 1, got 0"),
        (("mlp", "--widths", "a"), "widths must be whole numbers"),
        (("mlp", "--set", "height=3"), "worked out by the program"),
        (("mlp", "--set", "pieces"), "--set takes NAME=VALUE"),
        (("--classes", "0"), "classes must be at least 1, got 0"),
        (("--height", "64", "resnet"), "flags go behind the name of the model: textdl models resnet --height 64"),
    ],
)
def test_refusals(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = cli("models", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.splitlines()) == 1


def test_listing_kinds_imports_no_torch() -> None:
    code = (
        "import sys; sys.argv = ['textdl', 'models', '--help']\n"
        "from textdl_cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "False"
    assert all(kind in done.stdout for kind in IMAGE_MODELS)
