// Runs mutations in Apollo Client, each with a new cache that holds what the client shows, and says what is stale then.
// A case is a line of JSON on standard input: { token, types, screens, ids, mutation, variables }. The answer is a line too.
import { createInterface } from "node:readline";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { typePolicies } from "./apollo_cache.mjs";
import { graph } from "./waymark.mjs";

console.error = console.warn = (...about) => process.stderr.write(`${about.map(String).join(" ")}\n`);

/** Yields [path, one, other] for each field that differs; records are named by their id. */
function* differences(one, other, path = "") {
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") {
    // relayStylePagination keeps the cursor of an empty page as "".
    if (one !== other && !(path.endsWith("Cursor") && one === "" && other === null)) yield [path, one, other];
  } else if (Array.isArray(one) && one.length !== other.length) {
    yield [path, one.map((each) => each?.id ?? each), other.map((each) => each?.id ?? each)];
  } else {
    for (const name of Object.keys(other)) {
      // Without their numbers: the same field of two records is one finding.
      yield* differences(one[name], other[name], `${path}/${other[name]?.id ?? one[name]?.id ?? name}`);
    }
  }
}

/** Returns the ids of the records that others refer to, or the viewer. */
function idsWithin(fresh) {
  const found = new Set();
  const visit = (value) => {
    if (value === null || typeof value !== "object") return;
    if (typeof value.id === "string") found.add(value.id);
    Object.values(value).forEach(visit);
  };
  for (const value of Object.values(fresh)) {
    for (const record of [value].flat()) Object.values(record ?? {}).forEach(visit);
  }
  return found;
}

async function run({ token, types, screens, ids, mutation, variables }) {
  // A new password ends the token; the payload has another.
  const session = { token };
  const http = new HttpLink({
    uri: graph,
    fetch: (url, options) =>
      fetch(url, { ...options, headers: { ...options.headers, authorization: `Bearer ${session.token}` } }),
  });
  const cache = new InMemoryCache({ typePolicies, possibleTypes: { Node: types } });
  const client = new ApolloClient({ cache, link: http });
  const shown = { query: gql(screens), variables: ids };
  const before = (await client.query(shown)).data;
  const { data } = await client.mutate({ mutation: gql(mutation), variables, fetchPolicy: "network-only" });
  const [payload] = Object.values(data);
  if (payload.errors.length) return { errors: payload.errors };
  session.token = payload.accessToken ?? token;
  // As docs/api.md says: a record that is gone is removed from the cache.
  const gone = payload.deletedId ?? payload.removedId;
  if (gone) {
    cache.evict({ id: `${gone.split("_")[0]}:${gone}` });
    cache.gc();
  }
  const cached = cache.readQuery({ ...shown, returnPartialData: true });
  const fresh = (await client.query({ ...shown, fetchPolicy: "no-cache" })).data;
  const referred = idsWithin(fresh);
  const stale = [];
  for (const [name, now] of Object.entries(fresh)) {
    if (!Array.isArray(now)) {
      stale.push(...differences(cached[name], now, name));
      continue;
    }
    // By id: what is gone is in neither, and what is new is on no screen. Nor is what nothing refers to.
    const held = new Map(cached[name].filter(Boolean).map((record) => [record.id, record]));
    for (const record of now) {
      if (record && held.has(record.id) && referred.has(record.id)) stale.push(...differences(held.get(record.id), record, record.id));
    }
  }
  return { changed: [...differences(before, fresh)].length, stale };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await run(JSON.parse(line));
  } catch (error) {
    answer = { failed: `${error.stack}`.slice(0, 3000) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
