// The table of a report: sorted by any column, filtered by a text, printed whole.

import { h } from "/kpi/js/dom.js";
import { count, folded } from "/kpi/js/format.js";
import { compare, isNumeric, textOf } from "./values.js";

// The rows drawn at first: browsers draw thousands slowly.
const ROWS_AT_FIRST = 200;

/** Returns the rows that match the filter, in the order that the user chose. */
export function arranged(rows, columns, { filter, sort }) {
  const wanted = folded(filter ?? "");
  const matching = wanted
    ? rows.filter((row) => columns.some((column) => folded(textOf(row[column.name], column)).includes(wanted)))
    : rows;
  if (!sort) return matching;
  const direction = sort.descending ? -1 : 1;
  return matching.toSorted((a, b) => compare(a[sort.column], b[sort.column], direction));
}

/** Returns the table with its filter. `view`: filter, sort, all; `update` changes it. */
export function table({ title, rows, columns, view, update }) {
  const found = arranged(rows, columns, view);
  const drawn = view.all ? found : found.slice(0, ROWS_AT_FIRST);
  return h(
    "section",
    { class: "card table-card", "aria-label": "Table" },
    h(
      "div",
      { class: "field filter" },
      h("label", { for: "view-filter" }, "Filter the rows"),
      h("input", {
        id: "view-filter",
        type: "search",
        value: view.filter ?? "",
        oninput: (event) => update({ filter: event.target.value }),
      }),
    ),
    h("p", { class: "result", role: "status" }, summary(found.length, rows.length)),
    h(
      "div",
      { class: "scroller", tabindex: "0", role: "region", "aria-label": `${title}, table` },
      h(
        "table",
        {},
        h("caption", { class: "visually-hidden" }, title),
        h("thead", {}, h("tr", {}, columns.map((column) => header(column, view.sort, update)))),
        h("tbody", {}, drawn.map((row) => h("tr", {}, columns.map((column) => cell(row, column))))),
      ),
    ),
    drawn.length < found.length &&
      h(
        "button",
        { type: "button", class: "more", onclick: () => update({ all: true }) },
        `Show all ${count(found.length, "row")}`,
      ),
  );
}

const summary = (found, all) => (found === all ? count(all, "row") : `${count(found, "row")} of ${all}`);

function header(column, sort, update) {
  const sorted = sort?.column === column.name;
  const next = { column: column.name, descending: sorted ? !sort.descending : isNumeric(column) };
  return h(
    "th",
    {
      scope: "col",
      class: isNumeric(column) ? "number" : null,
      "aria-sort": sorted ? (sort.descending ? "descending" : "ascending") : null,
    },
    h(
      "button",
      { type: "button", class: "sort", title: column.description, onclick: () => update({ sort: next }) },
      column.heading,
      h("span", { "aria-hidden": "true", class: "arrow" }, sorted ? (sort.descending ? "▼" : "▲") : ""),
    ),
  );
}

const cell = (row, column) => h("td", { class: isNumeric(column) ? "number" : null }, textOf(row[column.name], column));
