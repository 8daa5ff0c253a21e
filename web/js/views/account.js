// The Account screen: the signed-in user, signing out, installing the app, notifications, changing the password.

import { icon, notice } from "../components.js";
import { h } from "../dom.js";
import { labelOf, ROLES } from "../format.js";
import { install, installPrompt } from "../installation.js";
import { session, signOut } from "../session.js";
import { hasPassword } from "./confirmation.js";
import { enterNotifications, notifications } from "./notifications.js";
import { passwordForm } from "./password.js";

export const name = "account";
export const title = () => "Your account";
export const queries = () => [];

const state = { changed: false };
export function enter(app) {
  state.changed = false;
  enterNotifications(app);
}

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
          h("span", { class: "detail" }, labelOf(ROLES, viewer.role)),
        ),
        h(
          "p",
          { class: "note" },
          "The last figures are stored on this device, so that you can see them without a connection. ",
          "Signing out removes them.",
        ),
        h("button", { type: "button", onclick: () => signOut() }, "Sign out"),
        installPrompt &&
          h(
            "button",
            { type: "button", class: "button", onclick: () => install().then(() => app.draw()) },
            icon("download"),
            "Install this app",
          ),
      ),
      notifications(app),
      h(
        "section",
        { class: "card", "aria-labelledby": "password-heading", key: "password" },
        h("h2", { id: "password-heading" }, hasPassword() ? "Change your password" : "You have no password"),
        !hasPassword() && h("p", {}, "You sign in through your identity provider."),
        state.changed &&
          notice(
            "good",
            h("p", {}, icon("tick"), "Your password has been changed. Other devices have been signed out."),
          ),
        hasPassword() && passwordForm(app, () => {
          state.changed = true;
          app.draw();
        }),
      ),
    ),
  ];
}
