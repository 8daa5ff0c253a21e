// The Document screen: open the document, read it on the page, tick, enter the password, sign. The signature is for the
// SHA-256 of the bytes that were opened.

import { backLink, icon, notice, unloaded } from "../components.js";
import { h } from "../dom.js";
import { day, labelOf, ROLES, timeOfDay } from "../format.js";
import { mutate } from "../graphql.js";
import { DOCUMENT, DOCUMENTS, documentsOf, HOME, single } from "../operations.js";
import { cached, updateEntry, updateNode } from "../query_cache.js";
import { Reader } from "../reader.js";
import { withToken } from "../session.js";
import { actionOf, signatureList, Signing } from "../signing.js";

export const name = "document";
export const title = ({ route }) => requestOf(route)?.title ?? "Document";
export const queries = ({ id }) => [single(DOCUMENT, { id })];

const requestOf = ({ id }) => cached(DOCUMENT, { id })?.data.signatureRequest;
const reader = new Reader();
const signing = new Signing();

export function enter() {
  reader.close();
  signing.reset();
}

export function show(app) {
  const back = backLink("#/documents", "Documents to sign");
  const request = requestOf(app.route);
  const heading = h("h1", { tabindex: "-1" }, request?.title ?? "Document");
  if (request === null)
    return [back, heading, h("p", { class: "empty" }, "Document not found, or no longer available to you.")];
  if (!request) return [back, heading, unloaded(app, "This document has not been loaded on this device yet.")];
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      `About ${request.learner.name}. Requested by ${request.requestedBy.name} on ${day(request.requestedAt)}.`,
    ),
    h(
      "div",
      { class: "columns", key: "columns" },
      request.awaitingViewer && maySign(request)
        ? steps(app, request)
        : h("section", { class: "card" }, whyNot(request), opening(app, request)),
      h(
        "section",
        { class: "card", "aria-labelledby": "slots" },
        h("h2", { id: "slots" }, "Signatures"),
        signatureList(request.slots, slotText),
      ),
    ),
  ];
}

// The server decides who may sign, and says why not. A copy on the device from an earlier version of the app has no
// actions.
const maySign = (request) => actionOf(request, "signatureRequestSign")?.allowed ?? true;

function whyNot(request) {
  const refusal = signing.state.error && notice("bad", h("p", {}, signing.state.error));
  if (!request.awaitingViewer)
    return [refusal, notice("good", h("p", {}, icon("tick"), "This document does not need your signature."))];
  const { reasons } = actionOf(request, "signatureRequestSign");
  return [refusal, notice("bad", ...reasons.map(({ message }) => h("p", { key: message }, message)))];
}

/** Returns a signature slot of a document as text. */
export function slotText({ role, signedBy, signedAt, withdrawnAt, withdrawnReason }) {
  const who = signedBy?.name ?? "Somebody without an account";
  const signed = signedAt ? `${who}, ${day(signedAt)} at ${timeOfDay(signedAt)}` : "Not signed yet";
  return [
    labelOf(ROLES, role),
    h("span", { class: "detail" }, signed),
    withdrawnAt && h("span", { class: "detail" }, `Withdrawn ${day(withdrawnAt)}: ${withdrawnReason ?? ""}`),
  ];
}

function opening(app, { document: file }) {
  return reader.show(app, file, () => readDocument(app.route.id));
}

/** Returns the file of a document, with a new link: links expire after minutes. */
export async function readDocument(id) {
  await single(DOCUMENT, { id }).refresh();
  const request = requestOf({ id });
  if (!request) throw new Error("Document not found, or no longer available to you.");
  return request.document;
}

function steps(app, request) {
  return h(
    "section",
    { class: "card", "aria-label": "Sign" },
    h(
      "ol",
      { class: "steps" },
      h(
        "li",
        { class: reader.sha256 ? "done" : "", key: "open" },
        h("h2", {}, "Open and read it"),
        opening(app, request),
      ),
      h(
        "li",
        { key: "sign" },
        h("h2", {}, "Tick and sign"),
        signing.form(app, {
          tick: "I have read this document and sign it.",
          submitLabel: "Sign the document",
          mustRead: () => (reader.sha256 ? null : document.querySelector(".opening .button")),
          send: async (password) => {
            const variables = { id: request.id, documentSha256: reader.sha256, password };
            const answer = await withToken((token) => mutate("sign_document", variables, token));
            return answer.signatureRequestSign.errors;
          },
          onSigned: () => showConfirmation(app, request),
          // The document has changed since it was opened, so the user must open it again.
          onRefused: () => reader.close(),
        }),
      ),
    ),
  );
}

function showConfirmation(app, request) {
  removeFromList(request);
  app.done(`You have signed “${request.title}” for ${request.learner.name}.`, "#/documents");
}

/** Removes a document that the viewer has signed from the cached list and number, until they are loaded again. */
export function removeFromList(request) {
  updateNode(DOCUMENTS, documentsOf, { ...request, awaitingViewer: false });
  updateEntry(HOME, {}, ({ viewer }) => ({
    viewer: { ...viewer, awaitingSignatureCount: Math.max(0, viewer.awaitingSignatureCount - 1) },
  }));
}
