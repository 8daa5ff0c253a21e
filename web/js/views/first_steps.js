// The steps that a user must complete first: changing the password, accepting the disclaimer, a second factor.

import { form, notice } from "../components.js";
import { h } from "../dom.js";
import { acceptDisclaimer, session, signOut } from "../session.js";
import { passwordForm } from "./password.js";
import { secondFactorSteps } from "./second_factor.js";

export const name = "first-steps";
export const title = () => TITLES[step()];

const TITLES = { password: "Choose a password", disclaimer: "Please read this first", factor: "Set up a second step" };

const state = { busy: false, error: null };

function step() {
  if (session.viewer.mustChangePassword) return "password";
  return session.viewer.mustAcceptDisclaimer ? "disclaimer" : "factor";
}

export function show(app) {
  return [
    h(
      "div",
      { class: "welcome small" },
      h("img", { src: "/kpi/icons/icon.svg", alt: "", width: 56, height: 56 }),
      h("h1", { tabindex: "-1", key: step() }, title()),
    ),
    STEPS[step()](app),
    h("p", { class: "aside" }, h("button", { type: "button", class: "quiet", onclick: () => signOut() }, "Sign out")),
  ];
}

const STEPS = { password: choosePassword, disclaimer, factor: secondFactorSteps };

function choosePassword(app) {
  return h(
    "section",
    { class: "card", key: "password" },
    h("p", {}, "Before you start, choose a new password. You will also use it to sign documents."),
    passwordForm(app),
  );
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
