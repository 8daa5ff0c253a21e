// The viewer's account: who is signed in, installing the app, changing the password, signing out.

import { h } from "../dom.js";
import { icon, notice } from "../parts.js";
import { session, signOut } from "../session.js";
import { install, offer } from "../shell.js";
import { ROLES, wordFor } from "../words.js";
import { passwordForm } from "./password.js";

export const name = "account";
export const title = () => "Your account";
export const needs = () => [];

const state = { changed: false };
export const arrive = () => (state.changed = false);

export function show(app) {
  const { viewer } = session;
  return [
    h("h1", { tabindex: "-1" }, "Your account"),
    h(
      "div",
      { class: "columns" },
      h(
        "section",
        { class: "card" },
        h(
          "p",
          { class: "whoami" },
          h("strong", {}, viewer.name),
          h("span", { class: "detail" }, wordFor(ROLES, viewer.role)),
        ),
        h(
          "p",
          { class: "note" },
          "The last answers are kept on this device, so that you can look at them without a connection. ",
          "Signing out removes them.",
        ),
        h("button", { type: "button", onclick: () => signOut() }, "Sign out"),
        offer &&
          h(
            "button",
            { type: "button", class: "button", onclick: () => install().then(() => app.draw()) },
            icon("open"),
            "Install this app",
          ),
      ),
      h(
        "section",
        { class: "card", "aria-labelledby": "password-heading" },
        h("h2", { id: "password-heading" }, "Change your password"),
        state.changed &&
          notice(
            "good",
            h("p", {}, icon("tick"), "Your password has been changed. Other devices have been signed out."),
          ),
        passwordForm(app, () => {
          state.changed = true;
          app.draw();
        }),
      ),
    ),
  ];
}
