/**
 * The look of the reports: one column of text and charts, few colours, figures in columns. Light and dark by the
 * reader's setting, from the same variables that colour the charts; paper is always light. From 360 px up; tables
 * wider than the page scroll on their own; at 1280 px none has to.
 */

const LIGHT = `
  --paper: #ffffff; --panel: #ffffff; --tint: #f5f7f9; --ink: #1a2027; --muted: #5a6673; --rule: #ccd3da; --grid: #e9edf1;
  --accent: #1b63a5; --good: #17735a; --bad: #b3261e; --warn: #8a5a00; --reference: #8a949e;
  --s1: #1f6fb5; --s2: #cf5d0b; --s3: #17866a; --s4: #8550b5; --s5: #a98200; --s6: #d0408a; --s7: #7a4a2b; --s8: #0888a5;
  --s9: #301c99; --s10: #0b400b; --s11: #661251; --s12: #f22cf2; --s13: #4d2cf2; --s14: #2e4a66; --s15: #1ea61e; --s16: #997383;
  --heat: 27, 99, 165;`;

const DARK = `
  --paper: #14181c; --panel: #1d2329; --tint: #1b2127; --ink: #e3e8ed; --muted: #9ba7b3; --rule: #3a434c; --grid: #262d34;
  --accent: #79b8f2; --good: #58c9a4; --bad: #ff8a80; --warn: #e5b454; --reference: #7f8a95;
  --s1: #6cb2f0; --s2: #f39a55; --s3: #4fc3a1; --s4: #c49bea; --s5: #e9cf4d; --s6: #ff8cc0; --s7: #c79a78; --s8: #58d3ee;
  --s9: #9f2cf2; --s10: #178017; --s11: #cc256a; --s12: #5c6b99; --s13: #2cf22c; --s14: #99651c; --s15: #f22cd1; --s16: #20b220;
  --heat: 108, 178, 240;`;

export const STYLE = `
:root { color-scheme: light dark; ${LIGHT}
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
@media screen and (prefers-color-scheme: dark) { :root { ${DARK} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--font); }
main { max-width: 1220px; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1, h2, h3 { line-height: 1.25; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .75rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 0; }
p, ul { margin: .5rem 0 .9rem; max-width: 75ch; }
ul { padding-left: 1.2rem; }
a { color: var(--accent); text-underline-offset: .15em; }
code, pre { font: .875rem/1.5 var(--mono); }
pre { margin: .5rem 0 1rem; padding: .75rem 1rem; background: var(--tint); border-radius: 6px; overflow-x: auto; }
.kicker { margin: 0 0 .4rem; color: var(--muted); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; }
.lead { font-size: 1.075rem; margin: 0 0 1.25rem; }
.quiet { color: var(--muted); font-size: .9rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: 1.25rem 0; font-size: .92rem; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 1.25rem 0 0; padding: 0; font-size: .92rem; max-width: none; }
.verdict { margin: 1.25rem 0; padding: .8rem 1rem; border-left: 4px solid var(--good); background: var(--tint); border-radius: 0 6px 6px 0; }
.verdict > strong { color: var(--good); }
.verdict p, .verdict ul { margin: .25rem 0 0; max-width: none; font-size: .94rem; }
.verdict.bad { border-color: var(--bad); } .verdict.bad > strong { color: var(--bad); }
.verdict.warn { border-color: var(--warn); } .verdict.warn > strong { color: var(--warn); }
.tiles { display: flex; flex-wrap: wrap; gap: 1px; margin: 1rem 0; padding: 0; max-width: none;
  list-style: none; background: var(--rule); border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; }
.tiles li { flex: 1 1 9.5rem; background: var(--paper); padding: .7rem .9rem .6rem; }
.tiles span { display: block; color: var(--muted); font-size: .8rem; }
.tiles b { display: block; font-weight: 600; font-size: 1.25rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .75rem 0 1.25rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; min-width: 100%; }
.table-title { margin: 1.25rem 0 0; color: var(--muted); font-size: .9rem; max-width: none; }
.table-title + .scroll { margin-top: .3rem; }
th, td { padding: .32rem .5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
thead th { white-space: normal; color: var(--muted); font-weight: 600; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
tbody th { font-weight: 400; }
th.text, td.text { text-align: left; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
td.wrap { white-space: normal; min-width: 14rem; }
figure { margin: 1.5rem 0 2rem; }
figcaption p { max-width: none; margin: .15rem 0 .6rem; color: var(--muted); font-size: .9rem; }
.chart { width: 100%; }
.chart-failed { color: var(--bad); font-size: .9rem; }
details.part { margin: .9rem 0; } details.part > summary { font-weight: 600; }
details { margin: .4rem 0 0; font-size: .9rem; }
summary { cursor: pointer; color: var(--muted); width: max-content; max-width: 100%; }
summary:hover { color: var(--ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.word { font-weight: 650; white-space: nowrap; } .word.good { color: var(--good); } .word.bad { color: var(--bad); } .word.warn { color: var(--warn); }
table.heat { min-width: 0; } table.heat td { text-align: center; border: 2px solid var(--paper); padding: .45rem .8rem; }
table.heat th { border: 0; } table.heat td, table.heat th { min-width: 4.5rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--muted); font-size: .85rem; }
@media (max-width: 640px) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.5rem; } h2 { margin-top: 2.2rem; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: .5rem; }
  th, td { padding: .32rem .55rem; } .tiles li { flex-basis: 40%; } .tiles b { font-size: 1.1rem; }
  .scroll { margin-right: -1rem; padding-right: 1rem; }
}
@media print { main { max-width: none; padding: 0; } figure, .tiles, .verdict, tr { break-inside: avoid; } nav, details { display: none; } }
`;
