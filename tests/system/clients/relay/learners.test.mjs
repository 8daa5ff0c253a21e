// Relay's runtime with the compiled artifacts: pagination, records by their id, and a mutation's update.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getSingularSelector,
} from "relay-runtime";
import { plain, signIn } from "../waymark.mjs";

// The compiler writes CommonJS.
const require = createRequire(import.meta.url);
const artifact = (name) => require(`./__generated__/${name}.graphql.js`);

async function open(username) {
  const token = await signIn(username);
  const send = async ({ text }, variables) => ({ data: await plain(token, text, variables) });
  const store = new Store(new RecordSource());
  return { token, environment: new Environment({ network: Network.create(send), store }) };
}

async function run(environment, name, variables) {
  const operation = createOperationDescriptor(artifact(name), variables);
  environment.retain(operation);
  await fetchQuery(environment, artifact(name), variables).toPromise();
  return () => environment.lookup(operation.fragment).data;
}

const card = (environment, reference) =>
  environment.lookup(getSingularSelector(artifact("learners_card"), reference)).data;

test("the pages of a connection are appended to one list", async () => {
  const { token, environment } = await open("employer.overview");
  const list = await plain(token, "{ learners(first: 100) { totalCount nodes { id name } } }");
  const first = await run(environment, "learnersQuery", { first: 5, after: null });
  const { pageInfo } = first().learners;
  await run(environment, "learnersQuery", { first: 5, after: pageInfo.endCursor });
  const { edges, totalCount } = first().learners;
  assert.equal(totalCount, list.learners.totalCount);
  const appended = edges.map(({ node }) => ({ id: node.id, name: card(environment, node).name }));
  assert.deepEqual(appended, list.learners.nodes.slice(0, 10));
});

test("a record has one entry in the store: by the fragment's query and by node ids", async () => {
  const { token, environment } = await open("learner");
  const { viewer } = await plain(token, "{ viewer { learner { id name aims { id title } } } }");
  const { id, name, aims } = viewer.learner;
  const again = await run(environment, "learnersCardQuery", { id });
  assert.equal(card(environment, again().node).name, name);
  const many = await run(environment, "learnersNodesQuery", { ids: [aims[0].id, id, "no-such-id"] });
  const [aim, learner, nothing] = many().nodes;
  assert.deepEqual([aim.__typename, aim.title, learner.__typename, nothing], ["Aim", aims[0].title, "Learner", null]);
  assert.equal(environment.getStore().getSource().get(id).__typename, "Learner");
});

test("a mutation updates the record without another request", async () => {
  const { token, environment } = await open("learner");
  const { viewer } = await plain(token, "{ viewer { learner { id } } }");
  const { id } = viewer.learner;
  const shown = await run(environment, "learnersCardQuery", { id });
  const before = card(environment, shown().node).offTheJob.actualMinutes;
  const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const entry = { date, minutes: 25, activityType: "TRAINER_LED_TRAINING", comments: "Torque settings." };
  const mutation = artifact("learnersLogMutation");
  const variables = { input: { learnerId: id, ...entry } };
  await new Promise((onCompleted, onError) => {
    commitMutation(environment, { mutation, variables, onCompleted, onError });
  });
  const after = card(environment, shown().node).offTheJob.actualMinutes;
  const fresh = await plain(token, "{ viewer { learner { offTheJob { actualMinutes } } } }");
  assert.equal(after, before + 25);
  assert.equal(after, fresh.viewer.learner.offTheJob.actualMinutes);
});
