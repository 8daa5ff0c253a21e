// The Documents screen: documents that await the viewer's signature.

import { icon, unloaded } from "../components.js";
import { h } from "../dom.js";
import { count, day, labelOf, ROLES } from "../format.js";
import { DOCUMENTS, documentsOf, paged } from "../operations.js";
import { cachedPages } from "../query_cache.js";

export const name = "documents";
export const title = () => "Documents to sign";
export const queries = () => [paged(DOCUMENTS, documentsOf)];

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Documents to sign");
  const list = cachedPages(DOCUMENTS, documentsOf);
  if (!list) return [heading, unloaded(app)];
  const mine = awaitingViewer(list);
  return [
    heading,
    h(
      "p",
      { class: "result", role: "status" },
      mine.length
        ? `${count(mine.length, "document")} ${mine.length === 1 ? "needs" : "need"} your signature`
        : "No documents need your signature.",
    ),
    mine.length > 1 &&
      h(
        "p",
        {},
        h("a", { class: "button", href: "#/several-documents" }, icon("sign"), "Sign several with one password"),
      ),
    mine.length > 0 && h("ul", { class: "document-list" }, mine.map(card)),
  ].filter(Boolean);
}

/** Returns those of the documents that await the viewer's own signature. */
export const awaitingViewer = ({ nodes }) => nodes.filter((each) => each.awaitingViewer);

function card({ id, title, learner, requestedBy, requestedAt, slots }) {
  return h(
    "li",
    { class: "card document-card", key: id },
    icon("file"),
    h(
      "div",
      {},
      h("h2", {}, h("a", { href: `#/documents/${id}` }, title)),
      h("p", {}, `About ${learner.name}`),
      h("p", { class: "note" }, `Requested by ${requestedBy.name} on ${day(requestedAt)}`),
      h("p", { class: "note" }, signers(slots)),
    ),
    icon("forward"),
  );
}

/** Returns who has signed, as one line. */
function signers(slots) {
  const names = slots
    .filter(({ signedAt }) => signedAt)
    .map(({ role, signedBy }) => signedBy?.name ?? `somebody without an account as ${labelOf(ROLES, role)}`);
  return names.length ? `Signed by ${names.join(", ")}` : "No signatures yet";
}
