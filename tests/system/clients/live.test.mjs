// graphql-ws and graphql-sse: events, errors, and the end of a stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient as createStream } from "graphql-sse";
import { createClient as createSocket } from "graphql-ws";
import WebSocket from "ws";
import { address, graph, plain, signIn } from "./waymark.mjs";

const url = `${address.replace("http", "ws")}/graphql`;
const clients = {
  "graphql-ws": (token) => {
    const connectionParams = { authorization: `Bearer ${token}` };
    return createSocket({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  },
  "graphql-sse": (token) => {
    const headers = { authorization: `Bearer ${token}` };
    return createStream({ url: graph, headers, retryAttempts: 0 });
  },
};
const login = `mutation {
  login(input: { username: "assessor", password: "waymark-demo" }) { accessToken refreshToken } }`;
const tolerance =
  "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }";
const logout = "mutation($refreshToken: String!) { logout(refreshToken: $refreshToken) { errors { message } } }";

for (const [name, client] of Object.entries(clients)) {
  test(`${name}: an event for each change, until the requested number`, async () => {
    const connected = client(await signIn("assessor"));
    const admin = await signIn("master.admin");
    const seen = [];
    for await (const { data } of connected.iterate({ query: "subscription { kpisChanged(take: 3) { aheadCount } }" })) {
      seen.push(data.kpisChanged.aheadCount);
      // With the largest tolerance no aim is ahead; with a small one some are.
      await plain(admin, tolerance, { n: seen.at(-1) === 0 ? 2 : 100 });
    }
    await connected.dispose();
    assert.equal(seen.length, 3);
    assert.notEqual(seen[0], seen[1]);
    assert.notEqual(seen[1], seen[2]);
  });

  test(`${name}: an invalid document gets a validation error`, async () => {
    const connected = client(await signIn("assessor"));
    let errors;
    try {
      for await (const answer of connected.iterate({ query: "subscription { nothing }" })) errors = answer.errors;
    } catch (error) {
      errors = error;
    }
    await connected.dispose();
    assert.match(JSON.stringify(errors), /GRAPHQL_VALIDATION_FAILED/);
  });

  test(`${name}: signing out ends the stream`, async () => {
    const tokens = (await plain(null, login)).login;
    const connected = client(tokens.accessToken);
    let answers = 0;
    try {
      for await (const answer of connected.iterate({ query: "subscription { kpisChanged { learnerCount } }" })) {
        answers += 1;
        if (answers === 1) await plain(tokens.accessToken, logout, { refreshToken: tokens.refreshToken });
        else assert.match(JSON.stringify(answer), /UNAUTHENTICATED/);
      }
    } catch (error) {
      // A WebSocket is closed with code 4403; an event stream ends with an error event.
      assert.equal(error.code, 4403);
    }
    await connected.dispose();
    assert.ok(answers >= 1);
  });
}
