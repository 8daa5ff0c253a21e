// The Document screen: open the document, tick, enter the password, sign. The signature is for the SHA-256 of the bytes
// that were opened.

import { form, icon, loading, notice } from "../components.js";
import { announce, h } from "../dom.js";
import { day, fileSize, labelOf, ROLES, timeOfDay } from "../format.js";
import { mutate, OfflineError } from "../graphql.js";
import { DOCUMENT, DOCUMENTS, documentsOf, HOME, single } from "../operations.js";
import { cached, updateEntry, updateNode } from "../query_cache.js";
import { withToken } from "../session.js";
import { confirmationField, hasPassword } from "./confirmation.js";
import { confirmation } from "./documents.js";

export const name = "document";
export const title = ({ route }) => requestOf(route)?.title ?? "Document";
export const queries = ({ id }) => [single(DOCUMENT, { id })];

const requestOf = ({ id }) => cached(DOCUMENT, { id })?.data.signatureRequest;
// `opened`: {address, sha256} of the bytes opened; `errorField`: "password", "tick", or null for the whole screen.
const initialState = () => ({
  opened: null,
  opening: false,
  ticked: false,
  busy: false,
  error: null,
  errorField: null,
});
let state = initialState();

export function enter() {
  if (state.opened) URL.revokeObjectURL(state.opened.address);
  state = initialState();
}

export function show(app) {
  const back = h("a", { class: "back", href: "#/documents" }, icon("back"), "Documents to sign");
  const request = requestOf(app.route);
  const heading = h("h1", { tabindex: "-1" }, request?.title ?? "Document");
  if (request === null)
    return [back, heading, h("p", { class: "empty" }, "Document not found, or no longer available to you.")];
  if (!request)
    return [
      back,
      heading,
      app.refreshing ? loading(2) : h("p", { class: "empty" }, "This document has not been loaded on this device yet."),
    ];
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      `About ${request.learner.name}. Requested by ${request.requestedBy.name} on ${day(request.requestedAt)}.`,
    ),
    state.error && !state.errorField && notice("bad", h("p", {}, state.error)),
    h(
      "div",
      { class: "columns", key: "columns" },
      request.awaitingViewer && maySign(request)
        ? steps(app, request)
        : h("section", { class: "card" }, whyNot(request), openButton(app, request)),
      h(
        "section",
        { class: "card", "aria-labelledby": "slots" },
        h("h2", { id: "slots" }, "Signatures"),
        h("ul", { class: "slots" }, request.slots.map(slot)),
      ),
    ),
  ].filter(Boolean);
}

// The server decides who may sign, and says why not. A copy on the device from an earlier version of the app has no actions.
const signing = ({ viewerActions = [] }) => viewerActions.find(({ mutation }) => mutation === "signatureRequestSign");
const maySign = (request) => signing(request)?.allowed ?? true;

function whyNot(request) {
  if (!request.awaitingViewer)
    return notice("good", h("p", {}, icon("tick"), "This document does not need your signature."));
  return notice("bad", ...signing(request).reasons.map(({ message }) => h("p", { key: message }, message)));
}

function slot({ role, signedBy, signedAt }) {
  return h(
    "li",
    { class: signedAt ? "signed" : "", key: role },
    h("span", { class: "mark" }, signedAt && icon("tick")),
    h(
      "span",
      {},
      labelOf(ROLES, role),
      h(
        "span",
        { class: "detail" },
        signedAt
          ? `${signedBy?.name ?? "Somebody without an account"}, ${day(signedAt)} at ${timeOfDay(signedAt)}`
          : "Not signed yet",
      ),
    ),
  );
}

function openButton(app, { document }) {
  return h(
    "div",
    { class: "opening" },
    state.opened
      ? h(
          "a",
          { class: "button", href: state.opened.address, download: document.name, key: "again" },
          icon("download"),
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
          icon("download"),
          state.opening ? "Opening…" : "Open the document",
        ),
    h("p", { class: "note" }, `${document.name}, ${fileSize(document.size)}`),
  );
}

function steps(app, request) {
  const errorOf = (name) => (state.errorField === name ? state.error : null);
  return h(
    "section",
    { class: "card", "aria-label": "Sign" },
    h(
      "ol",
      { class: "steps" },
      h(
        "li",
        { class: state.opened ? "done" : "", key: "open" },
        h("h2", {}, "Open and read it"),
        openButton(app, request),
      ),
      h(
        "li",
        { key: "sign" },
        h("h2", {}, "Tick and sign"),
        form(
          {
            submitLabel: "Sign the document",
            busyLabel: "Signing…",
            busy: state.busy,
            autocomplete: "on",
            onSubmit: (values, element) => sign(app, request, values, element),
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
                "aria-invalid": errorOf("tick") ? "true" : null,
                "aria-describedby": errorOf("tick") ? "tick-error" : null,
                onchange: ({ target }) => {
                  state.ticked = target.checked;
                  app.draw();
                },
              }),
              "I have read this document and sign it.",
            ),
            errorOf("tick") && h("p", { class: "error", id: "tick-error", role: "alert" }, errorOf("tick")),
          ),
          confirmationField(app, {
            id: "password",
            hint: "Your password confirms your signature.",
            error: errorOf("password"),
          }),
        ),
      ),
    ),
  );
}

async function open(app) {
  if (state.opening) return;
  // The user may leave the screen, which replaces `state`, while the document is loading.
  const stateAtStart = state;
  Object.assign(state, { opening: true, error: null, errorField: null });
  app.draw();
  try {
    // Download links expire after minutes, so a new one is requested each time.
    await single(DOCUMENT, { id: app.route.id }).refresh();
    const { document } = requestOf(app.route);
    const { pathname, search } = new URL(document.download.url);
    // The page's own origin is used, because the server may be configured with another host name.
    const response = await fetch(pathname + search, { cache: "no-store" }).catch(() => {
      throw new OfflineError();
    });
    if (!response.ok)
      throw new Error(
        (await response.json().catch(() => ({}))).error ?? "The document could not be opened. Please try again.",
      );
    const bytes = await response.arrayBuffer().catch(() => {
      throw new OfflineError();
    });
    const sha256 = await digest(bytes, document.sha256);
    const address = URL.createObjectURL(new Blob([bytes], { type: document.contentType }));
    if (stateAtStart !== state) return URL.revokeObjectURL(address);
    state.opened = { address, sha256 };
    h("a", { href: address, download: document.name }).click();
    announce("The document has been opened.");
  } catch (error) {
    Object.assign(stateAtStart, { error: error.message, errorField: null });
  }
  stateAtStart.opening = false;
  app.draw();
  // The focused button was replaced by a link: the focus moves there.
  if (document.activeElement === document.body) document.querySelector(".opening .button")?.focus();
}

/** Returns the SHA-256 of the bytes, or `expected` where the browser cannot calculate it. */
async function digest(bytes, expected) {
  // Browsers provide crypto.subtle in a secure context only.
  if (!crypto.subtle) return expected;
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function sign(app, request, { tick, password }, element) {
  const showError = (error, errorField = null, focused = null) => {
    Object.assign(state, { busy: false, error, errorField });
    app.draw();
    focused?.focus();
  };
  if (!state.opened)
    return showError(
      "Please open and read the document first.",
      null,
      element.closest(".steps").querySelector(".button"),
    );
  if (!tick) return showError("Please tick this box to sign.", "tick", element.elements.tick);
  const missing = hasPassword() ? "Please enter your password." : "Please enter the code.";
  if (!password) return showError(missing, "password", element.elements.password);
  Object.assign(state, { busy: true, error: null, errorField: null });
  app.draw();
  const variables = { id: request.id, documentSha256: state.opened.sha256, password };
  let payload;
  try {
    payload = (await withToken((token) => mutate("sign_document", variables, token))).signatureRequestSign;
  } catch (error) {
    return showError(
      error instanceof OfflineError
        ? "There is no connection, so nothing was signed. Please try again when you are online."
        : error.message,
    );
  }
  if (payload.errors.length > 0) {
    const [{ code, message }] = payload.errors;
    if (code === "WRONG_PASSWORD" || code === "TOO_MANY_ATTEMPTS") {
      element.elements.password.value = "";
      return showError(message, "password", element.elements.password);
    }
    // The document has changed since it was opened, so the user must open it again.
    Object.assign(state, initialState(), { error: message });
    app.draw();
    return app.load();
  }
  showConfirmation(app, request);
}

function showConfirmation(app, request) {
  updateNode(DOCUMENTS, documentsOf, { ...request, awaitingViewer: false });
  updateEntry(HOME, {}, ({ viewer }) => ({
    viewer: { ...viewer, awaitingSignatureCount: Math.max(0, viewer.awaitingSignatureCount - 1) },
  }));
  Object.assign(confirmation, {
    message: `You have signed “${request.title}” for ${request.learner.name}.`,
    isNew: true,
  });
  app.navigate("#/documents");
  announce(confirmation.message);
}
