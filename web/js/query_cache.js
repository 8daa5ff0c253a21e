// The last response to each query: in memory for the screen, in IndexedDB for a start without a connection. Entries
// belong to one user and are deleted when the session ends. `at` is when the server last confirmed an entry (ms).

import { runQuery, session } from "./session.js";
import { clear, read, remove, write } from "./storage.js";

const MAX_PAGES = 20;
const entries = new Map();
// Requests in progress: a query that is requested twice at the same time is sent once.
const pending = new Map();
// Changes whenever the cache is cleared, so that a response to the previous user's request is not stored.
let generation = 0;

function keyOf(name, variables) {
  return `${session?.viewer.id} ${name} ${JSON.stringify(variables)}`;
}

/** Returns the entry in memory: {data, at, etag}, or undefined. */
export function cached(name, variables = {}) {
  return entries.get(keyOf(name, variables));
}

/** Loads an entry from the device into memory, if there is one, and returns it. */
export async function restore(name, variables = {}) {
  const key = keyOf(name, variables);
  if (!entries.has(key)) {
    const stored = await read("answers", key);
    if (stored && !entries.has(key) && key === keyOf(name, variables)) entries.set(key, stored);
  }
  return entries.get(key);
}

/**
 * Sends the query and returns the new entry, or undefined where the session ended meanwhile. Throws OfflineError or
 * ServerError; the old entry then stays.
 */
export function refresh(name, variables = {}) {
  const key = keyOf(name, variables);
  if (!pending.has(key))
    pending.set(
      key,
      send(key, name, variables).finally(() => pending.delete(key)),
    );
  return pending.get(key);
}

async function send(key, name, variables) {
  const startedIn = generation;
  const before = await restore(name, variables);
  const { notModified, data, etag } = await runQuery(name, variables, before?.etag);
  if (startedIn !== generation) return entries.get(key);
  const entry = notModified ? { ...entries.get(key), at: Date.now() } : { data, etag, at: Date.now() };
  entries.set(key, entry);
  await write("answers", key, entry);
  return entry;
}

/** Calls `load` (`restore` or `refresh`) for each page of a connection, and `onPage()` after each but the last. */
export async function eachPage(load, name, connection, fixed = {}, onPage = () => undefined) {
  const endOf = (entry) => entry && connection(entry.data).pageInfo;
  let variables = fixed;
  for (let page = 0; page < MAX_PAGES; page++) {
    const before = endOf(cached(name, variables));
    const pageInfo = endOf(await load(name, variables));
    // The end of this page has moved, so that the pages that followed it before no longer belong to the list.
    if (before?.hasNextPage && before.endCursor !== pageInfo?.endCursor)
      forgetPages(name, endOf, { ...fixed, after: before.endCursor });
    if (!pageInfo?.hasNextPage) return;
    onPage();
    variables = { ...fixed, after: pageInfo.endCursor };
  }
}

/** Deletes a page of a connection and all after it. */
function forgetPages(name, endOf, variables) {
  for (let entry; (entry = cached(name, variables)); variables = { ...variables, after: endOf(entry).endCursor }) {
    entries.delete(keyOf(name, variables));
    remove("answers", keyOf(name, variables));
  }
}

/** Returns the pages in memory as one list: {nodes, totalCount, at (of the oldest page)}, or undefined. */
export function cachedPages(name, connection, fixed = {}) {
  let variables = fixed;
  let entry = cached(name, variables);
  if (!entry) return undefined;
  const list = { nodes: [], totalCount: connection(entry.data).totalCount, at: entry.at };
  // A record that has moved from one page to another between their requests is in both.
  const ids = new Set();
  for (let page = 0; entry && page < MAX_PAGES; page++) {
    const { nodes, pageInfo } = connection(entry.data);
    list.nodes.push(...nodes.filter(({ id }) => !ids.has(id) && ids.add(id)));
    list.at = Math.min(list.at, entry.at);
    if (!pageInfo.hasNextPage) break;
    variables = { ...fixed, after: pageInfo.endCursor };
    entry = cached(name, variables);
  }
  return list;
}

/** Replaces an entry's data by `change(data)`, unless that is null; returns whether it did. */
export function updateEntry(name, variables, change) {
  const key = keyOf(name, variables);
  const entry = entries.get(key);
  const data = entry && change(entry.data);
  if (!data) return false;
  // The ETag belongs to the data before the change.
  const updated = { data, etag: null, at: entry.at };
  entries.set(key, updated);
  write("answers", key, updated);
  return true;
}

/** Replaces a node in the page of a connection that contains it; returns whether a page does. */
export function updateNode(name, connection, node, fixed = {}) {
  let variables = fixed;
  for (let page = 0; page < MAX_PAGES; page++) {
    const entry = cached(name, variables);
    if (!entry) return false;
    const { nodes, pageInfo } = connection(entry.data);
    const index = nodes.findIndex(({ id }) => id === node.id);
    if (index >= 0) {
      nodes[index] = node;
      return updateEntry(name, variables, (data) => data);
    }
    if (!pageInfo.hasNextPage) return false;
    variables = { ...fixed, after: pageInfo.endCursor };
  }
  return false;
}

/** Deletes every entry, in memory and on the device. */
export async function clearCache() {
  generation += 1;
  entries.clear();
  pending.clear();
  await clear("answers");
}
