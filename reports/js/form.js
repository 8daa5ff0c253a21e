// The form of a report: one control for each variable, made from its type.

import { form } from "/kpi/js/components.js";
import { h } from "/kpi/js/dom.js";
import { labelOf } from "/kpi/js/format.js";

const DAY = 86_400_000;
// The variables that begin a period, initially a year ago, and those that end it, initially today.
const BEGINNINGS = ["since", "from", "endedFrom"];
const ENDS = ["until", "to", "endedTo"];

/** Returns the form. `values` are texts by path; `choices`: the records offered for ids; `onSubmit` gets the new values. */
export function reportForm({ report, values, choices, busy, error, onSubmit, onSearch }) {
  const [shown, further] = [report.inputs.filter(isShown), report.inputs.filter((input) => !isShown(input))];
  const controls = (inputs) =>
    inputs.map((input) => control(input, values[input.path] ?? "", choices, error, onSearch));
  return form(
    {
      key: `form ${report.name}`,
      class: "report-form",
      submitLabel: "Show",
      busyLabel: "Loading…",
      busy,
      onSubmit: (entered) => onSubmit(cleaned(entered)),
    },
    controls(shown),
    further.length > 0 &&
      h(
        "details",
        { open: further.some(({ path }) => values[path]), class: "further" },
        h("summary", {}, "More conditions"),
        h("div", { class: "controls" }, controls(further)),
      ),
  );
}

/** Returns the values that a report's form begins with: the period that it needs is the last year. */
export function beginningValues(report, today = new Date()) {
  const values = {};
  for (const { path, type, required } of report.inputs) {
    if (type !== "Date" || !required) continue;
    if (BEGINNINGS.includes(path)) values[path] = isoDay(new Date(today - 365 * DAY));
    if (ENDS.includes(path)) values[path] = isoDay(today);
  }
  return values;
}

/** Returns the inputs that are required and have no value. */
export const missing = (report, values) => report.inputs.filter(({ path, required }) => required && !values[path]);

const isShown = ({ path }) => !path.includes(".");
const isoDay = (time) => time.toISOString().slice(0, 10);
const cleaned = (entered) =>
  Object.fromEntries(
    Object.entries(entered)
      .map(([path, value]) => [path, value.trim()])
      .filter(([, value]) => value),
  );

/** The kind of the records whose id a variable takes, such as learner for learnerId. */
export const idKind = ({ path, type }) => (type === "ID" ? path.split(".").at(-1).replace(/Ids?$/, "") : null);

function control(input, value, choices, error, onSearch) {
  const { path, required, description } = input;
  const wrong = error?.startsWith(`${path}:`) ? error : null;
  const described = [description && `${path}-hint`, wrong && `${path}-error`].filter(Boolean).join(" ");
  const attributes = {
    id: path,
    name: path,
    required,
    "aria-invalid": wrong ? "true" : null,
    "aria-describedby": described || null,
  };
  return h(
    "div",
    { class: "field", key: path },
    h("label", { for: path }, labelFor(input), required && h("span", { class: "note" }, " (required)")),
    element(input, attributes, value, choices, onSearch),
    description && h("p", { class: "hint", id: `${path}-hint` }, description),
    wrong && h("p", { class: "error", id: `${path}-error`, role: "alert" }, wrong),
  );
}

function element(input, attributes, value, choices, onSearch) {
  if (input.values) {
    const options = input.values.map((each) => ({ id: each.value, label: labelOf({}, each.value) }));
    return select(attributes, options, value || input.default || "", input.required);
  }
  if (input.type === "Boolean")
    return select(
      attributes,
      [
        { id: "true", label: "Yes" },
        { id: "false", label: "No" },
      ],
      value || (input.default === null ? "" : `${input.default}`),
      input.required,
    );
  const kind = idKind(input);
  if (kind && choices?.[kind]) {
    const list = `${attributes.id}-choices`;
    return [
      h("input", {
        ...attributes,
        list,
        value,
        autocomplete: "off",
        placeholder: "Choose, or type a name or an id",
        oninput: kind === "learner" || kind === "aim" ? (event) => onSearch(event.target.value) : null,
      }),
      h("datalist", { id: list }, choices[kind].map(({ id, label }) => h("option", { value: id }, label))),
    ];
  }
  const type = { Date: "date", Int: "number", Float: "number" }[input.type] ?? "text";
  return h("input", { ...attributes, type, value, step: input.type === "Float" ? "any" : null });
}

function select(attributes, options, value, required) {
  return h(
    "select",
    { ...attributes, "data-value": value },
    !required && h("option", { value: "" }, "Any"),
    options.map(({ id, label }) => h("option", { value: id, selected: id === value }, label)),
  );
}

function labelFor({ path }) {
  const words = path
    .split(".")
    .at(-1)
    .replace(/Id$/, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase();
  return words.replace(/^./, (first) => first.toUpperCase());
}
