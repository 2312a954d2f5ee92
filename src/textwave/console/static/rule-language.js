// What the page may offer in a rule, asked of the choices that the server gives: no operator, column
// or limit is known here by itself.

export const language = (choices) => {
  const { tables, words } = choices;
  const rowsOf = new Set(["customers", "order_summary"]);

  const columnsOf = (table) => tables[table]?.columns ?? [];
  const typeOf = (table, column) => columnsOf(table).find((one) => one.name === column)?.type ?? "text";
  const comparisonsOf = (measure) =>
    measure === "first" || measure === "last" ? choices.time_comparisons : choices.number_comparisons;

  const its = {
    ...choices,
    root: "",
    columnsOf,
    typeOf,
    comparisonsOf,
    text: (name) => words.texts[name] ?? name,
    said: (kind, name) => words[kind][name] ?? name,
    operatorsOf: (type) => choices.operators[type] ?? {},
    operandOf: (attribute, table) =>
      (choices.operators[typeOf(table ?? attribute.table ?? its.root, attribute.column)] ?? {})[attribute.operator] ?? "nothing",
    /** Tables of a kind that have ids by which customers of the root table are known. */
    tablesOf: (...kinds) => {
      const known = tables[its.root]?.id_types ?? [];
      return Object.keys(tables).filter(
        (name) => kinds.includes(tables[name].kind) && known.includes(tables[name].id_type),
      );
    },
    attributeTables: () => its.tablesOf(...rowsOf).filter((name) => name !== its.root),
    /** Columns that a measure may be over; its own one first. */
    measurable: (table, measure) => {
      const types = choices.measures[measure] ?? [];
      const names = columnsOf(table).filter((one) => types.includes(one.type)).map((one) => one.name);
      const usual = measure === "first" || measure === "last" ? tables[table]?.time : tables[table]?.amount;
      return names.includes(usual) ? [usual, ...names.filter((name) => name !== usual)] : names;
    },
    available: (kind) => {
      switch (kind) {
        case "orders": case "behaviours": case "metrics": return its.tablesOf(kind).length > 0;
        case "audience": return Object.keys(choices.audiences).length > 0;
        case "list": return Object.keys(choices.lists).length > 0;
        case "campaign": return choices.campaigns.length > 0;
        case "rfm": return Object.keys(choices.rfm).length > 0;
        case "aipl": return Object.keys(choices.aipl).length > 0;
        case "aipl_flow": return Object.values(choices.aipl).some((days) => days.length > 1);
        default: return true;
      }
    },
    /** The attribute with which a new condition begins, over a column of a type of its own. */
    attribute: (table, column) => {
      const first = columnsOf(table).find((one) => !tables[table].ids.includes(one.name)) ?? columnsOf(table)[0];
      const name = column ?? first?.name ?? "";
      return { kind: "attribute", column: name, ...its.comparison(typeOf(table, name)) };
    },
    comparison: (type) => ({
      text: { operator: "in", value: [] },
      number: { operator: "at_least", value: "" },
      time: { operator: "in_last_days", value: 30 },
      multi_value: { operator: "any_of", value: [] },
    })[type],
    /** What a value becomes when another operator is chosen: kept where it fits. */
    refit: (value, operand) => {
      const first = Array.isArray(value) ? value[0] : value;
      switch (operand) {
        case "nothing": return undefined;
        case "one": return first ?? "";
        case "pair": return Array.isArray(value) && value.length === 2 ? value : [first ?? "", ""];
        case "many": case "pieces": return Array.isArray(value) ? value : value === "" || value === undefined ? [] : [value];
        case "days": return Number.isInteger(first) ? first : 30;
        case "anniversary": return Number.isInteger(first) ? Math.min(first, 365) : 7;
        default: return "month";
      }
    },
    leaf: (kind) => {
      const only = (names) => (names.length > 0 ? names[0] : "");
      switch (kind) {
        case "attribute": return its.attribute(its.root);
        case "orders": case "behaviours": return { kind, table: only(its.tablesOf(kind)), within: { last_days: 30 } };
        case "metrics": {
          const table = only(its.tablesOf(kind));
          const column = only(its.measurable(table, "sum"));
          return { kind, table, measure: "sum", ...(column && { column }), operator: "at_least", value: "" };
        }
        case "audience": return { kind, audience: "" };
        case "list": return { kind, list: only(Object.keys(choices.lists)) };
        case "campaign": return { kind, campaign: only(choices.campaigns), outcome: "clicked" };
        case "rfm": return { kind, model: only(Object.keys(choices.rfm)), types: ["HHH"] };
        case "aipl": return { kind, model: only(Object.keys(choices.aipl)), stages: ["loyal"] };
        case "aipl_flow": {
          const model = Object.keys(choices.aipl).find((name) => choices.aipl[name].length > 1) ?? "";
          const days = choices.aipl[model] ?? [];
          return { kind, model, from: days[days.length - 1] ?? "", until: days[0] ?? "", was: ["aware"], became: ["loyal"] };
        }
        default: return { join: "any", of: [] };
      }
    },
  };
  return its;
};
