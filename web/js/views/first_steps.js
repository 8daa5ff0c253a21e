// The steps that a new user must complete first: changing the password and accepting the disclaimer.

import { form, notice } from "../components.js";
import { h } from "../dom.js";
import { acceptDisclaimer, session, signOut } from "../session.js";
import { passwordForm } from "./password.js";

export const name = "first-steps";
export const title = () => (session.viewer.mustChangePassword ? "Choose a password" : "Please read this first");

const state = { busy: false, error: null };

export function show(app) {
  const mustChangePassword = session.viewer.mustChangePassword;
  return [
    h(
      "div",
      { class: "welcome small" },
      h("img", { src: "icons/icon.svg", alt: "", width: 56, height: 56 }),
      h("h1", { tabindex: "-1", key: mustChangePassword ? "password" : "disclaimer" }, title()),
    ),
    mustChangePassword
      ? h(
          "section",
          { class: "card", key: "password" },
          h("p", {}, "Before you start, choose a new password. You will also use it to sign documents."),
          passwordForm(app),
        )
      : disclaimer(app),
    h("p", { class: "aside" }, h("button", { type: "button", class: "quiet", onclick: () => signOut() }, "Sign out")),
  ];
}

function disclaimer(app) {
  const text = session.viewer.disclaimer ?? "";
  return h(
    "section",
    { class: "card", key: "disclaimer" },
    h(
      "div",
      { class: "prose", tabindex: "0", role: "region", "aria-label": "Disclaimer" },
      text.split(/\n\s*\n/).map((paragraph) => h("p", {}, paragraph)),
    ),
    state.error && notice("bad", h("p", {}, state.error)),
    form({
      submitLabel: "I have read and accept this",
      busyLabel: "One moment…",
      busy: state.busy,
      onSubmit: () => accept(app),
    }),
  );
}

async function accept(app) {
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    state.error = await acceptDisclaimer();
  } catch (error) {
    state.error = error.message;
  }
  state.busy = false;
  app.draw();
}
