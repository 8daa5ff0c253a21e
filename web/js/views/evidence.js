// The Evidence screen: the file on the page, what it shows, feedback and signatures; signing it, and improving it.

import { backLink, notice, unloaded } from "../components.js";
import { h } from "../dom.js";
import { count, day, EVIDENCE_STATUSES, labelOf } from "../format.js";
import { mutate } from "../graphql.js";
import { EVIDENCE, single } from "../operations.js";
import { cached } from "../query_cache.js";
import { Reader } from "../reader.js";
import { session, withToken } from "../session.js";
import { may, signatureList, Signing } from "../signing.js";
import { FileForm } from "../uploading.js";
import { slotText } from "./document.js";

export const name = "evidence";
export const title = ({ route }) => evidenceOf(route)?.title ?? "Evidence";
export const queries = ({ id }) => [single(EVIDENCE, { evidenceId: id })];

const evidenceOf = ({ id }) => cached(EVIDENCE, { evidenceId: id })?.data.evidence;
/** Returns the address of the learner's list of evidence. */
const listOf = ({ learner }) => `#/learners/${learner.id}/evidence`;
const reader = new Reader();
const signing = new Signing();
const improving = new FileForm();

export function enter() {
  reader.close();
  signing.reset();
  improving.reset();
}

export function show(app) {
  const evidence = evidenceOf(app.route);
  const back = evidence
    ? backLink(listOf(evidence), evidence.learner.name)
    : backLink(app.listAddress, "Learners");
  const heading = h("h1", { tabindex: "-1" }, evidence?.title ?? "Evidence");
  if (evidence === null)
    return [back, heading, h("p", { class: "empty" }, "Evidence not found, or no longer available to you.")];
  if (!evidence) return [back, heading, unloaded(app, "This evidence has not been loaded on this device yet.")];
  const { learner, aim, submittedBy, submittedAt, status } = evidence;
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      `${learner.name}, ${aim.title}. Submitted by ${submittedBy.name} on ${day(submittedAt)}.`,
    ),
    h(
      "div",
      { class: "columns", key: "columns" },
      h(
        "section",
        { class: "card stack", "aria-label": "The evidence" },
        h("p", {}, evidence.description),
        reader.show(app, evidence.file, async () => {
          await single(EVIDENCE, { evidenceId: app.route.id }).refresh();
          return evidenceOf(app.route).file;
        }),
      ),
      h(
        "section",
        { class: "card stack", "aria-labelledby": "state" },
        h("h2", { id: "state" }, labelOf(EVIDENCE_STATUSES, status)),
        evidence.pointsForImprovement &&
          status === "RETURNED" &&
          notice("bad", h("p", {}, `To improve: ${evidence.pointsForImprovement}`)),
        evidence.feedback &&
          h("p", {}, `Feedback from ${evidence.assessedBy?.name ?? "the assessor"}: ${evidence.feedback}`),
        evidence.mappings.length > 0 && criteria(evidence.mappings),
        may(evidence, "evidenceResubmit") && resubmit(app, evidence),
        h("h2", {}, "Signatures"),
        evidence.signatures.length > 0
          ? signatureList(evidence.signatures, slotText)
          : h("p", { class: "note" }, "No signatures on this version."),
        signature(app, evidence),
      ),
    ),
  ];
}

function criteria(mappings) {
  return h(
    "details",
    {},
    h("summary", {}, `Mapped to ${count(mappings.length, "criterion", "criteria")}`),
    h(
      "ul",
      { class: "criteria" },
      mappings.map(({ signedOff, criterion: { id, code, description } }) =>
        h(
          "li",
          { key: id },
          h("span", { class: "code" }, code),
          h("p", {}, description, h("span", { class: "detail" }, signedOff ? "Signed off" : "Contributes to it")),
        ),
      ),
    ),
  );
}

function signature(app, evidence) {
  const signed = evidence.signatures.some(({ role }) => role === session.viewer.role);
  if (signed || !may(evidence, "evidenceSign")) return null;
  return h(
    "details",
    { key: "sign" },
    h("summary", {}, "Add your signature"),
    signing.form(app, {
      tick: "I have seen this evidence, and sign it.",
      submitLabel: "Sign the evidence",
      send: async (password) => {
        const answer = await withToken((token) => mutate("sign_evidence", { id: evidence.id, password }, token));
        return answer.evidenceSign.errors;
      },
      onSigned: () => app.done(`You have signed “${evidence.title}”.`, listOf(evidence)),
      onRefused: () => reader.close(),
    }),
  );
}

function resubmit(app, evidence) {
  return improving.form(app, {
    id: "improve",
    submitLabel: "Resubmit",
    texts: [["comment", "What was improved"]],
    send: async (fileId, { comment }) => {
      const variables = { id: evidence.id, input: { fileId, comment } };
      const answer = await withToken((token) => mutate("resubmit_evidence", variables, token));
      return answer.evidenceResubmit.errors;
    },
    onSent: () => app.done(`“${evidence.title}” is waiting for the assessor.`, listOf(evidence)),
  });
}
