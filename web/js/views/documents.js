// Documents that wait for the viewer's own signature.

import { at, pages } from "../answers.js";
import { h } from "../dom.js";
import { all, DOCUMENTS, documentsOf } from "../needs.js";
import { icon, notice, waiting } from "../parts.js";
import { count, day, ROLES, wordFor } from "../words.js";

export const name = "documents";
export const title = () => "Documents to sign";
export const needs = () => [all(DOCUMENTS, documentsOf)];

/** What was signed last, told once on the list. */
export const done = { sentence: null };

export function show(app) {
  const heading = h("h1", { tabindex: "-1" }, "Documents to sign");
  const list = pages(DOCUMENTS, documentsOf);
  if (!list)
    return [
      heading,
      app.refreshing ? waiting(3) : h("p", { class: "empty" }, "Nothing has been loaded on this device yet."),
    ];
  const mine = list.nodes.filter(({ awaitingViewer }) => awaitingViewer);
  return [
    heading,
    done.sentence && notice("good", h("p", {}, icon("tick"), done.sentence)),
    h(
      "p",
      { class: "result", role: "status" },
      mine.length
        ? `${count(mine.length, "document")} ${mine.length === 1 ? "waits" : "wait"} for your signature`
        : "Nothing waits for your signature.",
    ),
    mine.length > 0 && h("ul", { class: "papers" }, mine.map(card)),
  ].filter(Boolean);
}

export function arrive(app) {
  // Leaving the list and coming back later, what was signed is no news.
  if (app.route.name === "documents" && done.fresh) done.fresh = false;
  else done.sentence = null;
}

function card({ id, title, learner, requestedBy, requestedAt, slots }) {
  return h(
    "li",
    { class: "card paper", key: id },
    icon("file"),
    h(
      "div",
      {},
      h("h2", {}, h("a", { href: `#/documents/${id}` }, title)),
      h("p", {}, `About ${learner.name}`),
      h("p", { class: "note" }, `${requestedBy.name} asked on ${day(requestedAt)}`),
      h("p", { class: "note" }, signed(slots)),
    ),
    icon("on"),
  );
}

/** Who has signed, in a line. */
export function signed(slots) {
  const names = slots
    .filter(({ signedAt }) => signedAt)
    .map(({ role, signedBy }) => signedBy?.name ?? wordFor(ROLES, role));
  return names.length ? `Signed by ${names.join(", ")}` : "Nobody has signed yet";
}
