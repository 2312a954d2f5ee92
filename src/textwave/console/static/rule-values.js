// Editors of a condition's value, by what its operator takes: one, a pair, chips of many, days, a
// period. Texts come with the most frequent values of the column to pick from.
import { filled, h, select } from "./dom.js";

const known = new Map();

/** Ask for the most frequent values of a column, once. */
const frequent = (builder, table, column) => {
  const address = `${builder.addresses.values}?${new URLSearchParams({ table, column })}`;
  if (!known.has(address)) {
    known.set(address, fetch(address, { credentials: "same-origin" })
      .then((answer) => (answer.ok ? answer.json() : { values: [] }))
      .then((told) => told.values)
      .catch(() => []));
  }
  return known.get(address);
};

/** Make the editor; `field` has key, type, operand, value, table and column, `set` takes a new value. */
export const valueEditor = (builder, field, set) => {
  switch (field.operand) {
    case "nothing": return null;
    case "one": return scalar(builder, field, field.value, set, "value");
    case "pair": return h("span", { class: "pair-of-values" },
      scalar(builder, field, field.value?.[0], (low) => set([low, field.value?.[1] ?? ""]), "low"),
      h("span", { class: "between-values" }, "–"),
      scalar(builder, field, field.value?.[1], (high) => set([field.value?.[0] ?? "", high]), "high"));
    case "many": case "pieces": return chips(builder, field, set);
    case "days": return days(builder, field, set, 1, builder.language.most.days);
    case "anniversary": return days(builder, field, set, 0, 365);
    case "period": return select(
      { "aria-label": builder.language.text("value"), "data-key": `${field.key}:value`, onchange: (event) => set(event.target.value) },
      Object.entries(builder.language.words.periods), field.value);
    default: return null;
  }
};

const days = (builder, field, set, least, most) => h("span", { class: "days" },
  number(builder, { key: `${field.key}:value`, label: builder.language.text("value"), min: least, max: most, step: 1 }, field.value, set),
  h("span", {}, builder.language.text("days")));

/** Make a field for a number; what is no number is kept as nothing. */
export const number = (builder, { key, label, min, max, step = "any" }, value, set) => {
  const input = h("input", {
    class: "form-control number", type: "number", inputmode: "decimal", min, max, step,
    "aria-label": label, "data-key": key,
    oninput: () => set(input.value === "" ? "" : Number(input.value)),
  });
  input.value = value ?? "";
  return input;
};

const scalar = (builder, field, value, set, which) => {
  const label = builder.language.text(which);
  const key = `${field.key}:${which}`;
  if (field.type === "number") return number(builder, { key, label }, value, set);
  if (field.type === "time") return time(builder, { key, label }, value, set);
  const list = h("datalist", { id: `${key.replaceAll(":", "-")}-list` });
  const input = h("input", {
    class: "form-control", type: "text", list: list.id, autocomplete: "off", maxlength: 1000,
    "aria-label": label, "data-key": key, oninput: () => set(input.value),
  });
  input.value = value ?? "";
  frequent(builder, field.table, field.column).then((values) => {
    list.append(...values.map(([one]) => h("option", { value: one })));
  });
  return h("span", { class: "one-value" }, input, list);
};

/** Make a field for a date, or for a date with a time of day. */
export const time = (builder, { key, label }, value, set) => {
  const kind = () => (timed.checked ? "datetime-local" : "date");
  const timed = h("input", {
    type: "checkbox", class: "form-check-input", "data-key": `${key}-timed`,
    onchange: () => {
      const day = input.value.slice(0, 10);
      input.type = kind();
      input.value = day && timed.checked ? `${day}T00:00` : day;
      set(input.value);
    },
  });
  timed.checked = String(value ?? "").includes("T");
  const input = h("input", {
    class: "form-control", type: kind(), min: "1900-01-01", max: timed.checked ? "2200-12-31T23:59" : "2200-12-31",
    "aria-label": label, "data-key": key, oninput: () => set(input.value),
  });
  input.value = value ?? "";
  if (value && !input.value) input.type = "text";  // written with an offset, say: kept as it is
  if (input.type === "text") input.value = value;
  return h("span", { class: "time-value" }, input,
    h("label", { class: "form-check" }, timed, h("span", { class: "form-check-label" }, builder.language.text("with_time"))));
};

const SHOWN_CHIPS = 60;
const OFFERED = 8;

/** Cut pasted text at line ends and tabs, else at commas and semicolons of either script. */
export const pieces = (text) => {
  const separator = /[\r\n\t]/.test(text) ? /[\r\n\t]+/ : /[,;，；、]+/;
  return text.split(separator).map((piece) => piece.trim()).filter((piece) => piece !== "");
};

const chips = (builder, field, set) => {
  const { language } = builder;
  const most = field.operand === "pieces" ? 200 : language.most.values;
  const values = Array.isArray(field.value) ? [...field.value] : field.value ? [field.value] : [];
  const note = h("span", { class: "chips-note", role: "status" });
  const holder = h("span", { class: "chips" });
  const offers = h("span", { class: "offers" });

  const keep = () => { set([...values]); show(); };
  const add = (texts) => {
    const numbers = field.type === "number";
    const read = texts.map((text) => (numbers ? Number(text) : text)).filter((one) => !numbers || Number.isFinite(one));
    const fresh = [...new Set(read)].filter((one) => !values.includes(one));
    const fitting = fresh.slice(0, most - values.length);
    values.push(...fitting);
    note.textContent = read.length < texts.length
      ? filled(language.text("not_numbers"), { left: texts.length - read.length })
      : fitting.length < fresh.length ? filled(language.text("too_many"), { most, left: fresh.length - fitting.length }) : "";
    keep();
  };
  const remove = (one) => { values.splice(values.indexOf(one), 1); keep(); input.focus(); };
  const input = h("input", {
    class: "chips-input", type: "text", autocomplete: "off", "data-key": `${field.key}:value`,
    "aria-label": language.text("add_value"), placeholder: values.length ? "" : language.text("add_value"),
    onkeydown: (event) => {
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        if (input.value.trim()) { add([input.value.trim()]); input.value = ""; }
      } else if (event.key === "Backspace" && input.value === "" && values.length) {
        values.pop();
        keep();
      }
    },
    onblur: () => { if (input.value.trim()) { add([input.value.trim()]); input.value = ""; } },
    onpaste: (event) => {
      const found = pieces(event.clipboardData.getData("text"));
      if (found.length > 1) { event.preventDefault(); add(found); }
    },
  });

  const show = () => {
    const shown = values.slice(0, SHOWN_CHIPS).map((one) => h("span", { class: "chip" }, String(one),
      h("button", { type: "button", "aria-label": `${language.text("remove")}: ${one}`, onclick: () => remove(one) }, "×")));
    if (values.length > SHOWN_CHIPS) shown.push(h("span", { class: "chip more" }, filled(language.text("more_values"), { count: values.length - SHOWN_CHIPS })));
    for (const child of [...holder.children]) if (child !== input) child.remove();  // it keeps its focus
    if (!input.parentNode) holder.append(input);
    input.before(...shown);
    if (values.length > 5) {
      input.after(h("button", { type: "button", class: "btn btn-sm btn-link", onclick: () => { values.length = 0; keep(); input.focus(); } },
        `${language.text("clear")} (${values.length})`));
    }
    input.placeholder = values.length ? "" : language.text("add_value");
    for (const offer of offers.querySelectorAll("button")) {
      offer.setAttribute("aria-pressed", values.includes(offer.value) ? "true" : "false");
    }
  };

  if (field.type !== "number") {
    frequent(builder, field.table, field.column).then((found) => {
      if (found.length === 0 || found[0][1] < 2) return;  // all different: nothing is frequent
      offers.append(h("span", { class: "text-secondary" }, language.text("frequent")));
      for (const [one, count] of found.slice(0, OFFERED)) {
        offers.append(h("button", {
          type: "button", class: "offer", value: one,
          onclick: () => (values.includes(one) ? remove(one) : add([one])),
        }, one, h("span", { class: "offer-count" }, builder.figures.format(count))));
      }
      show();
    });
  }
  show();
  return h("span", { class: "many-values" }, holder, offers, note);
};
