"""The page on which a person writes lines with pen, finger or mouse: one page of HTML that needs nothing else.

Served by ``textdl capture`` it posts each line to where it came from; opened as a file it keeps the lines in the
browser and gives them as a file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..errors import ConfigError
from .capture_prompts import PROMPTS
from .capture_script import SCRIPT
from .captured import FORMAT, MOST_CHARACTERS
from .page import STYLE

_STYLE = """
main { max-width: 80rem; }
header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; color: var(--quiet); }
progress { flex: 1 1 8rem; height: .5rem; appearance: none; border: 0; border-radius: .25rem; overflow: hidden;
  background: var(--line); }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: rgb(var(--for)); }
progress::-moz-progress-bar { background: rgb(var(--for)); }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.6rem); line-height: 1.25; margin: .6rem 0; min-height: 1.25em; }
canvas { display: block; width: 100%; height: clamp(11rem, 42vh, 22rem); box-sizing: border-box;
  border: 1px solid var(--line); border-radius: .6rem; touch-action: none; user-select: none;
  -webkit-user-select: none; cursor: crosshair; }
.buttons { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; }
.buttons .last { margin-left: auto; }
button { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .5rem;
  padding: .55rem 1rem; min-height: 2.75rem; cursor: pointer; }
button:hover:enabled { border-color: var(--quiet); }
button:disabled { opacity: .4; cursor: default; }
button.main { background: #2459b3; border-color: #2459b3; color: #fff; font-weight: 600; padding: .55rem 2rem; }
#status { min-height: 1.5em; margin: .4rem 0; color: var(--quiet); }
#status.wrong { color: #d5402f; font-weight: 600; }
kbd { border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; font-size: .85em; }
.over .buttons, .over canvas, .over h1 { opacity: .35; pointer-events: none; }
"""

_BODY = """
<body><main>
<header><span id="number"></span><progress id="bar" aria-label="Lines written"></progress><span id="written"></span>
</header>
<h1 id="prompt" aria-live="polite"></h1>
<canvas id="canvas" aria-label="Write the line here, on the solid line"></canvas>
<p id="status" role="status"></p>
<div class="buttons">
<button id="undo">Undo stroke</button><button id="redo">Redo stroke</button><button id="clear">Redo line</button>
<button id="back">Back</button><button id="skip">Skip</button><button id="next" class="main">Next</button>
<button id="save" class="last">Save as a file</button><button id="done">Done</button>
</div>
<p class="fact">Write the line above as you always do, small letters between the two rules.
<kbd>Enter</kbd> next, <kbd>Ctrl</kbd> <kbd>Z</kbd> undo. WHERE</p>
<noscript>This page needs JavaScript, which is switched off.</noscript>
</main>
"""


def capture_page(prompts: Sequence[str] = PROMPTS, served: bool = False, out: str = "mine.npz") -> str:
    """The page as HTML.

    Args:
        prompts: the lines to write, in their order.
        served: whether a program takes the lines at the page's own address; else it gives them as a file.
        out: the file that the program puts them into, for people.

    Raises:
        ConfigError: no prompt, or one that is empty, too long, or has characters that can not be written.
    """
    if not prompts:
        raise ConfigError("a capture page needs texts to write, got none; give some")
    for number, prompt in enumerate(prompts, 1):
        if not prompt.strip() or not prompt.isprintable() or len(prompt) > MOST_CHARACTERS:
            got = repr(prompt[:40])
            raise ConfigError(f"text {number} must be 1 to {MOST_CHARACTERS:,} printable characters, got {got}")
    given = json.dumps({"prompts": list(prompts), "served": served, "out": out, "format": FORMAT})
    given = given.replace("<", "\\u003c")  # so that no text can close the script
    where = (
        "Each line is saved as you go on." if served else "Lines are kept in this browser; Done saves them as a file."
    )
    to = "'self'" if served else "'none'"
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src " + to
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<link rel="icon" href="data:,">',
            "<title>textdl capture</title>",
            f"<style>{STYLE}{_STYLE}</style></head>",
            _BODY.replace("WHERE", where).strip(),
            f"<script>const given = {given};{SCRIPT}</script>",
            "</body></html>",
            "",
        ]
    )
