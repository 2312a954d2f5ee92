// Small tools of the console's scripts: making elements, and filling in texts.

/** Make an element: attributes by name, listeners as on…, children as nodes or texts. */
export const h = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
};

/** Fill %(name)s in a text. */
export const filled = (text, values) =>
  text.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? values[name] : whole));

/** Make a select of [value, text] pairs; `chosen` marks one of them. */
export const select = (attributes, options, chosen) => {
  const made = h("select", { class: "form-select", ...attributes });
  for (const [value, text, hint] of options) {
    made.append(h("option", { value, selected: value === chosen, disabled: hint === "no" }, text));
  }
  return made;
};
