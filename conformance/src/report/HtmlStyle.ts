/** The style of the HTML report: light and dark, narrow and printed. */
export const style = `:root { color-scheme: light dark;
 --ground: light-dark(#f4f7f6, #0e1514); --surface: light-dark(#fff, #161f1d); --ink: light-dark(#14211f, #e4edea);
 --soft: light-dark(#465653, #a6b8b3); --line: light-dark(#d5dedb, #2a3835); --edge: light-dark(#7b8d88, #6f837e);
 --accent: light-dark(#0b6b63, #5fdccb); --good: light-dark(#0b6b63, #5fdccb); --good-soft: light-dark(#d3ece7, #123b35);
 --bad: light-dark(#a3221b, #ffb1a8); --bad-soft: light-dark(#fbe7e5, #3d1714);
 --warn: light-dark(#7a4300, #ffc67d); --warn-soft: light-dark(#fdefd9, #36260d); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
 font: 1rem/1.5 system-ui, sans-serif; }
h1 { font: 600 1.75rem/1.2 "Iowan Old Style", Palatino, Georgia, serif; margin: 0; overflow-wrap: anywhere; }
h1 small { font: 400 1rem system-ui, sans-serif; color: var(--soft); }
.kind, .facts { color: var(--soft); margin: 0.25rem 0; font-size: 0.875rem; }
.verdict { font-size: 1.125rem; font-weight: 600; margin: 0.75rem 0 0.25rem; }
.verdict.pass { color: var(--good); } .verdict.fail { color: var(--bad); }
nav { display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: center; padding: 0.75rem 0; position: sticky; top: 0;
 background: var(--ground); border-bottom: 1px solid var(--line); margin-bottom: 0.75rem; }
.filters { display: flex; flex-wrap: wrap; gap: 0.25rem; }
button, input { font: inherit; font-size: 0.875rem; color: var(--ink); background: var(--surface); border: 1px solid var(--edge);
 border-radius: 6px; padding: 0.25rem 0.75rem; min-height: 2rem; }
button[aria-pressed="true"] { background: var(--accent); color: var(--surface); border-color: var(--accent); }
button:disabled { opacity: 0.5; }
label { font-size: 0.875rem; color: var(--soft); display: flex; gap: 0.5rem; align-items: center; }
:focus-visible { outline: 2px solid light-dark(#0b57d0, #8ab4ff); outline-offset: 2px; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.8125rem; }
.row { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; margin: 0.5rem 0; padding: 0 1rem; }
.row > summary { display: flex; gap: 0.75rem; align-items: baseline; padding: 0.5rem 0; cursor: pointer; list-style: none; }
.row > summary::-webkit-details-marker { display: none; }
.row > summary > code { white-space: nowrap; } .what { flex: 1; }
.level { font-size: 0.75rem; color: var(--soft); min-width: 4rem; }
.mark { font-size: 0.8125rem; font-weight: 600; border-radius: 99px; padding: 0 0.6rem; white-space: nowrap; background: var(--ground); color: var(--soft); }
.mark.pass { background: var(--good-soft); color: var(--good); }
.mark.fail, .mark.untestable { background: var(--bad-soft); color: var(--bad); }
.mark.warn, .mark.finding, .mark.excused { background: var(--warn-soft); color: var(--warn); }
.count, .why { color: var(--soft); font-size: 0.875rem; margin: 0.25rem 0; }
ul { padding: 0; list-style: none; } .check { border-top: 1px solid var(--line); padding: 0.5rem 0; overflow-wrap: anywhere; }
.check p { margin: 0.25rem 0; } dl { margin: 0.25rem 0; } dt { color: var(--soft); font-size: 0.8125rem; } dd { margin: 0 0 0.25rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; max-height: 20rem; overflow: auto; }
.section { margin: 0.5rem 0 0.75rem; } .section summary { color: var(--accent); cursor: pointer; font-size: 0.875rem; }
@media (max-width: 40rem) { .row > summary { flex-wrap: wrap; } .what { order: 1; flex-basis: 100%; } }
@media print { nav { display: none; } }
`
