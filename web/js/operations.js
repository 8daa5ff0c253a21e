// The saved queries that the screens use: how each is restored and refreshed, and how old its data is.

import { cached, cachedPages, eachPage, refresh, restore, updateNode } from "./query_cache.js";

export const HOME = "employer_home";
const LEARNERS = "employer_learners";
export const LEARNER = "employer_learner";
export const PROGRESS_MAP = "progress_map";
export const DOCUMENTS = "documents_to_sign";
export const DOCUMENT = "document_to_sign";
export const TASKS = "employer_tasks";
export const ACTIONS = "employer_actions";
export const VISITS = "employer_visits";
export const TIME = "time_to_confirm";
export const PORTFOLIO = "employer_portfolio";
export const EVIDENCE = "evidence_to_read";
export const REVIEW = "review_to_read";
export const UNIT = "unit_to_sign";
export const NOTIFICATIONS = "notification_settings";

/** Returns the connection in a page of learners. */
const learnersOf = (data) => data.learners;

/** Returns the connection in a page of documents. */
export const documentsOf = (data) => data.viewer.signatureRequests;

/** Returns the connection in a page of tasks, or of time to confirm. */
export const tasksOf = (data) => data.viewer.tasks;

/** Returns the connection in a page of actions. */
export const actionsOf = (data) => data.actions;

/** Returns the connection in a page of visits. */
export const visitsOf = (data) => data.sessions;

// The first page of a long list has the learners whom the screens show first.
const BY_RISK = { orderBy: "POINTS_AHEAD_ASC" };

/** The query for every learner, those furthest behind first. */
export const everyLearner = () => paged(LEARNERS, learnersOf, BY_RISK);

/** Returns the pages of learners in memory as one list, or undefined. */
export const cachedLearners = () => cachedPages(LEARNERS, learnersOf, BY_RISK);

/** Replaces a learner in the list; returns whether it is there. */
export const updateLearner = (learner) => updateNode(LEARNERS, learnersOf, learner, BY_RISK);

/** A query with one response. */
export function single(name, variables = {}) {
  return {
    restore: () => restore(name, variables),
    refresh: () => refresh(name, variables),
    at: () => cached(name, variables)?.at,
  };
}

/** A query for every page of a connection. `fixed`: variables that every page has. */
export function paged(name, connection, fixed = {}) {
  return {
    restore: () => eachPage(restore, name, connection, fixed),
    // Each page is shown as it arrives.
    refresh: (onPage) => eachPage(refresh, name, connection, fixed, onPage),
    at: () => cachedPages(name, connection, fixed)?.at,
  };
}
