// The sign-in screen.

import { field, form, notice } from "../components.js";
import { h } from "../dom.js";
import { OfflineError } from "../graphql.js";
import { signIn } from "../session.js";

export const name = "sign-in";
export const title = () => "Sign in";

// `needsCode`: the password was right, and a code of the second factor is needed.
const state = { busy: false, error: null, needsCode: false };

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
          // What was typed stays when a message appears or goes.
          key: "sign-in",
          submitLabel: "Sign in",
          busyLabel: "Signing in…",
          busy: state.busy,
          onSubmit: (values, element) => submit(app, values, element),
        },
        field("Username", { id: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
        field("Password", { id: "password", type: "password", autocomplete: "current-password" }),
        state.needsCode &&
          field("Code", {
            id: "code",
            autocomplete: "one-time-code",
            autocapitalize: "characters",
            spellcheck: "false",
            hint: "From your authenticator app, or one of your recovery codes.",
          }),
      ),
    ),
    h(
      "p",
      { class: "aside" },
      "Your training provider sent you your username by e-mail. If you cannot sign in, contact them.",
    ),
  ];
}

async function submit(app, { username, password, code }, element) {
  if (!username.trim() || !password) {
    state.error = "Please enter your username and your password.";
    app.draw();
    element.elements[username.trim() ? "password" : "username"].focus();
    return;
  }
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    const { message = null, codeRequired = false } = await signIn(username.trim(), password, code?.trim() || null);
    state.needsCode = codeRequired;
    state.error = message;
  } catch (error) {
    state.error =
      error instanceof OfflineError ? "There is no connection. You can sign in when you are online." : error.message;
  }
  state.busy = false;
  app.draw();
  if (state.error && element.isConnected) {
    const next = element.elements[state.needsCode ? "code" : "password"];
    next.value = "";
    next.focus();
  }
}
