// Bulk exports and schedules of a report: the controls that start them, and the lists of those that were started.

import { h } from "/kpi/js/dom.js";
import { appointment } from "/kpi/js/format.js";
import { queryOf } from "./address.js";
import { FORMATS, INTERVALS, valuesOf } from "./orders.js";
import { titleOf } from "./title.js";

const number = (value) => value.toLocaleString("en-GB");

/** Returns the card of one report: starts an export or a schedule with the values of its form, and lists its own. */
export function orderCard(report, state, actions) {
  const { format, every } = state.order;
  const own = ({ operation }) => operation === report.name;
  return h(
    "section",
    { class: "card orders no-print", "aria-labelledby": "orders-title" },
    h("h2", { id: "orders-title" }, "In the background, and by e-mail"),
    h(
      "p",
      { class: "hint" },
      "Everything that this report gives with the conditions above. The server makes the file; you need not wait ",
      "here. An e-mail has a link that works for you alone, never the data.",
    ),
    h(
      "div",
      { class: "controls" },
      choice("order-format", "Format", FORMATS, format, (value) => actions.choose({ format: value })),
      choice("order-every", "How often", INTERVALS, every, (value) => actions.choose({ every: value })),
    ),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => actions.startExport(report) }, "Make one file now"),
      h("button", { type: "button", onclick: () => actions.startSchedule(report) }, "E-mail me this"),
    ),
    state.orderError && h("p", { class: "error", role: "alert" }, state.orderError),
    lists(state, actions, own, false),
  );
}

/** Returns the card with everything that the user has ordered, null if there is nothing. */
export function ordersCard(state, actions) {
  const { exports, schedules } = state.orders ?? { exports: [], schedules: [] };
  if (exports.length + schedules.length === 0) return null;
  return h(
    "section",
    { class: "card orders", "aria-labelledby": "orders-title" },
    h("h2", { id: "orders-title" }, "Your files and schedules"),
    state.orderError && h("p", { class: "error", role: "alert" }, state.orderError),
    lists(state, actions, () => true, true),
  );
}

function choice(id, label, options, value, onchange) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h(
      "select",
      { id, "data-value": value, onchange: (event) => onchange(event.target.value) },
      Object.entries(options).map(([code, text]) => h("option", { value: code, selected: code === value }, text)),
    ),
  );
}

function lists(state, actions, isShown, named) {
  const { exports, schedules } = state.orders ?? { exports: [], schedules: [] };
  const [files, current] = [exports.filter(isShown), schedules.filter(isShown).filter(isCurrent)];
  return [
    current.length > 0 && [
      h("h3", {}, "Schedules"),
      h("ul", { class: "order-list" }, current.map((each) => schedule(each, actions, named))),
    ],
    files.length > 0 && [
      h("h3", {}, "Files"),
      h("ul", { class: "order-list" }, files.map((each) => file(each, named))),
    ],
  ];
}

const kindOf = ({ operation, variables, format, every }) => [operation, variables, format, every].join(" ");

/** Whether a schedule is active, or the newest of its kind: one that was started again is shown once. */
const isCurrent = (each, index, all) =>
  !each.endedAt || all.findIndex((other) => kindOf(other) === kindOf(each)) === index;

function schedule(each, actions, named) {
  const what = `${FORMATS[each.format]}, ${INTERVALS[each.every]}`;
  const about = `${titleOf({ name: each.operation })}, ${what}`;
  const button = (label, onclick) =>
    h("button", { type: "button", "aria-label": `${label}: ${about}`, onclick }, label);
  return h(
    "li",
    { key: each.id },
    heading(each, named),
    h("span", {}, what, conditions(each)),
    each.endedAt
      ? h("span", { class: "detail" }, "Stopped.")
      : h("span", { class: "detail" }, `Next: ${appointment(each.nextAt)}, London time.`),
    each.endedAt
      ? button("Start again", () => actions.resume(each))
      : button("Stop", () => actions.endSchedule(each)),
  );
}

function file(each, named) {
  const format = FORMATS[each.format];
  const states = {
    RUNNING: () => [
      h("span", {}, `${format}, being made: ${number(each.rowCount)} rows so far`, conditions(each)),
      h("progress", { "aria-label": `${titleOf({ name: each.operation })} is being made` }),
    ],
    DONE: () => [
      h("span", {}, `As of ${appointment(each.asOf)}, London time`, conditions(each)),
      each.download &&
        h(
          "a",
          { href: each.download.url, download: "" },
          `Download ${titleOf({ name: each.operation })} as ${format}, ${number(each.rowCount)} rows`,
        ),
    ],
    FAILED: () => [h("span", {}, `${format}, not made`, conditions(each)), h("span", { class: "error" }, each.failure)],
  };
  return h("li", { key: each.id }, heading(each, named), states[each.status]?.());
}

function heading(each, named) {
  const query = queryOf(valuesOf(JSON.parse(each.variables))).toString();
  const title = titleOf({ name: each.operation });
  return named && h("a", { href: `#/${each.operation}${query ? `?${query}` : ""}` }, title);
}

function conditions({ variables }) {
  const given = Object.entries(valuesOf(JSON.parse(variables))).map(([path, value]) => `${path} ${value}`);
  return given.length > 0 ? ` (${given.join(", ")})` : "";
}
