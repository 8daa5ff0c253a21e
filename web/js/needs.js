// What the screens ask for: saved operations by name, and how each is recalled, refreshed and dated.

import { at, eachPage, pages, recall, refresh } from "./answers.js";

export const GLANCE = "employer_home";
export const LEARNERS = "employer_learners";
export const LEARNER = "employer_learner";
export const PROGRESS_MAP = "progress_map";
export const DOCUMENTS = "documents_to_sign";
export const DOCUMENT = "document_to_sign";

/** The connection in a page of learners. */
export const learnersOf = (data) => data.learners;

/** The connection in a page of documents. */
export const documentsOf = (data) => data.viewer.signatureRequests;

/** One answer that a screen needs. */
export function one(name, variables = {}) {
  return {
    recall: () => recall(name, variables),
    refresh: () => refresh(name, variables),
    at: () => at(name, variables)?.at,
  };
}

/** Every page of a list that a screen needs. */
export function all(name, connection) {
  return {
    recall: () => eachPage(recall, name, connection),
    refresh: () => eachPage(refresh, name, connection),
    at: () => pages(name, connection)?.at,
  };
}
