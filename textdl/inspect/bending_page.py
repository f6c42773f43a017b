"""How hidden layers bend the plane, as one page of HTML: the network runs in the reader's browser."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

import numpy as np

from ..text.visible import visible
from .bending_scene import COLOURS, Scene
from .page import STYLE


def page(scene: Scene, title: str) -> str:
    """One page that needs nothing else: no font, nothing from the net.

    One slider moves through the training, one through the layers; between two moments the weights are mixed, between
    two layers the places. The page holds the weights of each moment and works out everything else.
    """
    name = html.escape(visible(title), quote=True)
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{name}</title>",
            f"<style>{STYLE}{_STYLE}</style></head>",
            "<body><main>",
            f"<h1><bdi>{name}</bdi></h1>",
            _BODY,
            f'<script id="scene" type="application/json">{_data(scene)}</script>',
            f"<script>{_SCRIPT}</script>",
            "</main></body></html>",
        ]
    )


def _data(scene: Scene) -> str:
    """The scene as JSON that can stand in a page."""
    plain = {
        "sizes": scene.sizes,
        "activation": scene.activation,
        "after": scene.after.tolist(),
        "weights": _packed(scene.weights),
        "points": _packed(scene.points),
        "truth": scene.truth.tolist(),
        "labels": [visible(" ".join(label.split())) for label in scene.labels],
        "colours": COLOURS,
        "views": [{"centre": view.centre.tolist(), "turn": view.turn.ravel().tolist()} for view in scene.views],
        "back": np.linalg.pinv(scene.views[-1].turn).ravel().tolist(),
    }
    # what ends a script can not stand in it
    return json.dumps(plain, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")


def _packed(numbers: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers, "<f4").tobytes()).decode()


_STYLE = """
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { color: var(--quiet); margin: 0 0 .3rem; min-height: 1.5em; }
canvas { width: 100%; aspect-ratio: 1; border: 1px solid var(--line); border-radius: .4rem; display: block; }
.controls { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1rem; align-items: center;
  margin: 1rem 0; }
input[type=range] { width: 100%; min-height: 1.8rem; }
.controls .names { grid-column: 2; display: flex; justify-content: space-between; color: var(--quiet);
  font-size: .85rem; margin-top: -.5rem; }
button { font: inherit; padding: .35rem 1.1rem; border: 1px solid var(--line); border-radius: .4rem; cursor: pointer;
  background: var(--ground); color: var(--ink); margin-right: .5rem; }
#classes { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0; }
#classes svg { vertical-align: -.15em; margin-right: .35rem; }
"""

_BODY = """
<p class="fact">Each point is carried from layer to layer, and with it the bold line, where the network changes its
mind. On the plane it is a curve; behind the last layer it is straight: the layers bend the plane until a straight line
parts the classes.</p>
<p id="classes"></p>
<div class="panels">
<figure><figcaption>the plane as it is</figcaption><canvas id="plain" role="img"
 aria-label="The plane with its points, its two or more territories and the border between them"></canvas></figure>
<figure><figcaption id="stage"></figcaption><canvas id="bent" role="img"
 aria-label="The same plane, bent by the layers"></canvas></figure>
</div>
<div class="controls">
<label for="time">training</label><input id="time" type="range" min="0" max="1" step="any">
<div class="names"><span>before</span><span id="told" role="status"></span><span>the end</span></div>
<label for="depth">layers</label><input id="depth" type="range" min="0" step="any">
<div class="names" id="layers"></div>
</div>
<p><button id="learn" type="button">▶ Watch it learn</button><button id="bend" type="button">▶ Go through the layers
</button></p>
<noscript><p>This page draws with a script, which is switched off here; the .gif and .png show the same.</p></noscript>
"""

_SCRIPT = r"""
'use strict';
const scene = JSON.parse(document.getElementById('scene').textContent);
const unpack = text => new Float32Array(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const moments = unpack(scene.weights), points = unpack(scene.points);
const sizes = scene.sizes, deep = sizes.length - 2, classes = sizes[sizes.length - 1];
const parameters = moments.length / scene.after.length, last = scene.after.length - 1, count = scene.truth.length;
const byId = name => document.getElementById(name);
const bent = { tanh: Math.tanh, relu: x => Math.max(x, 0), sigmoid: x => 1 / (1 + Math.exp(-x)),
  'leaky-relu': x => x > 0 ? x : 0.1 * x }[scene.activation];
const CELLS = 56, LINES = 13;

function weightsAt(moment) {
  const below = Math.min(Math.floor(moment), last), above = Math.min(below + 1, last), share = moment - below;
  const mixed = new Float64Array(parameters);
  for (let i = 0; i < parameters; i++) {
    const a = moments[below * parameters + i];
    mixed[i] = a + share * (moments[above * parameters + i] - a);
  }
  return mixed;
}
/* Places {x, y} of all stages drawn at a depth, and logits; both as plain arrays. */
function carried(weights, places, depth) {
  const n = places.length / 2, drawn = new Float64Array(2 * n), logits = new Float64Array(n * classes);
  const below = Math.min(Math.floor(depth), deep), share = depth - below;
  for (let p = 0; p < n; p++) {
    let x = [places[2 * p], places[2 * p + 1]], start = 0;
    for (let stage = 0; stage <= deep; stage++) {
      const part = stage === below ? 1 - share : stage === below + 1 ? share : 0;
      if (part) {
        const { centre, turn } = scene.views[stage];
        for (let i = 0; i < x.length; i++) {
          drawn[2 * p] += part * (x[i] - centre[i]) * turn[2 * i];
          drawn[2 * p + 1] += part * (x[i] - centre[i]) * turn[2 * i + 1];
        }
      }
      const next = [], size = sizes[stage + 1], bias = start + x.length * size;
      for (let j = 0; j < size; j++) {
        let sum = weights[bias + j];
        for (let i = 0; i < x.length; i++) sum += x[i] * weights[start + j * x.length + i];
        next.push(stage < deep ? bent(sum) : sum);
      }
      start = bias + size; x = next;
    }
    for (let k = 0; k < classes; k++) logits[p * classes + k] = x[k];
  }
  return { drawn, logits };
}
/* Logits of places of the last picture. */
function toldAt(weights, places) {
  const width = sizes[deep], start = parameters - (width + 1) * classes, n = places.length / 2;
  const logits = new Float64Array(n * classes), centre = scene.views[deep].centre;
  for (let p = 0; p < n; p++) for (let k = 0; k < classes; k++) {
    let sum = weights[start + width * classes + k];
    for (let i = 0; i < width; i++)
      sum += weights[start + k * width + i]
        * (centre[i] + places[2 * p] * scene.back[i] + places[2 * p + 1] * scene.back[width + i]);
    logits[p * classes + k] = sum;
  }
  return logits;
}
function net(half, centre, lines) {
  const places = [];
  for (let i = 0; i < lines; i++) for (let j = 0; j < lines; j++)
    places.push(centre[0] + half * (2 * j / (lines - 1) - 1), centre[1] + half * (2 * i / (lines - 1) - 1));
  return places;
}
function winner(logits, p) {
  let best = 0;
  for (let k = 1; k < classes; k++) if (logits[p * classes + k] > logits[p * classes + best]) best = k;
  return best;
}
/* Marching squares: the cells of a net by the class that wins there, cut in two where it changes, and the pieces of
   the border, four numbers each. Where it crosses an edge is found by halving. */
function divided(places, lines, tell) {
  const won = tell(places), owner = [], cells = [], ends = [], crossings = [];
  for (let p = 0; p < places.length / 2; p++) owner.push(winner(won, p));
  const cut = [];
  for (let i = 0; i < lines - 1; i++) for (let j = 0; j < lines - 1; j++) {
    const c = [i * lines + j, i * lines + j + 1, (i + 1) * lines + j + 1, (i + 1) * lines + j];
    const edges = [0, 1, 2, 3].filter(e => owner[c[e]] !== owner[c[(e + 1) % 4]]);
    if (edges.length === 2) {
      cut.push({ c, edges, at: crossings.length });
      for (const e of edges) crossings.push([c[e], c[(e + 1) % 4], 0, 1]);
    } else {
      const sorted = c.map(p => owner[p]).sort((a, b) => a - b);
      cells.push({ own: sorted[1], form: c.flatMap(p => [places[2 * p], places[2 * p + 1]]) });
    }
  }
  const on = ([a, b, low, high]) => [0, 1].map(k =>
    places[2 * a + k] + (low + high) / 2 * (places[2 * b + k] - places[2 * a + k]));
  for (let round = 0; round < 14; round++) {
    const now = tell(crossings.flatMap(on));
    crossings.forEach((x, n) => { x[winner(now, n) === owner[x[0]] ? 2 : 3] = (x[2] + x[3]) / 2; });
  }
  for (const { c, edges: [e, f], at } of cut) {
    const one = on(crossings[at]), two = on(crossings[at + 1]), inner = [], outer = [];
    for (let k = e + 1; k <= f; k++) inner.push(c[k]);
    for (let k = f + 1; k <= e + 4; k++) outer.push(c[k % 4]);
    const spot = p => [places[2 * p], places[2 * p + 1]];
    cells.push({ own: owner[inner[0]], form: [...one, ...inner.flatMap(spot), ...two] });
    cells.push({ own: owner[outer[0]], form: [...two, ...outer.flatMap(spot), ...one] });
    ends.push(...one, ...two);
  }
  return { cells, ends };
}
const plainView = scene.views[0], half = 1 / plainView.turn[0];
const mesh = net(half, plainView.centre, CELLS + 1), wide = net(1, [0, 0], CELLS + 1);
const gridLines = [];
for (let l = 0; l < LINES; l++) for (const upright of [false, true]) {
  const line = [], across = half * (2 * l / (LINES - 1) - 1);
  for (let s = 0; s <= 2 * CELLS; s++) {
    const along = half * (s / CELLS - 1);
    line.push(plainView.centre[0] + (upright ? across : along), plainView.centre[1] + (upright ? along : across));
  }
  gridLines.push(line);
}
const parts = text => [1, 3, 5].map(k => parseInt(text.slice(k, k + 2), 16));
const shade = number => scene.colours[number % scene.colours.length];
/* A class's colour laid thinly on the ground, but opaque: the plane may lie folded. */
function tint(number, share, ground) {
  const below = parts(ground);
  return `rgb(${parts(shade(number)).map((v, k) => Math.round(below[k] + share * (v - below[k])))})`;
}
function mark(g, x, y, number, size) {
  g.beginPath();
  switch (number % 4) {
    case 0: g.arc(x, y, size, 0, 7); break;
    case 1: g.rect(x - .9 * size, y - .9 * size, 1.8 * size, 1.8 * size); break;
    case 2: g.moveTo(x, y - 1.2 * size); g.lineTo(x + 1.15 * size, y + .9 * size);
      g.lineTo(x - 1.15 * size, y + .9 * size); g.closePath(); break;
    default: g.moveTo(x, y - 1.3 * size); g.lineTo(x + 1.3 * size, y); g.lineTo(x, y + 1.3 * size);
      g.lineTo(x - 1.3 * size, y); g.closePath();
  }
  g.fill(); g.stroke();
}
function paint(canvas, weights, depth) {
  const side = Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)) || 300;
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const g = canvas.getContext('2d'), style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue('--ink'), ground = style.getPropertyValue('--ground').trim();
  const quiet = style.getPropertyValue('--quiet'), unit = side / 400;
  const at = v => (Math.max(-3, Math.min(3, v)) + 1) * side / 2, X = v => at(v), Y = v => at(-v);
  g.fillStyle = ground; g.fillRect(0, 0, side, side);
  const near = depth - (deep - 1);
  const strokes = ends => {
    g.beginPath();
    for (let p = 0; p < ends.length; p += 4) {
      g.moveTo(X(ends[p]), Y(ends[p + 1])); g.lineTo(X(ends[p + 2]), Y(ends[p + 3]));
    }
    g.stroke();
  };
  const fill = (cells, place, share) => {
    let p = 0;
    for (const { own, form } of cells) {
      g.beginPath();
      for (let k = 0; k < form.length; k += 2, p += 2) g.lineTo(X(place[p]), Y(place[p + 1]));
      g.closePath(); g.fillStyle = tint(own, share, ground); g.strokeStyle = g.fillStyle; g.fill(); g.stroke();
    }
  };
  g.lineWidth = 1;
  let straight = null;
  if (near > 0) {
    straight = divided(wide, CELLS + 1, places => toldAt(weights, places));
    fill(straight.cells, straight.cells.flatMap(cell => cell.form), .1 * near);
  }
  const plane = divided(mesh, CELLS + 1, places => carried(weights, places, 0).logits);
  fill(plane.cells, carried(weights, plane.cells.flatMap(cell => cell.form), depth).drawn, .26);
  g.strokeStyle = quiet; g.globalAlpha = .45; g.lineWidth = .8 * unit;
  for (const line of gridLines) {
    const place = carried(weights, line, depth).drawn;
    g.beginPath();
    for (let p = 0; p < place.length; p += 2) g.lineTo(X(place[p]), Y(place[p + 1]));
    g.stroke();
  }
  g.globalAlpha = 1; g.strokeStyle = ink; g.lineWidth = 2.2 * unit; g.lineCap = 'round';
  strokes(carried(weights, plane.ends, depth).drawn);
  if (near > .995) strokes(straight.ends);
  const spots = carried(weights, points, depth);
  let right = 0;
  g.strokeStyle = ground; g.lineWidth = .8 * unit;
  for (let p = 0; p < count; p++) {
    right += winner(spots.logits, p) === scene.truth[p];
    g.fillStyle = shade(scene.truth[p]);
    mark(g, X(spots.drawn[2 * p]), Y(spots.drawn[2 * p + 1]), scene.truth[p], 3 * unit);
  }
  return right / count;
}
const state = { moment: last, depth: deep, play: null };
function words(depth) {
  const below = Math.floor(depth);
  if (depth > below) return `from ${below ? 'hidden layer ' + below : 'the plane'} to hidden layer ${below + 1}`;
  if (!below) return 'the plane as it is';
  const seen = sizes[below] > 2 ? ', seen from its widest side' : '';
  return `hidden layer ${below} of ${deep} (${sizes[below]} wide${seen})`;
}
let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const weights = weightsAt(state.moment), below = Math.min(Math.floor(state.moment), last);
    const share = paint(byId('plain'), weights, 0);
    paint(byId('bent'), weights, state.depth);
    const after = scene.after[below]
      + (state.moment - below) * (scene.after[Math.min(below + 1, last)] - scene.after[below]);
    byId('told').textContent = `after ${Math.round(after).toLocaleString('en')} batches: `
      + `${(100 * share).toFixed(1)} % of these points on their side`;
    byId('stage').textContent = words(state.depth);
    byId('time').value = state.moment; byId('depth').value = state.depth;
  });
}
const BUTTONS = { learn: byId('learn').textContent, bend: byId('bend').textContent };
function stop() {
  if (state.play) byId(state.play).textContent = BUTTONS[state.play];
  state.play = null;
}
function play(which, seconds, set) {
  const again = state.play === which;
  stop();
  if (again) return;
  state.play = which; byId(which).textContent = '❚❚ Stop';
  let begin = null;
  const step = now => {
    if (state.play !== which) return;
    begin ??= now;
    const share = Math.min(1, (now - begin) / (1000 * seconds));
    set(share); draw();
    if (share < 1) requestAnimationFrame(step); else stop();
  };
  requestAnimationFrame(step);
}
/* A pause at each layer: smooth steps. */
const stepped = share => {
  const whole = Math.min(deep - 1, Math.floor(share * deep)), part = Math.min(1, 1.3 * (share * deep - whole));
  return whole + part * part * (3 - 2 * part);
};
byId('time').max = last; byId('depth').max = deep;
byId('time').addEventListener('input', e => { stop(); state.moment = +e.target.value; draw(); });
byId('depth').addEventListener('input', e => {
  stop();
  const value = +e.target.value, whole = Math.round(value);
  /* it catches at a layer, but lets go of it: a step of the arrow keys may be shorter than that */
  state.depth = Math.abs(value - whole) < Math.min(.04, Math.abs(state.depth - whole)) ? whole : value; draw();
});
byId('learn').addEventListener('click', () => {
  play('learn', 9, share => { state.depth = deep; state.moment = last * share ** 1.4; });
});
byId('bend').addEventListener('click', () => {
  play('bend', 2.4 * deep, share => { state.moment = last; state.depth = stepped(share); });
});
for (let stage = 0; stage <= deep; stage++) {
  const name = document.createElement('span');
  name.textContent = stage ? `${deep > 5 ? '' : 'layer '}${stage}` : deep > 5 ? '0' : 'the plane';
  byId('layers').append(name);
}
scene.labels.forEach((label, number) => {
  const shapes = ['<circle cx="7" cy="7" r="5"/>', '<rect x="2.5" y="2.5" width="9" height="9"/>',
    '<path d="M7 1 13 12H1Z"/>', '<path d="M7 0 14 7 7 14 0 7Z"/>'];
  const item = document.createElement('span'), name = document.createElement('bdi');
  item.innerHTML = `<svg width="14" height="14" aria-hidden="true" fill="${shade(number)}">${shapes[number % 4]}</svg>`;
  name.textContent = label; item.append(name); byId('classes').append(item);
});
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
const asked = new URLSearchParams(location.hash.slice(1)); /* #time=0.5&depth=1: both as shares of the whole */
if (asked.has('time')) state.moment = last * Math.max(0, Math.min(1, +asked.get('time')));
if (asked.has('depth')) state.depth = deep * Math.max(0, Math.min(1, +asked.get('depth')));
draw();
"""
