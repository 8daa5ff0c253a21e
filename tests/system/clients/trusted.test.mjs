// Apollo Client where only trusted documents run, with the ids of its manifest: it sends no text, also before the sign-in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

import { graph } from "./waymark.mjs";

const manifest = JSON.parse(process.env.MANIFEST);
const idOf = Object.fromEntries(manifest.operations.map(({ name, id }) => [name, id]));

/** A client with a token or without one; `sent` gets the bodies of its requests. */
function clientOf(sent, token) {
  const record = (url, options) => {
    sent.push(JSON.parse(options.body));
    return fetch(url, options);
  };
  const headers = { "apollographql-client-name": "portal", "apollographql-client-version": "2.0" };
  if (token) headers.authorization = `Bearer ${token}`;
  const ids = new PersistedQueryLink({ generateHash: (document) => idOf[document.definitions[0].name.value] });
  const http = new HttpLink({ uri: graph, fetch: record, headers });
  return new ApolloClient({ cache: new InMemoryCache(), link: ids.concat(http) });
}

test("a sign-in and a query run by their ids alone, and another query does not", async () => {
  const sent = [];
  const [signIn, mine] = manifest.operations.map(({ body }) => gql(body));
  const input = { username: "assessor", password: "waymark-demo" };
  const { data } = await clientOf(sent).mutate({ mutation: signIn, variables: { input } });
  const client = clientOf(sent, data.login.accessToken);
  const read = await client.query({ query: mine });
  assert.equal(read.data.viewer.role, "ASSESSOR");
  assert.deepEqual(sent.map((body) => [body.query, body.extensions.persistedQuery.sha256Hash]), [
    [undefined, "sign-in-1"],
    [undefined, "mine-1"],
  ]);
  idOf.Other = "other-1";
  await assert.rejects(client.query({ query: gql`query Other { viewer { hasPassword } }` }));
});
