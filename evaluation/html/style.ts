/** The page's style sheet. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --ink: #1c1c1a; --soft: #66655f;
  --line: #e4e3de; --s1: #2a78d6; --s2: #eb6834; --s3: #1baf7a; --s4: #eda100; --s5: #4a3aa7; --s6: #e34948;
  --s7: #d55181; --s8: #6b8e00; }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #1f1f1d; --ink: #ecebe6;
  --soft: #a09f97; --line: #34332f; --s1: #3987e5; --s2: #d95926; --s3: #199e70; --s4: #c98500; --s5: #9085e9;
  --s6: #e66767; --s7: #e87ba4; --s8: #93b02c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 56px 0 4px; letter-spacing: -0.005em; }
h3 { font-size: 15px; margin: 28px 0 8px; }
p { margin: 0 0 12px; max-width: 76ch; }
.lead, .about { color: var(--soft); }
.scroll { overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px; margin: 28px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 28px; font-weight: 600; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { display: block; font-size: 13px; color: var(--soft); }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 8px 0; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; padding: 4px 14px 4px 0; vertical-align: bottom; }
td { padding: 4px 14px 4px 0; border-top: 1px solid var(--line); white-space: nowrap; vertical-align: middle; }
td.n, th.n { text-align: right; }
img { display: block; image-rendering: pixelated; border-radius: 3px; height: auto; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
figcaption { font-size: 14px; margin-bottom: 6px; }
.plot { width: 100%; height: auto; display: block; }
.plot text, .legend { font-size: 12px; fill: var(--ink); }
.plot .axis { fill: var(--soft); }
.middle { text-anchor: middle; } .end { text-anchor: end; }
.grid { stroke: var(--line); } .guide { stroke: var(--soft); stroke-dasharray: 4 4; }
polyline, .legend line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.dashed { stroke-dasharray: 5 4; } .dot { fill-opacity: 0.8; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0 0; padding: 0; color: var(--soft); }
.legend svg { vertical-align: middle; margin-right: 6px; }
.confusion td { text-align: center; padding: 3px 2px; min-width: 38px; font-size: 12px; border: 1px solid var(--page); }
.confusion th { padding: 2px 8px 2px 0; font-size: 12px; }
.confusion thead th { writing-mode: vertical-rl; transform: rotate(180deg); padding: 6px 8px; text-align: left; }
.across { display: inline-block; }
.across div { display: grid; font-size: 11px; color: var(--soft); margin-bottom: 4px; }
.across span { overflow: hidden; text-overflow: ellipsis; text-align: center; padding: 0 1px; white-space: nowrap; }
.pairs { display: flex; flex-wrap: wrap; gap: 16px; }
.pairs > div { display: grid; grid-template-columns: repeat(3, auto); gap: 4px 8px; font-size: 12px; color: var(--soft);
  background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; }
${
  [1, 2, 3, 4, 5, 6, 7, 8].map((i) =>
    `.stroke${i} { stroke: var(--s${i}); } .fill${i} { fill: var(--s${i}); }`
  ).join("\n")
}
`;
