// What a new login does first: choose a password of one's own, and accept the disclaimer.

import { h } from "../dom.js";
import { form, notice } from "../parts.js";
import { acceptDisclaimer, session, signOut } from "../session.js";
import { passwordForm } from "./password.js";

export const name = "first-steps";
export const title = () => (session.viewer.mustChangePassword ? "Choose a password" : "Please read this first");

const state = { busy: false, fault: null };

export function show(app) {
  const password = session.viewer.mustChangePassword;
  return [
    h(
      "div",
      { class: "welcome small" },
      h("img", { src: "icons/icon.svg", alt: "", width: 56, height: 56 }),
      h("h1", { tabindex: "-1", key: password ? "password" : "disclaimer" }, title()),
    ),
    password
      ? h(
          "section",
          { class: "card", key: "password" },
          h(
            "p",
            {},
            "This is your first time here. Choose a password that you will remember: you sign documents with it.",
          ),
          passwordForm(app),
        )
      : disclaimer(app),
    h("p", { class: "aside" }, h("button", { type: "button", class: "quiet", onclick: () => signOut() }, "Sign out")),
  ];
}

function disclaimer(app) {
  const words = session.viewer.disclaimer ?? "";
  return h(
    "section",
    { class: "card", key: "disclaimer" },
    h(
      "div",
      { class: "prose", tabindex: "0", role: "region", "aria-label": "Disclaimer" },
      words.split(/\n\s*\n/).map((paragraph) => h("p", {}, paragraph)),
    ),
    state.fault && notice("bad", h("p", {}, state.fault)),
    form({ submit: "I have read and accept this", doing: "One moment…", busy: state.busy, work: () => accept(app) }),
  );
}

async function accept(app) {
  Object.assign(state, { busy: true, fault: null });
  app.draw();
  try {
    state.fault = await acceptDisclaimer();
  } catch (error) {
    state.fault = error.message;
  }
  state.busy = false;
  app.draw();
}
