// The page of a run under way: one document, nothing from outside.
#include <string_view>

#include "rtbench/live_server.h"

namespace rt::rtbench {

const std::string_view kLivePage = R"page(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>rtbench</title><style>
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #16202c; --soft: #5b6877; --line: #dfe4ea;
  --one: #2563c9; --two: #7a8ea6; --three: #c9a227; }
@media (prefers-color-scheme: dark) { :root { --page: #10151b; --card: #182029; --ink: #e6ebf1; --soft: #95a3b3;
  --line: #2b3642; --one: #6ea4ff; --two: #8b9bae; --three: #e3c25a; } }
body { margin: 0 auto; padding: 24px 16px; max-width: 1080px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0; font-size: 22px; } #phase { color: var(--soft); } dl, main { display: grid; gap: 12px; margin: 16px 0; }
dl { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
main { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
dl div, figure { margin: 0; padding: 12px 16px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
dt { color: var(--soft); font-size: 13px; } dd { margin: 0; font-size: 21px; font-weight: 600; }
figcaption { font-weight: 600; } figcaption small { color: var(--soft); font-weight: 400; }
svg { display: block; width: 100%; height: 150px; } path { fill: none; stroke-width: 1.6; vector-effect: non-scaling-stroke; }
</style></head><body>
<h1 id="name">rtbench</h1><div id="phase">waiting for the first second</div>
<dl><div><dt>Connections</dt><dd id="connections">-</dd></div><div><dt>Events</dt><dd id="events">-</dd></div>
<div><dt>Deliveries</dt><dd id="deliveries">-</dd></div><div><dt>p95</dt><dd id="p95">-</dd></div>
<div><dt>Latest event</dt><dd id="late">-</dd></div></dl>
<main id="charts"></main>
<script>
"use strict";
const charts = [
  ["Delivery latency", "ms", [["p50", "--two"], ["p95", "--one"], ["max", "--three"]]],
  ["Connections", "", [["connections", "--one"]]],
  ["Deliveries", "/s", [["received", "--one"]]],
  ["Events", "/s", [["offered", "--two"], ["achieved", "--one"]]],
];
const by = (id) => document.getElementById(id);
const count = (n) => Math.round(n).toLocaleString("en").replace(/,/g, "\u2009");
const ms = (n) => n > 0 ? (n < 10 ? n.toFixed(2) : n < 1000 ? n.toFixed(1) : n.toFixed(0)) + " ms" : "-";
const clock = (s) => Math.floor(s / 60) + ":" + String(Math.floor(s % 60)).padStart(2, "0");
for (const [title, unit, series] of charts) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title + " ";
  const top = document.createElement("small");
  caption.append(top);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  figure.append(caption, svg);
  by("charts").append(figure);
  series.forEach((one) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.style.stroke = "var(" + one[1] + ")";
    svg.append(path);
    one.push(path);
  });
  series.top = top;
  series.unit = unit;
}
function show(run) {
  const at = (name) => run.columns.indexOf(name);
  const last = run.seconds[run.seconds.length - 1];
  by("name").textContent = run.scenario;
  document.title = "rtbench " + run.scenario;
  if (!last) return;
  by("phase").textContent = clock(run.elapsed_s) + " \u00b7 " + run.phase +
      (run.phase_left_s > 0 ? " \u00b7 " + clock(run.phase_left_s) + " left" : "");
  by("connections").textContent = count(last[at("connections")]) + " of " + count(run.asked);
  by("events").textContent = count(last[at("achieved")]) + "/s";
  by("deliveries").textContent = count(last[at("received")]) + "/s";
  by("p95").textContent = ms(last[at("p95")]);
  by("late").textContent = ms(last[at("late_max")]);
  for (const [, , series] of charts) {
    const columns = series.map((one) => at(one[0]));
    const most = Math.max(1e-9, ...run.seconds.map((second) => Math.max(...columns.map((c) => second[c]))));
    series.top.textContent = "up to " + (most >= 100 ? count(most) : most.toPrecision(3)) + " " + series.unit;
    const step = 1000 / Math.max(1, run.seconds.length - 1);
    series.forEach((one, i) => one[2].setAttribute("d", run.seconds.map((second, n) =>
        (n ? "L" : "M") + (n * step).toFixed(1) + " " + (98 - 94 * second[columns[i]] / most).toFixed(1)).join("")));
  }
}
async function look() {
  try {
    show(await (await fetch("live.json")).json());
    setTimeout(look, 1000);
  } catch (error) {
    by("phase").textContent += " \u00b7 the run has ended";
  }
}
look();
</script></body></html>
)page";

}  // namespace rt::rtbench
