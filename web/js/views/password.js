// The form that changes a password: at the first sign-in, and in the account.

import { h, say } from "../dom.js";
import { field, form, notice } from "../parts.js";
import { changePassword } from "../session.js";

const state = { busy: false, fault: null };

/** The form; `then()` is called when the password has been changed. */
export function passwordForm(app, then = () => undefined) {
  const { field: place, message } = state.fault ?? {};
  return h(
    "div",
    {},
    message && !["currentPassword", "newPassword", "again"].includes(place) && notice("bad", h("p", {}, message)),
    form(
      {
        submit: "Change password",
        doing: "Changing…",
        busy: state.busy,
        work: (values, element) => send(app, values, element, then),
      },
      field("Current password", {
        id: "currentPassword",
        type: "password",
        autocomplete: "current-password",
        fault: place === "currentPassword" ? message : null,
      }),
      field("New password", {
        id: "newPassword",
        type: "password",
        autocomplete: "new-password",
        hint: "At least 8 characters, and not easily guessed.",
        fault: place === "newPassword" ? message : null,
      }),
      field("New password again", {
        id: "again",
        type: "password",
        autocomplete: "new-password",
        fault: place === "again" ? message : null,
      }),
    ),
  );
}

async function send(app, { currentPassword, newPassword, again }, element, then) {
  if (!currentPassword) state.fault = { field: "currentPassword", message: "Please fill in your current password." };
  else if (newPassword !== again) state.fault = { field: "again", message: "This is not the same as the one above." };
  else {
    Object.assign(state, { busy: true, fault: null });
    app.draw();
    try {
      const refusal = await changePassword(currentPassword, newPassword);
      state.fault = refusal.message ? refusal : null;
    } catch (error) {
      state.fault = { message: error.message };
    }
    state.busy = false;
  }
  app.draw();
  if (state.fault) element.elements[state.fault.field]?.focus();
  else {
    if (element.isConnected) element.reset();
    say("Your password has been changed.");
    then();
  }
}
