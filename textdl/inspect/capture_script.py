"""The script of the capture page. What it must know stands in ``given``, which the page puts before it."""

SCRIPT = r"""
"use strict";
const find = name => document.getElementById(name);
const canvas = find("canvas"), pen = canvas.getContext("2d");
const prompts = given.prompts.join("\n");
const key = "textdl-capture " + location.pathname;
// of each prompt that is written: {id, text, strokes, sent}; and the strokes of the one that is being written
let state = { at: 0, done: {}, strokes: [], undone: [] };
let active = null, penSeen = false, sending = false, refused = false, ended = false, full = false;

function remember() {
  try { localStorage.setItem(key, JSON.stringify(state)); full = false; } catch (error) { full = true; }
}
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    if (kept && kept.prompts === prompts) state = kept;
  } catch (error) { /* nothing kept */ }
  state.prompts = prompts;
}

function say(text, wrong) {
  find("status").textContent = text;
  find("status").classList.toggle("wrong", Boolean(wrong));
}
function count() { return Object.keys(state.done).length; }
function show() {
  const over = state.at >= given.prompts.length;
  find("prompt").textContent = over ? "That was the last line. Thank you!" : given.prompts[state.at];
  find("number").textContent = over ? "" : `Line ${state.at + 1} of ${given.prompts.length}`;
  find("written").textContent = `${count()} written`;
  find("bar").max = given.prompts.length;
  find("bar").value = count();
  find("undo").disabled = find("clear").disabled = over || !state.strokes.length;
  find("redo").disabled = over || !state.undone.length;
  find("next").disabled = find("skip").disabled = over;
  find("back").disabled = state.at === 0;
  draw();
}

function fit() {
  const box = canvas.getBoundingClientRect(), dots = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * dots);
  canvas.height = Math.round(box.height * dots);
  pen.setTransform(dots, 0, 0, dots, 0, 0);
  draw();
}
function draw() {
  const box = canvas.getBoundingClientRect(), colour = getComputedStyle(canvas);
  const base = box.height * 0.62, letter = Math.min(box.height * 0.17, box.width / 30);
  pen.clearRect(0, 0, box.width, box.height);
  pen.lineWidth = 1;
  pen.strokeStyle = colour.getPropertyValue("--line");
  for (const [y, dash] of [[base, []], [base - letter, [4, 6]]]) {
    pen.setLineDash(dash);
    pen.beginPath(); pen.moveTo(0, y); pen.lineTo(box.width, y); pen.stroke();
  }
  pen.setLineDash([]);
  for (const stroke of state.strokes) ink(stroke, colour);
  if (active) ink(active.stroke, colour);
}
function ink(stroke, colour) {
  pen.strokeStyle = pen.fillStyle = colour.getPropertyValue("--ink");
  pen.lineWidth = 2.6; pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(stroke[0][0], stroke[0][1]);
  if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.01, stroke[0][1]);
  for (let at = 1; at < stroke.length; at++) pen.lineTo(stroke[at][0], stroke[at][1]);
  pen.stroke();
}

function place(event) {
  const box = canvas.getBoundingClientRect(), round = value => Math.round(value * 100) / 100;
  return [round(event.clientX - box.left), round(event.clientY - box.top), Math.round(event.timeStamp)];
}
canvas.addEventListener("pointerdown", event => {
  if (active || event.button !== 0 || state.at >= given.prompts.length) return;
  if (event.pointerType === "pen") penSeen = true;
  if (event.pointerType === "touch" && penSeen) return;  // the hand that holds the pen
  event.preventDefault();
  if (document.activeElement) document.activeElement.blur();  // Enter is Next again, not the last button
  try { canvas.setPointerCapture(event.pointerId); } catch (error) { /* it is gone already */ }
  active = { pointer: event.pointerId, stroke: [place(event)] };
  draw();
});
canvas.addEventListener("pointermove", event => {
  if (!active || event.pointerId !== active.pointer) return;
  event.preventDefault();
  const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const one of all.length ? all : [event]) {
    const [x, y, time] = place(one), last = active.stroke[active.stroke.length - 1];
    if (x !== last[0] || y !== last[1]) active.stroke.push([x, y, time]);
  }
  draw();
});
function lift(event) {
  if (!active || event.pointerId !== active.pointer) return;
  state.strokes.push(active.stroke);
  state.undone = [];
  active = null;
  remember(); show();
}
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", event => {
  if (active && event.pointerId === active.pointer) { active = null; show(); }
});
canvas.addEventListener("contextmenu", event => event.preventDefault());

function go(at) {
  state.at = Math.max(0, Math.min(given.prompts.length, at));
  const known = state.done[state.at];
  state.strokes = known ? known.strokes.slice() : [];
  state.undone = [];
  remember(); show();
}
function onwards() {
  let at = state.at + 1;
  while (at < given.prompts.length && state.done[at]) at++;
  go(at);
}
function name() {
  const numbers = crypto.getRandomValues(new Uint32Array(4));
  return Array.from(numbers, number => number.toString(16).padStart(8, "0")).join("");
}
function next() {
  if (state.at >= given.prompts.length) return;
  const points = state.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  if (points < 2) { say("Write the line first, or skip it.", true); return; }
  const known = state.done[state.at];
  const same = known && JSON.stringify(known.strokes) === JSON.stringify(state.strokes);
  if (!same) {
    const id = known ? known.id : name();
    state.done[state.at] = { id, text: given.prompts[state.at], strokes: state.strokes.slice(), sent: false };
    remember();
    const place = full ? "This browser can keep no more lines: save them as a file before you close the page."
      : "Kept in this browser; save it as a file when you are done.";
    say(given.served ? "Saving…" : place, full && !given.served);
  }
  onwards();
  send();
}

// Each line goes to the program at once; what does not arrive is kept and sent again.
async function send() {
  if (!given.served || sending || ended) return;
  sending = true;
  try {
    for (;;) {
      const at = Object.keys(state.done).find(one => !state.done[one].sent);
      if (at === undefined) break;
      const line = state.done[at];
      const answer = await post("line", { id: line.id, text: line.text, strokes: line.strokes });
      if (!answer.ok) {
        const why = (await answer.json()).error;
        refused = true;
        delete state.done[at];
        go(Number(at));
        state.strokes = line.strokes.slice();
        remember(); show();
        say(`Not saved: ${why}`, true);
        break;
      }
      line.sent = true;
      remember();
      say(`Saved in ${given.out}, which now holds ${(await answer.json()).lines} lines.`);
    }
  } catch (error) {
    say("Not saved yet: the program does not answer. The line is kept here and sent again.", true);
    setTimeout(send, 3000);
  } finally { sending = false; }
}
function post(what, values) {
  return fetch(what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
}
async function done() {
  refused = false;
  if (state.strokes.length) next();
  if (!given.served) { save(); return; }
  while (sending) await new Promise(then => setTimeout(then, 50));
  await send();
  if (refused || Object.values(state.done).some(line => !line.sent)) return;
  try { await post("done", {}); } catch (error) { /* it has ended already */ }
  ended = true;
  try { localStorage.removeItem(key); } catch (error) { /* as it was */ }
  document.body.classList.add("over");
  say(`Done. ${count()} lines were saved in ${given.out}. This page can be closed.`);
}
function save() {
  const lines = Object.values(state.done).map(({ text, strokes }) => ({ text, strokes }));
  if (!lines.length) { say("There is no line yet.", true); return; }
  const content = new Blob([JSON.stringify({ format: given.format, lines })], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = "strokes.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  say(`${lines.length} lines in strokes.json. Now: textdl capture --from strokes.json --out mine.npz`);
}

const acts = {
  undo: () => { if (state.strokes.length) state.undone.push(state.strokes.pop()); },
  redo: () => { if (state.undone.length) state.strokes.push(state.undone.pop()); },
  clear: () => { state.undone = []; state.strokes = []; },
};
for (const [id, act] of Object.entries(acts)) {
  find(id).addEventListener("click", () => { act(); remember(); show(); });
}
find("back").addEventListener("click", () => go(state.at - 1));
find("skip").addEventListener("click", () => { say("Skipped."); onwards(); });
find("next").addEventListener("click", next);
find("done").addEventListener("click", done);
find("save").addEventListener("click", save);
document.addEventListener("keydown", event => {
  if (ended) return;
  const ordered = event.ctrlKey || event.metaKey;
  if (ordered && event.key.toLowerCase() === "z") {
    event.preventDefault();
    find(event.shiftKey ? "redo" : "undo").click();
  } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") { event.preventDefault(); next(); }
});
window.addEventListener("resize", fit);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
recall();
show();
fit();
send();
"""
