// Apollo Client 4: after a mutation its normalised cache equals the server's data without another request.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { createHash } from "node:crypto";
import { assertCacheIsCurrent, open, typePolicies } from "./apollo_cache.mjs";
import { graph, plain, saved, sha256Of, signIn } from "./waymark.mjs";

test("evidenceAssess updates the progress map, the bars and the traffic light", async () => {
  const session = await open("assessor");
  const { evidenceLibrary } = await plain(
    session.token,
    `{ evidenceLibrary(awaitingAssessmentOnly: true, first: 1) {
         nodes { id aim { id learner { id } units { criteria(filter: NON_COMPLETED) { id status } } } } } }`,
  );
  const [{ id, aim }] = evidenceLibrary.nodes;
  const criteria = aim.units.flatMap((unit) => unit.criteria);
  await assertCacheIsCurrent(
    session,
    [[saved("progress_map"), { learnerId: aim.learner.id }]],
    `mutation Assess($id: ID!, $input: EvidenceAssessInput!) {
       evidenceAssess(id: $id, input: $input) {
         evidence {
           id
           status
           mappings { criterion { id status evidenceCount } }
           aim { id trafficLight progress { durationPercent mappedPercent signedOffPercent } }
         }
         errors { code field message }
       }
     }`,
    {
      id,
      input: {
        mappings: criteria.slice(0, 3).map((each) => ({ criterionId: each.id, signOff: true })),
        assessmentMethods: ["OBSERVATION"],
      },
    },
  );
});

test("signatureRequestSign updates the document, the learner's count and the viewer's count", async () => {
  const session = await open("employer.overview");
  const list = `query Waiting { viewer { awaitingSignatureCount signatureRequests(status: PENDING, first: 100) {
    nodes { id awaitingViewer learner { id awaitingSignatureCount } document { id sha256 download { url } } } } } }`;
  const { viewer } = await plain(session.token, list);
  const waiting = viewer.signatureRequests.nodes.find((each) => each.awaitingViewer);
  await assertCacheIsCurrent(
    session,
    [
      ["query Icon { viewer { role awaitingSignatureCount } }", {}],
      ["query Count($id: ID!) { learner(id: $id) { id name awaitingSignatureCount } }", { id: waiting.learner.id }],
      [
        `query Document($id: ID!) { signatureRequest(id: $id) {
           id title status awaitingViewer slots { role signedAt signedBy { id name } } } }`,
        { id: waiting.id },
      ],
    ],
    `mutation Sign($id: ID!, $documentSha256: String!, $password: String!) {
       signatureRequestSign(id: $id, documentSha256: $documentSha256, password: $password) {
         signatureRequest {
           id status awaitingViewer
           slots { role signedAt signedBy { id name } }
           learner { id awaitingSignatureCount }
         }
         viewer { awaitingSignatureCount }
         errors { code field message }
       }
     }`,
    { id: waiting.id, documentSha256: await sha256Of(waiting.document.download.url), password: "waymark-demo" },
  );
});

test("timeLogEntryAdd updates the off-the-job minutes", async () => {
  const session = await open("learner");
  const { viewer } = await plain(session.token, "{ viewer { learner { id aims { id } } } }");
  await assertCacheIsCurrent(
    session,
    [
      ["query Hours { viewer { learner { id name offTheJob { requiredMinutes actualMinutes actualPercent } } } }", {}],
    ],
    `mutation Log($input: TimeLogEntryInput!) {
       timeLogEntryAdd(input: $input) {
         timeLogEntry { id minutes learner { id offTheJob { actualMinutes actualPercent } } }
         errors { code field message }
       }
     }`,
    {
      input: {
        learnerId: viewer.learner.id,
        date: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10),
        minutes: 45,
        activityType: "TRAINER_LED_TRAINING",
        comments: "Brake lines: how to bend them, and what a kink does.",
      },
    },
  );
});

test("persisted queries send the hash only, once the server knows the text", async () => {
  const sent = [];
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const token = await signIn("employer.manager");
  const makeClient = (useGETForHashedQueries) =>
    new ApolloClient({
      cache: new InMemoryCache({ typePolicies }),
      link: new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(
        new HttpLink({
          uri: graph,
          headers: { authorization: `Bearer ${token}`, "apollo-require-preflight": "true" },
          fetch: (url, options) => { sent.push([options.method, options.body ?? url]); return fetch(url, options); },
        }),
      ),
    });
  const query = gql(`query New { viewer { role user { id name } } }`);
  for (const get of [false, true]) {
    const { data } = await makeClient(get).query({ query });
    assert.equal(data.viewer.role, "EMPLOYER_MANAGER");
  }
  const hasText = sent.map(([, content]) => decodeURIComponent(content).includes("query New"));
  // The first client sends the hash, then hash and text. The second client's hash is known.
  assert.deepEqual([hasText, sent.at(-1)[0]], [[false, true, false], "GET"]);
});
