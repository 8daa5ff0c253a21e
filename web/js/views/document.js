// One document: open it, tick, give the password, sign. What is signed is the SHA-256 of the bytes that were opened.

import { amend, amendNode, at } from "../answers.js";
import { h, say } from "../dom.js";
import { mutate, Offline } from "../graph.js";
import { DOCUMENT, DOCUMENTS, documentsOf, GLANCE, one } from "../needs.js";
import { field, form, icon, notice, waiting } from "../parts.js";
import { asSignedIn } from "../session.js";
import { day, hour, ROLES, size, wordFor } from "../words.js";
import { done } from "./documents.js";

export const name = "document";
export const title = ({ route }) => request(route)?.title ?? "Document";
export const needs = ({ id }) => [one(DOCUMENT, { id })];

const request = ({ id }) => at(DOCUMENT, { id })?.data.signatureRequest;
const fresh = () => ({ opened: null, opening: false, ticked: false, busy: false, fault: null, place: null });
let state = fresh();

export function arrive() {
  if (state.opened) URL.revokeObjectURL(state.opened.address);
  state = fresh();
}

export function show(app) {
  const back = h("a", { class: "back", href: "#/documents" }, icon("back"), "Documents to sign");
  const paper = request(app.route);
  const heading = h("h1", { tabindex: "-1" }, paper?.title ?? "Document");
  if (paper === null)
    return [back, heading, h("p", { class: "empty" }, "There is no such document, or it is no longer open to you.")];
  if (!paper)
    return [
      back,
      heading,
      app.refreshing ? waiting(2) : h("p", { class: "empty" }, "This document has not been opened on this device yet."),
    ];
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      `About ${paper.learner.name}. ${paper.requestedBy.name} asked on ${day(paper.requestedAt)}.`,
    ),
    state.fault && !["password", "tick"].includes(state.place) && notice("bad", h("p", {}, state.fault)),
    h(
      "div",
      { class: "columns", key: "columns" },
      paper.awaitingViewer
        ? steps(app, paper)
        : h(
            "section",
            { class: "card" },
            notice("good", h("p", {}, icon("tick"), "This does not wait for your signature.")),
            opening(app, paper),
          ),
      h(
        "section",
        { class: "card", "aria-labelledby": "slots" },
        h("h2", { id: "slots" }, "Who signs"),
        h("ul", { class: "slots" }, paper.slots.map(slot)),
      ),
    ),
  ].filter(Boolean);
}

function slot({ role, signedBy, signedAt }) {
  return h(
    "li",
    { class: signedAt ? "signed" : "", key: role },
    h("span", { class: "mark" }, signedAt && icon("tick")),
    h(
      "span",
      {},
      wordFor(ROLES, role),
      h(
        "span",
        { class: "detail" },
        signedAt ? `${signedBy.name}, ${day(signedAt)} at ${hour(signedAt)}` : "Not signed yet",
      ),
    ),
  );
}

function opening(app, { document }) {
  return h(
    "div",
    { class: "opening" },
    state.opened
      ? h(
          "a",
          { class: "button", href: state.opened.address, download: document.name, key: "again" },
          icon("open"),
          "Open it again",
        )
      : h(
          "button",
          {
            type: "button",
            class: "button",
            onclick: () => open(app),
            "aria-disabled": state.opening ? "true" : null,
            key: "open",
          },
          icon("open"),
          state.opening ? "Opening…" : "Open the document",
        ),
    h("p", { class: "note" }, `${document.name}, ${size(document.size)}`),
  );
}

function steps(app, paper) {
  const fault = (place) => (state.place === place ? state.fault : null);
  return h(
    "section",
    { class: "card", "aria-label": "Sign" },
    h(
      "ol",
      { class: "steps" },
      h("li", { class: state.opened ? "done" : "", key: "open" }, h("h2", {}, "Open and read it"), opening(app, paper)),
      h(
        "li",
        { key: "sign" },
        h("h2", {}, "Tick and sign"),
        form(
          {
            submit: "Sign the document",
            doing: "Signing…",
            busy: state.busy,
            autocomplete: "on",
            work: (values, element) => sign(app, paper, values, element),
          },
          h(
            "div",
            { class: "field" },
            h(
              "label",
              { class: "tick" },
              h("input", {
                type: "checkbox",
                name: "tick",
                "data-set": true,
                checked: state.ticked,
                required: true,
                "aria-invalid": fault("tick") ? "true" : null,
                "aria-describedby": fault("tick") ? "tick-fault" : null,
                onchange: ({ target }) => {
                  state.ticked = target.checked;
                  app.draw();
                },
              }),
              "I have read this document and sign it.",
            ),
            fault("tick") && h("p", { class: "fault", id: "tick-fault", role: "alert" }, fault("tick")),
          ),
          field("Your password", {
            id: "password",
            type: "password",
            autocomplete: "current-password",
            hint: "It stands for your signature.",
            fault: fault("password"),
          }),
        ),
      ),
    ),
  );
}

async function open(app) {
  if (state.opening) return;
  const mine = state;
  Object.assign(state, { opening: true, fault: null, place: null });
  app.draw();
  try {
    // The link is good for minutes: a new one each time.
    await one(DOCUMENT, { id: app.route.id }).refresh();
    const { document } = request(app.route);
    const { pathname, search } = new URL(document.download.url);
    // By this page's own origin: the server may be known to itself by another name.
    const answer = await fetch(pathname + search, { cache: "no-store" }).catch(() => {
      throw new Offline();
    });
    if (!answer.ok)
      throw new Error(
        (await answer.json().catch(() => ({}))).error ?? "The document could not be opened. Please try again.",
      );
    const bytes = await answer.arrayBuffer().catch(() => {
      throw new Offline();
    });
    const sha256 = await digest(bytes, document.sha256);
    const address = URL.createObjectURL(new Blob([bytes], { type: document.contentType }));
    if (mine !== state) return URL.revokeObjectURL(address);
    state.opened = { address, sha256 };
    h("a", { href: address, download: document.name }).click();
    say("The document has been opened.");
  } catch (error) {
    Object.assign(mine, { fault: error.message, place: "open" });
  }
  mine.opening = false;
  app.draw();
  // The button that was pressed has become a link: whoever stood on it stands there still.
  if (document.activeElement === document.body) document.querySelector(".opening .button")?.focus();
}

async function digest(bytes, said) {
  // Browsers reckon digests over https and on this machine only; elsewhere the server's word is all there is.
  if (!crypto.subtle) return said;
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sign(app, paper, { tick, password }, element) {
  const refuse = (place, fault, focus) => {
    Object.assign(state, { busy: false, place, fault });
    app.draw();
    focus?.focus();
  };
  if (!state.opened)
    return refuse(
      "open",
      "Please open and read the document first.",
      element.closest(".steps").querySelector(".button"),
    );
  if (!tick) return refuse("tick", "Please tick this to sign.", element.elements.tick);
  if (!password) return refuse("password", "Please give your password.", element.elements.password);
  Object.assign(state, { busy: true, fault: null, place: null });
  app.draw();
  const variables = { id: paper.id, documentSha256: state.opened.sha256, password };
  let answer;
  try {
    answer = (await asSignedIn((token) => mutate("sign_document", variables, token))).signatureRequestSign;
  } catch (error) {
    return refuse(
      "all",
      error instanceof Offline
        ? "There is no connection, so nothing was signed. Please try again when you are online."
        : error.message,
    );
  }
  if (answer.errors.length > 0) {
    const [{ code, message }] = answer.errors;
    if (code === "WRONG_PASSWORD" || code === "TOO_MANY_ATTEMPTS") {
      element.elements.password.value = "";
      return refuse("password", message, element.elements.password);
    }
    // What stands there now is not what was opened: it has to be read again.
    Object.assign(state, fresh(), { fault: message, place: "all" });
    app.draw();
    return app.load();
  }
  signedOff(app, paper);
}

function signedOff(app, paper) {
  amendNode(DOCUMENTS, documentsOf, { ...paper, awaitingViewer: false });
  amend(GLANCE, {}, ({ viewer }) => ({
    viewer: { ...viewer, awaitingSignatureCount: Math.max(0, viewer.awaitingSignatureCount - 1) },
  }));
  Object.assign(done, { sentence: `You have signed “${paper.title}” for ${paper.learner.name}.`, fresh: true });
  app.go("#/documents");
  say(done.sentence);
}
