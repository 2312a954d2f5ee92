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

const DRAWN = {
  up: "M12 19V5M6 11l6-6l6 6",
  down: "M12 5v14M6 13l6 6l6-6",
  duplicate: "M9 9h11v11h-11zM5 15h-1v-11h11v1",
  remove: "M6 6l12 12M18 6l-12 12",
};

/** Draw an icon in the colour of the text around it. */
export const icon = (name) => {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  const look = { class: "icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [attribute, value] of Object.entries(look)) drawing.setAttribute(attribute, value);
  path.setAttribute("d", DRAWN[name]);
  drawing.append(path);
  return drawing;
};
