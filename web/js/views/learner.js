// The Learner screen: the learner's facts, and each aim with its progress map; sections for the rest of the portfolio.

import { backLink, bars, criterionStatus, icon, trafficLight, unloaded } from "../components.js";
import { h } from "../dom.js";
import {
  AIM_STATUSES,
  appointment,
  count,
  CRITERION_STATUSES,
  dateOnly,
  day,
  labelOf,
  SESSION_TYPES,
  statusStyle,
} from "../format.js";
import { cachedLearners, LEARNER, PORTFOLIO, PROGRESS_MAP, single } from "../operations.js";
import { cached } from "../query_cache.js";
import { SECTIONS, sectionLinks, sectionOf } from "./learner_sections.js";
import { isCompleted } from "./learners.js";
import { criteriaSummary } from "./overview.js";

export const name = "learner";
export const title = ({ route }) => learnerOf(route)?.name ?? "Learner";
const sectionIn = ({ section }) => (Object.hasOwn(SECTIONS, section) ? section : "");

/** Returns the queries of the section: the map of an aim is long, and only one section shows it. */
export const queries = (route) => [
  single(LEARNER, { learnerId: route.id }),
  single(sectionIn(route) ? PORTFOLIO : PROGRESS_MAP, { learnerId: route.id }),
];

const state = { incompleteOnly: false };
export const enter = () => (state.incompleteOnly = false);

const learnerOf = ({ id }) => cached(LEARNER, { learnerId: id })?.data.learner;
// The entry of the list, for a learner whose own screen was never loaded, such as without a connection.
const listed = ({ id }) => cachedLearners()?.nodes.find((learner) => learner.id === id);

export function show(app) {
  const back = backLink(app.listAddress, "Learners");
  const found = learnerOf(app.route);
  const learner = found === undefined ? listed(app.route) : found;
  const heading = h("h1", { tabindex: "-1" }, learner?.name ?? "Learner");
  if (learner === null)
    return [back, heading, h("p", { class: "empty" }, "Learner not found, or no longer allocated to you.")];
  if (!learner) return [back, heading, unloaded(app, "This learner has not been loaded on this device yet.")];
  const section = sectionIn(app.route);
  return [
    back,
    heading,
    facts(learner),
    sectionLinks(learner.id, section),
    ...(section
      ? [
          h("h2", { class: "section-heading" }, SECTIONS[section]),
          sectionOf(app, section, cached(PORTFOLIO, { learnerId: learner.id })?.data.learner),
        ]
      : progress(app, learner)),
  ];
}

function progress(app, learner) {
  const units = new Map(
    cached(PROGRESS_MAP, { learnerId: learner.id })?.data.learner?.aims.map((aim) => [aim.id, aim.units]),
  );
  return [
    h(
      "div",
      { class: "map-head" },
      h("h2", {}, "Aims and progress map"),
      h(
        "label",
        { class: "switch" },
        h("input", {
          type: "checkbox",
          role: "switch",
          checked: state.incompleteOnly,
          "data-set": true,
          onchange: ({ target }) => {
            state.incompleteOnly = target.checked;
            app.draw();
          },
        }),
        h("span", { class: "knob", "aria-hidden": "true" }),
        "Only what is left to do",
      ),
    ),
    learner.aims.length === 0 && h("p", { class: "empty" }, "No aim yet."),
    ...learner.aims.map((aim) => aimCard(aim, units.get(aim.id))),
  ];
}

function facts({
  employer,
  nextSession,
  daysRemaining,
  daysOverdue,
  lastLoginAt,
  outstandingActionCount = 0,
  overdueActionCount,
  aims,
}) {
  const fact = (label, ...value) => h("div", {}, h("dt", {}, label), h("dd", {}, value));
  return h(
    "dl",
    { class: "card about" },
    fact(
      "Next visit",
      nextSession
        ? [
            h("time", { datetime: nextSession.startsAt }, appointment(nextSession.startsAt)),
            h(
              "span",
              { class: "detail" },
              [
                labelOf(SESSION_TYPES, nextSession.type),
                nextSession.assessor && `with ${nextSession.assessor.name}`,
                nextSession.location,
              ]
                .filter(Boolean)
                .join(", "),
            ),
          ]
        : "None booked",
    ),
    fact(
      "Time left",
      isCompleted(aims)
        ? "Completed"
        : daysOverdue > 0
        ? h("span", { class: "bad" }, `${count(daysOverdue, "day")} past the planned end`)
        : daysRemaining > 0
          ? count(daysRemaining, "day")
          : "None",
    ),
    fact(
      "Actions",
      outstandingActionCount > 0 || overdueActionCount === 0
        ? `${outstandingActionCount.toLocaleString("en-GB")} to do` : null,
      overdueActionCount > 0 && h("span", { class: "detail bad" }, `${overdueActionCount} overdue`),
    ),
    employer && fact("Site", employer.name),
    fact("Last signed in", lastLoginAt ? day(lastLoginAt) : "Never"),
  );
}

function aimCard(aim, units) {
  const { progress } = aim;
  const ended = aim.actualEndDate ? `, ended ${dateOnly(aim.actualEndDate)}` : "";
  return h(
    "section",
    { class: "card aim-card", key: aim.id, "aria-labelledby": aim.id },
    h("div", { class: "aim-head" }, h("h3", { id: aim.id }, aim.title), trafficLight(aim)),
    h(
      "p",
      { class: "note" },
      [labelOf(AIM_STATUSES, aim.status), aim.assessor && `with ${aim.assessor.name}`].filter(Boolean).join(" "),
      h("br"),
      `${aim.startDate ? `${dateOnly(aim.startDate)} to ` : "Planned end "}${dateOnly(aim.plannedEndDate)}`,
      ended,
    ),
    bars(progress, { large: true }),
    progress.criteriaTotal !== undefined && h("p", { class: "note" }, criteriaSummary(progress)),
    units ? progressMap(units) : h("p", { class: "note" }, "The progress map has not been loaded yet."),
  );
}

function progressMap(units) {
  const rows = units.filter(({ criteria }) => !state.incompleteOnly || criteria.some(isIncomplete)).map(unitRow);
  return h("div", { class: "map" }, rows.length ? rows : h("p", { class: "note" }, "Nothing is left to do."));
}

const isIncomplete = ({ status }) => status !== "SIGNED_OFF";

function unitRow({ id, number, title, criteria }) {
  const counts = Object.entries(CRITERION_STATUSES)
    .map(([code, { label }]) => [criteria.filter(({ status }) => status === code).length, label.toLowerCase()])
    .filter(([number]) => number > 0)
    .map(([number, label]) => `${number} ${label}`);
  const shown = state.incompleteOnly ? criteria.filter(isIncomplete) : criteria;
  return h(
    "details",
    { key: id },
    h(
      "summary",
      {},
      h("span", { class: "unit-title" }, h("span", { class: "unit-number" }, number), h("span", {}, title)),
      h(
        "span",
        { class: "cells", "aria-hidden": "true" },
        criteria.map(({ status }) => h("span", { class: statusStyle(CRITERION_STATUSES, status).tone })),
      ),
      h("span", { class: "unit-words" }, counts.join(", ") || "No criteria"),
    ),
    h("p", {}, h("a", { class: "button", href: `#/units/${id}` }, "Evidence and signatures of this unit")),
    h(
      "ul",
      { class: "criteria" },
      shown.map((criterion) =>
        h(
          "li",
          { key: criterion.id },
          h("span", { class: "code" }, criterion.code),
          h("p", {}, criterion.description),
          h(
            "span",
            { class: "states" },
            criterionStatus(criterion.status),
            criterion.evidenceCount > 0 &&
              h("span", { class: "pieces" }, count(criterion.evidenceCount, "piece of evidence", "pieces of evidence")),
          ),
        ),
      ),
    ),
  );
}
