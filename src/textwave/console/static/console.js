"use strict";
// The funnel beside its figures, drawn anew from the numbers each time the board has refreshed,
// and a line that says so when the server does not answer. The page is whole without this file.
{
  let chart = null;
  let steps = [];

  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const draw = () => {
    const holder = document.getElementById("funnel");
    if (!holder || steps.length === 0) return;
    if (chart && chart.getDom() !== holder) {
      chart.dispose();
      chart = null;
    }
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!chart) {
      chart = echarts.init(holder, null, { renderer: "canvas" });
      chart.on("finished", () => { holder.dataset.drawn = "yes"; });
      new ResizeObserver(() => chart?.resize()).observe(holder);
    }
    chart.setOption({
      animation: !still,
      animationDurationUpdate: 600,
      series: [{
        type: "funnel",
        sort: "none",
        left: 0, right: 0, top: 0, bottom: 0,
        width: "100%", height: "100%",
        min: 0,
        max: Math.max(1, steps[0].value),
        minSize: "1.5%",
        maxSize: "100%",
        gap: 4,
        silent: true,
        label: { show: false },
        labelLine: { show: false },
        data: steps.map((step, index) => ({
          ...step,
          itemStyle: {
            color: colour("--tblr-primary"),
            opacity: 1 - index * 0.1,
            borderWidth: 0,
          },
        })),
      }],
    });
  };

  const refresh = async () => {
    const live = document.getElementById("live");
    if (!live || !document.getElementById("funnel")) return;
    try {
      const answer = await fetch(live.dataset.numbers, { credentials: "same-origin" });
      if (!answer.ok) return;
      steps = (await answer.json()).funnel;
      draw();
    } catch {
      // The board's own refresh tells of a lost connection.
    }
  };

  const offline = (lost) => {
    const line = document.getElementById("offline");
    if (line) line.hidden = !lost;
  };

  document.addEventListener("DOMContentLoaded", refresh);
  document.addEventListener("htmx:after:swap", () => { offline(false); refresh(); });
  document.addEventListener("htmx:error", () => offline(true));
  document.addEventListener("htmx:response:error", () => offline(true));
  document.addEventListener("themechange", draw);
}
