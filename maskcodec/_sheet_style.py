"""The style sheet of `maskcodec.sheet`."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --back: #ffffff; --panel: #f5f7f9; --line: #d5dbe1; --text: #1a1f24; --dim: #57606a;
  --good: #0b57d0; --bad: #b3261e; --warn: #8a5a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #101418; --panel: #181d23; --line: #323a43; --text: #e4e8ec; --dim: #9aa5b0;
    --good: #8ab4f8; --bad: #ff8a80; --warn: #f0c060;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1560px; padding: 1.5rem clamp(.75rem, 3vw, 2.5rem) 4rem;
  background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 0 0 .75rem; }
h2 small { font-size: .9rem; font-weight: normal; color: var(--dim); margin-left: .4rem; }
h3 { font-size: .95rem; margin: 1.5rem 0 .5rem; }
h4 { font: 600 .8rem/1.35 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; margin: 0; }
.lead { color: var(--dim); margin: 0 0 1.25rem; max-width: 80ch; }
.note { color: var(--dim); font-size: .85rem; margin: .5rem 0 0; max-width: 90ch; }
section { border-top: 1px solid var(--line); margin-top: 2.25rem; padding-top: 1.5rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem; text-align: right; white-space: nowrap; overflow-wrap: normal; }
th:first-child { text-align: left; }
thead th { background: var(--panel); font-size: .8rem; color: var(--dim); font-weight: 600; }
tbody th { font: .82rem ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
tbody th { white-space: normal; overflow-wrap: anywhere; min-width: 9.5rem; }
thead th:first-child, tbody th { position: sticky; left: 0; background: var(--panel); }
tbody tr { border-top: 1px solid var(--line); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 12px; }
.cards, .single { align-items: start; }
figure, article {
  margin: 0; background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  overflow: hidden; min-width: 0;
}
img { display: block; width: 100%; height: auto; }
figcaption { padding: .45rem .65rem; color: var(--dim); font-size: .82rem; }
.answer { padding: .5rem .65rem .6rem; min-width: 0; }
.numbers { margin: .15rem 0 0; font-size: .85rem; color: var(--dim); }
.numbers b { color: var(--good); font-variant-numeric: tabular-nums; }
.problem { margin: .35rem 0 0; font-size: .85rem; color: var(--bad); }
.missing {
  display: grid; place-items: center; min-height: 7rem; color: var(--dim); font-size: .85rem;
  border-bottom: 1px dashed var(--line);
}
pre {
  margin: .45rem 0 0; padding: .45rem .55rem; max-height: 13rem; overflow: auto;
  background: var(--back); border: 1px solid var(--line); border-radius: 6px;
  font: 12px/1.45 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; unicode-bidi: isolate;
}
.cards pre { max-height: 7.4rem; }
.cards details[open] pre { max-height: 13rem; }
details { margin-top: .4rem; font-size: .85rem; }
summary { cursor: pointer; color: var(--dim); }
.repairs summary { color: var(--warn); }
.repairs ul { margin: .3rem 0 0; padding-left: 1.1rem; max-height: 13rem; overflow: auto; }
.single { display: flex; flex-wrap: wrap; gap: 12px; }
.single figure { flex: 1 1 0; }
.single article { flex: 2.4 1 0; display: flex; }
.single article > img, .single article > .missing { flex: 1 1 0; width: 0; align-self: start; }
.single .answer { flex: 1.4 1 0; order: -1; }
.single .missing { border-bottom: 0; }
@media (max-width: 820px) {
  .single article { flex-basis: 100%; }
}
@media (max-width: 480px) {
  .cards { grid-template-columns: 1fr 1fr; gap: 8px; }
  .single article { display: block; }
  .single article > img { width: 100%; }
  th, td { padding: .35rem .5rem; }
}
"""
