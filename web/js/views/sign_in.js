// The sign-in screen.

import { field, form, notice } from "../components.js";
import { h } from "../dom.js";
import { OfflineError } from "../graphql.js";
import { signIn } from "../session.js";

export const name = "sign-in";
export const title = () => "Sign in";

const state = { busy: false, error: null };

export function show(app) {
  return [
    h(
      "div",
      { class: "welcome" },
      h("img", { src: "icons/icon.svg", alt: "", width: 72, height: 72 }),
      h("h1", { tabindex: "-1" }, "Waymark"),
      h("p", { class: "lead" }, "See how your apprentices are doing, and sign documents."),
    ),
    h(
      "section",
      { class: "card" },
      app.endReason && !state.error && notice("plain", h("p", {}, app.endReason)),
      state.error && notice("bad", h("p", {}, state.error)),
      form(
        {
          submitLabel: "Sign in",
          busyLabel: "Signing in…",
          busy: state.busy,
          onSubmit: (values, element) => submit(app, values, element),
        },
        field("Username", { id: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
        field("Password", { id: "password", type: "password", autocomplete: "current-password" }),
      ),
    ),
    h(
      "p",
      { class: "aside" },
      "Your training provider sent you your username by e-mail. If you cannot sign in, contact them.",
    ),
  ];
}

async function submit(app, { username, password }, element) {
  if (!username.trim() || !password) {
    state.error = "Please enter your username and your password.";
    app.draw();
    element.elements[username.trim() ? "password" : "username"].focus();
    return;
  }
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    state.error = await signIn(username.trim(), password);
  } catch (error) {
    state.error =
      error instanceof OfflineError ? "There is no connection. You can sign in when you are online." : error.message;
  }
  state.busy = false;
  app.draw();
  if (state.error && element.isConnected) {
    element.elements.password.value = "";
    element.elements.password.focus();
  }
}
