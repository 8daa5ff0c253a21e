// What a mutation changes besides its record is in its payload: both ends of a relation, counts, filtered lists.
import { test } from "node:test";
import { assertCacheIsCurrent, open } from "./apollo_cache.mjs";
import { plain, upload } from "./waymark.mjs";

const errors = "errors { code field message }";

/** Returns the first aim of a learner whom the user sees, with what the tests need of it. */
async function anAim(token, selected = "") {
  const { learners } = await plain(token, `{ learners(first: 20) { nodes { id aims { id ${selected} } } } }`);
  const learner = learners.nodes.find((each) => each.aims.length);
  return { learner, aim: learner.aims[0] };
}

test("resources change the count on the card of the aim", async () => {
  const session = await open("assessor");
  const { aim } = await anAim(session.token);
  const card = ["query Card($id: ID!) { aim(id: $id) { id title resourceCount } }", { id: aim.id }];
  const input = { aimId: aim.id, title: "Workbook", fileId: await upload(session.token) };
  await assertCacheIsCurrent(
    session,
    [card],
    `mutation Add($input: ResourceAddInput!) {
       resourceAdd(input: $input) { resource { id } aim { id resourceCount } ${errors} } }`,
    { input },
  );
  const { aim: current } = await plain(session.token, "query($id: ID!) { aim(id: $id) { resources { id } } }", card[1]);
  await assertCacheIsCurrent(
    session,
    [card],
    `mutation Remove($id: ID!) { resourceRemove(id: $id) { removedId aim { id resourceCount } ${errors} } }`,
    { id: current.resources.at(-1).id },
  );
});

test("a return changes the status and the number on the inbox", async () => {
  const session = await open("assessor");
  const { evidenceLibrary } = await plain(
    session.token, "{ evidenceLibrary(awaitingAssessmentOnly: true, first: 1) { nodes { id } } }",
  );
  const [{ id }] = evidenceLibrary.nodes;
  await assertCacheIsCurrent(
    session,
    [
      ["query Inbox { viewer { role kpis { awaitingAssessmentCount } } }", {}],
      ["query Sheet($id: ID!) { evidence(id: $id) { id title status pointsForImprovement } }", { id }],
    ],
    `mutation Return($id: ID!) {
       evidenceReturn(id: $id, pointsForImprovement: "Show the date.") {
         evidence { id status pointsForImprovement }
         viewer { kpis { awaitingAssessmentCount } }
         ${errors}
       }
     }`,
    { id },
  );
});

test("a sign-off changes the criteria that are left of the unit", async () => {
  const session = await open("assessor");
  const { evidenceLibrary } = await plain(
    session.token,
    `{ evidenceLibrary(awaitingAssessmentOnly: true, first: 1) {
         nodes { id aim { units { id criteria(filter: NON_COMPLETED) { id } } } } } }`,
  );
  const [{ id, aim }] = evidenceLibrary.nodes;
  const unit = aim.units.find((each) => each.criteria.length > 1);
  await assertCacheIsCurrent(
    session,
    [["query Left($id: ID!) { unit(id: $id) { id title criteria(filter: NON_COMPLETED) { id status } } }", { id: unit.id }]],
    `mutation Assess($id: ID!, $input: EvidenceAssessInput!) {
       evidenceAssess(id: $id, input: $input) {
         evidence { id mappings { criterion { id status unit { id criteria(filter: NON_COMPLETED) { id status } } } } }
         ${errors}
       }
     }`,
    {
      id,
      input: {
        mappings: [{ criterionId: unit.criteria[0].id, signOff: true }],
        assessmentMethods: ["OBSERVATION"],
      },
    },
  );
});

test("evidence for an action is on the action too", async () => {
  const session = await open("learner");
  const { viewer } = await plain(
    session.token,
    "{ viewer { learner { aims { id } actions(first: 50) { nodes { id status acceptsEvidence aim { id } } } } } }",
  );
  const action = viewer.learner.actions.nodes.find((each) => each.acceptsEvidence && each.status !== "COMPLETE");
  const input = {
    aimId: action.aim?.id ?? viewer.learner.aims[0].id, actionId: action.id, fileId: await upload(session.token),
    title: "Truing stand", description: "Before and after.", declareOwnWork: true, password: "waymark-demo",
  };
  await assertCacheIsCurrent(
    session,
    [["query Task($id: ID!) { action(id: $id) { id title evidence { id title } } }", { id: action.id }]],
    `mutation Submit($input: EvidenceSubmitInput!) {
       evidenceSubmit(input: $input) { evidence { id title action { id evidence { id title } } } ${errors} } }`,
    { input },
  );
});

test("the end of an allocation changes both ends", async () => {
  const session = await open("master.admin");
  const { learners } = await plain(session.token, "{ learners(first: 50) { nodes { id managers { id } } } }");
  const { id, managers: [manager] } = learners.nodes.find((each) => each.managers.length);
  await assertCacheIsCurrent(
    session,
    [
      ["query Managers($id: ID!) { learner(id: $id) { id name managers { id name } } }", { id }],
      ["query Theirs($id: ID!) { node(id: $id) { ... on User { id name learners(first: 50) { nodes { id } } } } }", { id: manager.id }],
    ],
    `mutation End($userId: ID!, $learnerIds: [ID!]!) {
       employerManagerDeallocate(userId: $userId, learnerIds: $learnerIds) {
         user { id learners(first: 50) { nodes { id } } }
         learners { id managers { id name } }
         ${errors}
       }
     }`,
    { userId: manager.id, learnerIds: [id] },
  );
});

test("an entry that is deleted changes the hours of the learner", async () => {
  const session = await open("learner");
  const { viewer } = await plain(
    session.token, "{ viewer { learner { id timeLog(first: 50) { nodes { id automatic approvedAt jobSetting } } } } }",
  );
  const entry = viewer.learner.timeLog.nodes.find((each) => !each.automatic && !each.approvedAt);
  await assertCacheIsCurrent(
    session,
    [["query Log { viewer { learner { id name timeLog(first: 50) { nodes { id } totalMinutes } } } }", {}]],
    `mutation Delete($id: ID!) {
       timeLogEntryDelete(id: $id) {
         deletedId
         viewer { learner { id timeLog(first: 50) { nodes { id } totalMinutes } } }
         ${errors}
       }
     }`,
    { id: entry.id },
  );
});
