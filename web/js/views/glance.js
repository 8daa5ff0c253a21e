// The first screen: the numbers over every learner that the viewer sees, and the next visits.

import { at, pages } from "../answers.js";
import { h } from "../dom.js";
import { all, GLANCE, LEARNERS, learnersOf, one } from "../needs.js";
import { bars, icon, shape, waiting } from "../parts.js";
import { appointment, count, LIGHTS, SESSIONS, wordFor } from "../words.js";

export const name = "glance";
export const title = () => "At a glance";
export const needs = () => [one(GLANCE), all(LEARNERS, learnersOf)];

const COUNTS = {
  OFF_TRACK: "offTrackCount",
  ON_TRACK: "onTrackCount",
  AHEAD: "aheadCount",
  NOT_RATED: "notRatedCount",
};
const VISITS = 5;

export function show(app) {
  const viewer = at(GLANCE)?.data.viewer;
  const heading = h("h1", { tabindex: "-1" }, "At a glance");
  if (!viewer)
    return [
      heading,
      app.refreshing ? waiting(4) : h("p", { class: "empty" }, "Nothing has been loaded on this device yet."),
    ];
  const { kpis } = viewer;
  return [
    heading,
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
        "late",
        kpis.overdueActionCount,
        kpis.overdueActionCount === 1 ? "action overdue" : "actions overdue",
        "#/learners?show=OVERDUE",
      ),
      tile("calendar", kpis.sessionsNext7Days, kpis.sessionsNext7Days === 1 ? "visit in 7 days" : "visits in 7 days"),
    ),
    h(
      "div",
      { class: "columns" },
      lights(kpis),
      h(
        "section",
        { class: "card", "aria-labelledby": "progress" },
        h("h2", { id: "progress" }, "Progress over all aims"),
        bars(kpis.progress, { large: true, average: true }),
        h("p", { class: "note" }, summed(kpis.progress)),
        kpis.pastPlannedEndCount > 0 &&
          h(
            "a",
            { class: "late-link", href: "#/learners?show=PAST_END" },
            icon("late"),
            `${count(kpis.pastPlannedEndCount, "aim")} past planned end`,
            icon("on"),
          ),
      ),
      visits(),
    ),
  ];
}

/** The criteria behind the bars, in words. */
export function summed({ criteriaTotal, criteriaMapped, criteriaSignedOff }) {
  const [signedOff, mapped] = [criteriaSignedOff, criteriaMapped].map((number) => number.toLocaleString("en-GB"));
  return `${signedOff} of ${count(criteriaTotal, "criterion", "criteria")} signed off, ${mapped} with evidence.`;
}

function tile(drawing, number, words, href, calls = false) {
  return h(
    href ? "a" : "div",
    { class: calls ? "tile calls" : "tile", href, key: drawing },
    icon(drawing),
    h("strong", {}, number.toLocaleString("en-GB")),
    h("span", {}, words),
  );
}

function lights(kpis) {
  const rows = Object.entries(COUNTS).map(([code, name]) => ({ code, number: kpis[name], ...LIGHTS[code] }));
  return h(
    "section",
    { class: "card", "aria-labelledby": "lights" },
    h("h2", { id: "lights" }, "Where they stand"),
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
      rows.map(({ code, tone, word, shape: drawing, number }) =>
        h(
          "li",
          {},
          h(
            "a",
            { href: `#/learners?show=${code}`, class: tone },
            h("span", { class: "sign" }, shape(drawing)),
            h("span", { class: "word" }, word),
            h("strong", {}, number.toLocaleString("en-GB")),
            h("span", { class: "unit" }, number === 1 ? "aim" : "aims"),
            icon("on"),
          ),
        ),
      ),
    ),
  );
}

function visits() {
  const list = pages(LEARNERS, learnersOf);
  if (!list) return null;
  const next = list.nodes
    .filter(({ nextSession }) => nextSession)
    .sort((one, other) => (one.nextSession.startsAt < other.nextSession.startsAt ? -1 : 1))
    .slice(0, VISITS);
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
                h("span", { class: "who" }, name),
                h("span", { class: "what" }, wordFor(SESSIONS, nextSession.type)),
                h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
              ),
            ),
          ),
        ),
  );
}
