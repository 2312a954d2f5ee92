// The rule as the builder holds it, and back: groups with a join, and leaves as the schema has them.

/** Read a rule of the public schema. */
export const read = (rule) => {
  if (rule.kind === "not") {
    const inner = rule.of ?? { kind: "all", of: [] };
    const several = inner.kind === "any" && inner.of.length > 1;
    return { join: "none", of: several ? inner.of.map(read) : [read(inner)] };
  }
  if (["all", "any", "minus"].includes(rule.kind)) return { join: rule.kind, of: rule.of.map(read) };
  return structuredClone(rule);
};

/** Read a whole rule: what is no group becomes one. */
export const readRoot = (rule) => {
  const root = read(rule);
  return root.join ? root : { join: "all", of: [root] };
};

/** Write a node as a rule, and note in `places` where each node stands in it. */
export const write = (node, place, places) => {
  places.set(place, node);
  if (!node.join) return node;
  const many = node.of.length;
  if (node.join === "none" && many === 1) return { kind: "not", of: write(node.of[0], `${place}.of`, places) };
  if (node.join === "none" && many > 1) {
    return { kind: "not", of: { kind: "any", of: writeAll(node.of, `${place}.of.of`, places) } };
  }
  const kind = (node.join === "minus" && many > 1) || (node.join === "any" && many > 0) ? node.join : "all";
  return { kind, of: writeAll(node.of, `${place}.of`, places) };
};

const writeAll = (nodes, place, places) => nodes.map((node, i) => write(node, `${place}[${i}]`, places));

/** Find the node that a place such as $.of[1].value belongs to. */
export const nodeAt = (place, places) => {
  let found = places.get("$");
  let longest = 0;
  for (const [known, node] of places) {
    const inside = place === known || place.startsWith(`${known}.`) || place.startsWith(`${known}[`);
    if (inside && known.length > longest) [found, longest] = [node, known.length];
  }
  return found;
};

const filledIn = (value, operand) => {
  if (operand === "nothing") return true;
  if (operand === "pair") return Array.isArray(value) && value.every((one) => one !== "" && one !== null);
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null && value !== "";
};

/** Tell whether all of a leaf is filled in, so that it can be counted. */
export const complete = (leaf, language) => {
  switch (leaf.kind) {
    case "attribute":
      return Boolean(leaf.column) && filledIn(leaf.value, language.operandOf(leaf));
    case "orders":
    case "behaviours":
    case "metrics":
      return Boolean(leaf.table)
        && (!leaf.operator || filledIn(leaf.value, language.comparisonsOf(leaf.measure)[leaf.operator]))
        && (!leaf.within || Boolean(leaf.within.last_days || leaf.within.from || leaf.within.until))
        && (leaf.where ?? []).every((row) => Boolean(row.column) && filledIn(row.value, language.operandOf(row, leaf.table)));
    case "audience": return Boolean(leaf.audience);
    case "list": return Boolean(leaf.list);
    case "campaign": return Boolean(leaf.campaign);
    case "rfm": return Boolean(leaf.model && (leaf.types?.length || leaf.recency || leaf.frequency || leaf.monetary));
    case "aipl": return Boolean(leaf.model && leaf.stages.length);
    case "aipl_flow":
      return Boolean(leaf.model && leaf.from && leaf.until && leaf.was.length && leaf.became.length);
    default: return true;
  }
};
