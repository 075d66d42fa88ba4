// SPDX-License-Identifier: Apache-2.0
// The live part of the overview: listens to the relay's events, draws them, says when they stop. Without it the page
// shows what was so when it was loaded.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource || !window.uPlot) return;
  const KEPT = 300; // seconds
  const SILENCE = 5_000; // ms without a sample: something is wrong
  const pulse = document.getElementById("pulse");
  const rows = document.querySelector("#numbers tbody");
  const samples = []; // the latest KEPT, oldest first
  const charts = [];
  let heard = 0; // when the last sample came
  let source = null;
  let wait = 1_000;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const CHARTS = {
    rates: [["Accepted", "accepted", (s) => s.rates.accepted], ["Delivered", "delivered", (s) => s.rates.delivered],
      ["Deferred", "deferred", (s) => s.rates.deferred, [6, 4]], ["Bounced", "bounced", (s) => s.rates.bounced, [2, 3]]],
    depth: [["Queued", "accepted", (s) => s.states.queued], ["Sending", "delivered", (s) => s.states.sending],
      ["Deferred", "deferred", (s) => s.states.deferred, [6, 4]], ["Held", "held", (s) => s.states.held, [2, 3]]],
    latency: [["p50", "delivered", (s) => s.latency?.p50], ["p95", "deferred", (s) => s.latency?.p95, [6, 4]],
      ["p99", "bounced", (s) => s.latency?.p99, [2, 3]]],
    pool: [["Ready", "accepted", (s) => s.pool?.ready], ["Wanted", "held", (s) => s.pool?.wanted, [6, 4]]],
  };
  const clock = (time) => new Date(time).toISOString().slice(11, 19);
  const shown = (value) => (value === null || value === undefined ? "–" : String(value));

  function data(series) {
    const seconds = samples.map((s) => Date.parse(s.time) / 1000);
    return [seconds, ...series.map(([, , take]) => samples.map((s) => take(s) ?? null))];
  }

  function draw() {
    for (const chart of charts.splice(0)) chart.plot.destroy();
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
    for (const figure of live.querySelectorAll("[data-chart]")) {
      const series = CHARTS[figure.dataset.chart];
      const place = figure.querySelector(".plot");
      const plot = new uPlot({
        width: place.clientWidth, height: 170, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        cursor: { y: false, drag: { x: false, y: false } },
        scales: { x: { range: () => range() }, y: { range: (_, low, high) => [0, Math.max(high || 0, 1) * 1.1] } },
        axes: [{ ...axis, values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)), space: 60 }, { ...axis, size: 46 }],
        series: [{ label: "Time", value: (_, seconds) => (seconds ? clock(seconds * 1000) : "–") },
          ...series.map(([label, name, , dash]) => ({ label, stroke: colour(name), width: 2, dash, points: { show: false }, value: (_, value) => shown(value) }))],
      }, data(series), place);
      charts.push({ plot, series, place });
    }
  }
  /// What was heard, at most five minutes and at least one, ending with the latest sample.
  function range() {
    const [first, end] = samples.length ? [samples[0], samples[samples.length - 1]].map((s) => Date.parse(s.time) / 1000)
      : [Date.now() / 1000, Date.now() / 1000];
    return [Math.max(end - KEPT, Math.min(first, end - 60)), end];
  }

  function say(text, lost) {
    if (pulse.textContent !== text) pulse.textContent = text;
    pulse.classList.toggle("lost", lost);
  }

  function tabulate() {
    rows.replaceChildren(...samples.slice(-10).reverse().map((s) => {
      const row = document.createElement("tr");
      const all = [clock(s.time), ...[...CHARTS.rates, ...CHARTS.depth, ...CHARTS.latency].map(([, , take]) => shown(take(s))), shown(s.pool?.ready)];
      row.append(...all.map((value, at) => Object.assign(document.createElement(at ? "td" : "th"), { textContent: value, ...(at ? {} : { scope: "row" }) })));
      return row;
    }));
  }

  function show() {
    const latest = samples[samples.length - 1];
    for (const place of document.querySelectorAll("[data-state]")) place.textContent = latest.states[place.dataset.state];
    for (const place of document.querySelectorAll("[data-pool]")) place.textContent = shown(latest.pool?.[place.dataset.pool]);
    for (const { plot, series } of charts) {
      plot.setData(data(series));
      if (plot.cursor.idx == null) plot.setLegend({ idx: samples.length - 1 }); // nobody points at an earlier one
    }
    tabulate();
  }

  let due = false;
  function take(sample) {
    if (samples.length && sample.time <= samples[samples.length - 1].time) return; // heard before
    samples.push(sample);
    if (samples.length > KEPT) samples.shift();
    heard = Date.now();
    wait = 1_000;
    say("Live", false);
    if (due) return; // a new listener is told five minutes at once: drawn once
    due = true;
    requestAnimationFrame(() => { due = false; show(); });
  }

  function listen() {
    source = new EventSource(live.dataset.stream);
    source.addEventListener("sample", (event) => take(JSON.parse(event.data)));
    source.addEventListener("trouble", (event) => {
      heard = Infinity; // it is known why no sample comes
      say(`No numbers: ${JSON.parse(event.data).reason}. Trying again…`, true);
    });
    source.addEventListener("error", lost);
  }
  /// The browser tries again by itself, unless it was refused.
  function lost() {
    heard = Infinity;
    say("The connection to the relay is lost. Trying again…", true);
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    fetch(live.dataset.stream, { method: "HEAD" }).then((answer) => {
      if (answer.status !== 401) return again();
      const link = Object.assign(document.createElement("a"), { href: live.dataset.login, textContent: "Log in again" });
      say("", true);
      pulse.replaceChildren("The session has ended. ", link);
    }, again);
  }
  function again() {
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, 30_000);
  }
  setInterval(() => {
    if (heard + SILENCE < Date.now()) say(`No numbers for ${Math.round((Date.now() - heard) / 1000)} s. Waiting…`, true);
  }, 1_000);

  for (const part of [pulse, live.querySelector(".charts"), document.getElementById("numbers")]) part.hidden = false;
  say("Waiting for the first numbers…", false);
  heard = Infinity;
  draw();
  listen();
  addEventListener("resize", () => charts.forEach(({ plot, place }) => plot.setSize({ width: place.clientWidth, height: 170 })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
