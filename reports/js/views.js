// The screens: the list of reports, and one report.

import { notice } from "/kpi/js/components.js";
import { h } from "/kpi/js/dom.js";
import { appointment, labelOf, ROLES } from "/kpi/js/format.js";
import { session, signOut } from "/kpi/js/session.js";
import { queryOf } from "./address.js";
import { address, download, FORMATS } from "./catalogue.js";
import { chartCard } from "./charts.js";
import { reportForm } from "./form.js";
import { orderCard, ordersCard } from "./orders_view.js";
import { arranged, table } from "./table.js";
import { titleOf } from "./title.js";
import { withHeadings } from "./values.js";

const firstLine = ({ description }) => description.split("\n")[0];

/** Returns the screen that lists the reports. */
export function listView(state, actions) {
  const groups = [
    ["Figures", state.reports?.filter(({ forAnalysts }) => forAnalysts) ?? []],
    ["Other queries", state.reports?.filter(({ forAnalysts }) => !forAnalysts) ?? []],
  ];
  return {
    title: "Reports",
    name: "list",
    content: [
      account(),
      h("h1", { tabindex: "-1" }, "Reports"),
      state.error && notice("bad", h("p", {}, state.error)),
      !state.reports && !state.error && h("p", { role: "status" }, "Loading…"),
      ordersCard(state, actions),
      groups.map(
        ([title, reports]) =>
          reports.length > 0 &&
          h(
            "section",
            { class: "card" },
            h("h2", {}, title),
            h(
              "ul",
              { class: "reports" },
              reports.map((report) =>
                h(
                  "li",
                  {},
                  h("a", { href: `#/${report.name}` }, titleOf(report)),
                  h("span", { class: "detail" }, firstLine(report)),
                ),
              ),
            ),
          ),
      ),
    ],
  };
}

/** Returns the screen of one report. */
export function reportView(report, state, actions) {
  const columns = withHeadings(report.columns);
  const title = titleOf(report);
  const rows = state.result?.rows;
  return {
    title,
    name: `report ${report.name}`,
    content: [
      account(),
      h("p", { class: "no-print" }, h("a", { class: "back", href: "#/" }, "All reports")),
      h("h1", { tabindex: "-1" }, title),
      h("p", { class: "lead" }, firstLine(report)),
      report.inputs.length > 0 &&
        h(
          "section",
          { class: "card no-print", "aria-label": "Variables" },
          reportForm({
            report,
            values: state.values,
            choices: state.choices,
            busy: state.busy,
            error: state.error,
            onSubmit: actions.submit,
            onSearch: actions.search,
          }),
        ),
      state.error && notice("bad", h("p", {}, state.error)),
      state.busy && !rows && h("p", { role: "status" }, "Loading…"),
      rows && [asOf(state), files(report, state, actions)],
      // Also before there are rows: a large report need not be waited for.
      orderCard(report, state, actions),
      rows && [
        chartCard({
          columns,
          rows: arranged(rows, columns, { filter: state.view.filter }),
          view: state.view,
          width: actions.width(),
          update: actions.update,
        }),
        table({ title, rows, columns, view: state.view, update: actions.update }),
        definitions(columns),
      ],
    ],
  };
}

function account() {
  const { name, role } = session.viewer;
  return h(
    "p",
    { class: "account no-print" },
    h("span", {}, `${name}, ${labelOf(ROLES, role)}`),
    h("button", { type: "button", class: "quiet", onclick: () => signOut() }, "Sign out"),
  );
}

function asOf({ result, values }) {
  const given = Object.entries(values).map(([path, value]) => `${path} ${value}`);
  return h(
    "p",
    { class: "result" },
    `As of ${appointment(result.asOf ?? Date.now())}, London time${given.length ? `; ${given.join(", ")}` : ""}.`,
  );
}

function files(report, state, actions) {
  const query = queryOf(state.values);
  const get = (format) => () => actions.attempt(() => download(report.name, format, query), "Downloaded.");
  const copy = (text) => () => actions.attempt(() => navigator.clipboard.writeText(text), "Copied.");
  const program = new URL(address(report.name, "csv", query), location.href).href;
  return h(
    "section",
    { class: "card files no-print", "aria-label": "Files and addresses" },
    h(
      "div",
      { class: "buttons" },
      Object.entries(FORMATS).map(([format, label]) =>
        h("button", { type: "button", onclick: get(format) }, `Download ${label}`),
      ),
      h("button", { type: "button", onclick: copy(location.href) }, "Copy the address of this page"),
      h("button", { type: "button", onclick: copy(program) }, "Copy the address for a spreadsheet"),
    ),
    h(
      "p",
      { class: "hint" },
      "A spreadsheet or a program reads that address with an access key instead of your login.",
    ),
  );
}

function definitions(columns) {
  const described = columns.filter(({ description }) => description);
  return h(
    "details",
    { class: "card definitions" },
    h("summary", {}, "What the columns mean"),
    h(
      "dl",
      {},
      described.map(({ name, unit, description }) => [
        h("dt", {}, unit ? `${name} (${unit})` : name),
        h("dd", {}, description),
      ]),
    ),
  );
}
