// Charts of models beside their tables: types as a treemap, stages as lines, moves as a Sankey
// diagram. Each holder carries its figures; the pages are whole without this file.

// What a variable comes to: one that names another is no colour for a canvas.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
const colour = (name) => {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
};
const ground = (holder) => getComputedStyle(holder.closest(".card")).backgroundColor;
const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const charts = new Map();
const PALETTE = ["#3e7bd6", "#2f9e8f", "#e0893a", "#8a63d2", "#c2547a", "#5b8f3c", "#b08a2e", "#7a8797"];
const STAGES = ["aware", "interested", "purchased", "loyal"];

const chartOf = (holder) => {
  if (!charts.has(holder)) {
    const chart = echarts.init(holder, null, { renderer: "canvas" });
    chart.on("finished", () => { holder.dataset.drawn = "yes"; });
    new ResizeObserver(() => chart.resize()).observe(holder);
    charts.set(holder, chart);
  }
  return charts.get(holder);
};

const common = () => ({
  animation: !still,
  color: PALETTE,
  textStyle: { color: colour("--tblr-body-color"), fontFamily: getComputedStyle(document.body).fontFamily },
  // drawn on the canvas: the page allows no inline style
  tooltip: { renderMode: "richText", confine: true },
});

let size = "users";

const drawTypes = (holder) => {
  const { types, make } = JSON.parse(holder.dataset.chart);
  const chart = chartOf(holder);
  const shown = types
    .map((type, place) => ({
      name: type.name,
      letters: type.letters,
      value: Math.max(0, type[size]),
      itemStyle: { color: PALETTE[place % PALETTE.length] },
    }))
    .filter((type) => type.value > 0);
  const whole = shown.reduce((sum, type) => sum + type.value, 0);
  chart.setOption({
    ...common(),
    series: [{
      type: "treemap",
      left: 0, right: 0, top: 0, bottom: 0,
      roam: false,
      nodeClick: false,
      breadcrumb: { show: false },
      itemStyle: { borderColor: ground(holder), gapWidth: 3, borderWidth: 0 },
      label: {
        color: "#fff",
        fontSize: 13,
        formatter: (node) =>
          `${node.name}\n${node.value.toLocaleString()} · ${(100 * node.value / whole).toFixed(1)}%`,
      },
      data: shown,
    }],
  }, true);
  chart.off("click");
  chart.on("click", (event) => {
    if (event.data?.letters) window.location.assign(make + event.data.letters);
  });
};

const drawTrend = (holder) => {
  const { names, trend } = JSON.parse(holder.dataset.chart);
  const faint = colour("--tblr-border-color");
  chartOf(holder).setOption({
    ...common(),
    legend: { top: 0, textStyle: { color: colour("--tblr-body-color") } },
    grid: { left: 8, right: 44, top: 40, bottom: 8, containLabel: true },
    tooltip: { ...common().tooltip, trigger: "axis" },
    xAxis: { type: "category", data: trend.map((point) => point.day), boundaryGap: false, axisLabel: { color: colour("--tblr-secondary") } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: colour("--tblr-secondary") }, splitLine: { lineStyle: { color: faint } } },
    series: STAGES.map((stage) => ({
      name: names[stage],
      type: "line",
      showSymbol: trend.length < 16,
      data: trend.map((point) => point[stage]),
    })),
  }, true);
};

const drawFlow = (holder) => {
  const { names, matrix } = JSON.parse(holder.dataset.chart);
  const all = [...STAGES, "none"];
  const links = all.flatMap((was) => all
    .filter((became) => (matrix[was][became] ?? 0) > 0)
    .map((became) => ({ source: `1 ${was}`, target: `2 ${became}`, value: matrix[was][became] })));
  const used = new Set(links.flatMap((link) => [link.source, link.target]));
  const nodes = ["1", "2"].flatMap((side) => all
    .map((stage, place) => ({ name: `${side} ${stage}`, stage, itemStyle: { color: PALETTE[stage === "none" ? 7 : place] } }))
    .filter((node) => used.has(node.name)));
  const named = (name) => names[name.slice(2)];
  chartOf(holder).setOption({
    ...common(),
    tooltip: {
      ...common().tooltip,
      formatter: ({ dataType, data, value, name }) => dataType === "edge"
        ? `${named(data.source)} → ${named(data.target)}: ${data.value.toLocaleString()}`
        : `${named(name)}: ${value.toLocaleString()}`,
    },
    series: [{
      type: "sankey",
      left: 8, right: 96, top: 8, bottom: 8,
      draggable: false,
      layoutIterations: 0,
      label: { color: colour("--tblr-body-color"), formatter: ({ name }) => named(name) },
      lineStyle: { color: "gradient", opacity: 0.35 },
      data: nodes,
      links,
    }],
  }, true);
};

const DRAWN = { types: drawTypes, trend: drawTrend, flow: drawFlow };

const drawAll = () => {
  for (const [holder, chart] of charts) {
    if (holder.isConnected) continue;
    chart.dispose();
    charts.delete(holder);
  }
  for (const [id, draw] of Object.entries(DRAWN)) {
    const holder = document.getElementById(id);
    if (holder) draw(holder);
  }
};

const sizes = document.getElementById("sizes");
if (sizes) {
  sizes.hidden = false;
  sizes.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-size]");
    if (!wanted) return;
    size = wanted.dataset.size;
    for (const button of sizes.querySelectorAll("[data-size]")) {
      button.classList.toggle("active", button === wanted);
      button.setAttribute("aria-pressed", String(button === wanted));
    }
    drawAll();
  });
}

drawAll();
document.addEventListener("htmx:after:swap", drawAll);
document.addEventListener("themechange", drawAll);
