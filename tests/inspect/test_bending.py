"""How the layers bend the plane: where things are drawn, and the files that show it."""

from __future__ import annotations

import base64
import html.parser
import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import textdl
from textdl.errors import ConfigError, RunError
from textdl.inspect.bending import draw_bending, storyboard
from textdl.inspect.bending_scene import COLOURS, divided, net, scene_of

from .browser import browser, chromium

QUICK = {"device": "cpu", "threads": 1, "progress": False, "steps": 60, "evaluations": 6}
NASTY = "</script><b>&amp;\u202e'\"\x1b"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("bending") / "run"
    return textdl.train("points", "circles", out=out, widths=("5", "2"), **QUICK)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Any:
    draw = np.random.default_rng(0)
    xy, labels = draw.normal(size=(90, 2)), np.array(["a", NASTY, "[b]"])[draw.integers(0, 3, 90)]
    out = tmp_path_factory.mktemp("bending") / "three"
    return textdl.train("points", (xy, labels), out=out, widths=("3", "1"), activation="relu", **QUICK)


# The scene


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "leaky-relu"])
def test_the_scene_carries_points_as_the_model_does(activation: str, tmp_path: Path) -> None:
    settings = {**QUICK, "steps": 3, "widths": ("4", "3", "2"), "activation": activation}
    run = textdl.train("points", "spirals", out=tmp_path / "run", **settings)
    scene = scene_of(run)
    stages, logits = scene.stages(scene.weights[-1], scene.points)
    x = torch.from_numpy(scene.points).float()
    with torch.no_grad():
        np.testing.assert_allclose(run.model(x).numpy(), logits, rtol=1e-4, atol=1e-5)
        for linear, stage in zip(run.model.linear, stages[1:], strict=False):
            x = run.model.activation(linear(x))
            np.testing.assert_allclose(x.numpy(), stage, rtol=1e-4, atol=1e-5)


def test_a_stage_two_wide_is_only_turned_shifted_and_scaled(run: Any) -> None:
    scene = scene_of(run)
    stages, _ = scene.stages(scene.weights[-1], scene.points)
    for stage in (0, 2):
        drawn, _ = scene.drawn(scene.weights[-1], scene.points, stage)
        apart = [np.linalg.norm(x[:, None] - x[None], axis=-1) for x in (stages[stage], drawn)]
        scale = apart[1].max() / apart[0].max()
        np.testing.assert_allclose(apart[1], apart[0] * scale, atol=1e-9)
        np.testing.assert_allclose(scene.views[stage].back(drawn), stages[stage], atol=1e-9)
        assert 0.8 < np.abs(drawn).max() < 0.9, "points fill the picture but for its margin"
    assert np.linalg.det(scene.views[0].turn) > 0


def test_a_wide_stage_is_seen_from_its_widest_side(run: Any) -> None:
    scene = scene_of(run)
    stages, _ = scene.stages(scene.weights[-1], scene.points)
    drawn, _ = scene.drawn(scene.weights[-1], scene.points, 1)
    turn = scene.views[1].turn
    size = float(np.linalg.norm(turn[:, 0]))
    np.testing.assert_allclose(turn.T @ turn, size**2 * np.eye(2), atol=1e-9)
    widest = np.sort(np.linalg.eigvalsh(np.cov(stages[1].T)))[-2:].sum()
    assert np.trace(np.cov(drawn.T)) / size**2 == pytest.approx(widest)


def test_no_other_turn_would_bring_a_stage_nearer_to_the_one_before(run: Any) -> None:
    scene = scene_of(run)
    drawn = [scene.drawn(scene.weights[-1], scene.points, stage)[0] for stage in range(3)]
    for before, after in itertools.pairwise([one - one.mean(axis=0) for one in drawn]):
        for angle in np.linspace(0.05, 2 * np.pi - 0.05, 60):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            for other in (turn, turn @ np.diag([1, -1])):
                assert (after * before).sum() > (after @ other * before).sum()


def test_between_two_stages_and_two_moments_things_move_in_step(run: Any) -> None:
    scene = scene_of(run)
    first, second = (scene.drawn(scene.weights[-1], scene.points, depth)[0] for depth in (0, 1))
    between, _ = scene.drawn(scene.weights[-1], scene.points, 0.25)
    np.testing.assert_allclose(between, 0.75 * first + 0.25 * second)
    np.testing.assert_allclose(scene.at(2.5), (scene.weights[2] + scene.weights[3]) / 2)
    np.testing.assert_array_equal(scene.at(len(scene.weights) - 1), scene.weights[-1])
    frames = storyboard(scene)
    assert (frames[0].moment, frames[0].depth) == (0, scene.depth)
    assert (frames[-1].moment, frames[-1].depth) == (len(scene.weights) - 1, scene.depth)
    assert {frame.depth for frame in frames} >= {0, 1, 2}
    assert len(frames) < 130


def test_behind_the_last_layer_a_straight_line_parts_the_territories(run: Any) -> None:
    scene = scene_of(run)
    weights = scene.weights[-1]
    nodes = net(1 / scene.views[0].turn[0, 0], 33) + scene.views[0].centre
    cells, border = divided(nodes, lambda places: scene.stages(weights, places)[1])
    drawn, _ = scene.drawn(weights, border.reshape(-1, 2), scene.depth)
    assert len(drawn) > 20
    middle = drawn.mean(axis=0)
    across = np.linalg.svd(drawn - middle)[2][1]
    assert np.abs((drawn - middle) @ across).max() < 1e-3, "the border of the plane has become straight"
    told = scene.told_at(weights, drawn)
    np.testing.assert_allclose(told[:, 0], told[:, 1], atol=2e-2)
    sides = {}
    for winner, forms in cells:
        corners, _ = scene.drawn(weights, forms.reshape(-1, 2), scene.depth)
        sides.setdefault(winner, []).extend(((corners - middle) @ across).tolist())
    first, second = (sides[winner] for winner in (0, 1))
    assert max(first) < 1e-3 < max(second) or max(second) < 1e-3 < max(first)
    assert scene.accuracy(weights) == (run.probabilities(run.plane.xy).argmax(axis=1) == run.plane.truth).mean()


def area(form: np.ndarray) -> float:
    x, y = form.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def test_cells_are_cut_along_the_border() -> None:
    def disc(places: np.ndarray) -> np.ndarray:
        return np.stack([np.zeros(len(places)), 0.7 - np.hypot(*places.T)], axis=1)

    cells, border = divided(net(1.0, 41), disc)
    covered = {0: 0.0, 1: 0.0}
    for winner, forms in cells:
        covered[winner] += sum(map(area, forms))
    assert sum(covered.values()) == pytest.approx(4), "each place is in one form"
    assert covered[1] == pytest.approx(np.pi * 0.49, rel=0.005)
    np.testing.assert_allclose(np.hypot(*border.reshape(-1, 2).T), 0.7, atol=1e-5)
    assert np.linalg.norm(border[:, 0] - border[:, 1], axis=1).sum() == pytest.approx(2 * np.pi * 0.7, rel=0.005)
    cells, border = divided(net(1.0, 5), lambda places: np.tile([1.0, 0, 0], (len(places), 1)))
    assert len(border) == 0
    assert sum(area(form) for _, forms in cells for form in forms) == pytest.approx(4)


# The files


def test_a_moving_picture(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textdl.inspect.bending.TRAINING", 3)
    monkeypatch.setattr("textdl.inspect.bending.LAYERS", 4)
    for name in ("one.gif", "two.GIF"):
        draw_bending(run, tmp_path / name)
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.GIF").read_bytes()
    with Image.open(tmp_path / "one.gif") as picture:
        assert picture.format == "GIF"
        assert picture.n_frames == len(storyboard(scene_of(run)))
        pictures = []
        for frame in range(picture.n_frames):
            picture.seek(frame)
            pictures.append(np.asarray(picture.convert("RGB"), float))
    assert np.abs(pictures[0] - pictures[3]).mean() > 1, "it moves while it learns"
    assert np.abs(pictures[3] - pictures[5]).mean() > 1, "and through the layers"
    for colour in COLOURS[:2]:
        own = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
        near = (np.abs(pictures[-1] - own).max(axis=-1) < 24).sum()
        assert near > 300, f"points of {colour} are seen"


@pytest.mark.parametrize("name", ["still.png", "page.html", "moving.gif"])
def test_more_classes_and_a_layer_of_one(
    three: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textdl.inspect.bending.TRAINING", 1)
    monkeypatch.setattr("textdl.inspect.bending.LAYERS", 2)
    draw_bending(three.path, tmp_path / name)
    if name.endswith("html"):
        return
    with Image.open(tmp_path / name) as picture:
        assert min(picture.size) > 300


class Reader(html.parser.HTMLParser):
    """What a page names from elsewhere, and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.scripts: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [str(value) for name, value in attrs if name in ("src", "href")]
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data


def test_the_page_holds_the_run_and_names_nothing_outside(three: Any, tmp_path: Path) -> None:
    draw_bending(three, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    page = Reader()
    page.feed(text)
    assert not page.outside
    assert not re.search(r"https?:|url\(|import\(", text)
    assert "default-src 'none'" in text
    assert len(page.scripts) == 2, "a label can not end the script that it stands in"
    data = json.loads(page.scripts[0])
    scene = scene_of(three)
    np.testing.assert_array_equal(data["after"], scene.after)
    for name in ("weights", "points"):
        numbers = np.frombuffer(base64.b64decode(data[name]), "<f4").reshape(getattr(scene, name).shape)
        np.testing.assert_array_equal(numbers, getattr(scene, name).astype(np.float32))
    assert data["labels"][0] == "</script><b>&amp;\u202e'\"␛"


#: Of a browser as much as the page needs; what is painted is written down, and the first picture printed.
BROWSER = r"""
const fs = require('fs'), [data, script, hash] = fs.readFileSync(0, 'utf8').split('\u0000');
const marks = [], elements = {}, frames = [];
function element(name) {
  const listeners = {}, kept = { clientWidth: 400, textContent: '', append() {}, listeners,
    addEventListener(type, f) { listeners[type] = f; } };
  const own = name, context = new Proxy({}, { get: (_, method) => (...values) => {
    if (own === 'bent' && (method === 'arc' || method === 'rect')) marks.push([method, ...values]); },
    set: () => true });
  kept.getContext = () => context;
  return kept;
}
globalThis.document = { getElementById: name => elements[name] ??= element(name), createElement: element,
  documentElement: {} };
globalThis.window = { devicePixelRatio: 1 };
globalThis.getComputedStyle = () => ({ getPropertyValue: () => ' #ffffff' });
globalThis.requestAnimationFrame = f => frames.push(f);
globalThis.addEventListener = () => {};
globalThis.matchMedia = () => ({ addEventListener() {} });
globalThis.location = { hash };
elements.scene = { textContent: data };
new Function(script)();
frames.shift()(0);
console.log(JSON.stringify({ marks, told: elements.told.textContent, stage: elements.stage.textContent }));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="runs the page's script by node, which is not here")
@pytest.mark.parametrize(("time", "depth"), [(1, 1), (1, 0), (0, 1), (0.55, 0.75)])
def test_the_page_draws_the_points_where_the_scene_has_them(
    run: Any, tmp_path: Path, time: float, depth: float
) -> None:
    draw_bending(run, tmp_path / "page.html")
    page = Reader()
    page.feed((tmp_path / "page.html").read_text(encoding="utf-8"))
    given = "\0".join([*page.scripts, f"#time={time}&depth={depth}"])
    done = subprocess.run(["node", "-e", BROWSER], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    shown = json.loads(done.stdout)
    scene = scene_of(run)
    weights = scene.at(time * (len(scene.after) - 1))
    expected, _ = scene.drawn(weights, scene.points, depth * scene.depth)
    size = {"arc": 0.0, "rect": 1.8 * 3 / 2}
    found = [((x + size[kind]) / 200 - 1, 1 - (y + size[kind]) / 200) for kind, x, y, *_ in shown["marks"]]
    assert [kind for kind, *_ in shown["marks"]] == [("arc", "rect")[place] for place in scene.truth]
    np.testing.assert_allclose(found, np.clip(expected, -3, 3), atol=1e-3)
    assert f"{100 * scene.accuracy(weights):.1f} %" in shown["told"]
    assert shown["stage"] == {1: "hidden layer 2 of 2 (2 wide)", 0: "the plane as it is"}.get(
        depth, "from hidden layer 1 to hidden layer 2"
    )


def test_arrow_keys_move_through_the_layers(run: Any, tmp_path: Path) -> None:
    """A step of theirs is a hundredth of the slider: less than where it catches at a layer."""
    chromium()
    draw_bending(run, tmp_path / "page.html")
    with browser(tmp_path) as page:
        page.open((tmp_path / "page.html").as_uri())
        page.run("document.getElementById('depth').focus()")
        for begin in (2, 1.05, 0.03):
            page.run(f"document.getElementById('depth').value = state.depth = {begin}")
            seen = [begin]
            for _ in range(4):
                for kind in ("rawKeyDown", "keyUp"):
                    page.ask("Input.dispatchKeyEvent", type=kind, key="ArrowLeft", windowsVirtualKeyCode=37)
                seen.append(page.run("state.depth"))
                page.run(f"document.getElementById('depth').value = {seen[-1]}")  # as the next picture will have it
            assert begin == 2 or round(begin) in seen, "it catches at a layer"
            assert all(after < before or after == 0 for before, after in itertools.pairwise(seen)), "and lets go of it"


def test_what_can_not_be_drawn_is_refused(run: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"drawn as \.gif, \.html or \.png, got 'x\.svg'"):
        draw_bending(run, tmp_path / "x.svg")
    with pytest.raises(RunError, match="no run at"):
        draw_bending(tmp_path / "none", tmp_path / "x.gif")
    other = textdl.train("forecast", [float(n % 5) for n in range(80)], out=tmp_path / "other", **{**QUICK, "steps": 1})
    with pytest.raises(RunError, match="is a forecast model, which bends no plane"):
        draw_bending(other.path, tmp_path / "x.gif")
    assert not list(tmp_path.glob("x.*"))
