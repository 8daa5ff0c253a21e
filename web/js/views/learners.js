// The Learners screen: learners with their aims and next visit, filtered by traffic light, site and name.

import { bars, icon, loading, shape, trafficLight } from "../components.js";
import { h } from "../dom.js";
import { appointment, count, folded, labelOf, SESSION_TYPES, TRAFFIC_LIGHTS } from "../format.js";
import { LEARNERS, learnersOf, paged } from "../operations.js";
import { cachedPages } from "../query_cache.js";

export const name = "learners";
export const title = () => "Learners";
export const queries = () => [paged(LEARNERS, learnersOf)];

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
// Filters that are shown even if no learner matches.
const MAIN_FILTERS = ["", "OFF_TRACK", "ON_TRACK", "AHEAD"];

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Learners");
  const list = cachedPages(LEARNERS, learnersOf);
  if (!list)
    return [
      heading,
      app.refreshing ? loading(4) : h("p", { class: "empty" }, "Nothing has been loaded on this device yet."),
    ];
  const { params } = app.route;
  const filter = params.get("show") in FILTERS ? params.get("show") : "";
  const site = params.get("site") ?? "";
  const search = params.get("name") ?? "";
  const sites = [
    ...new Map(list.nodes.filter(({ employer }) => employer).map(({ employer }) => [employer.id, employer.name])),
  ];
  const searchText = folded(search.trim());
  const candidates = list.nodes.filter(
    ({ name, employer }) => (!site || employer?.id === site) && (!searchText || folded(name).includes(searchText)),
  );
  const matches = candidates.filter(FILTERS[filter].matches);
  return [
    heading,
    filters(app, { filter, site, search, sites, candidates }),
    h("p", { class: "result", role: "status" }, summary(matches, list, filter)),
    matches.length === 0
      ? h(
          "p",
          { class: "empty" },
          list.nodes.length === 0
            ? "No learners are allocated to you yet."
            : "No learners match. Try another traffic light, site or name.",
        )
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

function filters(app, { filter, site, search, sites, candidates }) {
  const setParam = (name, value) => {
    const params = new URLSearchParams(app.route.params);
    if (value) params.set(name, value);
    else params.delete(name);
    app.route.params = params;
    state.shown = BATCH;
    history.replaceState(history.state, "", `#/learners${params.size ? `?${params}` : ""}`);
    app.draw();
  };
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Learners", onsubmit: (event) => event.preventDefault() },
    h(
      "div",
      { class: "search-box" },
      h("label", { for: "search", class: "visually-hidden" }, "Search by name"),
      icon("search"),
      h("input", {
        id: "search",
        type: "search",
        placeholder: "Name",
        autocomplete: "off",
        value: search,
        oninput: ({ target }) => setParam("name", target.value),
      }),
    ),
    sites.length > 1 &&
      h(
        "div",
        { class: "sites" },
        h("label", { for: "site", class: "visually-hidden" }, "Site"),
        h(
          "select",
          { id: "site", "data-value": site, onchange: ({ target }) => setParam("site", target.value) },
          h("option", { value: "", selected: !site }, "All sites"),
          sites.map(([id, name]) => h("option", { value: id, selected: id === site }, name)),
        ),
      ),
    h(
      "fieldset",
      { class: "chips" },
      h("legend", { class: "visually-hidden" }, "Show"),
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
  return `${count(matches.length, "learner")}, ${count(matchingAims.length, "aim")}${kind}${searched}`;
}

function card({ id, name, employer, nextSession, overdueActionCount, aims }, showSite) {
  return h(
    "li",
    { class: "card person", key: id },
    h("h2", {}, h("a", { href: `#/learners/${id}` }, name)),
    h(
      "ul",
      { class: "facts" },
      showSite && employer && h("li", {}, employer.name),
      h(
        "li",
        {},
        icon("calendar"),
        nextSession
          ? h(
              "span",
              {},
              h("span", { class: "visually-hidden" }, "Next visit: "),
              h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
              ` · ${labelOf(SESSION_TYPES, nextSession.type)}`,
            )
          : "No visit booked",
      ),
      overdueActionCount > 0 &&
        h("li", { class: "bad" }, icon("clock"), `${count(overdueActionCount, "action")} overdue`),
    ),
    aims.map((aim) =>
      h(
        "div",
        { class: "aim", key: aim.id },
        h("h3", {}, aim.title),
        trafficLight(aim.trafficLight),
        bars(aim.progress),
      ),
    ),
    aims.length === 0 && h("p", { class: "note" }, "No aim yet."),
  );
}
