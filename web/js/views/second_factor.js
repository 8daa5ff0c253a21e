// Setting up a second factor, where the training provider requires one: the password, a code from the authenticator
// app, the recovery codes.

import { field, form, notice } from "../components.js";
import { announce, h } from "../dom.js";
import { beginSecondFactor, confirmSecondFactor, finishSecondFactor } from "../session.js";
import { confirmationField } from "./confirmation.js";

// `uri` once it has begun; `recoveryCodes` once it is confirmed.
const state = { busy: false, error: null, uri: null, recoveryCodes: null };

/** Returns the current step. */
export function secondFactorSteps(app) {
  if (state.recoveryCodes) return recoveryCodes();
  return state.uri ? confirm(app) : begin(app);
}

function begin(app) {
  return h(
    "section",
    { class: "card", key: "factor-password" },
    h(
      "p",
      {},
      "Your training provider requires a second step when you sign in: a code from an authenticator app on your ",
      "phone. Install such an app first. Then confirm that it is you.",
    ),
    form(
      {
        submitLabel: "Continue",
        busyLabel: "One moment…",
        busy: state.busy,
        onSubmit: ({ factorPassword }, element) =>
          submit(app, element, async () => {
            const { uri, message } = await beginSecondFactor(factorPassword);
            state.uri = uri ?? null;
            return message;
          }),
      },
      confirmationField(app, { id: "factorPassword", label: "Password", error: state.error }),
    ),
  );
}

function confirm(app) {
  const key = new URL(state.uri).searchParams.get("secret");
  return h(
    "section",
    { class: "card", key: "factor-code" },
    h(
      "p",
      {},
      h("a", { href: state.uri }, "Open your authenticator app"),
      ", or add an account there with this key:",
    ),
    h("p", {}, h("code", { class: "key" }, key.match(/.{1,4}/g).join(" "))),
    form(
      {
        submitLabel: "Confirm",
        busyLabel: "One moment…",
        busy: state.busy,
        onSubmit: ({ code }, element) =>
          submit(app, element, async () => {
            const { recoveryCodes = null, message } = await confirmSecondFactor(code);
            state.recoveryCodes = recoveryCodes;
            if (recoveryCodes) announce("Your authenticator app is set up.");
            return message;
          }),
      },
      field("Code", {
        id: "code",
        inputmode: "numeric",
        autocomplete: "one-time-code",
        hint: "The six digits that the app shows now.",
        error: state.error,
      }),
    ),
  );
}

function recoveryCodes() {
  return h(
    "section",
    { class: "card", key: "factor-recovery" },
    notice("good", h("p", {}, "Your authenticator app is set up.")),
    h("p", {}, "Write these codes down and keep them safe. Each works once in place of the app, if you lose it."),
    h("ul", { class: "codes" }, state.recoveryCodes.map((code) => h("li", {}, h("code", {}, code)))),
    form({
      submitLabel: "I have written them down",
      busyLabel: "One moment…",
      busy: false,
      onSubmit: async () => {
        Object.assign(state, { uri: null, recoveryCodes: null });
        await finishSecondFactor();
      },
    }),
  );
}

async function submit(app, element, work) {
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    state.error = (await work()) ?? null;
  } catch (error) {
    state.error = error.message;
  }
  state.busy = false;
  app.draw();
  if (state.error && element.isConnected) element.querySelector("input").focus();
}
