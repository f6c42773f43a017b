"""The style of a page of HTML, light and dark."""

STYLE = """
:root { color-scheme: light dark; --ground: #fdfdfc; --ink: #1b1f24; --quiet: #5a636e; --line: #d5d9de;
  --dots: 27 31 36; --for: 52 178 84; --against: 240 92 80; --seen: 74 144 240; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --ink: #e8ebee; --quiet: #9aa4af; --line: #343b44; --dots: 232 235 238;
    --for: 24 122 54; --against: 178 44 38; --seen: 30 92 178; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.5rem 0 .4rem; color: var(--quiet); font-weight: 600; }
.fact { margin: .2rem 0; color: var(--quiet); }
.legend { margin: 1rem 0 .4rem; line-height: 2; }
.legend span { padding: .1rem .5rem; }
.texts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 0 2rem; }
pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .4rem; font: inherit; line-height: 1.9;
  white-space: pre-wrap; overflow-wrap: anywhere; }
span { border-radius: .2rem; }
.for { background: rgb(var(--for) / var(--s)); }
.against { background: rgb(var(--against) / var(--s)); text-decoration: underline dotted rgb(var(--dots) / var(--s)); }
.seen { background: rgb(var(--seen) / var(--s)); }
table { border-collapse: collapse; }
td, th { padding: .15rem .9rem .15rem 0; text-align: start; font-variant-numeric: tabular-nums; }
th { color: var(--quiet); font-weight: 600; }
tr + tr { border-top: 1px solid var(--line); }
"""
