// The portal against MSW, as its own team tests it, and against a real server: the mocks promise no more than that gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "graphql";
import { setupServer } from "msw/node";
import { checkAnswer, handlers } from "./mocks";
import { LEARNERS, Portal } from "./portal";

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** What the portal must do, whoever answers. */
async function assertWorks(portal: Portal): Promise<void> {
  assert.match((await portal.signIn("assessor", "wrong"))!, /password is wrong/);
  assert.equal(await portal.signIn("assessor", "waymark-demo"), null);
  const [learner] = await portal.offTrack(1);
  assert.match(learner!.label, /^\w.*: \w/);
  assert.equal(await portal.log(learner!.id, inDays(9)), "DAY_IN_FUTURE");
  const minutes = await portal.log(learner!.id, inDays(-1));
  assert.ok(typeof minutes === "number" && minutes >= 30, `${minutes}`);
}

/** Checks each answer that is sent meanwhile, and returns the operations. */
async function checked(server: ReturnType<typeof setupServer>, run: () => Promise<void>): Promise<string[]> {
  const names: string[] = [];
  const checks: Promise<void>[] = [];
  server.events.on("response:mocked", ({ request, response }) => {
    checks.push((async () => {
      const { query, operationName, variables } = (await request.clone().json()) as Record<string, any>;
      names.push(operationName);
      await checkAnswer(parse(query), variables, ((await response.clone().json()) as { data: unknown }).data);
    })());
  });
  await run();
  await Promise.all(checks);
  return names;
}

const server = setupServer(...handlers);

test("with mocked answers, each of which the schema allows", async () => {
  server.listen({ onUnhandledRequest: "error" });
  const names = await checked(server, () => assertWorks(new Portal("https://portfolio.example")));
  server.close();
  assert.deepEqual(names, ["PortalSignIn", "PortalSignIn", "PortalLearners", "PortalLogTime", "PortalLogTime"]);
});

test("a mocked answer that the schema does not allow is found", async () => {
  const learner = { id: "Learner_1", name: "Ada Example", trafficLight: "RED", aims: [] };
  const variables = { first: 1 };
  await assert.rejects(checkAnswer(LEARNERS, variables, { learners: { totalCount: 1, nodes: [learner] } }), /"RED"/);
  await assert.rejects(checkAnswer(LEARNERS, variables, { learners: { totalCount: null, nodes: [] } }), /non-nullable/);
});

test("with the answers of a real server", async () => {
  await assertWorks(new Portal(process.env["WAYMARK"]!));
});
