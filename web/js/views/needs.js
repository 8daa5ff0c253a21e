// "Needs you": the viewer's tasks and what is at risk, the most urgent first, each a link to the screen where it is
// done. The titles of tasks are those of the e-mails about them.

import { icon, tag } from "../components.js";
import { h } from "../dom.js";
import { appointment, count, dateOnly, day, daysSince, labelOf, SESSION_TYPES, today } from "../format.js";
import { ACTIONS, actionsOf, cachedLearners, TASKS, tasksOf } from "../operations.js";
import { cached, cachedPages } from "../query_cache.js";
import { addressOf } from "../routes.js";
import { byRisk, gap } from "./learners.js";

const FIRST_ROWS = 8;
// The most rows of each kind of risk, so that none hides the others; a link leads to the rest.
const MOST_OF_A_RISK = 3;
const WEEK = 7 * 86_400_000;
const ICONS = {
  SIGN_DOCUMENT: "sign",
  SIGN_UNIT: "sign",
  SIGN_REVIEW: "sign",
  ANSWER_REVIEW: "words",
  RESUBMIT_EVIDENCE: "upload",
};
const state = { all: false };

/** Returns the section, or null until its data has been loaded. */
export function needsYou(app) {
  const rows = [overdueTasks(), offTrack(), overdueActions(), waitingTasks(), time(), visits()].flat().filter(Boolean);
  if (!cached(TASKS)) return null;
  const shown = state.all ? rows : rows.slice(0, FIRST_ROWS);
  return h(
    "section",
    { class: "card needs", "aria-labelledby": "needs", key: "needs" },
    h("h2", { id: "needs" }, "Needs you"),
    rows.length > 0
      ? h("ul", { class: "rows" }, shown)
      : isLoaded()
        ? h("p", { class: "note" }, icon("tick"), "Nothing needs you now.")
        : h("p", { class: "note" }, app.refreshing ? "Loading" : "Not everything has been loaded on this device yet."),
    rows.length > FIRST_ROWS &&
      h(
        "button",
        {
          type: "button",
          class: "quiet",
          "aria-expanded": state.all ? "true" : "false",
          onclick: () => {
            state.all = !state.all;
            app.draw();
          },
        },
        state.all ? "Show fewer" : `Show all ${rows.length}`,
      ),
  );
}

function row(key, href, iconName, title, detail, ...end) {
  return h(
    "li",
    { key },
    h(
      "a",
      { class: "row", href },
      icon(iconName),
      h("span", {}, h("strong", {}, title), detail && h("span", { class: "detail" }, detail)),
      h("span", { class: "due" }, end),
      icon("forward"),
    ),
  );
}

// The responses arrive one by one: only with all of them it is known that nothing needs the viewer.
const isLoaded = () => [cached(TASKS), cached(ACTIONS), cachedLearners()].every(Boolean);
const tasks = () => cachedPages(TASKS, tasksOf)?.nodes ?? [];
const isLate = ({ dueOn }) => dueOn !== null && dueOn < today();
const overdueTasks = () => tasks().filter(isLate).map(taskRow);
const waitingTasks = () => tasks().filter((task) => !isLate(task)).map(taskRow);

function taskRow(task) {
  const { id, kind, title, dueOn, waitingSince, learner, subject } = task;
  const when = isLate(task)
    ? tag("red", `${count(daysSince(dueOn), "day")} late`)
    : dueOn
      ? h("span", {}, `by ${dateOnly(dueOn)}`)
      : waitingSince && h("span", { class: "detail" }, `since ${day(waitingSince)}`);
  return row(id, addressOf(subject.id), ICONS[kind] ?? "tick", title, learner?.name, when);
}

/** Learners off track with the gap, the furthest behind first. */
function offTrack() {
  const found = (cachedLearners()?.nodes ?? [])
    .filter(({ trafficLight: light }) => light === "OFF_TRACK")
    .sort(byRisk);
  const rows = found
    .slice(0, MOST_OF_A_RISK)
    .map((learner) =>
      row(
        `off ${learner.id}`,
        `#/learners/${learner.id}`,
        "trend",
        learner.name,
        gap(learner),
        tag("red", "Off track"),
      ),
    );
  return [...rows, rest("off", found, "learner off track", "learners off track", "#/learners?show=OFF_TRACK")];
}

function overdueActions() {
  const found = (cachedPages(ACTIONS, actionsOf)?.nodes ?? []).filter(({ overdue }) => overdue);
  const rows = found
    .slice(0, MOST_OF_A_RISK)
    .map(({ id, title, targetDate, learner }) =>
      row(
        `action ${id}`,
        `#/learners/${learner.id}/actions`,
        "clock",
        title,
        `${learner.name}, due ${dateOnly(targetDate)}`,
        tag("red", `${count(daysSince(targetDate), "day")} late`),
      ),
    );
  return [...rows, rest("actions", found, "action overdue", "actions overdue", "#/actions")];
}

function rest(key, found, one, many, href) {
  const left = found.length - MOST_OF_A_RISK;
  return left > 0 ? row(`more ${key}`, href, "forward", `${count(left, `more ${one}`, `more ${many}`)}`) : null;
}

function time() {
  const waiting = cached(TASKS)?.data.viewer.taskCounts.find(({ kind }) => kind === "CONFIRM_TIME")?.count ?? 0;
  if (waiting === 0) return [];
  return [row("time", "#/time", "clock", "Confirm time that your learners logged", count(waiting, "entry", "entries"))];
}

/** The visits of the next seven days. */
function visits(now = Date.now()) {
  return (cachedLearners()?.nodes ?? [])
    .filter(({ nextSession }) => nextSession && Date.parse(nextSession.startsAt) < now + WEEK)
    .sort((a, b) => Date.parse(a.nextSession.startsAt) - Date.parse(b.nextSession.startsAt))
    .map(({ id, name, nextSession: { type, startsAt } }) =>
      row(
        `visit ${id}`,
        `#/learners/${id}/sessions`,
        "calendar",
        `${labelOf(SESSION_TYPES, type)} with ${name}`,
        null,
        h("time", { datetime: startsAt }, appointment(startsAt)),
      ),
    );
}
