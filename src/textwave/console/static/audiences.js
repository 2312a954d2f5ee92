// The list: a filter applies as soon as it is chosen. An audience: its size over time as a line,
// and the page anew when a refresh has ended. The pages are whole without this file.
for (const select of document.querySelectorAll("select[data-sends]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}

const holder = document.getElementById("sizes");
let chart = null;
let points = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const draw = () => {
  if (!holder || points.length === 0) return;
  if (!chart) {
    chart = echarts.init(holder, null, { renderer: "canvas" });
    chart.on("finished", () => { holder.dataset.drawn = "yes"; });
    new ResizeObserver(() => chart.resize()).observe(holder);
  }
  const ink = getComputedStyle(holder).color;
  const figures = new Intl.NumberFormat(document.documentElement.lang);
  const label = { color: ink, hideOverlap: true };
  chart.setOption({
    animation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    grid: { left: 8, right: 16, top: 12, bottom: 4, containLabel: true },
    tooltip: { trigger: "axis", valueFormatter: (value) => figures.format(value), renderMode: "richText" },
    xAxis: { type: "time", axisLabel: label, axisLine: { lineStyle: { color: colour("--wave-ground") } } },
    yAxis: {
      type: "value",
      minInterval: 1,
      splitNumber: 3,
      axisLabel: { ...label, formatter: (value) => figures.format(value) },
      splitLine: { lineStyle: { color: colour("--wave-ground") } },
    },
    series: [{
      type: "line",
      data: points,
      symbolSize: 6,
      lineStyle: { color: colour("--tblr-primary"), width: 2 },
      itemStyle: { color: colour("--tblr-primary") },
      areaStyle: { color: colour("--tblr-primary"), opacity: 0.08 },
    }],
  });
};

if (holder) {
  const answer = await fetch(holder.dataset.sizes, { credentials: "same-origin" });
  if (answer.ok) {
    points = (await answer.json()).points;
    draw();
  }
  document.addEventListener("themechange", draw);
}

document.addEventListener("htmx:after:swap", () => {
  if (document.querySelector("[data-refreshed]")) setTimeout(() => location.assign(location.pathname), 600);
});
