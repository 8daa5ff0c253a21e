// The Overview screen: what needs the viewer, counts and progress of all learners, and the next visits.

import { bars, icon, shape, unloaded } from "../components.js";
import { h } from "../dom.js";
import { appointment, count, labelOf, SESSION_TYPES, TRAFFIC_LIGHTS } from "../format.js";
import {
  ACTIONS,
  actionsOf,
  cachedLearners,
  everyLearner,
  HOME,
  paged,
  single,
  TASKS,
  tasksOf,
} from "../operations.js";
import { cached } from "../query_cache.js";
import { noLearners } from "./learners.js";
import { needsYou } from "./needs.js";

export const name = "overview";
export const title = () => "Overview";
export const queries = () => [
  single(HOME),
  paged(TASKS, tasksOf),
  paged(ACTIONS, actionsOf),
  everyLearner(),
];

const COUNTS = {
  OFF_TRACK: "offTrackCount",
  ON_TRACK: "onTrackCount",
  AHEAD: "aheadCount",
  NOT_RATED: "notRatedCount",
};
const MAX_VISITS = 5;

export function show(app) {
  const viewer = cached(HOME)?.data.viewer;
  const heading = h("h1", { tabindex: "-1" }, "Overview");
  if (!viewer) return [heading, unloaded(app)];
  const { kpis } = viewer;
  if (cachedLearners()?.totalCount === 0) return [heading, noLearners()];
  return [
    heading,
    needsYou(app),
    h(
      "div",
      { class: "tiles" },
      tile("learners", kpis.learnerCount, kpis.learnerCount === 1 ? "learner" : "learners", "#/learners"),
      tile(
        "sign",
        viewer.awaitingSignatureCount,
        viewer.awaitingSignatureCount === 1 ? "document to sign" : "documents to sign",
        "#/documents",
        viewer.awaitingSignatureCount > 0,
      ),
      tile(
        "clock",
        kpis.overdueActionCount,
        kpis.overdueActionCount === 1 ? "action overdue" : "actions overdue",
        "#/actions",
      ),
      tile(
        "calendar",
        kpis.sessionsNext7Days,
        kpis.sessionsNext7Days === 1 ? "visit in 7 days" : "visits in 7 days",
        "#/visits",
      ),
    ),
    h(
      "div",
      { class: "columns" },
      trafficLights(kpis),
      h(
        "section",
        { class: "card", "aria-labelledby": "progress" },
        h("h2", { id: "progress" }, "Progress across all aims"),
        bars(kpis.progress, { large: true, average: true }),
        h("p", { class: "note" }, criteriaSummary(kpis.progress)),
        kpis.pastPlannedEndCount > 0 &&
          h(
            "a",
            { class: "late-link", href: "#/learners?show=PAST_END" },
            icon("clock"),
            `${count(kpis.pastPlannedEndCount, "aim")} past planned end`,
            icon("forward"),
          ),
      ),
      visits(),
    ),
  ];
}

/** Returns the criteria counts behind the bars as a sentence. */
export function criteriaSummary({ criteriaTotal, criteriaMapped, criteriaSignedOff }) {
  const [signedOff, mapped] = [criteriaSignedOff, criteriaMapped].map((number) => number.toLocaleString("en-GB"));
  return `${signedOff} of ${count(criteriaTotal, "criterion", "criteria")} signed off, ${mapped} with evidence.`;
}

function tile(iconName, number, label, href, needsAttention = false) {
  return h(
    href ? "a" : "div",
    { class: needsAttention ? "tile attention" : "tile", href, key: iconName },
    icon(iconName),
    h("strong", {}, number.toLocaleString("en-GB")),
    h("span", {}, label),
  );
}

function trafficLights(kpis) {
  const rows = Object.entries(COUNTS).map(([code, name]) => ({ code, number: kpis[name], ...TRAFFIC_LIGHTS[code] }));
  return h(
    "section",
    { class: "card", "aria-labelledby": "lights" },
    h("h2", { id: "lights" }, "Traffic lights of all aims"),
    h(
      "div",
      { class: "strip", "aria-hidden": "true" },
      rows
        .filter(({ number }) => number > 0)
        .map(({ tone, number }) => h("span", { class: tone, vars: { "--part": number } })),
    ),
    h(
      "ul",
      { class: "lights" },
      rows.map(({ code, tone, label, shape: shapeName, number }) =>
        h(
          "li",
          {},
          h(
            "a",
            { href: `#/learners?show=${code}`, class: tone },
            h("span", { class: "sign" }, shape(shapeName)),
            h("span", { class: "label" }, label),
            h("strong", {}, number.toLocaleString("en-GB")),
            h("span", { class: "unit" }, number === 1 ? "aim" : "aims"),
            icon("forward"),
          ),
        ),
      ),
    ),
  );
}

function visits() {
  const list = cachedLearners();
  if (!list) return null;
  const next = list.nodes
    .filter(({ nextSession }) => nextSession)
    .sort((a, b) => (a.nextSession.startsAt < b.nextSession.startsAt ? -1 : 1))
    .slice(0, MAX_VISITS);
  return h(
    "section",
    { class: "card", "aria-labelledby": "visits" },
    h("h2", { id: "visits" }, "Next visits"),
    next.length === 0
      ? h("p", { class: "note" }, "No visit is booked.")
      : h(
          "ul",
          { class: "visits" },
          next.map(({ id, name, nextSession }) =>
            h(
              "li",
              { key: id },
              h(
                "a",
                { href: `#/learners/${id}` },
                h("span", { class: "learner-name" }, name),
                h("span", { class: "session-type" }, labelOf(SESSION_TYPES, nextSession.type)),
                h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
              ),
            ),
          ),
        ),
    h("p", {}, h("a", { class: "button quiet", href: "#/visits" }, "All visits")),
  );
}
