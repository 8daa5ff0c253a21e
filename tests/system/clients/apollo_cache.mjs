// Apollo Client with the cache that docs/api.md recommends, and the check that a mutation leaves it current.
import assert from "node:assert/strict";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { block, graph, signIn } from "./waymark.mjs";

export const typePolicies = new Function(
  "relayStylePagination", `${block("api.md", "js", "typePolicies")}; return typePolicies;`,
)(relayStylePagination);

/** Signs a user in, with a cache of their own. */
export async function open(username) {
  const token = await signIn(username);
  let requests = 0;
  const http = new HttpLink({
    uri: graph,
    headers: { authorization: `Bearer ${token}` },
    fetch: (...request) => { requests += 1; return fetch(...request); },
  });
  const client = new ApolloClient({ cache: new InMemoryCache({ typePolicies }), link: http });
  return { client, token, requestCount: () => requests };
}

/** Runs queries and a mutation, then asserts that each query in the cache equals a new response. */
export async function assertCacheIsCurrent({ client, requestCount }, queries, mutation, variables) {
  const documents = queries.map(([text, queryVariables]) => ({ query: gql(text), variables: queryVariables }));
  const before = [];
  for (const each of documents) before.push((await client.query(each)).data);
  const count = requestCount();
  const { data } = await client.mutate({ mutation: gql(mutation), variables });
  const payload = Object.values(data)[0];
  assert.deepEqual(payload.errors ?? [], []);
  const cached = documents.map((each) => client.readQuery(each));
  assert.equal(requestCount(), count + 1, "only the mutation was sent");
  for (const [index, each] of documents.entries()) {
    const fresh = (await client.query({ ...each, fetchPolicy: "no-cache" })).data;
    assert.deepEqual(cached[index], fresh);
    assert.notDeepEqual(before[index], fresh, "the mutation changed the result");
  }
}
