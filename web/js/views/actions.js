// The Actions screen: what the learners have to do, with who does it, who follows it up, and by when.

import { icon, tag, unloaded } from "../components.js";
import { h } from "../dom.js";
import { ACTION_STATUSES, count, dateOnly, daysSince, labelOf } from "../format.js";
import { ACTIONS, actionsOf, paged } from "../operations.js";
import { cachedPages } from "../query_cache.js";

export const name = "actions";
export const title = () => "Actions";
export const queries = () => [paged(ACTIONS, actionsOf)];

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Actions");
  const list = cachedPages(ACTIONS, actionsOf);
  if (!list) return [heading, unloaded(app)];
  const overdue = list.nodes.filter((action) => action.overdue);
  return [
    heading,
    h(
      "p",
      { class: "result", role: "status" },
      list.totalCount
        ? `${count(list.totalCount, "action")} to do, ${overdue.length.toLocaleString("en-GB")} overdue`
        : "Your learners have no actions to do.",
    ),
    list.nodes.length > 0 && h("ul", { class: "card rows" }, list.nodes.map((action) => actionRow(action))),
  ];
}

/** Returns an action as a row of a list: by when, what, who does it, and who follows it up. A row with a learner is
 * a link to them. */
export function actionRow({ id, title, description, status, overdue, targetDate, assessor, learner }) {
  const body = [
    h("strong", {}, title),
    description && h("span", { class: "detail" }, description),
    h(
      "span",
      { class: "detail" },
      [learner?.name, labelOf(ACTION_STATUSES, status), assessor && `${assessor.name} follows it up`]
        .filter(Boolean)
        .join(" · "),
    ),
  ];
  const due = h(
    "span",
    { class: "due" },
    h("time", { datetime: targetDate }, dateOnly(targetDate)),
    overdue && tag("red", `${count(daysSince(targetDate), "day")} late`),
  );
  return h(
    "li",
    { key: id },
    learner
      ? h("a", { href: `#/learners/${learner.id}/actions`, class: "row" }, icon("tick"), h("span", {}, body), due)
      : h("div", { class: "row" }, icon("tick"), h("span", {}, body), due),
  );
}
