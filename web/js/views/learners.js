// The learners: each with the lights and bars of their aims and the next visit; by light, site and name.

import { pages } from "../answers.js";
import { h } from "../dom.js";
import { all, LEARNERS, learnersOf } from "../needs.js";
import { bars, icon, light, shape, waiting } from "../parts.js";
import { appointment, count, folded, LIGHTS, SESSIONS, wordFor } from "../words.js";

export const name = "learners";
export const title = () => "Learners";
export const needs = () => [all(LEARNERS, learnersOf)];

// So many cards at once; a long list grows when it is asked to.
const BATCH = 60;
const state = { shown: BATCH };
export const arrive = () => (state.shown = BATCH);

const withLight =
  (code) =>
  ({ aims }) =>
    aims.some((aim) => aim.trafficLight === code && aim.status !== "WITHDRAWN");
const pastEnd = (aim) => aim.progress.pastPlannedEnd && aim.status !== "WITHDRAWN";
const SHOWS = {
  "": { word: "All", holds: () => true },
  ...Object.fromEntries(Object.entries(LIGHTS).map(([code, words]) => [code, { ...words, holds: withLight(code) }])),
  PAST_END: { word: "Past planned end", holds: ({ aims }) => aims.some(pastEnd) },
  OVERDUE: { word: "Actions overdue", holds: ({ overdueActionCount }) => overdueActionCount > 0 },
};

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Learners");
  const list = pages(LEARNERS, learnersOf);
  if (!list)
    return [
      heading,
      app.refreshing ? waiting(4) : h("p", { class: "empty" }, "Nothing has been loaded on this device yet."),
    ];
  const { asked } = app.route;
  const [light_, site, search] = [
    asked.get("show") in SHOWS ? asked.get("show") : "",
    asked.get("site") ?? "",
    asked.get("name") ?? "",
  ];
  const sites = [
    ...new Map(list.nodes.filter(({ employer }) => employer).map(({ employer }) => [employer.id, employer.name])),
  ];
  const words = folded(search.trim());
  const inScope = list.nodes.filter(
    (learner) => (!site || learner.employer?.id === site) && (!words || folded(learner.name).includes(words)),
  );
  const found = inScope.filter(SHOWS[light_].holds);
  return [
    heading,
    filters(app, { light_, site, search, sites, inScope }),
    h("p", { class: "result", role: "status" }, result(found, list, light_)),
    found.length === 0
      ? h(
          "p",
          { class: "empty" },
          list.nodes.length === 0
            ? "No learner is allocated to you yet."
            : "No learner fits. Try another light, site or name.",
        )
      : h(
          "ul",
          { class: "people" },
          found.slice(0, state.shown).map((learner) => card(learner, sites.length > 1)),
        ),
    found.length > state.shown &&
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
        `Show more (${found.length - state.shown} left)`,
      ),
  ].filter(Boolean);
}

function filters(app, { light_, site, search, sites, inScope }) {
  const ask = (name, value) => {
    const asked = new URLSearchParams(app.route.asked);
    if (value) asked.set(name, value);
    else asked.delete(name);
    app.route.asked = asked;
    state.shown = BATCH;
    history.replaceState(history.state, "", `#/learners${asked.size ? `?${asked}` : ""}`);
    app.draw();
  };
  return h(
    "form",
    { class: "filters", role: "search", "aria-label": "Learners", onsubmit: (event) => event.preventDefault() },
    h(
      "div",
      { class: "searching" },
      h("label", { for: "search", class: "unseen" }, "Search by name"),
      icon("search"),
      h("input", {
        id: "search",
        type: "search",
        placeholder: "Name",
        autocomplete: "off",
        value: search,
        oninput: ({ target }) => ask("name", target.value),
      }),
    ),
    sites.length > 1 &&
      h(
        "div",
        { class: "sites" },
        h("label", { for: "site", class: "unseen" }, "Site"),
        h(
          "select",
          { id: "site", "data-value": site, onchange: ({ target }) => ask("site", target.value) },
          h("option", { value: "", selected: !site }, "All sites"),
          sites.map(([id, name]) => h("option", { value: id, selected: id === site }, name)),
        ),
      ),
    h(
      "fieldset",
      { class: "chips" },
      h("legend", { class: "unseen" }, "Show"),
      Object.entries(SHOWS).map(([code, { word, tone, shape: drawing, holds }]) => {
        const number = inScope.filter(holds).length;
        if (number === 0 && code !== light_ && !["", "OFF_TRACK", "ON_TRACK", "AHEAD"].includes(code)) return null;
        return h(
          "label",
          { class: `chip ${tone ?? ""}`, key: code },
          h("input", {
            type: "radio",
            name: "show",
            value: code,
            checked: code === light_,
            "data-set": true,
            onchange: () => ask("show", code),
          }),
          drawing && shape(drawing),
          word,
          h("span", { class: "number" }, `${number}`),
        );
      }),
    ),
  );
}

function result(found, list, light_) {
  const whole =
    list.nodes.length < list.totalCount
      ? ` (the first ${list.nodes.length} of ${list.totalCount} were looked through)`
      : "";
  const aims = found.flatMap((learner) => learner.aims).filter((aim) => aim.status !== "WITHDRAWN");
  const matching =
    light_ in LIGHTS
      ? aims.filter((aim) => aim.trafficLight === light_)
      : light_ === "PAST_END"
        ? aims.filter(pastEnd)
        : aims;
  const kind =
    light_ in LIGHTS ? ` ${LIGHTS[light_].word.toLowerCase()}` : light_ === "PAST_END" ? " past planned end" : "";
  return `${count(found.length, "learner")}, ${count(matching.length, "aim")}${kind}${whole}`;
}

function card({ id, name, employer, nextSession, overdueActionCount, aims }, withSite) {
  return h(
    "li",
    { class: "card person", key: id },
    h("h2", {}, h("a", { href: `#/learners/${id}` }, name)),
    h(
      "ul",
      { class: "facts" },
      withSite && employer && h("li", {}, employer.name),
      h(
        "li",
        {},
        icon("calendar"),
        nextSession
          ? h(
              "span",
              {},
              h("span", { class: "unseen" }, "Next visit: "),
              h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
              ` · ${wordFor(SESSIONS, nextSession.type)}`,
            )
          : "No visit booked",
      ),
      overdueActionCount > 0 &&
        h("li", { class: "bad" }, icon("late"), `${count(overdueActionCount, "action")} overdue`),
    ),
    aims.map((aim) =>
      h("div", { class: "aim", key: aim.id }, h("h3", {}, aim.title), light(aim.trafficLight), bars(aim.progress)),
    ),
    aims.length === 0 && h("p", { class: "note" }, "No aim yet."),
  );
}
