// Signing in with the employer's login.

import { h } from "../dom.js";
import { Offline } from "../graph.js";
import { field, form, notice } from "../parts.js";
import { signIn } from "../session.js";

export const name = "sign-in";
export const title = () => "Sign in";

const state = { busy: false, fault: null };

export function show(app) {
  return [
    h(
      "div",
      { class: "welcome" },
      h("img", { src: "icons/icon.svg", alt: "", width: 72, height: 72 }),
      h("h1", { tabindex: "-1" }, "Waymark"),
      h("p", { class: "lead" }, "How your apprentices are getting on, and what waits for your signature."),
    ),
    h(
      "section",
      { class: "card" },
      app.ended && !state.fault && notice("plain", h("p", {}, app.ended)),
      state.fault && notice("bad", h("p", {}, state.fault)),
      form(
        {
          submit: "Sign in",
          doing: "Signing in…",
          busy: state.busy,
          work: (values, element) => send(app, values, element),
        },
        field("Username", { id: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
        field("Password", { id: "password", type: "password", autocomplete: "current-password" }),
      ),
    ),
    h("p", { class: "aside" }, "Your login came by e-mail from your training provider. If it does not work, ask them."),
  ];
}

async function send(app, { username, password }, element) {
  if (!username.trim() || !password) {
    state.fault = "Please fill in both your username and your password.";
    app.draw();
    element.elements[username.trim() ? "password" : "username"].focus();
    return;
  }
  Object.assign(state, { busy: true, fault: null });
  app.draw();
  try {
    state.fault = await signIn(username.trim(), password);
  } catch (error) {
    state.fault =
      error instanceof Offline ? "There is no connection. You can sign in once you are online." : error.message;
  }
  state.busy = false;
  app.draw();
  if (state.fault && element.isConnected) {
    element.elements.password.value = "";
    element.elements.password.focus();
  }
}
