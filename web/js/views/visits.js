// The Visits screen: the planned sessions of all learners, with the assessor, the place and the day.

import { icon, unloaded } from "../components.js";
import { h } from "../dom.js";
import { appointment, count, labelOf, SESSION_TYPES, today } from "../format.js";
import { paged, VISITS, visitsOf } from "../operations.js";
import { cachedPages } from "../query_cache.js";

export const name = "visits";
export const title = () => "Visits";
// The same for a whole day, so that a refresh without changes is answered with 304.
const fromToday = () => ({ startsFrom: `${today()}T00:00:00Z` });
export const queries = () => [paged(VISITS, visitsOf, fromToday())];

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Visits");
  const list = cachedPages(VISITS, visitsOf, fromToday());
  if (!list) return [heading, unloaded(app)];
  return [
    heading,
    h(
      "p",
      { class: "result", role: "status" },
      list.totalCount ? `${count(list.totalCount, "visit")} booked` : "No visit is booked.",
    ),
    list.nodes.length > 0 && h("ul", { class: "card rows" }, list.nodes.map(visitRow)),
  ];
}

/** Returns a session as a row of a list. */
export function visitRow({ id, type, startsAt, location, assessor, learner }) {
  return h(
    "li",
    { key: id },
    h(
      "a",
      { href: `#/learners/${learner.id}/sessions`, class: "row" },
      icon("calendar"),
      h(
        "span",
        {},
        h("strong", {}, learner.name),
        h(
          "span",
          { class: "detail" },
          [labelOf(SESSION_TYPES, type), `with ${assessor.name}`, location].filter(Boolean).join(", "),
        ),
      ),
      h("span", { class: "due" }, h("time", { datetime: startsAt }, appointment(startsAt))),
    ),
  );
}
