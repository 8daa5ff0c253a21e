// The Time screen: off-the-job training that the learners logged and the employer confirms, by learner.

import { icon, unloaded } from "../components.js";
import { h } from "../dom.js";
import { count, dateOnly, duration, labelOf } from "../format.js";
import { mutate, OfflineError } from "../graphql.js";
import { paged, tasksOf, TIME } from "../operations.js";
import { cachedPages } from "../query_cache.js";
import { withToken } from "../session.js";

export const name = "time";
export const title = () => "Time to confirm";
export const queries = () => [paged(TIME, tasksOf)];

// The most entries that one request confirms.
const MOST = 100;
const OFFLINE = "There is no connection, so nothing was confirmed. Please try again when you are online.";
const initialState = () => ({ left: new Set(), busy: null, error: null, errorOf: null });
// `left`: ids of the entries that were unticked; `busy` and `errorOf`: a learner's id.
let state = initialState();
export const enter = () => (state = initialState());

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Time to confirm");
  const list = cachedPages(TIME, tasksOf);
  if (!list) return [heading, unloaded(app)];
  const groups = new Map();
  for (const { learner, subject } of list.nodes) {
    if (!groups.has(learner.id)) groups.set(learner.id, { learner, entries: [] });
    groups.get(learner.id).entries.push(subject);
  }
  return [
    heading,
    h(
      "p",
      { class: "lead" },
      "Your learners logged this as off-the-job training. Confirm what took place; untick what you do not know about.",
    ),
    h(
      "p",
      { class: "result", role: "status" },
      list.totalCount
        ? `${count(list.totalCount, "entry", "entries")} from ${count(groups.size, "learner")} to confirm`
        : "There is no time to confirm.",
    ),
    ...[...groups.values()].map((group) => learnerCard(app, group)),
  ];
}

function learnerCard(app, { learner, entries }) {
  const chosen = entries.filter(({ id }) => !state.left.has(id)).slice(0, MOST);
  const minutes = chosen.reduce((sum, entry) => sum + entry.minutes, 0);
  return h(
    "section",
    { class: "card stack", key: learner.id, "aria-labelledby": `time-${learner.id}` },
    h("h2", { id: `time-${learner.id}` }, learner.name),
    h(
      "details",
      { key: "entries" },
      h("summary", {}, `${count(entries.length, "entry", "entries")} from ${dateOnly(earliest(entries))}`),
      h("ul", { class: "rows" }, entries.map((entry) => entryRow(app, entry))),
    ),
    state.errorOf === learner.id && h("p", { class: "error", role: "alert" }, state.error),
    h(
      "button",
      {
        type: "button",
        class: "main",
        "aria-disabled": state.busy || chosen.length === 0 ? "true" : null,
        onclick: () => chosen.length > 0 && confirm(app, learner, chosen),
      },
      icon("tick"),
      state.busy === learner.id
        ? "Confirming…"
        : `Confirm ${count(chosen.length, "entry", "entries")}, ${duration(minutes)}, for ${learner.name}`,
    ),
  );
}

const earliest = (entries) => entries.map(({ date }) => date).sort()[0];

function entryRow(app, { id, date, minutes, activityType, comments, addedBy }) {
  return h(
    "li",
    { key: id },
    h(
      "label",
      { class: "row tick" },
      h("input", {
        type: "checkbox",
        "data-set": true,
        checked: !state.left.has(id),
        onchange: ({ target }) => {
          if (target.checked) state.left.delete(id);
          else state.left.add(id);
          app.draw();
        },
      }),
      h(
        "span",
        {},
        h("strong", {}, `${dateOnly(date)}, ${duration(minutes)}`),
        h("span", { class: "detail" }, `${labelOf({}, activityType)}, logged by ${addedBy.name}`),
        h("span", { class: "detail" }, comments),
      ),
    ),
  );
}

async function confirm(app, learner, entries) {
  if (state.busy) return;
  const stateAtStart = state;
  Object.assign(state, { busy: learner.id, error: null, errorOf: null });
  app.draw();
  try {
    const ids = entries.map(({ id }) => id);
    const { timeLogEntryConfirm } = await withToken((token) => mutate("confirm_time", { ids }, token));
    const [error] = timeLogEntryConfirm.errors;
    if (error) Object.assign(stateAtStart, { error: error.message, errorOf: learner.id });
  } catch (error) {
    const message = error instanceof OfflineError ? OFFLINE : error.message;
    Object.assign(stateAtStart, { error: message, errorOf: learner.id });
  }
  stateAtStart.busy = null;
  app.draw();
  if (stateAtStart === state && !state.error)
    app.done(`You have confirmed ${count(entries.length, "entry", "entries")} for ${learner.name}.`, "#/time");
}
