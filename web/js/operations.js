// The saved queries that the screens use, and how each is restored, refreshed and dated.

import { cached, cachedPages, eachPage, refresh, restore } from "./query_cache.js";

export const HOME = "employer_home";
export const LEARNERS = "employer_learners";
export const LEARNER = "employer_learner";
export const PROGRESS_MAP = "progress_map";
export const DOCUMENTS = "documents_to_sign";
export const DOCUMENT = "document_to_sign";

/** Returns the connection in a page of learners. */
export const learnersOf = (data) => data.learners;

/** Returns the connection in a page of documents. */
export const documentsOf = (data) => data.viewer.signatureRequests;

/** A query with one response. */
export function single(name, variables = {}) {
  return {
    restore: () => restore(name, variables),
    refresh: () => refresh(name, variables),
    at: () => cached(name, variables)?.at,
  };
}

/** A query for every page of a connection. */
export function paged(name, connection) {
  return {
    restore: () => eachPage(restore, name, connection),
    refresh: () => eachPage(refresh, name, connection),
    at: () => cachedPages(name, connection)?.at,
  };
}
