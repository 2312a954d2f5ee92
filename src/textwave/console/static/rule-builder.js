// The rule builder: a tree of cards that is the rule of the public schema, its sentence, and how
// many customers it finds, counted anew after each change. The textarea of JSON is the form's field.
import { filled, h, select } from "./dom.js";
import { fieldsOf, small } from "./rule-cards.js";
import { language as languageOf } from "./rule-language.js";
import { complete, nodeAt, readRoot, write } from "./rule-tree.js";

const holder = document.getElementById("rule-builder");
const form = holder.closest("form");
const written = form.elements.rule;
const table = form.elements.table;
const addresses = holder.dataset;
const WAIT_MILLISECONDS = 450;
const numbers = new WeakMap();
let lastNumber = 0;

const keyOf = (node) => {
  if (!numbers.has(node)) numbers.set(node, `n${++lastNumber}`);
  return numbers.get(node);
};

const answer = await fetch(addresses.choices, { credentials: "same-origin" });
const builder = {
  language: languageOf(await answer.json()),
  addresses,
  ownName: addresses.ownName,
  figures: new Intl.NumberFormat(document.documentElement.lang),
  changed: () => {},
  redraw: () => {},
};
const { language } = builder;
let root = { join: "all", of: [] };
let places = new Map();
let wrong = null;

// The tree

const KINDS = ["attribute", "orders", "behaviours", "metrics", "audience", "list", "campaign", "rfm", "aipl", "aipl_flow", "group"];

const adder = (group, isRoot) => {
  const buttons = KINDS.map((kind) => h("button", {
    type: "button", class: "btn btn-sm add", disabled: !language.available(kind), "data-key": `${keyOf(group)}:add:${kind}`,
    onclick: () => add(group, kind),
  }, `+ ${language.said("cards", kind)}`));
  const bar = h("div", { class: "adder", role: "group", "aria-label": language.text(isRoot ? "add" : "add_to") }, ...buttons);
  if (isRoot) return h("div", {}, h("p", { class: "adder-title" }, language.text("add")), bar);
  return h("details", { open: group.of.length === 0 }, h("summary", { "data-key": `${keyOf(group)}:adder` }, language.text("add_to")), bar);
};

const add = (group, kind) => {
  const node = language.leaf(kind);
  group.of.push(node);
  builder.redraw();
  holder.querySelector(`#card-${keyOf(node)} .card-fields :is(select, input, summary)`)?.focus();
  builder.changed();
};

const drawGroup = (group, isRoot) => {
  const joins = Object.entries(language.words.joins);
  const join = select({
    "aria-label": language.said("cards", "group"), "data-key": `${keyOf(group)}:join`, class: "form-select join",
    onchange: (event) => { group.join = event.target.value; builder.redraw(); builder.changed(); },
  }, joins, group.join);
  const children = group.of.flatMap((child, i) => {
    const between = i === 0 ? [] : [h("div", { class: `between between-${group.join}`, "aria-hidden": "true" }, language.said("between", group.join === "minus" && i > 1 ? "any" : group.join))];
    return [...between, drawCard(child, group, i)];
  });
  const nothing = group.of.length === 0 ? h("p", { class: "nothing" }, language.text(isRoot ? "nothing" : "nothing_in_group")) : null;
  const many = group.of.length > 1 || !isRoot;
  return h("div", { class: "group" }, many ? join : null, nothing, ...children, adder(group, isRoot));
};

const drawCard = (node, group, i) => {
  const key = keyOf(node);
  const name = language.said("cards", node.join ? "group" : node.kind);
  const move = (to) => () => {
    group.of.splice(i, 1);
    group.of.splice(to, 0, node);
    builder.redraw(`${key}:${to < i ? "up" : "down"}`);
    builder.changed();
  };
  const tools = h("span", { class: "card-tools" },
    i > 0 ? small(language.text("up"), "up", `${key}:up`, move(i - 1)) : null,
    i < group.of.length - 1 ? small(language.text("down"), "down", `${key}:down`, move(i + 1)) : null,
    small(language.text("duplicate"), "duplicate", `${key}:copy`, () => {
      const copy = structuredClone(node);
      group.of.splice(i + 1, 0, copy);
      builder.redraw(`${keyOf(copy)}:copy`);
      builder.changed();
    }),
    small(language.text("remove"), "remove", `${key}:remove`, () => {
      group.of.splice(i, 1);
      const next = group.of[Math.min(i, group.of.length - 1)];
      builder.redraw(next ? `${keyOf(next)}:remove` : `${keyOf(group)}:add:attribute`);
      builder.changed();
    }));
  const fields = node.join ? [drawGroup(node, false)] : fieldsOf(builder, node, key).filter(Boolean);
  return h("section", { class: `rule-card rule-${node.join ? "group" : node.kind}`, id: `card-${key}`, "aria-label": name },
    h("header", {}, h("span", { class: "card-kind" }, name), tools),
    h("div", { class: "card-fields" }, ...fields),
    h("p", { class: "card-problem", role: "alert", hidden: true }));
};

builder.redraw = (focused) => {
  const active = document.activeElement?.closest?.("#rule-builder") ? document.activeElement.dataset.key : null;
  holder.replaceChildren(drawGroup(root, true));
  const wanted = focused ?? active;
  const found = wanted && holder.querySelector(`[data-key="${CSS.escape(wanted)}"]`);
  found?.focus({ preventScroll: true });
  mark();
};

const mark = () => {
  for (const card of holder.querySelectorAll(".rule-card")) {
    card.classList.remove("is-wrong", "is-open");
    card.querySelector(":scope > .card-problem").hidden = true;
  }
  for (const node of places.values()) {
    if (!node.join && !complete(node, language)) cardOf(node)?.classList.add("is-open");
  }
  if (!wrong) return;
  const card = cardOf(nodeAt(wrong.place, places));
  if (!card) return;
  const problem = card.querySelector(":scope > .card-problem");
  card.classList.add("is-wrong");
  problem.textContent = wrong.sentence.replace(`${wrong.place}: `, "");
  problem.hidden = false;
};

const cardOf = (node) => document.getElementById(`card-${keyOf(node)}`);

// The count

const sentence = document.getElementById("live-sentence");
const figure = document.getElementById("live-figure");
const detail = document.getElementById("live-detail");
const share = document.getElementById("live-share");
const general = document.getElementById("live-problem");
let waiting = 0;
let turn = 0;
let operation = "";

const show = (state, text, size = null, of = null) => {
  figure.textContent = size === null ? "–" : builder.figures.format(size);
  detail.textContent = text;
  figure.closest(".live").dataset.state = state;
  share.value = of ? size / of : 0;
};

const tell = (problem) => {
  wrong = problem;
  const atCard = problem && cardOf(nodeAt(problem.place, places));
  general.hidden = !problem || Boolean(atCard);
  general.textContent = problem ? problem.sentence : "";
  mark();
};

builder.changed = () => {
  places = new Map();
  const rule = write(root, "$", places);
  written.value = JSON.stringify(rule, null, 2);
  wrong = null;
  mark();
  clearTimeout(waiting);
  waiting = setTimeout(() => count(++turn), WAIT_MILLISECONDS);
  show("counting", language.text("counting"));
};

const count = async (mine) => {
  if ([...places.values()].some((node) => !node.join && !complete(node, language))) {
    show("open", addresses.open);
    return;
  }
  const asked = new URLSearchParams({ token: form.elements.token.value, rule: written.value, table: table.value, before: operation });
  try {
    const told = await (await fetch(addresses.count, { method: "POST", body: asked, credentials: "same-origin" })).json();
    if (mine !== turn) return;
    operation = told.operation ?? "";
    if (told.sentence) sentence.textContent = told.sentence;
    tell(told.problem);
    if (told.problem) show("wrong", language.text("no_estimate"));
    else await follow(mine);
  } catch {
    if (mine === turn) show("lost", language.text("lost"));
  }
};

const follow = async (mine) => {
  while (mine === turn) {
    const told = await (await fetch(`${addresses.counts}/${operation}`, { credentials: "same-origin" })).json();
    if (mine !== turn) return;
    if (told.state === "succeeded") {
      const part = told.of ? ` · ${new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 1 }).format(told.size / told.of)}` : "";
      show("counted", filled(language.text("of"), { all: builder.figures.format(told.of) }) + part, told.size, told.of);
      return;
    }
    if (told.state === "failed") { show("wrong", `${language.text("failed")} ${told.problem}`); return; }
    if (told.state === "cancelled") { show("lost", language.text("stopped")); return; }
    const percent = told.percent === null ? "" : ` ${Math.round(told.percent)} %`;
    show("counting", language.text("counting") + percent);
  }
};

// The JSON, the table, the schedule

const take = (text) => {
  let rule = null;
  try {
    rule = JSON.parse(text);
    root = readRoot(rule);
    places = new Map();
    write(root, "$", places);
    builder.redraw();
    general.hidden = true;
    return true;
  } catch (error) {
    general.textContent = filled(language.text("json_wrong"), { problem: error.message });
    general.hidden = false;
    return false;
  }
};

document.getElementById("take-json").addEventListener("click", () => { if (take(written.value)) builder.changed(); });
written.addEventListener("change", () => { if (take(written.value)) builder.changed(); });

table.addEventListener("change", () => {
  language.root = table.value;
  builder.redraw();
  builder.changed();
});

const schedule = form.elements.refresh;
const showSchedule = () => {
  for (const part of form.querySelectorAll("[data-how]")) {
    part.hidden = !part.dataset.how.split(" ").includes(schedule.value);
  }
};
schedule.addEventListener("change", showSchedule);
showSchedule();

language.root = table.value;
if (take(written.value)) {
  builder.changed();
  if (addresses.problem) tell({ place: addresses.place || "$", sentence: addresses.problem });
}
holder.dataset.ready = "yes";
