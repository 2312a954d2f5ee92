// One card a condition: its fields, drawn from the leaf, which they change in place.
import { filled, h, icon, select } from "./dom.js";
import { number, time, valueEditor } from "./rule-values.js";

/** Draw the fields of a leaf. `changed` tells of a value, `redraw` that other fields are needed. */
export const fieldsOf = (builder, leaf, key) => {
  switch (leaf.kind) {
    case "attribute": return attribute(builder, leaf, key, { tables: builder.language.attributeTables() });
    case "orders": case "behaviours": case "metrics": return occurrences(builder, leaf, key);
    case "audience": return audience(builder, leaf, key);
    case "list": return [choice(builder, leaf, key, "list", names(builder.language.lists))];
    case "campaign": return campaign(builder, leaf, key);
    case "rfm": return rfm(builder, leaf, key);
    case "aipl": return aipl(builder, leaf, key);
    default: return flow(builder, leaf, key);
  }
};

const names = (of) => (Array.isArray(of) ? of : Object.keys(of)).map((name) => [name, name]);
const line = (...children) => h("div", { class: "fields" }, ...children);

/** A select of one field of the leaf; an unknown name that a rule has is shown, not lost. */
const choice = (builder, leaf, key, field, options, { label = field, then = null, redraw = false } = {}) => {
  const text = builder.language.text(label);
  const known = options.some(([value]) => value === leaf[field]);
  const all = known ? options : [[leaf[field] ?? "", leaf[field] || builder.language.text("choose")], ...options];
  return select({
    "aria-label": text, "data-key": `${key}:${field}`,
    onchange: (event) => {
      leaf[field] = event.target.value;
      then?.();
      if (redraw || then) builder.redraw();
      builder.changed();
    },
  }, all, leaf[field] ?? "");
};

const columnChoice = (builder, row, key, table) => {
  const options = builder.language.columnsOf(table).map((one) => [one.name, one.name]);
  return choice(builder, row, key, "column", options, {
    then: () => {
      const type = builder.language.typeOf(table, row.column);
      const operand = builder.language.operatorsOf(type)[row.operator];
      if (!operand || type === "time" || type === "number") setComparison(row, builder.language.comparison(type));
      else row.value = builder.language.refit(undefined, operand);
    },
  });
};

const setComparison = (row, { operator, value }) => { row.operator = operator; row.value = value; };

const attribute = (builder, row, key, { tables = [], table = null } = {}) => {
  const { language } = builder;
  const own = table ?? row.table ?? language.root;
  const type = language.typeOf(own, row.column);
  const parts = [];
  if (tables.length > 0 || row.table) {
    const options = [["", language.text("own_table")], ...tables.map((name) => [name, filled(language.text("of_table"), { table: name })])];
    parts.push(columnChoice(builder, row, key, own), select({
      "aria-label": language.text("table"), "data-key": `${key}:table`,
      onchange: (event) => {
        const fresh = language.attribute(event.target.value || language.root);
        delete row.table;
        Object.assign(row, event.target.value ? { table: event.target.value } : {}, fresh);
        builder.redraw();
        builder.changed();
      },
    }, options, row.table ?? ""));
  } else {
    parts.push(columnChoice(builder, row, key, own));
  }
  parts.push(...comparison(builder, row, key, { operators: language.operatorsOf(type), type, table: own, column: row.column }));
  return [line(...parts)];
};

/** Operator and value of a row or of a measure. */
const comparison = (builder, row, key, { operators, type, table, column }) => {
  const { language } = builder;
  const options = Object.keys(operators).map((name) => [name, language.said("operators", name)]);
  const operator = choice(builder, row, key, "operator", options, {
    then: () => {
      const value = language.refit(row.value, operators[row.operator]);
      if (value === undefined) delete row.value;
      else row.value = value;
    },
  });
  const operand = operators[row.operator] ?? "nothing";
  const field = { key, type, operand, table, column, value: row.value };
  const editor = valueEditor(builder, field, (value) => { row.value = value; builder.changed(); });
  return editor ? [operator, editor] : [operator];
};

const occurrences = (builder, leaf, key) => {
  const { language } = builder;
  const did = select({
    "aria-label": `${language.text("did")} / ${language.text("did_not")}`, "data-key": `${key}:did`,
    onchange: (event) => {
      if (event.target.value === "no") leaf.did = false;
      else delete leaf.did;
      builder.changed();
    },
  }, [["yes", language.text("did")], ["no", language.text("did_not")]], leaf.did === false ? "no" : "yes");
  const table = choice(builder, leaf, key, "table", names(language.tablesOf(leaf.kind)), {
    then: () => {
      for (const name of ["where", "column", "operator", "value", "measure", "again_within_days"]) delete leaf[name];
      Object.assign(leaf, { ...language.leaf(leaf.kind), table: leaf.table, within: leaf.within });
      if (leaf.kind === "metrics") leaf.column = language.measurable(leaf.table, "sum")[0];
      if (!leaf.within) delete leaf.within;
    },
  });
  const timed = Boolean(language.tables[leaf.table]?.time);
  const repeats = timed && leaf.kind !== "metrics" && (leaf.measure ?? "count") === "count";
  const isAgain = leaf.again_within_days !== undefined;
  return [
    line(did, table, ...measure(builder, leaf, key)),
    timed ? line(...when(builder, leaf, key)) : null,
    ...where(builder, leaf, key),
    isAgain ? again(builder, leaf, key) : null,
    line(addWhere(builder, leaf, key), repeats && !isAgain ? addAgain(builder, leaf, key) : ""),
  ];
};

const measure = (builder, leaf, key) => {
  const { language } = builder;
  const fits = Object.keys(language.measures).filter((name) => name === "count" || language.measurable(leaf.table, name).length > 0);
  const once = leaf.measure === undefined || leaf.measure === "count" ? !leaf.operator : false;
  const chosen = once ? "once" : leaf.measure ?? (leaf.kind === "metrics" ? "sum" : "count");
  const options = [["once", language.text("at_least_once")], ...fits.map((name) => [name, language.said("measures", name)])];
  const parts = [select({
    "aria-label": language.text("measure"), "data-key": `${key}:measure`,
    onchange: (event) => { setMeasure(language, leaf, event.target.value); builder.redraw(); builder.changed(); },
  }, options, chosen)];
  if (chosen === "once") return parts;
  if (chosen !== "count") {
    leaf.column ??= language.measurable(leaf.table, chosen)[0];
    parts.push(choice(builder, leaf, key, "column", names(language.measurable(leaf.table, chosen))));
  }
  const type = chosen === "first" || chosen === "last" ? "time" : "number";
  parts.push(...comparison(builder, leaf, `${key}:m`, { operators: language.comparisonsOf(chosen), type, table: leaf.table, column: leaf.column }));
  return parts;
};

const setMeasure = (language, leaf, chosen) => {
  const { operator, value } = language.comparison(chosen === "first" || chosen === "last" ? "time" : "number");
  for (const name of ["measure", "column", "operator", "value"]) delete leaf[name];
  if (chosen === "once") {
    if (leaf.kind === "metrics") leaf.measure = "count";
    return;
  }
  leaf.measure = chosen;
  if (chosen !== "count") leaf.column = language.measurable(leaf.table, chosen)[0];
  Object.assign(leaf, { operator, value: chosen === "count" ? 2 : value });
  if (chosen !== "count") delete leaf.again_within_days;
};

const when = (builder, leaf, key) => {
  const { language } = builder;
  const kind = !leaf.within ? "any" : leaf.within.last_days !== undefined ? "last" : "span";
  const chosen = select({
    "aria-label": language.text("when"), "data-key": `${key}:when`,
    onchange: (event) => {
      if (event.target.value === "any") delete leaf.within;
      else leaf.within = event.target.value === "last" ? { last_days: 30 } : { from: "" };
      builder.redraw();
      builder.changed();
    },
  }, [["any", language.text("any_time")], ["last", language.text("last_days")], ["span", language.text("span")]], kind);
  if (kind === "any") return [chosen];
  if (kind === "last") {
    const set = (days) => { leaf.within = { last_days: days === "" ? null : days }; builder.changed(); };
    const label = language.text("last_days");
    return [chosen, number(builder, { key: `${key}:days`, label, min: 1, max: language.most.days, step: 1 }, leaf.within.last_days, set),
      h("span", {}, language.text("days"))];
  }
  const set = (name) => (value) => {
    if (value) leaf.within[name] = value;
    else delete leaf.within[name];
    builder.changed();
  };
  return [chosen,
    time(builder, { key: `${key}:from`, label: language.text("low") }, leaf.within.from, set("from")),
    h("span", {}, language.text("until_excluded")),
    time(builder, { key: `${key}:until`, label: language.text("high") }, leaf.within.until, set("until"))];
};

const where = (builder, leaf, key) => {
  const { language } = builder;
  return (leaf.where ?? []).map((row, i) => h("div", { class: "where" },
    h("span", { class: "where-word" }, i === 0 ? language.text("where") : language.said("between", "all")),
    ...attribute(builder, row, `${key}:w${i}`, { table: leaf.table }),
    small(language.text("remove"), "remove", `${key}:w${i}:remove`, () => {
      leaf.where.splice(i, 1);
      if (leaf.where.length === 0) delete leaf.where;
      builder.redraw(`${key}:add-where`);
      builder.changed();
    })));
};

const link = (text, key, onclick) => h("button", { type: "button", class: "btn btn-sm btn-link", "data-key": key, onclick }, text);

const addWhere = (builder, leaf, key) => link(builder.language.text("add_where"), `${key}:add-where`, () => {
  leaf.where = [...(leaf.where ?? []), builder.language.attribute(leaf.table)];
  builder.redraw(`${key}:w${leaf.where.length - 1}:column`);
  builder.changed();
});

const addAgain = (builder, leaf, key) => link(builder.language.text("add_again"), `${key}:add-again`, () => {
  leaf.again_within_days = 30;
  builder.redraw(`${key}:again`);
  builder.changed();
});

const again = (builder, leaf, key) => {
  const { language } = builder;
  const label = language.text("again");
  const set = (days) => { leaf.again_within_days = days === "" ? 1 : days; builder.changed(); };
  return line(h("span", {}, label), number(builder, { key: `${key}:again`, label, min: 1, max: language.most.days, step: 1 }, leaf.again_within_days, set),
    h("span", {}, language.text("days")),
    small(language.text("remove"), "remove", `${key}:again-remove`, () => { delete leaf.again_within_days; builder.redraw(`${key}:add-again`); builder.changed(); }));
};

/** A small button with an icon; its name is for those who do not see it. */
export const small = (label, drawn, key, onclick) =>
  h("button", { type: "button", class: "btn btn-sm btn-icon btn-ghost-secondary", "aria-label": label, title: label, "data-key": key, onclick }, icon(drawn));

const audience = (builder, leaf, key) => {
  const { language } = builder;
  const options = Object.entries(language.audiences).filter(([name]) => name !== builder.ownName)
    .map(([name, computed]) => [name, computed ? name : `${name} (${language.text("not_computed")})`]);
  return [line(choice(builder, leaf, key, "audience", options))];
};

const campaign = (builder, leaf, key) => {
  const { language } = builder;
  const outcomes = language.outcomes.map((name) => [name, language.said("outcomes", name)]);
  const reasons = { failed: language.words.causes, dropped: language.words.drops }[leaf.outcome];
  return [
    line(choice(builder, leaf, key, "campaign", names(language.campaigns)),
      choice(builder, leaf, key, "outcome", outcomes, { then: () => { delete leaf.reasons; } })),
    reasons ? several(builder, leaf, key, "reasons", Object.entries(reasons), language.text("all_reasons")) : null,
  ];
};

/** Checkboxes for a list field; none chosen takes an optional field away. */
const several = (builder, leaf, key, field, options, hint = "") => {
  const known = options.map(([value]) => value);
  const all = [...options, ...(leaf[field] ?? []).filter((one) => !known.includes(one)).map((one) => [one, one])];
  const boxes = all.map(([value, text]) => {
    const box = h("input", {
      type: "checkbox", class: "form-check-input", value, "data-key": `${key}:${field}:${value}`,
      onchange: () => {
        const chosen = all.map(([one]) => one).filter((one) => (one === value ? box.checked : (leaf[field] ?? []).includes(one)));
        if (chosen.length === 0 && (field === "reasons" || field === "types")) delete leaf[field];
        else leaf[field] = chosen;
        builder.changed();
      },
    });
    box.checked = (leaf[field] ?? []).includes(value);
    return h("label", { class: "form-check form-check-inline" }, box, h("span", { class: "form-check-label" }, text));
  });
  return h("fieldset", { class: "several" }, h("legend", {}, builder.language.text(field)), ...boxes,
    hint ? h("p", { class: "form-hint" }, hint) : null);
};

const LETTERS = ["H", "L"];
const TYPES = LETTERS.flatMap((r) => LETTERS.flatMap((f) => LETTERS.map((m) => r + f + m)));

const rfm = (builder, leaf, key) => {
  const { language } = builder;
  const range = (field) => {
    const set = (place) => (value) => {
      const bounds = [...(leaf[field] ?? ["", ""])];
      bounds[place] = value;
      if (bounds.every((one) => one === "")) delete leaf[field];
      else leaf[field] = bounds.map((one, i) => (one === "" ? (i === 0 ? 0 : language.most.score) : one));
      builder.changed();
    };
    const label = language.text(field);
    const limits = { min: 0, max: language.most.score, step: 1 };
    return h("span", { class: "score" }, h("span", {}, label),
      number(builder, { key: `${key}:${field}:0`, label: `${label}: ${language.text("low")}`, ...limits }, leaf[field]?.[0], set(0)), "–",
      number(builder, { key: `${key}:${field}:1`, label: `${label}: ${language.text("high")}`, ...limits }, leaf[field]?.[1], set(1)));
  };
  return [
    line(choice(builder, leaf, key, "model", names(language.rfm))),
    several(builder, leaf, key, "types", TYPES.map((type) => [type, type]), language.text("types_hint")),
    line(...["recency", "frequency", "monetary"].map(range)),
  ];
};

const stages = (language, without) => Object.entries(language.words.stages).filter(([name]) => !(without && name === "none"));

const aipl = (builder, leaf, key) => {
  const { language } = builder;
  const days = [["", language.text("newest_day")], ...names(language.aipl[leaf.model] ?? [])];
  return [
    line(choice(builder, leaf, key, "model", names(language.aipl), { redraw: true }), h("span", {}, language.text("day")),
      choice(builder, leaf, key, "day", days, { then: () => { if (!leaf.day) delete leaf.day; } })),
    several(builder, leaf, key, "stages", stages(language, true)),
  ];
};

const flow = (builder, leaf, key) => {
  const { language } = builder;
  const days = names(language.aipl[leaf.model] ?? []);
  return [
    line(choice(builder, leaf, key, "model", names(language.aipl), { redraw: true }),
      choice(builder, leaf, key, "from", days, { label: "low" }), "→", choice(builder, leaf, key, "until", days, { label: "high" })),
    several(builder, leaf, key, "was", stages(language, false)),
    several(builder, leaf, key, "became", stages(language, false)),
  ];
};
