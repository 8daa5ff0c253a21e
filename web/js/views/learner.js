// One learner: where they stand in each aim, and the progress map down to its criteria.

import { at } from "../answers.js";
import { h } from "../dom.js";
import { LEARNER, one, PROGRESS_MAP } from "../needs.js";
import { bars, criterionLight, icon, light, waiting } from "../parts.js";
import { AIM_STATUSES, appointment, count, CRITERIA, day, plainDay, SESSIONS, toneFor, wordFor } from "../words.js";
import { summed } from "./glance.js";

export const name = "learner";
export const title = ({ route }) => head(route)?.name ?? "Learner";
export const needs = ({ id }) => [one(LEARNER, { learnerId: id }), one(PROGRESS_MAP, { learnerId: id })];

const state = { leftOnly: false };
export const arrive = () => (state.leftOnly = false);

const head = ({ id }) => at(LEARNER, { learnerId: id })?.data.learner;

export function show(app) {
  const back = h("a", { class: "back", href: "#/learners" }, icon("back"), "Learners");
  const learner = head(app.route);
  if (learner === null)
    return [
      back,
      h("h1", { tabindex: "-1" }, "Learner"),
      h("p", { class: "empty" }, "There is no such learner, or they are no longer allocated to you."),
    ];
  if (!learner)
    return [
      back,
      h("h1", { tabindex: "-1" }, "Learner"),
      app.refreshing ? waiting(3) : h("p", { class: "empty" }, "This learner has not been opened on this device yet."),
    ];
  const units = new Map(
    at(PROGRESS_MAP, { learnerId: app.route.id })?.data.learner?.aims.map((aim) => [aim.id, aim.units]),
  );
  return [
    back,
    h("h1", { tabindex: "-1" }, learner.name),
    facts(learner),
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
          checked: state.leftOnly,
          "data-set": true,
          onchange: ({ target }) => {
            state.leftOnly = target.checked;
            app.draw();
          },
        }),
        h("span", { class: "knob", "aria-hidden": "true" }),
        "Only what is left to do",
      ),
    ),
    learner.aims.length === 0 && h("p", { class: "empty" }, "No aim yet."),
    ...learner.aims.map((aim) => aimCard(aim, units.get(aim.id))),
  ].filter(Boolean);
}

function facts({
  employer,
  nextSession,
  daysRemaining,
  daysOverdue,
  lastLoginAt,
  outstandingActionCount,
  overdueActionCount,
}) {
  const fact = (word, ...value) => h("div", {}, h("dt", {}, word), h("dd", {}, value));
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
              [wordFor(SESSIONS, nextSession.type), `with ${nextSession.assessor.name}`, nextSession.location]
                .filter(Boolean)
                .join(", "),
            ),
          ]
        : "None booked",
    ),
    fact(
      "Time left",
      daysOverdue > 0
        ? h("span", { class: "bad" }, `${count(daysOverdue, "day")} past the planned end`)
        : daysRemaining > 0
          ? count(daysRemaining, "day")
          : "None",
    ),
    fact(
      "Actions",
      `${outstandingActionCount.toLocaleString("en-GB")} to do`,
      overdueActionCount > 0 && h("span", { class: "detail bad" }, `${overdueActionCount} overdue`),
    ),
    employer && fact("Site", employer.name),
    fact("Last signed in", lastLoginAt ? day(lastLoginAt) : "Never"),
  );
}

function aimCard(aim, units) {
  const { progress } = aim;
  const ended = aim.actualEndDate ? `, ended ${plainDay(aim.actualEndDate)}` : "";
  return h(
    "section",
    { class: "card aim-card", key: aim.id, "aria-labelledby": aim.id },
    h("div", { class: "aim-head" }, h("h3", { id: aim.id }, aim.title), light(aim.trafficLight)),
    h(
      "p",
      { class: "note" },
      [wordFor(AIM_STATUSES, aim.status), aim.assessor && `with ${aim.assessor.name}`].filter(Boolean).join(" "),
      h("br"),
      `${plainDay(aim.startDate)} to ${plainDay(aim.plannedEndDate)}`,
      ended,
    ),
    bars(progress, { large: true }),
    h("p", { class: "note" }, summed(progress)),
    units ? progressMap(units) : h("p", { class: "note" }, "The progress map has not been loaded yet."),
  );
}

function progressMap(units) {
  const rows = units.filter(({ criteria }) => !state.leftOnly || criteria.some(isLeft)).map(unitRow);
  return h("div", { class: "map" }, rows.length ? rows : h("p", { class: "note" }, "Nothing is left to do."));
}

const isLeft = ({ status }) => status !== "SIGNED_OFF";

function unitRow({ id, number, title, criteria }) {
  const numbers = Object.keys(CRITERIA).map((code) => [code, criteria.filter(({ status }) => status === code).length]);
  const said = numbers
    .filter(([, many]) => many > 0)
    .map(([code, many]) => `${many} ${CRITERIA[code].word.toLowerCase()}`);
  const listed = state.leftOnly ? criteria.filter(isLeft) : criteria;
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
        criteria.map(({ status }) => h("span", { class: toneFor(CRITERIA, status).tone })),
      ),
      h("span", { class: "unit-words" }, said.join(", ") || "No criteria"),
    ),
    h(
      "ul",
      { class: "criteria" },
      listed.map((criterion) =>
        h(
          "li",
          { key: criterion.id },
          h("span", { class: "code" }, criterion.code),
          h("p", {}, criterion.description),
          h(
            "span",
            { class: "states" },
            criterionLight(criterion.status),
            criterion.evidenceCount > 0 &&
              h("span", { class: "pieces" }, `${count(criterion.evidenceCount, "piece")} of evidence`),
          ),
        ),
      ),
    ),
  );
}
