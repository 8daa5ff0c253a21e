// urql: its document cache, its errors, and subscriptions over WebSocket and SSE.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheExchange, createClient, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";
import { address, graph, plain, saved, signIn } from "./waymark.mjs";

const makeClient = (token, exchanges = [cacheExchange, fetchExchange], more = {}) =>
  createClient({
    url: graph,
    exchanges,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    ...more,
  });

test("a query is answered from the cache until a mutation changes its types", async () => {
  let requests = 0;
  const token = await signIn("learner");
  const client = makeClient(token, undefined, { fetch: (...request) => { requests += 1; return fetch(...request); } });
  const hours = "{ viewer { learner { id aims { id } offTheJob { actualMinutes } } } }";
  const first = await client.query(hours, {}).toPromise();
  await client.query(hours, {}).toPromise();
  assert.equal(requests, 1);
  const { learner } = first.data.viewer;
  const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const entry = { date, minutes: 30, activityType: "COACHING_OR_MENTORING", comments: "Jacking." };
  const input = { learnerId: learner.id, ...entry };
  const logged = await client.mutation(saved("log_time"), { input }).toPromise();
  assert.equal(logged.error, undefined);
  const again = await client.query(hours, {}).toPromise();
  assert.equal(again.data.viewer.learner.offTheJob.actualMinutes, learner.offTheJob.actualMinutes + 30);
});

test("errors arrive as graphQLErrors, with their code", async () => {
  const client = makeClient(await signIn("learner"));
  const { error } = await client.query("{ doesNotExist }", {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  const stranger = createClient({ url: graph, exchanges: [fetchExchange], preferGetMethod: false });
  const rejected = await stranger.query("{ viewer { role } }", {}).toPromise();
  assert.equal(rejected.error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
});

const live = "subscription { kpisChanged(take: 2) { offTrackCount } }";
const settings =
  "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }";

/** Asserts that a change of the settings causes a second event with another number. */
async function assertSecondEvent(client, tolerance) {
  const admin = await signIn("master.admin");
  const seen = [];
  await new Promise((resolve, reject) => {
    client.subscription(live, {}).subscribe(({ data, error }) => {
      if (error) return reject(error);
      seen.push(data.kpisChanged.offTrackCount);
      if (seen.length === 1) plain(admin, settings, { n: tolerance }).catch(reject);
      else resolve();
    });
  });
  assert.notEqual(seen[0], seen[1]);
}

test("a subscription over graphql-transport-ws", async () => {
  const token = await signIn("assessor");
  const socket = createSocketClient({
    url: `${address.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const forward = ({ query, variables }) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
  });
  await assertSecondEvent(makeClient(token, [fetchExchange, subscriptionExchange({ forwardSubscription: forward })]), 60);
  await socket.dispose();
});

test("a subscription over SSE, with fetch", async () => {
  await assertSecondEvent(makeClient(await signIn("assessor"), [fetchExchange], { fetchSubscriptions: true }), 1);
});
