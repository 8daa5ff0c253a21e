// The page of reports: signing in, choosing a report, its form, chart, table and files. The address holds the choices.

import { announce, h, patch } from "/kpi/js/dom.js";
import { ROLES } from "/kpi/js/format.js";
import { restoreSession, session } from "/kpi/js/session.js";
import * as firstSteps from "/kpi/js/views/first_steps.js";
import * as signIn from "/kpi/js/views/sign_in.js";
import { queryOf } from "./address.js";
import { readChoices, readReports, readRows } from "./catalogue.js";
import { beginningValues, idKind, missing } from "./form.js";
import * as orders from "./orders.js";
import { titleOf } from "./title.js";
import { listView, reportView } from "./views.js";

const ROOT = document.getElementById("app");
const SEARCH_DELAY = 300;

// How often (ms) the state of a running export is read.
const ORDER_DELAY = 2000;

const state = {
  reports: null, choices: null, error: null, busy: false, name: null, values: {}, result: null, view: {},
  orders: null, order: { format: "XLSX", every: "WEEK" }, orderError: null,
};

/** What the sign-in screens of the employer app take as their app. */
const app = { lead: "Figures as tables, charts and files.", roles: ROLES, endReason: null, draw };

function view() {
  if (session === null) return signIn;
  const { mustChangePassword, mustAcceptDisclaimer, mustSetUpSecondFactor } = session.viewer;
  return mustChangePassword || mustAcceptDisclaimer || mustSetUpSecondFactor ? firstSteps : null;
}

/** Draws the current screen. */
function draw() {
  const first = view();
  const report = state.reports?.find(({ name }) => name === state.name);
  const screen = first
    ? { title: first.title(app), name: first.name, content: first.show(app) }
    : report
      ? reportView(report, state, actions)
      : listView(state, actions);
  document.title = `${screen.title} · Waymark`;
  patch(ROOT, [h("main", { id: "main", tabindex: "-1", key: screen.name, class: screen.name }, screen.content)]);
}

const actions = {
  width: () => Math.max(280, Math.min(ROOT.clientWidth - 64, 1080)),
  /** Shows a report with new values of its variables. */
  submit(values) {
    state.values = values;
    keepAddress();
    load();
  },
  /** Changes the filter, the sort order or the chart of the rows. */
  update(change) {
    state.view = { ...state.view, ...change };
    keepAddress();
    draw();
  },
  /** Runs `work()` and announces `done`, or shows the message of its error. */
  async attempt(work, done) {
    try {
      await work();
      announce(done);
    } catch (error) {
      state.error = error.message;
      announce(error.message);
      draw();
    }
  },
  choose(change) {
    state.order = { ...state.order, ...change };
    draw();
  },
  startExport(report) {
    const variables = orders.variablesOf(report, state.values);
    return order(() => orders.startExport(report.name, variables, state.order.format), "The file is being made.");
  },
  startSchedule(report) {
    const { format, every } = state.order;
    const variables = orders.variablesOf(report, state.values);
    const done = `You get an e-mail ${orders.INTERVALS[every]}.`;
    return order(() => orders.startSchedule(report.name, variables, format, every), done);
  },
  endSchedule: ({ id }) => order(() => orders.endSchedule(id), "The schedule is stopped."),
  resume: ({ id, every }) => order(() => orders.resumeSchedule(id), `You get an e-mail ${orders.INTERVALS[every]}.`),
  search(text) {
    clearTimeout(searching);
    searching = setTimeout(() => loadChoices(text), SEARCH_DELAY);
  },
};
let searching = null;
let waiting = null;
let reading = 0;

/** Runs a mutation of exports or schedules, announces `done`, and reads the lists again. */
async function order(work, done) {
  try {
    await work();
    state.orderError = null;
    announce(done);
  } catch (error) {
    state.orderError = error.message;
  }
  draw();
  await loadOrders();
}

/** Reads exports and schedules, repeatedly while an export is running. */
async function loadOrders() {
  clearTimeout(waiting);
  const turn = ++reading;
  const before = state.orders;
  let found;
  try {
    found = await orders.readOrders();
  } catch {
    // The page shows reports without it.
    return;
  }
  if (turn !== reading) return;
  state.orders = found;
  const ready = state.orders.exports.find(
    ({ id, status }) =>
      status === "DONE" && before?.exports.some((each) => each.id === id && each.status === "RUNNING"),
  );
  if (ready) announce(`The file of ${titleOf({ name: ready.operation })} is ready.`);
  draw();
  if (state.orders.exports.some(({ status }) => status === "RUNNING")) waiting = setTimeout(loadOrders, ORDER_DELAY);
}

// The address has the report, its variables and, with an underscore before the name, filter, sort order and chart.
function keepAddress() {
  const query = queryOf(state.values);
  for (const [name, value] of Object.entries(state.view)) {
    if (name === "sort") query.set("_sort", (value.descending ? "-" : "") + value.column);
    else if (value && name !== "all") query.set(`_${name}`, value);
  }
  const text = query.toString();
  history.replaceState(null, "", `#/${state.name}${text ? `?${text}` : ""}`);
}

function readAddress() {
  const [name, text] = location.hash.replace(/^#\/?/, "").split("?");
  Object.assign(state, { name: name || null, values: {}, view: {}, result: null, error: null, orderError: null });
  for (const [key, value] of new URLSearchParams(text)) {
    if (key === "_sort") state.view.sort = { column: value.replace(/^-/, ""), descending: value.startsWith("-") };
    else if (key.startsWith("_")) state.view[key.slice(1)] = value;
    else state.values[key] = value;
  }
}

async function show() {
  readAddress();
  const first = view();
  if (first) {
    draw();
    first.enter?.(app);
    return;
  }
  draw();
  try {
    state.reports ??= await readReports();
  } catch (error) {
    state.error = error.message;
  }
  const report = state.reports?.find(({ name }) => name === state.name);
  if (report && Object.keys(state.values).length === 0) state.values = beginningValues(report);
  draw();
  loadOrders();
  (ROOT.querySelector("h1") ?? ROOT.querySelector("main")).focus({ preventScroll: true });
  if (!report) return;
  if (report.inputs.some((input) => idKind(input))) loadChoices();
  if (missing(report, state.values).length === 0) await load();
}

async function load() {
  const { name, values } = state;
  Object.assign(state, { busy: true, error: null });
  draw();
  try {
    const result = await readRows(name, queryOf(values));
    if (state.name !== name) return;
    state.result = result;
    announce(`${result.rows.length} rows`);
  } catch (error) {
    if (session !== null) state.error = error.message;
  }
  state.busy = false;
  draw();
}

async function loadChoices(search) {
  try {
    state.choices = await readChoices(search || null);
    draw();
  } catch {
    // The form takes typed ids as well.
  }
}

let signedInUser = null;
function sessionChanged(endReason = null) {
  app.endReason = endReason;
  const user = session?.viewer.id ?? null;
  if (user !== signedInUser) {
    signedInUser = user;
    clearTimeout(waiting);
    Object.assign(state, { reports: null, choices: null, result: null, orders: null });
    show();
  } else if (view() === null && state.reports === null) show();
  else draw();
}

addEventListener("hashchange", show);
addEventListener("resize", () => draw());
addEventListener("beforeprint", () => {
  state.view = { ...state.view, all: true };
  draw();
});

await restoreSession(sessionChanged);
signedInUser = session?.viewer.id ?? null;
await show();
