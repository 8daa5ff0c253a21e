// The Learners screen: learners with their aims and next visit, filtered by traffic light, site and
// name, and sorted by risk, name or last sign-in.

import { bars, icon, shape, trafficLight, unloaded } from "../components.js";
import { h } from "../dom.js";
import { appointment, count, day, folded, labelOf, SESSION_TYPES, TRAFFIC_LIGHTS } from "../format.js";
import { cachedLearners, everyLearner } from "../operations.js";

export const name = "learners";
export const title = () => "Learners";
export const queries = () => [everyLearner()];

// How many learners are shown at first, and added by each "Show more".
const BATCH = 60;
const state = { shown: BATCH };
export const enter = () => (state.shown = BATCH);

const withLight =
  (code) =>
  ({ aims }) =>
    aims.some((aim) => aim.trafficLight === code && aim.status !== "WITHDRAWN");
const isPastEnd = (aim) => aim.progress.pastPlannedEnd && aim.status !== "WITHDRAWN";
const FILTERS = {
  "": { label: "All", matches: () => true },
  ...Object.fromEntries(
    Object.entries(TRAFFIC_LIGHTS).map(([code, style]) => [code, { ...style, matches: withLight(code) }]),
  ),
  PAST_END: { label: "Past planned end", matches: ({ aims }) => aims.some(isPastEnd) },
  OVERDUE: { label: "Actions overdue", matches: ({ overdueActionCount }) => overdueActionCount > 0 },
};
const byName = (a, b) => a.name.localeCompare(b.name, "en-GB");
// How urgent a learner is: the traffic light of the programme, then the points behind, then overdue actions.
const LIGHT_ORDER = ["OFF_TRACK", "ON_TRACK", "AHEAD", "NOT_RATED"];
const lightRank = ({ trafficLight: light }) => (LIGHT_ORDER.indexOf(light) + 1 || LIGHT_ORDER.length + 1);
const pointsAhead = ({ progress }) => progress?.pointsAhead ?? 0;
const ORDERS = {
  "": {
    label: "Risk",
    compare: (a, b) =>
      lightRank(a) - lightRank(b) ||
      pointsAhead(a) - pointsAhead(b) ||
      b.overdueActionCount - a.overdueActionCount ||
      byName(a, b),
  },
  NAME: { label: "Name", compare: byName },
  SIGN_IN: {
    label: "Last sign-in",
    compare: (a, b) => Date.parse(a.lastLoginAt ?? 0) - Date.parse(b.lastLoginAt ?? 0) || byName(a, b),
  },
};

/** Returns whether every aim has ended, at least one of them completed. */
export const isCompleted = (aims) =>
  aims.some(({ status }) => status === "COMPLETED") &&
  aims.every(({ status }) => status === "COMPLETED" || status === "WITHDRAWN");

/** Learners by risk, the most urgent first. */
export const byRisk = ORDERS[""].compare;

/** How far a learner is behind, in words; null for one who is not. */
export const gap = ({ progress }) =>
  progress?.pointsAhead < 0 ? `${count(Math.round(-progress.pointsAhead), "point")} behind` : null;

// Filters that are shown even if no learner matches.
const MAIN_FILTERS = ["", "OFF_TRACK", "ON_TRACK", "AHEAD"];

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Learners");
  const list = cachedLearners();
  if (!list) return [heading, unloaded(app)];
  if (list.totalCount === 0) return [heading, noLearners()];
  const { params } = app.route;
  const known = (choices, name) => (Object.hasOwn(choices, params.get(name)) ? params.get(name) : "");
  const [filter, order] = [known(FILTERS, "show"), known(ORDERS, "by")];
  const site = params.get("site") ?? "";
  const search = params.get("name") ?? "";
  const sites = [
    ...new Map(list.nodes.filter(({ employer }) => employer).map(({ employer }) => [employer.id, employer.name])),
  ];
  const searchText = folded(search.trim());
  const candidates = list.nodes.filter(
    ({ name, employer }) => (!site || employer?.id === site) && (!searchText || folded(name).includes(searchText)),
  );
  const matches = candidates.filter(FILTERS[filter].matches).sort(ORDERS[order].compare);
  return [
    heading,
    filters(app, { filter, order, site, search, sites, candidates }),
    h("p", { class: "result", role: "status" }, summary(matches, list, filter)),
    matches.length === 0
      ? h("p", { class: "empty" }, "No learners match. Try another traffic light, site or name.")
      : h(
          "ul",
          { class: "people" },
          matches.slice(0, state.shown).map((learner) => card(learner, sites.length > 1)),
        ),
    matches.length > state.shown &&
      h(
        "button",
        {
          type: "button",
          class: "more",
          onclick: () => {
            state.shown += BATCH;
            app.draw();
          },
        },
        `Show more (${matches.length - state.shown} left)`,
      ),
  ].filter(Boolean);
}

/** The content of a screen for a user without learners. */
export const noLearners = () =>
  h(
    "div",
    { class: "empty" },
    h("p", {}, "No learners are allocated to you yet."),
    h(
      "p",
      {},
      "Your training provider allocates them: an Employer Manager sees the learners whom they manage, an Employer ",
      "Overview those of their sites. Ask your training provider if somebody is missing. ",
      "Learners appear here as soon as they are allocated.",
    ),
  );

function filters(app, { filter, order, site, search, sites, candidates }) {
  const setParam = (name, value) => {
    const params = new URLSearchParams(app.route.params);
    if (value) params.set(name, value);
    else params.delete(name);
    app.route.params = params;
    state.shown = BATCH;
    app.listAddress = `#/learners${params.size ? `?${params}` : ""}`;
    history.replaceState(history.state, "", app.listAddress);
    app.draw();
  };
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Learners", onsubmit: (event) => event.preventDefault() },
    h(
      "div",
      { class: "search-box" },
      h("label", { for: "search" }, "Search by name"),
      icon("search"),
      h("input", {
        id: "search",
        type: "search",
        autocomplete: "off",
        value: search,
        oninput: ({ target }) => setParam("name", target.value),
      }),
    ),
    sites.length > 1 &&
      choice("site", "Site", site, [["", "All sites"], ...sites], (value) => setParam("site", value)),
    choice(
      "order",
      "Sort by",
      order,
      Object.entries(ORDERS).map(([code, { label }]) => [code, label]),
      (value) => setParam("by", value),
    ),
    h(
      "fieldset",
      { class: "chips" },
      h("legend", {}, "Learners with an aim that is"),
      Object.entries(FILTERS).map(([code, { label, tone, shape: shapeName, matches }]) => {
        const number = candidates.filter(matches).length;
        if (number === 0 && code !== filter && !MAIN_FILTERS.includes(code)) return null;
        return h(
          "label",
          { class: `chip ${tone ?? ""}`, key: code },
          h("input", {
            type: "radio",
            name: "show",
            value: code,
            checked: code === filter,
            "data-set": true,
            onchange: () => setParam("show", code),
          }),
          shapeName && shape(shapeName),
          label,
          h("span", { class: "number" }, `${number}`),
        );
      }),
    ),
  );
}

function choice(id, label, value, options, onChange) {
  return h(
    "div",
    { class: `choice ${id}` },
    h("label", { for: id }, label),
    h(
      "select",
      { id, "data-value": value, onchange: ({ target }) => onChange(target.value) },
      options.map(([code, text]) => h("option", { value: code, selected: code === value }, text)),
    ),
  );
}

/** Returns the number of learners and aims that match, and whether only a part of the list was searched. */
function summary(matches, list, filter) {
  const isPartial = list.nodes.length < list.totalCount;
  const searched = isPartial ? ` (from the first ${list.nodes.length} of ${list.totalCount} learners)` : "";
  const aims = matches.flatMap((learner) => learner.aims).filter((aim) => aim.status !== "WITHDRAWN");
  const matchingAims =
    filter in TRAFFIC_LIGHTS
      ? aims.filter((aim) => aim.trafficLight === filter)
      : filter === "PAST_END"
        ? aims.filter(isPastEnd)
        : aims;
  const kind =
    filter in TRAFFIC_LIGHTS
      ? ` ${TRAFFIC_LIGHTS[filter].label.toLowerCase()}`
      : filter === "PAST_END"
        ? " past planned end"
        : "";
  const finished = matches.filter(({ aims: all }) => isCompleted(all)).length;
  const ended = finished ? ` (${finished.toLocaleString("en-GB")} completed)` : "";
  return `${count(matches.length, "learner")}${ended}, ${count(matchingAims.length, "aim")}${kind}${searched}`;
}

function card(learner, showSite) {
  const { id, name, employer, nextSession, overdueActionCount, lastLoginAt, aims } = learner;
  const fact = (iconName, ...content) => h("li", {}, icon(iconName), h("span", {}, content));
  return h(
    "li",
    { class: "card person", key: id },
    h("h2", {}, h("a", { href: `#/learners/${id}` }, name)),
    h(
      "ul",
      { class: "facts" },
      showSite && employer && h("li", {}, employer.name),
      fact(
        "calendar",
        nextSession
          ? [
              h("span", { class: "visually-hidden" }, "Next visit: "),
              h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
              ` · ${labelOf(SESSION_TYPES, nextSession.type)}`,
            ]
          : "No visit booked",
      ),
      fact("person", lastLoginAt ? `Signed in ${day(lastLoginAt)}` : "Never signed in"),
      learner.trafficLight === "OFF_TRACK" &&
        gap(learner) &&
        h("li", { class: "bad" }, icon("trend"), gap(learner)),
      overdueActionCount > 0 &&
        h("li", { class: "bad" }, icon("clock"), `${count(overdueActionCount, "action")} overdue`),
    ),
    aims.map((aim) =>
      h(
        "div",
        { class: "aim", key: aim.id },
        h(
          "div",
          {},
          h("h3", {}, aim.title),
          aim.assessor && h("p", { class: "note" }, `Assessor: ${aim.assessor.name}`),
        ),
        trafficLight(aim),
        bars(aim.progress),
      ),
    ),
    aims.length === 0 && h("p", { class: "note" }, "No aim yet."),
  );
}
