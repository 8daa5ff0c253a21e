// The sections of the Learner screen beside the aims: actions, sessions, time, evidence and reviews.

import { icon, notice, tag, unloaded } from "../components.js";
import { h } from "../dom.js";
import {
  appointment,
  count,
  dateOnly,
  duration,
  labelOf,
  REVIEW_STATUSES,
  SESSION_STATUSES,
  SESSION_TYPES,
} from "../format.js";
import { may } from "../signing.js";
import { actionRow } from "./actions.js";
import { evidenceRow } from "./unit.js";

// The sections by the last part of their address.
export const SECTIONS = {
  "": "Progress",
  actions: "Actions",
  sessions: "Visits",
  time: "Time",
  evidence: "Evidence",
  reviews: "Reviews",
};

/** Returns the links to the sections of a learner. */
export function sectionLinks(id, current) {
  return h(
    "nav",
    { class: "sections", "aria-label": "Sections" },
    h(
      "ul",
      {},
      Object.entries(SECTIONS).map(([section, label]) =>
        h(
          "li",
          { key: section },
          h(
            "a",
            {
              href: `#/learners/${id}${section && "/"}${section}`,
              class: "chip",
              "aria-current": section === current ? "page" : null,
            },
            label,
          ),
        ),
      ),
    ),
  );
}

/** Returns a section; `learner` is from the response of `employer_portfolio`, or undefined until there is one. */
export function sectionOf(app, section, learner) {
  if (!learner) return unloaded(app, "This has not been loaded on this device yet.");
  return { actions, sessions, time, evidence, reviews }[section](learner);
}

function list({ nodes, totalCount }, none, row, more = "more") {
  if (nodes.length === 0) return h("p", { class: "empty" }, none);
  return [
    h("ul", { class: "card rows" }, nodes.map(row)),
    totalCount > nodes.length &&
      h("p", { class: "note" }, `${count(totalCount - nodes.length, more, more)} not shown here.`),
  ];
}

function actions(learner) {
  return list(learner.actions, "There are no actions to do.", (action) => actionRow(action), "more actions");
}

function sessions(learner) {
  const ordered = { ...learner.sessions, nodes: [...learner.sessions.nodes].reverse() };
  return list(
    ordered,
    "No session is planned yet.",
    ({ id, number, type, status, startsAt, location, assessor, feedback, review }) => {
      const body = [
        icon("calendar"),
        h(
          "span",
          {},
          h("strong", {}, `${number}. ${labelOf(SESSION_TYPES, type)}`),
          h("span", { class: "detail" }, [`with ${assessor.name}`, location].filter(Boolean).join(", ")),
          feedback && h("span", { class: "detail" }, feedback),
          review && h("span", { class: "detail" }, "Read its review"),
        ),
        h(
          "span",
          { class: "due" },
          h("time", { datetime: startsAt }, appointment(startsAt)),
          tag(SESSION_TONES[status] ?? "grey", labelOf(SESSION_STATUSES, status)),
        ),
      ];
      return h(
        "li",
        { key: id },
        review ? h("a", { class: "row", href: `#/reviews/${review.id}` }, body) : h("div", { class: "row" }, body),
      );
    },
    "earlier sessions",
  );
}

const SESSION_TONES = { PLANNED: "amber", ATTENDED: "green", NOT_ATTENDED: "red" };

function time({ offTheJob, timeLog }) {
  const open = timeLog.nodes.some((entry) => !entry.employerConfirmedAt && may(entry, "timeLogEntryConfirm"));
  return [
    h(
      "p",
      { class: "note" },
      `Off-the-job training: ${duration(offTheJob.actualMinutes)} logged, `,
      `${duration(offTheJob.expectedMinutes)} expected by now, ${duration(offTheJob.requiredMinutes)} required in all.`,
    ),
    open && h("p", {}, h("a", { class: "button", href: "#/time" }, icon("tick"), "Confirm time")),
    list(
      timeLog,
      "Nothing has been logged yet.",
      ({ id, date, minutes, activityType, jobSetting, comments, exclusion, approvedAt, employerConfirmedAt }) =>
        h(
          "li",
          { key: id },
          h(
            "div",
            { class: "row" },
            icon("clock"),
            h(
              "span",
              {},
              h("strong", {}, labelOf({}, activityType)),
              h("span", { class: "detail" }, comments),
              h(
                "span",
                { class: "detail" },
                [
                  jobSetting === "OFF_THE_JOB" ? (exclusion ? "Does not count" : "Off the job") : "On the job",
                  approvedAt ? "approved by the assessor" : null,
                  employerConfirmedAt ? "confirmed by the employer" : null,
                ]
                  .filter(Boolean)
                  .join(", "),
              ),
            ),
            h(
              "span",
              { class: "due" },
              h("time", { datetime: date }, dateOnly(date)),
              h("strong", {}, duration(minutes)),
            ),
          ),
        ),
      "earlier entries",
    ),
  ];
}

function evidence(learner) {
  return [
    learner.aims.some((aim) => may(aim, "evidenceSubmit"))
      ? h("p", {}, h("a", { class: "button", href: `#/upload/${learner.id}` }, icon("upload"), "Upload evidence"))
      : notice("plain", h("p", {}, "Evidence cannot be uploaded for this learner now.")),
    list(learner.evidence, "There is no evidence yet.", (each) => evidenceRow(each), "earlier pieces of evidence"),
  ];
}

function reviews(learner) {
  return list(
    learner.reviews,
    "There is no progress review yet.",
    ({ id, number, heldOn, status }) =>
      h(
        "li",
        { key: id },
        h(
          "a",
          { class: "row", href: `#/reviews/${id}` },
          icon("words"),
          h("span", {}, h("strong", {}, `Progress review ${number}`), h("span", { class: "detail" }, dateOnly(heldOn))),
          tag(REVIEW_TONES[status] ?? "grey", labelOf(REVIEW_STATUSES, status)),
          icon("forward"),
        ),
      ),
    "earlier reviews",
  );
}

const REVIEW_TONES = { DRAFT: "grey", AWAITING_SIGNATURES: "amber", SIGNED: "green" };
