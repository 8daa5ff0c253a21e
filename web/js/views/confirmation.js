// The field that confirms who acts: the password, or, for a user who has none, a code that is sent by e-mail.

import { field } from "../components.js";
import { announce, h } from "../dom.js";
import { requestSigningCode, session } from "../session.js";

const state = { busy: false, sentTo: null, error: null };

export const hasPassword = () => session.viewer.hasPassword !== false;

/** Returns the field. `hint` is shown for a password. */
export function confirmationField(app, { id, label = "Your password", hint = null, error }) {
  if (hasPassword()) return field(label, { id, type: "password", autocomplete: "current-password", hint, error });
  return h(
    "div",
    {},
    h(
      "p",
      {},
      h(
        "button",
        { type: "button", class: "button", onclick: () => request(app), "aria-disabled": state.busy ? "true" : null },
        state.sentTo ? "Send another code" : "Send me a code",
      ),
    ),
    state.sentTo && h("p", { role: "status" }, `A code was sent to ${state.sentTo}. It is valid for 10 minutes.`),
    state.error && h("p", { class: "error", role: "alert" }, state.error),
    field("Code", {
      id,
      inputmode: "numeric",
      autocomplete: "one-time-code",
      hint: "You have no password, so a code from an e-mail or from your authenticator app confirms that it is you.",
      error,
    }),
  );
}

async function request(app) {
  if (state.busy) return;
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    const { sentTo, message } = await requestSigningCode();
    Object.assign(state, { sentTo: sentTo ?? state.sentTo, error: message ?? null });
    if (sentTo) announce("A code was sent.");
  } catch (error) {
    state.error = error.message;
  }
  state.busy = false;
  app.draw();
}
