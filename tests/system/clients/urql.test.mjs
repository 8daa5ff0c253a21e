// urql: its document cache, its errors, and subscriptions both over a socket and as an event stream.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheExchange, createClient, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient as createSocketClient } from "graphql-ws";
import WebSocket from "ws";
import { address, graph, plain, saved, signIn } from "./waymark.mjs";

const made = (token, exchanges = [cacheExchange, fetchExchange], more = {}) =>
  createClient({
    url: graph,
    exchanges,
    preferGetMethod: false,
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    ...more,
  });

test("a query is answered once and then from the cache, until a mutation touches its types", async () => {
  let asked = 0;
  const token = await signIn("learner");
  const client = made(token, undefined, { fetch: (...request) => { asked += 1; return fetch(...request); } });
  const hours = "{ viewer { learner { id aims { id } offTheJob { actualMinutes } } } }";
  const first = await client.query(hours, {}).toPromise();
  await client.query(hours, {}).toPromise();
  assert.equal(asked, 1);
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
  const client = made(await signIn("learner"));
  const { error } = await client.query("{ doesNotExist }", {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  const stranger = createClient({ url: graph, exchanges: [fetchExchange], preferGetMethod: false });
  const refused = await stranger.query("{ viewer { role } }", {}).toPromise();
  assert.equal(refused.error.graphQLErrors[0].extensions.code, "UNAUTHENTICATED");
});

const live = "subscription { kpisChanged(take: 2) { offTrackCount } }";
const settings =
  "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }";

/** Two numbers of a subscription, with a change of the settings between them. */
async function follows(client, tolerance) {
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
  await follows(made(token, [fetchExchange, subscriptionExchange({ forwardSubscription: forward })]), 60);
  await socket.dispose();
});

test("a subscription as an event stream, by fetch alone", async () => {
  await follows(made(await signIn("assessor"), [fetchExchange], { fetchSubscriptions: true }), 1);
});
