// A gateway passes the viewer's token on: a query over two services, a mutation, an error, and a subscription.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "graphql-sse";
import { address, plain, signIn } from "./waymark.mjs";
import { startGateway } from "./gateway.mjs";

const sent = [];
let token, gateway, learners;

before(async () => {
  token = await signIn("assessor");
  const data = await plain(token, "{ learners(first: 4) { nodes { id name } } }");
  learners = data.learners.nodes;
  const vans = learners.slice(0, 3).map((driver, index) => ({ plate: `WM ${index}`, driver: { id: driver.id } }));
  vans.push({ plate: "WM 9", driver: { id: "no-such-id" } });
  gateway = await startGateway(address, vans, sent);
});
after(() => gateway.close());

async function ask(query, variables, authorization = `Bearer ${token}`) {
  const headers = { "content-type": "application/json", ...(authorization && { authorization }) };
  const body = JSON.stringify({ query, variables });
  sent.length = 0;
  return (await fetch(`${gateway.address}/graphql`, { method: "POST", headers, body })).json();
}

test("records of the other service get their fields from Waymark, with one request for all", async () => {
  const { data, errors } = await ask("{ vans { plate driver { id name trafficLight } } }");
  // A record that the viewer does not see is null, and its field is named.
  assert.deepEqual(errors.map(({ path }) => path.join(".")), ["vans.3.driver.name"]);
  assert.deepEqual(
    data.vans.map(({ plate, driver }) => [plate, driver?.name]),
    [...learners.slice(0, 3).map(({ name }, index) => [`WM ${index}`, name]), ["WM 9", undefined]],
  );
  assert.equal(sent.length, 1);
});

test("records of Waymark get fields from the other service, below a connection too", async () => {
  const { data, errors } = await ask("{ learners(first: 4) { totalCount nodes { name van { plate } } } }");
  assert.equal(errors, undefined);
  assert.deepEqual(data.learners.nodes.map(({ van }) => van?.plate), ["WM 0", "WM 1", "WM 2", undefined]);
});

test("a mutation, and its errors for the user", async () => {
  const mutation = `mutation($input: TimeLogEntryInput!) {
    timeLogEntryAdd(input: $input) { timeLogEntry { id learner { name van { plate } } } errors { code reason } } }`;
  const entry = { learnerId: learners[0].id, activityType: "COACHING_OR_MENTORING", comments: "Wheel bearings." };
  const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const done = await ask(mutation, { input: { ...entry, date, minutes: 20 } });
  assert.deepEqual(done.data.timeLogEntryAdd.errors, []);
  assert.deepEqual(done.data.timeLogEntryAdd.timeLogEntry.learner, { name: learners[0].name, van: { plate: "WM 0" } });
  const refused = await ask(mutation, { input: { ...entry, date, minutes: 0 } });
  assert.equal(refused.data.timeLogEntryAdd.errors[0].code, "INVALID");
});

test("the codes of errors, and the viewer of each request alone", async () => {
  const stranger = await ask("{ viewer { role } }", {}, null);
  assert.equal(stranger.errors[0].extensions.code, "UNAUTHENTICATED");
  const learner = await ask("{ viewer { role } }", {}, `Bearer ${await signIn("learner")}`);
  assert.equal(learner.data.viewer.role, "LEARNER");
});

test("a subscription through the gateway, which reads Waymark's event stream by GET", async () => {
  const admin = await signIn("master.admin");
  const change = "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }";
  const client = createClient({
    url: `${gateway.address}/graphql`, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0,
  });
  sent.length = 0;
  const seen = [];
  for await (const { data, errors } of client.iterate({ query: "subscription { kpisChanged(take: 2) { aheadCount } }" })) {
    assert.equal(errors, undefined);
    seen.push(data.kpisChanged.aheadCount);
    // With the largest tolerance no aim is ahead; with a small one some are.
    if (seen.length === 1) await plain(admin, change, { n: seen[0] === 0 ? 2 : 100 });
  }
  client.dispose();
  assert.notEqual(seen[0], seen[1]);
  assert.deepEqual(sent.map(({ method }) => method), ["GET"]);
});
