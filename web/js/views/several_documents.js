// The screen on which several documents are signed: each is opened, read and ticked on the page, and one password signs
// them. Each signature is for the SHA-256 of the bytes that were opened; a document that has changed is refused alone.

import { backLink, icon, unloaded } from "../components.js";
import { h } from "../dom.js";
import { count, day } from "../format.js";
import { mutate } from "../graphql.js";
import { DOCUMENTS, documentsOf, paged } from "../operations.js";
import { cachedPages } from "../query_cache.js";
import { Reader } from "../reader.js";
import { withToken } from "../session.js";
import { Signing } from "../signing.js";
import { readDocument, removeFromList } from "./document.js";
import { awaitingViewer } from "./documents.js";

export const name = "several-documents";
export const title = () => "Sign several documents";
export const queries = () => [paged(DOCUMENTS, documentsOf)];

const reader = new Reader();
const signing = new Signing();
// `open`: the id of the document that the page shows; `digests`: those of the documents that it showed before, by id;
// `ticked`: ids; `refused`: the messages that say why the server refused a signature, by id.
const initialState = () => ({ open: null, digests: new Map(), ticked: new Set(), refused: new Map() });
let state = initialState();

export function enter() {
  reader.close();
  signing.reset();
  state = initialState();
}

const digestOf = (id) => (id === state.open ? reader.sha256 : null) ?? state.digests.get(id) ?? null;

export function show(app) {
  const back = backLink("#/documents", "Documents to sign");
  const heading = h("h1", { tabindex: "-1" }, title());
  const list = cachedPages(DOCUMENTS, documentsOf);
  if (!list) return [back, heading, unloaded(app)];
  const mine = awaitingViewer(list);
  const chosen = mine.filter(({ id }) => state.ticked.has(id) && digestOf(id));
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      mine.length
        ? "Open and read each document, and tick those that you sign. One password signs them all."
        : "No documents need your signature.",
    ),
    h("ul", { class: "document-list", key: "documents" }, mine.map((request) => card(app, request))),
    mine.length > 0 && h("section", { class: "card narrow", "aria-label": "Sign", key: "sign" }, signForm(app, chosen)),
  ].filter(Boolean);
}

function card(app, request) {
  const { id, title, learner, requestedBy, requestedAt } = request;
  const refusal = state.refused.get(id);
  return h(
    "li",
    { class: "card stack", key: id },
    h("h2", { id: `title-${id}` }, title),
    h("p", { class: "note" }, `About ${learner.name}. Requested by ${requestedBy.name} on ${day(requestedAt)}.`),
    refusal && h("p", { class: "error", id: `refusal-${id}` }, refusal),
    opening(app, request),
    digestOf(id) &&
      h(
        "div",
        { class: "field", key: "tick" },
        h(
          "label",
          { class: "tick" },
          h("input", {
            type: "checkbox",
            "data-set": true,
            checked: state.ticked.has(id),
            "aria-describedby": `title-${id}`,
            onchange: ({ target }) => {
              if (target.checked) state.ticked.add(id);
              else state.ticked.delete(id);
              app.draw();
            },
          }),
          h("span", {}, "I have read this document and sign it."),
        ),
      ),
  );
}

function opening(app, { id, title, document: file }) {
  const read = () => readDocument(id);
  if (state.open === id) return reader.show(app, file, read);
  const open = () => {
    // One document is on the page at a time; the digests of those before it stay.
    if (reader.sha256) state.digests.set(state.open, reader.sha256);
    reader.close();
    state.open = id;
    reader.open(app, read);
  };
  return h(
    "div",
    { class: "opening" },
    h(
      "button",
      { type: "button", class: "button", onclick: open, key: "open" },
      icon("file"),
      digestOf(id) ? "Open it again" : "Open the document",
      h("span", { class: "visually-hidden" }, `: ${title}`),
    ),
  );
}

function signForm(app, chosen) {
  let signed = [];
  return signing.form(app, {
    tick: null,
    submitLabel: chosen.length ? `Sign ${count(chosen.length, "document")}` : "Sign the documents",
    mustRead: () => (chosen.length ? null : document.querySelector(".document-list button, .document-list input")),
    unread: "Please open, read and tick the documents that you want to sign.",
    send: async (password) => {
      const documents = chosen.map(({ id }) => ({ id, documentSha256: digestOf(id) }));
      const answer = await withToken((token) => mutate("sign_documents", { documents, password }, token));
      const { signatureRequests, errors } = answer.signatureRequestSignMany;
      const ids = new Set(signatureRequests.map(({ id }) => id));
      signed = chosen.filter(({ id }) => ids.has(id));
      signed.forEach(removeFromList);
      return errors;
    },
    onSigned: () => app.done(`You have signed ${count(signed.length, "document")}.`, "#/documents"),
    onRefused: (errors) => refuse(errors, chosen, signed.length),
  });
}

/** Shows beside each document why it was refused; it has to be opened and read again. Returns the message about all. */
function refuse(errors, chosen, signed) {
  state.refused.clear();
  for (const { field, message } of errors) {
    const [list, index] = field ?? [];
    const request = list === "documents" ? chosen[Number(index)] : undefined;
    // Without a place in the list the error is about all of them.
    if (!request) return message;
    state.refused.set(request.id, message);
    state.digests.delete(request.id);
    state.ticked.delete(request.id);
    if (request.id === state.open) {
      reader.close();
      state.open = null;
    }
  }
  const refused = `${count(state.refused.size, "document")} ${state.refused.size === 1 ? "was" : "were"} not signed`;
  return `${signed ? `You have signed ${count(signed, "document")}. ` : ""}${refused}. The reason is beside each.`;
}
