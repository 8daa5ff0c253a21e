// The sign-in screen: with a password, or through an identity provider.

import { field, form, notice } from "../components.js";
import { h } from "../dom.js";
import { OfflineError } from "../graphql.js";
import { identityProviders, redirectTo, readReturn } from "../identity_provider.js";
import { signIn, signInWithProvider } from "../session.js";

export const name = "sign-in";
export const title = () => "Sign in";

// `needsCode`: everything else was right, and a code of the second factor is needed. `trainingProviders`: those of
// which the user has to choose one. `input`: what an identity provider has returned, until the user is signed in.
const state = { busy: false, error: null, needsCode: false, trainingProviders: [], providers: [], input: null };

/** Loads the identity providers, and completes the sign-in of a user who comes back from one. */
export async function enter(app) {
  const result = readReturn();
  Object.assign(state, { input: result?.input ?? null, error: result?.message ?? null, needsCode: false });
  if (state.input) submit(app, () => signInWithProvider(state.input));
  try {
    state.providers = await identityProviders();
    app.draw();
  } catch {
    // The form works without them.
  }
}

export function show(app) {
  return [
    h(
      "div",
      { class: "welcome" },
      h("img", { src: "/kpi/icons/icon.svg", alt: "", width: 72, height: 72 }),
      h("h1", { tabindex: "-1" }, "Waymark"),
      h("p", { class: "lead" }, app.lead ?? "See how your apprentices are doing, and sign documents."),
    ),
    h(
      "section",
      { class: "card" },
      app.endReason && !state.error && notice("plain", h("p", {}, app.endReason)),
      state.error && notice("bad", h("p", {}, state.error)),
      state.input && state.needsCode ? providerCode(app) : passwordForm(app),
      !state.needsCode && state.providers.map((provider) => providerButton(app, provider)),
    ),
    h(
      "p",
      { class: "aside" },
      "Your training provider sent you your username by e-mail. If you cannot sign in, contact them.",
    ),
  ];
}

const labels = () => ({ submitLabel: "Sign in", busyLabel: "Signing in…", busy: state.busy });

const codeField = () =>
  field("Code", {
    id: "code",
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: "false",
    hint: "From your authenticator app, or one of your recovery codes.",
  });

function passwordForm(app) {
  return form(
    {
      // What was typed stays when a message appears or goes.
      key: "sign-in",
      ...labels(),
      onSubmit: (values, element) => submitPassword(app, values, element),
    },
    field("Username", { id: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false" }),
    field("Password", { id: "password", type: "password", autocomplete: "current-password" }),
    state.trainingProviders.length > 0 &&
      choice(
        "Training provider",
        "trainingProvider",
        state.trainingProviders.map((each) => h("option", {}, each)),
      ),
    app.roles &&
      choice(
        "Role",
        "role",
        [["", "My usual role"], ...Object.entries(app.roles)].map(([value, label]) => h("option", { value }, label)),
      ),
    state.needsCode && codeField(),
  );
}

const choice = (label, id, options) =>
  h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id, name: id }, options));

/** The form of a user who comes back from an identity provider and has a second factor here. */
function providerCode(app) {
  return form(
    {
      key: "provider-code",
      ...labels(),
      onSubmit: ({ code }, element) => submit(app, () => signInWithProvider(state.input, code.trim() || null), element),
    },
    codeField(),
  );
}

function providerButton(app, { id, name }) {
  const onclick = async () => {
    try {
      await redirectTo(id);
    } catch (error) {
      state.error = messageOf(error);
      app.draw();
    }
  };
  return h("p", { key: id }, h("button", { type: "button", class: "button", onclick }, `Sign in with ${name}`));
}

function submitPassword(app, { username, password, code, trainingProvider = null, role = null }, element) {
  if (!username.trim() || !password) {
    state.error = "Please enter your username and your password.";
    app.draw();
    element.elements[username.trim() ? "password" : "username"].focus();
    return;
  }
  submit(app, () => signIn(username.trim(), password, code?.trim() || null, trainingProvider, role), element);
}

const messageOf = (error) =>
  error instanceof OfflineError ? "There is no connection. You can sign in when you are online." : error.message;

async function submit(app, send, element = null) {
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    const { message = null, codeRequired = false, trainingProviders = [] } = await send();
    state.needsCode = codeRequired;
    state.error = message;
    // A choice that was made stays while a code is entered.
    if (trainingProviders.length > 0) state.trainingProviders = trainingProviders;
    if (message === null) Object.assign(state, { input: null, trainingProviders: [] });
  } catch (error) {
    state.error = messageOf(error);
  }
  state.busy = false;
  app.draw();
  if (!state.error || !element?.isConnected) return;
  const next = element.elements[state.needsCode ? "code" : "password"] ?? element.elements.code;
  if (state.trainingProviders.length > 0 && !state.needsCode) return element.elements.trainingProvider.focus();
  next.value = "";
  next.focus();
}
